package chaintest

import (
	"bytes"
	"encoding/json"
	"maps"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
)

// Kind is the kind of a lie.
type Kind string

// The kinds.
const (
	False   Kind = "false"   // another value of the same form
	Stale   Kind = "stale"   // the truth of some blocks ago
	Altered Kind = "altered" // a byte is other, or the form is
	Omitted Kind = "omitted" // nothing, or less
	Early   Kind = "early"   // what has not happened yet
	Late    Kind = "late"    // as if time stood still or went back
	Slow    Kind = "slow"
	Huge    Kind = "huge"  // longer than any answer may be
	Errors  Kind = "error" // a failure in place of an answer
)

// Kinds are all kinds of lies.
func Kinds() []Kind {
	return []Kind{False, Stale, Altered, Omitted, Early, Late, Slow, Huge, Errors}
}

// Lie is one way to answer other than with the truth. At most one of its fields beside Name and Kind is set, or Block
// with Unhashed.
type Lie struct {
	Name string
	Kind Kind
	// Alter makes the lie of the true result.
	Alter func(truth json.RawMessage) json.RawMessage
	// Block changes a block. It gets a new hash that fits, unless Unhashed.
	Block    func(*types.Header)
	Unhashed bool
	// Back answers as of so many blocks earlier.
	Back uint64
	// Delay comes before the true answer.
	Delay time.Duration
	// Fail is a JSON-RPC error.
	Fail *Refused
	// Cut ends the connection without an answer.
	Cut bool
	// Huge answers with more than 64 MB.
	Huge bool
}

// Refused is a JSON-RPC error.
type Refused struct {
	Code    int
	Message string
	Data    json.RawMessage
}

// Form is what kind of result a question has; it says which lies there are.
type Form string

// The forms.
const (
	Number      Form = "number"      // a quantity, or one word of a call
	Truth       Form = "truth"       // a word that is 0 or 1
	Account     Form = "account"     // a word that is an address
	Word        Form = "word"        // a word that is none of these, such as a storage slot
	Code        Form = "code"        // bytes of any length
	Values      Form = "values"      // the result of a call of several values or of any length
	Block       Form = "block"       // a header
	Logs        Form = "logs"        // a list of logs
	Receipt     Form = "receipt"     // of a transaction; null before it is mined
	Transaction Form = "transaction" // by its hash
	Gas         Form = "gas"         // an estimate
	Access      Form = "access"      // an access list
	Sent        Form = "sent"        // the hash of a transaction that was handed over
)

// Lies are the lies that a form of result has: those of all results, then its own. The list is always the same.
// The empty form has only those of all results.
func Lies(f Form) []Lie {
	all := commonLies()
	if own := formLies[f]; own != nil {
		all = append(all, own()...)
	}
	return all
}

// commonLies can be told of every result.
func commonLies() []Lie {
	fail := func(name string, code int, message string) Lie {
		return Lie{Name: name, Kind: Errors, Fail: &Refused{Code: code, Message: message}}
	}
	return []Lie{
		{Name: "null", Kind: Omitted, Alter: always("null")},
		{Name: "another form", Kind: Altered, Alter: always(`{"result":"0x"}`)},
		{Name: "no bytes", Kind: Omitted, Alter: always(`"0x"`)},
		{Name: "5 s", Kind: Slow, Delay: 5 * time.Second},
		{Name: "30 s", Kind: Slow, Delay: 30 * time.Second},
		{Name: "64 MB", Kind: Huge, Huge: true},
		{Name: "cut", Kind: Errors, Cut: true},
		fail("reverts", 3, "execution reverted"),
		fail("internal", -32603, "internal error"),
		fail("no such block", -32000, "header not found"),
		fail("no state", -32000, "missing trie node 5b6a1c0e (path ) state is not available"),
		fail("limit", -32005, "daily request count exceeded, request rate limited"),
		fail("no such method", -32601, "the method does not exist"),
	}
}

// formLies are the lies of each form.
var formLies = map[Form]func() []Lie{
	Number: numberLies,
	Gas: func() []Lie {
		return append(numberLies(),
			Lie{Name: "21000", Kind: False, Alter: always(`"0x5208"`)},
			Lie{Name: "two million", Kind: False, Alter: always(`"0x1e8480"`)})
	},
	Truth: func() []Lie {
		return []Lie{
			{Name: "flipped", Kind: False, Alter: number(func(n *big.Int) *big.Int { return n.Xor(n, common.Big1) })},
			{Name: "neither", Kind: False, Alter: number(func(*big.Int) *big.Int { return big.NewInt(2) })},
			{Name: "40 blocks ago", Kind: Stale, Back: 40},
		}
	},
	Account: func() []Lie {
		return []Lie{
			{Name: "nobody", Kind: False, Alter: number(func(*big.Int) *big.Int { return new(big.Int) })},
			{Name: "a stranger", Kind: False, Alter: number(func(*big.Int) *big.Int { return big.NewInt(0xbad) })},
			{Name: "one bit", Kind: Altered, Alter: number(func(n *big.Int) *big.Int { return n.SetBit(n, 3, n.Bit(3)^1) })},
		}
	},
	Word:   wordLies,
	Values: func() []Lie { return append(wordLies(), byteLies()...) },
	Code: func() []Lie {
		return append(byteLies(),
			Lie{Name: "other code", Kind: False, Alter: always(`"0xfe"`)},
			Lie{Name: "400 blocks ago", Kind: Stale, Back: 400})
	},
	Block:   blockLies,
	Logs:    logLies,
	Receipt: receiptLies,
	Transaction: func() []Lie {
		return []Lie{
			{Name: "not mined", Kind: Late, Alter: fields(map[string]any{"blockHash": nil, "blockNumber": nil, "transactionIndex": nil})},
			{Name: "another nonce", Kind: False, Alter: fields(map[string]any{"nonce": "0x3e7"})},
			{Name: "another hash", Kind: Altered, Alter: fields(map[string]any{"hash": common.Hash{7}})},
		}
	},
	Access: func() []Lie {
		return []Lie{
			{Name: "empty", Kind: Omitted, Alter: fields(map[string]any{"accessList": []any{}})},
			{Name: "failed", Kind: False, Alter: fields(map[string]any{"error": "execution reverted"})},
		}
	},
	Sent: func() []Lie {
		fail := func(name, message string) Lie {
			return Lie{Name: name, Kind: False, Fail: &Refused{Code: -32000, Message: message}}
		}
		return []Lie{
			{Name: "another hash", Kind: Altered, Alter: number(func(n *big.Int) *big.Int { return n.SetBit(n, 3, n.Bit(3)^1) })},
			{Name: "taken, and kept back", Kind: Omitted, Alter: nil, Fail: &Refused{Code: -32000, Message: "already known"}},
			fail("nonce too low", "nonce too low"), fail("underpriced", "transaction underpriced"), fail("no funds", "insufficient funds for gas * price + value"),
		}
	},
}

func numberLies() []Lie {
	return []Lie{
		{Name: "one more", Kind: False, Alter: number(func(n *big.Int) *big.Int { return n.Add(n, common.Big1) })},
		{Name: "one less", Kind: False, Alter: number(func(n *big.Int) *big.Int {
			if n.Sign() == 0 {
				return n
			}
			return n.Sub(n, common.Big1)
		})},
		{Name: "zero", Kind: False, Alter: number(func(*big.Int) *big.Int { return new(big.Int) })},
		{Name: "huge", Kind: False, Alter: number(func(*big.Int) *big.Int { return new(big.Int).Lsh(common.Big1, 62) })},
		{Name: "40 blocks ago", Kind: Stale, Back: 40},
	}
}

func wordLies() []Lie {
	return []Lie{
		{Name: "zeros", Kind: False, Alter: octets(func(b []byte) []byte { return make([]byte, len(b)) })},
		{Name: "ones", Kind: False, Alter: octets(func(b []byte) []byte { return bytes.Repeat([]byte{0xff}, len(b)) })},
		{Name: "last byte", Kind: Altered, Alter: octets(func(b []byte) []byte { return flip(b, len(b)-1) })},
		{Name: "400 blocks ago", Kind: Stale, Back: 400},
	}
}

func byteLies() []Lie {
	return []Lie{
		{Name: "a byte in the middle", Kind: Altered, Alter: octets(func(b []byte) []byte { return flip(b, len(b)/2) })},
		{Name: "half of it", Kind: Omitted, Alter: octets(func(b []byte) []byte { return b[:len(b)/2] })},
	}
}

// Times that invented blocks have.
const (
	yearAhead = 365 * 24 * 3600
	sixHours  = 6 * 3600
)

func blockLies() []Lie {
	return []Lie{
		{Name: "a year ahead", Kind: Early, Block: func(h *types.Header) { h.Time += yearAhead }},
		{Name: "a year ahead, true hash", Kind: Early, Unhashed: true, Block: func(h *types.Header) { h.Time += yearAhead }},
		{Name: "six hours ahead", Kind: Early, Block: func(h *types.Header) { h.Time += sixHours }},
		{Name: "six hours back", Kind: Late, Block: func(h *types.Header) { h.Time -= sixHours }},
		{Name: "six hours back, true hash", Kind: Late, Unhashed: true, Block: func(h *types.Header) { h.Time -= sixHours }},
		{Name: "1000 blocks on", Kind: Early, Block: func(h *types.Header) { h.Number.Add(h.Number, big.NewInt(1000)); h.Time += 12_000 }},
		{Name: "one block on", Kind: Early, Block: func(h *types.Header) { h.Number.Add(h.Number, common.Big1); h.Time += 12 }},
		{Name: "3 blocks ago", Kind: Stale, Back: 3},
		{Name: "40 blocks ago", Kind: Stale, Back: 40},
		{Name: "another block", Kind: False, Block: func(h *types.Header) { h.Extra = []byte("another") }},
		{Name: "another parent", Kind: False, Block: func(h *types.Header) { h.ParentHash[5] ^= 1 }},
		{Name: "another base fee", Kind: False, Block: func(h *types.Header) { h.BaseFee = big.NewInt(9e17) }},
		{Name: "no base fee, true hash", Kind: False, Unhashed: true, Block: func(h *types.Header) { h.BaseFee = new(big.Int) }},
	}
}

func logLies() []Lie {
	each := func(change func(map[string]any)) func(json.RawMessage) json.RawMessage {
		return logs(func(all []map[string]any) []map[string]any {
			for _, l := range all {
				change(l)
			}
			return all
		})
	}
	data := func(change func([]byte) []byte) func(json.RawMessage) json.RawMessage {
		return each(func(l map[string]any) {
			text, _ := l["data"].(string)
			if b, err := hexutil.Decode(text); err == nil && len(b) > 0 {
				l["data"] = hexutil.Encode(change(b))
			}
		})
	}
	return []Lie{
		{Name: "none", Kind: Omitted, Alter: always("[]")},
		{Name: "without the last", Kind: Omitted, Alter: logs(func(all []map[string]any) []map[string]any { return all[:max(len(all)-1, 0)] })},
		{Name: "doubled", Kind: False, Alter: logs(func(all []map[string]any) []map[string]any { return append(all, all...) })},
		{Name: "one that never was", Kind: Early, Alter: logs(func(all []map[string]any) []map[string]any {
			more := maps.Clone(all[len(all)-1])
			text, _ := more["data"].(string)
			if b, err := hexutil.Decode(text); err == nil && len(b) > 31 {
				more["data"] = hexutil.Encode(flip(b, 31))
			}
			more["logIndex"] = "0x77"
			return append(all, more)
		})},
		{Name: "another id", Kind: False, Alter: data(func(b []byte) []byte { return flip(b, min(31, len(b)-1)) })},
		{Name: "a byte of the text", Kind: Altered, Alter: data(func(b []byte) []byte { return flip(b, len(b)-32) })},
		{Name: "another topic", Kind: Altered, Alter: each(func(l map[string]any) { l["topics"] = []any{common.Hash{9}} })},
		{Name: "another place", Kind: False, Alter: each(func(l map[string]any) { l["logIndex"] = "0x77" })},
		{Name: "another block", Kind: False, Alter: each(func(l map[string]any) { l["blockHash"] = common.Hash{9} })},
		{Name: "taken back", Kind: Late, Alter: each(func(l map[string]any) { l["removed"] = true })},
	}
}

func receiptLies() []Lie {
	return []Lie{
		{Name: "failed", Kind: False, Alter: fields(map[string]any{"status": "0x0"})},
		{Name: "another block", Kind: False, Alter: fields(map[string]any{"blockHash": common.Hash{9}})},
		{Name: "a later block", Kind: Late, Alter: fields(map[string]any{"blockNumber": "0xffffff"})},
		{Name: "an earlier block", Kind: Early, Alter: fields(map[string]any{"blockNumber": "0x1"})},
		{Name: "of another transaction", Kind: Altered, Alter: fields(map[string]any{"transactionHash": common.Hash{9}})},
		{Name: "without logs", Kind: Omitted, Alter: fields(map[string]any{"logs": []any{}})},
		{Name: "no gas", Kind: False, Alter: fields(map[string]any{"gasUsed": "0x0"})},
	}
}

func always(result string) func(json.RawMessage) json.RawMessage {
	return func(json.RawMessage) json.RawMessage { return json.RawMessage(result) }
}

// octets changes a result that is bytes in hex. Others stay as they are.
func octets(change func([]byte) []byte) func(json.RawMessage) json.RawMessage {
	return func(truth json.RawMessage) json.RawMessage {
		var b hexutil.Bytes
		if json.Unmarshal(truth, &b) != nil || len(b) == 0 {
			return truth
		}
		return quote(hexutil.Encode(change(bytes.Clone(b))))
	}
}

// number changes a result that is a quantity, or one word in hex; it keeps the form.
func number(change func(*big.Int) *big.Int) func(json.RawMessage) json.RawMessage {
	return func(truth json.RawMessage) json.RawMessage {
		var text string
		if json.Unmarshal(truth, &text) != nil || len(text) < 3 {
			return truth
		}
		n, ok := new(big.Int).SetString(text[2:], 16)
		if !ok {
			return truth
		}
		n = change(n)
		if len(text) == 66 {
			return quote(common.BigToHash(n).Hex())
		}
		return quote(hexutil.EncodeBig(n))
	}
}

// fields replaces fields of a result that is an object.
func fields(with map[string]any) func(json.RawMessage) json.RawMessage {
	return func(truth json.RawMessage) json.RawMessage {
		var object map[string]any
		if json.Unmarshal(truth, &object) != nil || object == nil {
			return truth
		}
		for k, v := range with {
			object[k] = v
		}
		return encode(object)
	}
}

// logs changes a result that is a list of logs, where it holds any.
func logs(change func([]map[string]any) []map[string]any) func(json.RawMessage) json.RawMessage {
	return func(truth json.RawMessage) json.RawMessage {
		var all []map[string]any
		if json.Unmarshal(truth, &all) != nil || len(all) == 0 {
			return truth
		}
		return encode(change(all))
	}
}

func encode(v any) json.RawMessage {
	out, err := json.Marshal(v)
	if err != nil {
		panic(err) // it was JSON before
	}
	return out
}

func flip(b []byte, i int) []byte {
	b[max(i, 0)] ^= 1
	return b
}

// inventBlock changes the fields of a block, and gives it a hash that fits them; ok is false where there is no block.
func inventBlock(lie *Lie, truth json.RawMessage) (told json.RawMessage, made *invention, ok bool) {
	var h types.Header
	var object map[string]any
	if json.Unmarshal(truth, &h) != nil || json.Unmarshal(truth, &object) != nil || object == nil {
		return nil, nil, false
	}
	was, _ := object["hash"].(string)
	lie.Block(&h)
	var changed map[string]any
	if json.Unmarshal(encode(&h), &changed) != nil {
		return nil, nil, false
	}
	for k, v := range changed {
		if _, has := object[k]; has && k != "hash" {
			object[k] = v
		}
	}
	if lie.Unhashed {
		return encode(object), nil, true
	}
	object["hash"] = h.Hash()
	told = encode(object)
	return told, &invention{block: told, number: h.Number.Uint64(), of: common.HexToHash(was)}, true
}
