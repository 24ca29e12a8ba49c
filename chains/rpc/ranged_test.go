package rpc_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/legate-dao/legate/chains/rpc"
)

// picky is a node of chain 1 with one log in every tenth block, that answers log requests up to a limit and refuses
// wider ones in a provider's way.
type picky struct {
	limit   uint64                              // blocks of one request; 0: any
	results int                                 // logs of one answer; 0: any
	refuse  func(from, to uint64) (int, string) // status and error member, or the whole body when it begins with !
	always  func(n int) (int, string)           // answers log requests in the same form, by their number; nil or "": honest

	mu    sync.Mutex
	asked []uint64 // widths of log requests
	trips int
}

const pickyHead = 60_000

func (p *picky) widths() []uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := p.asked
	p.asked = nil
	return out
}

func pickyHash(n uint64) string { return fmt.Sprintf("0x%064x", n+1) }

func pickyBlock(n uint64) string {
	return fmt.Sprintf(`{"number":"0x%x","hash":"%s","parentHash":"%s","timestamp":"0x%x"}`, n, pickyHash(n), pickyHash(n-1), 1_000_000+12*n)
}

func (p *picky) logs(from, to uint64) string {
	var out []string
	for n := (from + 9) / 10 * 10; n <= to; n += 10 {
		out = append(out, fmt.Sprintf(`{"address":"0x%040x","topics":[],"data":"0x","blockNumber":"0x%x","blockHash":"%s","transactionHash":"0x%064x","transactionIndex":"0x0","logIndex":"0x0","removed":false}`, 5, n, pickyHash(n), n))
	}
	return "[" + strings.Join(out, ",") + "]"
}

// one is the member that answers a question: `"result":…` or `"error":…`.
func (p *picky) one(method string, params []json.RawMessage) (status int, member string) {
	number := func(raw json.RawMessage) uint64 {
		n, _ := strconv.ParseUint(strings.Trim(string(raw), `"`), 0, 64)
		return n
	}
	switch method {
	case "eth_chainId":
		return 200, `"result":"0x1"`
	case "eth_blockNumber":
		return 200, fmt.Sprintf(`"result":"0x%x"`, pickyHead)
	case "eth_getBlockByNumber":
		return 200, `"result":` + pickyBlock(number(params[0]))
	case "eth_getLogs":
		var f struct{ FromBlock, ToBlock json.RawMessage }
		_ = json.Unmarshal(params[0], &f)
		from, to := number(f.FromBlock), number(f.ToBlock)
		p.mu.Lock()
		p.asked = append(p.asked, to-from+1)
		n := len(p.asked)
		p.mu.Unlock()
		if p.always != nil {
			if status, text := p.always(n); text != "" {
				return status, text
			}
		}
		logs := p.logs(from, to)
		if p.limit > 0 && to-from+1 > p.limit || p.results > 0 && strings.Count(logs, "address") > p.results {
			return p.refuse(from, to)
		}
		return 200, `"result":` + logs
	}
	return 200, `"error":{"code":-32601,"message":"no such method"}`
}

func (p *picky) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	p.mu.Lock()
	p.trips++
	p.mu.Unlock()
	type ask struct {
		ID     json.RawMessage
		Method string
		Params []json.RawMessage
	}
	var asks []ask
	many := json.Unmarshal(body, &asks) == nil
	if !many {
		asks = make([]ask, 1)
		_ = json.Unmarshal(body, &asks[0])
	}
	status, parts := 200, []string{}
	for _, a := range asks {
		s, member := p.one(a.Method, a.Params)
		if s != 200 {
			status = s
		}
		if strings.HasPrefix(member, "!") { // a gateway answers for the whole request
			w.WriteHeader(s)
			_, _ = io.WriteString(w, member[1:])
			return
		}
		parts = append(parts, `{"jsonrpc":"2.0","id":`+string(a.ID)+`,`+member+`}`)
	}
	w.WriteHeader(status)
	if many {
		_, _ = io.WriteString(w, "["+strings.Join(parts, ",")+"]")
		return
	}
	_, _ = io.WriteString(w, parts[0])
}

func (p *picky) start(t *testing.T) string {
	s := httptest.NewServer(p)
	t.Cleanup(s.Close)
	return s.URL
}

func dialPicky(t *testing.T, need int, nodes ...*picky) *rpc.Client {
	t.Helper()
	cfg := rpc.Config{ChainID: 1, Finality: rpc.LatestTag, Jitter: noWait, Agree: need, Timeout: 2 * time.Second}
	for _, n := range nodes {
		cfg.Endpoints = append(cfg.Endpoints, rpc.Endpoint{HTTP: n.start(t)})
	}
	return dial(t, cfg)
}

// refusalCase is a refusal as a provider writes it.
type refusalCase struct {
	Name  string
	HTTP  int
	Error json.RawMessage
	Body  string // the whole answer instead
}

// refusals are the cases that people reported, with others of the same kind.
func refusals(t *testing.T) []refusalCase {
	t.Helper()
	file, err := os.Open("testdata/log-limits.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	var out []refusalCase
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var c refusalCase
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatalf("%s: %v", lines.Text(), err)
		}
		out = append(out, c)
	}
	return out
}

func (c refusalCase) refuse(uint64, uint64) (int, string) {
	status := c.HTTP
	if status == 0 {
		status = 200
	}
	if c.Body != "" {
		return status, "!" + c.Body
	}
	return status, `"error":` + string(c.Error)
}

// TestG48LogLimits: whatever words, code, status or place of the words a provider chooses to refuse a wide range, all
// logs are read in ranges that it gives, what it gives is remembered, and its one block beside the range is read too.
func TestG48LogLimits(t *testing.T) {
	cases := refusals(t)
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			p := &picky{limit: 100, refuse: c.refuse}
			client := dialPicky(t, 1, p)
			for poll := range 3 {
				var end rpc.Header
				logs, err := rpc.Logs(t.Context(), beside{client, &end, 1098}, rpc.Filter{From: 1, To: 1098})
				if err != nil || len(logs) != 109 {
					t.Fatalf("poll %d: %d logs, %v; want 109", poll, len(logs), err)
				}
				for i, l := range logs {
					if l.BlockNumber != uint64(10*(i+1)) {
						t.Fatalf("poll %d: log %d is of block %d", poll, i, l.BlockNumber)
					}
				}
				if end.Number != 1098 {
					t.Errorf("poll %d: the block beside the logs is %d", poll, end.Number)
				}
				widths := p.widths()
				over := 0
				for _, w := range widths {
					if w > 100 {
						over++
					}
				}
				t.Logf("poll %d: %d requests, %d refused", poll, len(widths), over)
				if len(widths) > 40 || poll > 0 && (over > 4 || widths[0] > 200) {
					t.Errorf("poll %d: %d requests, %d too wide: %v", poll, len(widths), over, widths)
				}
			}
		})
	}
	t.Logf("n=%d refusals", len(cases))
}

// beside asks for a block in the same batch as each call.
type beside struct {
	rpc.Caller
	end *rpc.Header
	at  uint64
}

func (b beside) Call(ctx context.Context, result any, method string, args ...any) error {
	reqs := []rpc.Request{
		{Method: method, Args: args, Result: result},
		{Method: "eth_getBlockByNumber", Args: []any{fmt.Sprintf("0x%x", b.at), false}, Result: b.end},
	}
	if err := b.Batch(ctx, reqs); err != nil {
		return err
	}
	return rpc.FirstErr(reqs)
}

// A limit on results rather than blocks: wide ranges where logs are rare, narrow ones where not.
func TestG48LogLimitOfResults(t *testing.T) {
	p := &picky{results: 7, refuse: func(from, to uint64) (int, string) {
		return 200, `"error":{"code":-32005,"message":"query returned more than 7 results"}`
	}}
	client := dialPicky(t, 1, p)
	logs, err := rpc.Logs(t.Context(), client, rpc.Filter{From: 1, To: 1098})
	if err != nil || len(logs) != 109 {
		t.Fatalf("%d logs, %v; want 109", len(logs), err)
	}
}

// A rate limit is left alone: no range is made smaller for it, then or later.
func TestG48RateLimitKeepsTheRange(t *testing.T) {
	limits := map[string]func(int) (int, string){
		"http 429":      func(int) (int, string) { return 429, `!{"error":"too many requests"}` },
		"http 429 page": func(int) (int, string) { return 429, `!slow down` },
		"http 403 text": func(int) (int, string) { return 403, `!rate limit exceeded` },
		"code 429": func(int) (int, string) {
			return 200, `"error":{"code":429,"message":"Your app has exceeded its compute units per second capacity."}`
		},
		"-32005": func(int) (int, string) {
			return 200, `"error":{"code":-32005,"message":"daily request count exceeded, request rate limited"}`
		},
		"limited to a": func(int) (int, string) {
			return 200, `"error":{"code":-32600,"message":"eth_getLogs is limited to a rate of 10 requests per second"}`
		},
		"-32007": func(int) (int, string) {
			return 200, `"error":{"code":-32007,"message":"15/second request limit reached - reduce calls per second or upgrade"}`
		},
		"words in data": func(int) (int, string) {
			return 200, `"error":{"code":-32602,"message":"invalid params","data":"too many requests, slow down"}`
		},
		"data, http 400": func(int) (int, string) {
			return 400, `"error":{"code":-32000,"message":"","data":{"reason":"rate limit exceeded"}}`
		},
		"error as string": func(int) (int, string) { return 400, `!{"error":"call rate exceeded your quota"}` },
	}
	for name, say := range limits {
		t.Run(name, func(t *testing.T) {
			p := &picky{}
			client := dialPicky(t, 1, p)
			p.always = say
			_, err := rpc.Logs(t.Context(), client, rpc.Filter{From: 1, To: 1098})
			if rpc.Classify(err) != rpc.RateLimited || errors.Is(err, rpc.ErrRange) {
				t.Errorf("%v (%s), want rate-limited", err, rpc.Classify(err))
			}
			p.always = nil
			p.widths()
			client = dialPicky(t, 1, p)
			if _, err := rpc.Logs(t.Context(), client, rpc.Filter{From: 1, To: 1098}); err != nil {
				t.Fatal(err)
			}
			if w := p.widths(); len(w) != 1 || w[0] != 1098 {
				t.Errorf("afterwards the ranges are %v, want one of 1098", w)
			}
		})
	}
	t.Logf("n=%d rate limits", len(limits))
}

// One block that is refused is an error in the node's own words, from wherever they stand.
func TestG48OneBlockRefused(t *testing.T) {
	for name, say := range map[string]string{
		"message": `"error":{"code":-32000,"message":"the moon is full"}`,
		"data":    `"error":{"code":-32602,"message":"invalid params","data":{"payload":{"text":"the moon is full"}}}`,
		"page":    `!the moon is full`,
		"string":  `!{"error":"the moon is full"}`,
	} {
		p := &picky{}
		client := dialPicky(t, 1, p)
		p.always = func(int) (int, string) { return 400, say }
		_, err := rpc.Logs(t.Context(), client, rpc.Filter{From: 1, To: 1098})
		var alone *rpc.RefusedError
		if !errors.As(err, &alone) || errors.Is(err, rpc.ErrRange) || !strings.Contains(fmt.Sprint(err), "the moon is full") {
			t.Errorf("%s: %v", name, err)
		}
		if n := len(p.widths()); n > 15 {
			t.Errorf("%s: asked %d times", name, n)
		}
		p.always = nil
		if _, err := rpc.Logs(t.Context(), client, rpc.Filter{From: 1, To: 1098}); err != nil {
			t.Fatal(err)
		}
		if w := p.widths(); len(w) != 1 {
			t.Errorf("%s: what was never answered taught a range: %v", name, w)
		}
	}
}

// What a refusal suggests is not trusted: the same range, nothing, more, the wrong way round, or one block.
func TestG48AbsurdSuggestions(t *testing.T) {
	for _, text := range []string{
		"try [0x1, 0x44a]", "try 1-1098", "try 0-0", "try [1098, 1]", "try [0xffffffffffffffff, 0xffffffffffffffff]", "limit is 0 blocks",
		"limit is 18446744073709551615 blocks", "limit is 99999999999999999999999999 blocks", "retry with the range 1-2", "v1 of 2 plans", "1,098 is too many", "",
	} {
		p := &picky{limit: 100, refuse: func(uint64, uint64) (int, string) {
			return 200, `"error":{"code":-32000,"message":` + strconv.Quote(text) + `}`
		}}
		client := dialPicky(t, 1, p)
		logs, err := rpc.Logs(t.Context(), client, rpc.Filter{From: 1, To: 1098})
		if err != nil || len(logs) != 109 {
			t.Errorf("%q: %d logs, %v, after %v", text, len(logs), err, p.widths())
		}
	}
}

// A gateway that gives up on a wide range is asked for less once, and next time begins where that ended.
func TestG48GatewayGivesUp(t *testing.T) {
	for _, status := range []int{502, 503, 504, 524} {
		p := &picky{limit: 100, refuse: func(uint64, uint64) (int, string) { return status, "!<html>upstream timed out</html>" }}
		client := dialPicky(t, 1, p)
		var logs []rpc.Log
		var err error
		for try := 0; try < 3 && (try == 0 || err != nil); try++ {
			logs, err = rpc.Logs(t.Context(), client, rpc.Filter{From: 1, To: 1098})
		}
		if err != nil || len(logs) != 109 {
			t.Errorf("status %d: %d logs, %v", status, len(logs), err)
		}
	}
}

// TestG48OnePoorEndpoint: of three endpoints that must agree by two, the one with the small range answers too, in
// pieces, and the others are asked for the whole range for ever.
func TestG48OnePoorEndpoint(t *testing.T) {
	poor := &picky{limit: 100, refuse: func(uint64, uint64) (int, string) {
		return 200, `"error":{"code":-32000,"message":"too wide blocks range, the limit is 100"}`
	}}
	rich := []*picky{{}, {}}
	client := dialPicky(t, 2, rich[0], poor, rich[1])
	for range 5 {
		var want common.Hash
		sources := client.Sources()
		for i, source := range sources {
			logs, err := rpc.Logs(t.Context(), source, rpc.Filter{From: 1, To: 1098})
			if err != nil || len(logs) != 109 {
				t.Fatalf("source %d: %d logs, %v", i, len(logs), err)
			}
			if digest := rpc.LogsDigest(logs); i == 0 {
				want = digest
			} else if digest != want {
				t.Errorf("source %d gives other logs", i)
			}
		}
		if len(sources) != 3 {
			t.Fatalf("%d sources, want 3", len(sources))
		}
		for _, p := range rich {
			if w := p.widths(); len(w) != 1 || w[0] != 1098 {
				t.Errorf("a rich endpoint was asked for %v", w)
			}
		}
	}
}

// A range that grows back: a limit that was of one hour is forgotten, slowly.
func TestG48RangeGrowsBack(t *testing.T) {
	p := &picky{limit: 100, refuse: func(uint64, uint64) (int, string) { return 200, `"error":{"code":-32000,"message":"nope"}` }}
	client := dialPicky(t, 1, p)
	if _, err := rpc.Logs(t.Context(), client, rpc.Filter{From: 1, To: 1098}); err != nil {
		t.Fatal(err)
	}
	p.limit = 0
	p.widths()
	polls := 0
	for w := []uint64{0}; w[0] < 1098; w = p.widths() {
		if polls++; polls > 60 {
			t.Fatalf("after %d polls the range is %v", polls, w)
		}
		if _, err := rpc.Logs(t.Context(), client, rpc.Filter{From: 1, To: 1098}); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("wide again after %d polls", polls)
	if polls < 3 {
		t.Errorf("wide again after %d polls already", polls)
	}
}

// More pieces than one answer is worth are the caller's to divide, and memory stays bounded.
func TestG48TooManyPieces(t *testing.T) {
	p := &picky{limit: 3, refuse: func(uint64, uint64) (int, string) { return 200, `"error":{"code":-32000,"message":"nope"}` }}
	client := dialPicky(t, 1, p)
	_, err := rpc.Logs(t.Context(), client, rpc.Filter{From: 1, To: 1098})
	if !errors.Is(err, rpc.ErrRange) || !strings.Contains(err.Error(), "nope") {
		t.Errorf("%v, want ErrRange in the node's words", err)
	}
	if n := len(p.widths()); n > 64 {
		t.Errorf("asked %d times", n)
	}
	logs, err := rpc.Logs(t.Context(), client, rpc.Filter{From: 1, To: 100})
	if err != nil || len(logs) != 10 {
		t.Errorf("%d logs, %v", len(logs), err)
	}
}
