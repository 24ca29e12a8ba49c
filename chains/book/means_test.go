package book_test

import (
	"strings"
	"testing"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/impact"
	"github.com/legate-dao/legate/chains/book"
)

// meaningOf reads a book of one entry that says one thing, and gives what stands on a call of the function.
func meaningOf(t *testing.T, function, says string) (impact.Booked, string) {
	t.Helper()
	text := "version: 1\nentries:\n  - address: \"" + token + "\"\n    label: it\n    code_hash: \"" + hash + "\"\n    abi:\n" +
		"      - \"function " + function + "\"\n    means:\n      \"" + function + "\": " + says + "\n"
	b, problems := book.Parse("book.yaml", []byte(text), nil)
	if problems.HasErrors() {
		return impact.Booked{}, problems.Error()
	}
	e, _ := b.Entry(address(t, token))
	return e.Means[gov.Signature(function)], ""
}

// TestG44BookMeans: what a book says of functions is read strictly, against their signatures and the program's own table.
func TestG44BookMeans(t *testing.T) {
	n := 0
	for _, c := range []struct{ function, says, want string }{
		// What the formats show.
		{"setText(bytes32,string,string)", "inert", ""},
		{"pay(address,uint256)", "{pays: {to: 0, amount: 1, asset: native}}", ""},
		{"execute(address,bytes)", "{forwards: {to: 0, data: 1, delegate: true}}", ""},
		{"createStream(address,uint216)", "{streams: {to: 0, amount: 1}}", ""},
		// What the program does not know.
		{"poke(uint256)", "inert", ""},
		{"poke(uint256)", "opaque", ""},
		{"reward((address,uint256)[])", "{pays: {to: 0.0, amount: 0.1, asset: target}}", ""},
		{"reward(address[],uint256[])", "{pays: {to: 0, amount: 1}, revokes: {from: 0}}", ""},
		{"run(address[],bytes[])", "{forwards: {to: 0, data: 1}}", ""},
		{"run((address,uint256,bytes)[])", "{forwards: {to: 0.0, value: 0.1, data: 0.2}}", ""},
		{"run(bytes[])", "{forwards: {data: 0}}", ""},
		{"run(address,bytes,uint8)", "{forwards: {to: 0, data: 1, operation: 2, deferred: true}}", ""},
		{"open(bytes4)", "{opens: {role: 0}}", ""},
		// Graver than the table.
		{"release()", "{pays: {to: caller}}", ""},
		{"executeCall(address,bytes)", "{forwards: {to: 0, data: 1, delegate: true}}", ""},
		// Lighter, or other.
		{"transfer(address,uint256)", "inert", "the program knows that it pays"},
		{"transfer(address,uint256)", "{pays: {to: 0, amount: 1}}", ""},
		{"transfer(address,uint256)", "{pays: {to: caller, amount: 1}}", "the program has other arguments"},
		{"grantRole(bytes32,address)", "inert", "the program knows that it grants"},
		{"multicall(bytes[])", "inert", "the program knows that it forwards calls"},
		{"schedule(address,bytes,uint48)", "{forwards: {to: 0, data: 1}}", ""},
		{"executeCall(address,bytes)", "{forwards: {to: 0, data: 1, deferred: true}}", "finds the calls elsewhere"},
		{"notify(address,bytes)", "inert", "it takes an address and bytes"},
		{"notify((address,uint256,bytes)[])", "inert", "it takes an address and bytes"},
		{"notify(bytes[])", "inert", "it takes an address and bytes"},
		{"notify(address,bytes)", "{registers: {}}", ""},
		{"notify(address,bytes32)", "inert", ""},
		{"notify(bytes)", "inert", ""},
		// Mistakes.
		{"poke(uint256)", "harmless", "says nothing of a function"},
		{"poke(uint256)", "{}", "no statement"},
		{"poke(uint256)", "{inert: {}}", "stands alone"},
		{"poke(uint256)", "{pay: {to: 0}}", "no kind of impact (did you mean pays?)"},
		{"poke(uint256)", "{pays: {amount: 0}}", "does not say to whom"},
		{"poke(uint256)", "{pays: {to: 0}}", "argument 0 is of type uint256"},
		{"poke(uint256)", "{sets: {amount: 1}}", "there is no argument 1"},
		{"poke(uint256)", "{sets: {amount: 0.1}}", "argument 0 has no component 1"},
		{"poke(uint256)", "{sets: {amount: -1}}", "is not an argument"},
		{"poke(uint256)", "{sets: {amount: native}}", "amount of sets is never native"},
		{"poke(uint256)", "{sets: {amont: 0}}", "unknown key"},
		{"poke(uint256)", "{sets: {when: soon}}", "unknown word"},
		{"poke(uint256)", "{forwards: {}}", `"data" is missing`},
		{"poke(uint256)", "{forwards: {data: 0}}", "is not said"},
		{"run(address,bytes)", "{forwards: {to: 1, data: 0}}", "argument 1 is of type bytes, not address"},
		{"run((address,bytes))", "{forwards: {to: 0.0, data: 0.1}}", "not a list of tuples"},
		{"run(address,(address,bytes)[])", "{forwards: {to: 0, data: 1.1}}", "is not beside the data"},
	} {
		n++
		_, problems := meaningOf(t, c.function, c.says)
		if c.want == "" && problems != "" || c.want != "" && !strings.Contains(problems, c.want) {
			t.Errorf("%s: %s\n%s\nwant %q", c.function, c.says, problems, c.want)
		}
		if problems != "" && !strings.Contains(problems, "book.yaml:9:") {
			t.Errorf("%s: %s\n%s\nis not in line 9", c.function, c.says, problems)
		}
	}
	t.Logf("n=%d meanings", n)
}

// What stands at the functions' names, all at once.
func TestG44BookMeansOfAnEntry(t *testing.T) {
	text := `version: 1
entries:
  - address: "` + token + `"
    label: it
    code_hash: "` + hash + `"
    abi: ["function poke(uint256 x)", "function peek(uint256 x)"]
    means:
      pok(uint256): inert
      "poke(uint)": inert
      poke(uint256): inert
      "poke": inert
      peek(uint256): {pays: {to: 0}}
  - {address: "` + other + `", label: only a label, abi: ["function poke(uint256 x)"], means: {poke(uint256): inert}}
`
	_, problems := book.Parse("book.yaml", []byte(text), nil)
	for _, want := range []string{
		"book.yaml:8:7: the ABI of this entry has no pok(uint256) (did you mean poke(uint256)?)", "book.yaml:10:7: poke(uint256) is there twice", "book.yaml:11:7:",
		"book.yaml:12:7: peek: to of pays: argument 0 is of type uint256", "book.yaml:13:", "the entry is a label only",
	} {
		if !strings.Contains(problems.Error(), want) {
			t.Errorf("%q is not in\n%s", want, problems.Error())
		}
	}
}

// A meaning of the book is what the call declares, and never takes away what the program knows.
func TestBookedMeaningsDeclare(t *testing.T) {
	executor, contract := gov.Address{19: 0xee}, gov.Address{19: 0x51}
	word := func(b byte) gov.Value { return gov.Value{Word: [32]byte{31: b}} }
	for _, c := range []struct {
		function, says string
		args           []gov.Value
		kind           gov.Kind
		want           []gov.ImpactKind
	}{
		{"poke(uint256)", "inert", []gov.Value{word(1)}, gov.KindCall, nil},
		{"poke(uint256)", "inert", []gov.Value{word(1)}, gov.KindParameter, []gov.ImpactKind{gov.ImpactSets}},
		{"poke(uint256)", "opaque", []gov.Value{word(1)}, gov.KindCall, []gov.ImpactKind{gov.ImpactOpaque}},
		{"reward(address,uint256)", "{pays: {to: 0, amount: 1}}", []gov.Value{word(9), word(5)}, gov.KindCall, []gov.ImpactKind{gov.ImpactPays}},
		{"reward(address[],uint256[])", "{pays: {to: 0, amount: 1}}", []gov.Value{{List: []gov.Value{word(9), word(8)}}, {List: []gov.Value{word(1), word(2)}}}, gov.KindCall,
			[]gov.ImpactKind{gov.ImpactPays, gov.ImpactPays}},
		{"transfer(address,uint256)", "{grants: {to: 0}}", []gov.Value{word(9), word(5)}, gov.KindTransfer, []gov.ImpactKind{gov.ImpactPays, gov.ImpactGrants}},
		{"run(address,bytes)", "{forwards: {to: 0, data: 1}}", []gov.Value{word(9), {Size: 68}}, gov.KindCall, []gov.ImpactKind{gov.ImpactOpaque}}, // it could not be opened
	} {
		said, problems := meaningOf(t, c.function, c.says)
		if problems != "" {
			t.Fatal(problems)
		}
		s := book.SelectorOf(gov.Signature(c.function))
		call := gov.Call{To: contract, Selector: &s, Signature: gov.Signature(c.function), Kind: c.kind, Known: true, Decoded: gov.DecodedFull, Means: &said.Meaning}
		if c.says == "opaque" {
			call.Means = nil
		}
		for _, v := range c.args {
			call.Args = append(call.Args, gov.Arg{Value: v})
		}
		var got []gov.ImpactKind
		for _, i := range impact.Declared([]gov.Call{call}, executor) {
			got = append(got, i.Kind)
			if i.Kind == gov.ImpactPays && (i.To == gov.Address{} || !i.Amount.IsKnown()) {
				t.Errorf("%s: %+v", c.function, i)
			}
		}
		if strings.Join(words(got), " ") != strings.Join(words(c.want), " ") {
			t.Errorf("%s: %s declares %v, want %v", c.function, c.says, got, c.want)
		}
		if opaque := len(c.want) == 1 && c.want[0] == gov.ImpactOpaque; impact.Meant(&call) == opaque {
			t.Errorf("%s: %s: meant = %v", c.function, c.says, !opaque)
		}
	}
}

func words(kinds []gov.ImpactKind) (out []string) {
	for _, k := range kinds {
		out = append(out, string(k))
	}
	return out
}

// `book add` proposes a line for every function that nobody has given a meaning; what it writes is read back, and is
// opaque until a person says more.
func TestProposedMeans(t *testing.T) {
	abi, err := book.ParseJSON([]byte(`[{"type":"function","name":"poke","stateMutability":"nonpayable","inputs":[{"name":"it","type":"tuple[]","components":[{"name":"a","type":"address"},{"name":"b","type":"uint256"}]}],"outputs":[]},
		{"type":"function","name":"transfer","stateMutability":"nonpayable","inputs":[{"name":"a","type":"address"},{"name":"b","type":"uint256"}],"outputs":[]},
		{"type":"function","name":"peek","stateMutability":"view","inputs":[],"outputs":[]}]`))
	must(t, err)
	p := book.Proposed{Entry: book.Entry{Address: address(t, token), CodeHash: gov.Hash{1}}}
	must(t, p.Bind("book.yaml", "erc20", nil))
	p.ABI = abi
	item, err := p.YAML("it")
	must(t, err)
	if !strings.Contains(item, "means:") || strings.Count(item, "opaque") != 1 || !strings.Contains(item, "poke((address,uint256)[])") {
		t.Fatalf("proposed:\n%s", item)
	}
	text := "version: 1\nentries:\n" + strings.Replace(item, "abi: erc20", `abi: ["function poke((address,uint256)[] it)", "function transfer(address a,uint256 b)"]`, 1)
	b, problems := book.Parse("book.yaml", []byte(text), nil)
	must(t, problems.Err())
	e, _ := b.Entry(address(t, token))
	if got := e.Meaningless(); len(got) != 1 || got[0] != "poke((address,uint256)[])" {
		t.Errorf("without a meaning: %v", got)
	}
}
