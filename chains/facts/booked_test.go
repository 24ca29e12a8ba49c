package facts_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/ethereum/go-ethereum/common"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/impact"
	"github.com/legate-dao/legate/chains/book"
)

// TestG37BookedMeaning: what the operator's book says a function means is on the call, opens it where it says that it
// carries calls, and counts for the code that was accepted only.
func TestG37BookedMeaning(t *testing.T) {
	o := options()
	text := fmt.Sprintf(`version: 1
entries:
  - address: %q
    label: it
    code_hash: "%s"
    abi: ["function poke(uint256 x)", "function run(address to, bytes data)", "function pile(address[] to, bytes[] data)", "function odd(uint256 x)"]
    means:
      poke(uint256): inert
      run(address,bytes): {forwards: {to: 0, data: 1, delegate: true}}
      pile(address[],bytes[]): {forwards: {to: 0, data: 1, deferred: true}}
  - {address: %q, label: money, code_hash: "%s", abi: erc20}
`, common.Address(unbookedAt).Hex(), codeOf(unbookedAt).Hash, common.Address(bookedAt).Hex(), codeOf(bookedAt).Hash)
	b, problems := book.Parse("book.yaml", []byte(text), nil)
	must(t, problems.Err())
	o.Book = b

	data := func(signature gov.Signature, words ...string) []byte {
		s := book.SelectorOf(signature)
		out := common.Bytes2Hex(s[:])
		for _, w := range words {
			out += w
		}
		return common.FromHex("0x" + out)
	}
	number := func(n int) string { return fmt.Sprintf("%064x", n) }
	address := func(a gov.Address) string { return common.Bytes2Hex(common.LeftPadBytes(a[:], 32)) }
	payment := common.Bytes2Hex(common.RightPadBytes(transfer(t), 96))

	poke, _ := decodeOne(t, o, unbookedAt, data("poke(uint256)", number(1)))
	if !poke.Known || poke.Means == nil || !impact.Meant(&poke) {
		t.Errorf("inert by the book: %+v", poke)
	}
	if odd, _ := decodeOne(t, o, unbookedAt, data("odd(uint256)", number(1))); !odd.Known || impact.Meant(&odd) {
		t.Errorf("known and without a meaning: %+v", odd)
	}

	run, _ := decodeOne(t, o, unbookedAt, data("run(address,bytes)", address(bookedAt), number(64), number(len(transfer(t))), payment))
	if len(run.Children) != 1 || !run.Children[0].Known || !run.Children[0].Delegatecall || run.Children[0].Signature != "transfer(address,uint256)" {
		t.Errorf("a forwarder by the book: %+v", run)
	}
	pile, _ := decodeOne(t, o, unbookedAt, data("pile(address[],bytes[])", number(64), number(128), number(1), address(bookedAt),
		number(1), number(32), number(len(transfer(t))), payment))
	if len(pile.Children) != 1 || pile.Children[0].Known { // it runs later: a dry run does not show it
		t.Errorf("a scheduler by the book: %+v", pile)
	}
	if d := impact.Declared([]gov.Call{pile}, timelockAt); len(d) != 1 || d[0].Kind != gov.ImpactPays || d[0].When != gov.WhenLater {
		t.Errorf("what it schedules: %+v", d)
	}

	// The facts keep it: the same call read back has the same meaning.
	text2, err := json.Marshal(pile)
	must(t, err)
	var back gov.Call
	must(t, json.Unmarshal(text2, &back))
	if digest(t, back) != digest(t, pile) || back.Means == nil || back.Means.Carries == nil || !back.Means.Carries.Deferred {
		t.Errorf("read back: %s", text2)
	}

	// Other code than was accepted: nothing is known, and what the book says does not count.
	o.Code = func(a gov.Address) (book.Code, bool) { return book.Code{Hash: gov.Hash{7}}, true }
	if moved, _ := decodeOne(t, o, unbookedAt, data("poke(uint256)", number(1))); moved.Known || moved.Means != nil || impact.Meant(&moved) {
		t.Errorf("other code: %+v", moved)
	}
}
