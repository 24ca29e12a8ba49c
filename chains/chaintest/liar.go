package chaintest

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
)

// Question names what an endpoint is asked: the method, and what tells apart the uses of it. That is the selector of
// an eth_call, and for a block whether it is asked for by tag or by number.
//
//	eth_getBalance
//	eth_call d33219b4
//	eth_getBlockByNumber latest
//	eth_getBlockByNumber number
type Question string

// questionOf names a request.
func questionOf(a ask) Question {
	switch a.Method {
	case "eth_call":
		var call struct{ Data, Input hexutil.Bytes }
		if len(a.Params) > 0 && json.Unmarshal(a.Params[0], &call) == nil {
			if data := append(call.Data, call.Input...); len(data) >= 4 {
				return Question(fmt.Sprintf("eth_call %x", []byte(data[:4])))
			}
		}
	case "eth_getBlockByNumber":
		var tag string
		if len(a.Params) > 0 && json.Unmarshal(a.Params[0], &tag) == nil {
			if strings.HasPrefix(tag, "0x") {
				tag = "number"
			}
			return Question(a.Method + " " + tag)
		}
	}
	return Question(a.Method)
}

// Asked is a question in the moment of a test in which it arrived.
type Asked struct {
	Moment   string
	Question Question
}

// When says of what, and when, a [Liar] lies.
type When struct {
	// Question is what it lies about; empty: whatever it is asked.
	Question Question
	// Moment is the one in which it lies; empty: in all of them.
	Moment string
	// Once: it lies to the first such question, and is honest ever after.
	Once bool
}

// Liar is a [Proxy] that lies by a table: one [Lie] to one [Question], in a moment that the test names. It keeps a list
// of what it was asked in which moment, so that a test can demand that its table of questions is complete.
//
//	liar := chaintest.NewLiar(t, node)
//	liar.Lie(chaintest.Lies(chaintest.Number)[0], chaintest.When{Question: "eth_getBalance", Moment: "planning"})
//	liar.At("planning")
//	…
//	if liar.Told() == 0 { … } // nobody asked
//
// A block that it invents holds together: it has a hash that fits its fields, is found by that hash and at its height,
// and state is read at it as at the block that it stands for.
type Liar struct {
	*Proxy

	mu       sync.Mutex
	moment   string
	asked    map[Asked]int
	lie      *Lie
	when     When
	told     int
	invented map[common.Hash]invention
	tip      *invention // told last
}

// invention is a block that does not exist.
type invention struct {
	block  json.RawMessage
	number uint64
	of     common.Hash // the real block that it stands for
}

// NewLiar starts a liar before the node at upstream (http://…). It is honest until [Liar.Lie], and ends with the test.
func NewLiar(t testing.TB, upstream string) *Liar {
	l := &Liar{Proxy: &Proxy{upstream: upstream, client: &http.Client{}, calls: map[string]int{}}, asked: map[Asked]int{}, invented: map[common.Hash]invention{}}
	l.hook = l.answer
	l.serve(t, l)
	return l
}

// Host is how the program names the endpoint.
func (l *Liar) Host() string { return strings.TrimPrefix(l.URL(), "http://") }

// At says which moment of the test it is from now on.
func (l *Liar) At(moment string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.moment = moment
}

// Lie makes it lie, instead of as before.
func (l *Liar) Lie(lie Lie, when When) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lie, l.when, l.told = &lie, when, 0
}

// Honest ends the lies and forgets the invented blocks, what was told and what was asked.
func (l *Liar) Honest() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lie, l.when, l.told, l.tip, l.moment = nil, When{}, 0, nil, ""
	clear(l.invented)
	clear(l.asked)
}

// Told is how many answers were other than the truth, were late, or did not come.
func (l *Liar) Told() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.told
}

// Asked is how often it was asked what in which moment, since it was made or was [Liar.Honest] last.
func (l *Liar) Asked() map[Asked]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.asked)
}

// takes notes a question, and returns the lie that it gets, nil for none.
func (l *Liar) takes(q Question) *Lie {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked[Asked{l.moment, q}]++
	if l.lie == nil || l.when.Question != "" && l.when.Question != q || l.when.Moment != "" && l.when.Moment != l.moment || l.when.Once && l.told > 0 {
		return nil
	}
	if l.lie.Alter == nil && l.lie.Block == nil && l.lie.Back == 0 {
		l.told++ // what is not compared with the truth is told by being chosen
	}
	return l.lie
}

// answer is the hook of the proxy.
func (l *Liar) answer(r *http.Request, a ask, honest asking) (json.RawMessage, *nodeFailure, error) {
	lie := l.takes(questionOf(a))
	if block, ok := l.existing(a, lie != nil); ok {
		return block, nil, nil
	}
	a = l.grounded(a)
	if lie == nil {
		return honest(a)
	}
	switch {
	case lie.Cut:
		panic(http.ErrAbortHandler)
	case lie.Huge:
		panic(hugeAnswer{})
	case lie.Fail != nil:
		return nil, &nodeFailure{Code: lie.Fail.Code, Message: lie.Fail.Message, Data: lie.Fail.Data}, nil
	case lie.Delay > 0:
		select {
		case <-time.After(lie.Delay):
		case <-r.Context().Done():
			panic(http.ErrAbortHandler)
		}
		return honest(a)
	}
	truth, fail, err := honest(a)
	if err != nil {
		return truth, fail, err
	}
	base := truth
	if fail != nil {
		base = quote(common.Hash{}.Hex()) // it answers where the truth is a failure
	}
	told, ok := l.deceive(lie, a, base, honest)
	if !ok {
		return truth, fail, nil
	}
	return told, nil, nil
}

// deceive makes a lie of the truth; ok is false where the lie would be the truth.
func (l *Liar) deceive(lie *Lie, a ask, truth json.RawMessage, honest asking) (told json.RawMessage, ok bool) {
	var made *invention
	switch {
	case lie.Block != nil:
		if told, made, ok = inventBlock(lie, truth); !ok {
			return nil, false
		}
	case lie.Back > 0:
		old, asked := asOf(a, lie.Back, honest)
		if !asked {
			return nil, false
		}
		var fail *nodeFailure
		var err error
		if told, fail, err = honest(old); fail != nil || err != nil {
			return nil, false
		}
	default:
		told = lie.Alter(truth)
	}
	if string(told) == string(truth) {
		return nil, false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.told++
	if made != nil {
		var h struct{ Hash common.Hash }
		_ = json.Unmarshal(told, &h) // inventBlock wrote it
		l.invented[h.Hash], l.tip = *made, made
	}
	return told, true
}

// existing answers a question for an invented block.
func (l *Liar) existing(a ask, lying bool) (json.RawMessage, bool) {
	if len(a.Params) == 0 {
		return nil, false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch a.Method {
	case "eth_getBlockByHash":
		var hash common.Hash
		if json.Unmarshal(a.Params[0], &hash) != nil {
			return nil, false
		}
		i, ok := l.invented[hash]
		return i.block, ok
	case "eth_getBlockByNumber":
		var number hexutil.Uint64
		telling := l.lie != nil && !l.when.Once && (l.when.Moment == "" || l.when.Moment == l.moment)
		if lying || !telling || l.tip == nil || json.Unmarshal(a.Params[0], &number) != nil || uint64(number) != l.tip.number {
			return nil, false
		}
		return l.tip.block, true
	}
	return nil, false
}

// grounded puts the real blocks in the place of invented ones in a question.
func (l *Liar) grounded(a ask) ask {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.invented) == 0 {
		return a
	}
	params := make([]json.RawMessage, len(a.Params))
	for i, p := range a.Params {
		text := string(p)
		for hash, is := range l.invented {
			text = strings.ReplaceAll(text, hash.Hex(), is.of.Hex())
		}
		params[i] = json.RawMessage(text)
	}
	a.Params = params
	return a
}

// hugeAnswer is thrown by a question whose answer is too long.
type hugeAnswer struct{}

// hugeSize is a little more than any client takes, in bytes.
const hugeSize = 65 << 20

// ServeHTTP is the liar itself.
func (l *Liar) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer func() {
		thrown := recover()
		if thrown == nil {
			return
		}
		if _, huge := thrown.(hugeAnswer); !huge {
			panic(thrown)
		}
		w.Header().Set("Content-Type", "application/json")
		piece := strings.Repeat("0", 1<<20)
		_, err := io.WriteString(w, `{"jsonrpc":"2.0","id":1,"result":"`)
		for i := 0; err == nil && i < hugeSize>>20; i++ { // until the client has had enough
			_, err = io.WriteString(w, piece)
		}
	}()
	l.Proxy.ServeHTTP(w, r)
}

// asOf is a question about the state of some blocks earlier; ok is false where it is about none.
func asOf(a ask, back uint64, honest asking) (ask, bool) {
	params := append([]json.RawMessage(nil), a.Params...)
	if a.Method == "eth_getLogs" {
		return a, false
	}
	pos, ok := blockArg[a.Method]
	if !ok || pos >= len(params) {
		return a, false
	}
	number, ok := heightOf(params[pos], honest)
	if !ok || number < back {
		return a, false
	}
	params[pos] = quote(hexutil.EncodeUint64(number - back))
	a.Params = params
	return a, true
}

// heightOf is the number of the block that a block parameter means.
func heightOf(param json.RawMessage, honest asking) (uint64, bool) {
	var tag string
	var by struct{ BlockHash *common.Hash }
	q := ask{Method: "eth_getBlockByNumber", Params: []json.RawMessage{param, json.RawMessage("false")}}
	switch {
	case json.Unmarshal(param, &tag) == nil:
	case json.Unmarshal(param, &by) == nil && by.BlockHash != nil:
		q.Method, q.Params[0] = "eth_getBlockByHash", quote(by.BlockHash.Hex())
	default:
		return 0, false
	}
	block, fail, err := honest(q)
	if err != nil || fail != nil || string(block) == "null" {
		return 0, false
	}
	return numberOf(block), true
}
