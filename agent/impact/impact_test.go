package impact_test

import (
	"strings"
	"testing"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/impact"
)

// Each line of the table is a signature in canonical form, stands once, and its statements point at arguments that are there.
func TestMeaningsAreSound(t *testing.T) {
	lines := 0
	for _, family := range impact.Meanings {
		for _, m := range family.Lines {
			lines++
			if _, ok := impact.Of(m.Signature); !ok {
				t.Errorf("%s: %s is not found", family.Name, m.Signature)
			}
			if strings.ContainsAny(string(m.Signature), " \t") || !strings.HasSuffix(string(m.Signature), ")") {
				t.Errorf("%s: %q is not canonical", family.Name, m.Signature)
			}
			for _, problem := range m.Problems() {
				t.Errorf("%s: %s: %s", family.Name, m.Signature, problem)
			}
		}
	}
	t.Logf("n=%d functions in %d families", lines, len(impact.Meanings))
}

func word(n byte) gov.Value { return gov.Value{Word: [32]byte{31: n}} }

func call(to byte, signature gov.Signature, args ...gov.Value) gov.Call {
	s := impact.SelectorOf(signature)
	c := gov.Call{To: gov.Address{19: to}, Selector: &s, Signature: signature, Kind: gov.KindCall, Known: true, Decoded: gov.DecodedFull}
	for _, v := range args {
		c.Args = append(c.Args, gov.Arg{Value: v})
	}
	return c
}

func TestDeclared(t *testing.T) {
	executor := gov.Address{19: 0xee}
	list := func(v ...gov.Value) gov.Value { return gov.Value{List: v} }
	nested := call(0x51, "execTransactionFromModule(address,uint256,bytes,uint8)", word(7), word(0), gov.Value{Size: 68}, word(0))
	nested.Children = []gov.Call{call(7, "transfer(address,uint256)", word(9), word(50))}
	closed := call(0x51, "executeCall(address,bytes)", word(7), gov.Value{Size: 4})
	for _, c := range []struct {
		name string
		call gov.Call
		want []gov.Impact
	}{
		{"a transfer", call(7, "transfer(address,uint256)", word(9), word(50)), []gov.Impact{
			{Kind: gov.ImpactPays, From: executor, To: gov.Address{19: 9}, Asset: gov.Known(gov.Asset{19: 7}), Amount: gov.Known(gov.NewAmount(50)), Target: gov.Address{19: 7}},
		}},
		{"an approval taken back", call(7, "approve(address,uint256)", word(9), word(0)), nil},
		{"a third party pays", call(7, "transferFrom(address,address,uint256)", word(3), word(9), word(50)), []gov.Impact{
			{Kind: gov.ImpactPays, From: gov.Address{19: 3}, To: gov.Address{19: 9}, Asset: gov.Known(gov.Asset{19: 7}), Amount: gov.Known(gov.NewAmount(50)), Target: gov.Address{19: 7}},
		}},
		{"an operator", call(7, "setApprovalForAll(address,bool)", word(9), word(1)), []gov.Impact{
			{Kind: gov.ImpactAllows, From: executor, To: gov.Address{19: 9}, Asset: gov.Known(gov.Asset{19: 7}), Amount: gov.Known(gov.MaxAmount), Target: gov.Address{19: 7}},
		}},
		{"an operator taken back", call(7, "setApprovalForAll(address,bool)", word(9), word(0)), nil},
		{"inside a wrapper the wrapper pays", nested, []gov.Impact{
			{Kind: gov.ImpactPays, From: gov.Address{19: 0x51}, To: gov.Address{19: 9}, Asset: gov.Known(gov.Asset{19: 7}), Amount: gov.Known(gov.NewAmount(50)), Target: gov.Address{19: 7}},
		}},
		{"a wrapper that could not be opened", closed, []gov.Impact{{Kind: gov.ImpactOpaque, From: executor, To: gov.Address{19: 0x51}, Target: gov.Address{19: 0x51}}}},
		{"a function that is in no table", call(7, "frobnicate(uint256)", word(1)), []gov.Impact{{Kind: gov.ImpactOpaque, From: executor, To: gov.Address{19: 7}, Target: gov.Address{19: 7}}}},
		{"a batch", call(7, "safeBatchTransferFrom(address,address,uint256[],uint256[],bytes)", word(0xee), word(9), list(word(1), word(2)), list(word(10), word(20)), gov.Value{}), []gov.Impact{
			{Kind: gov.ImpactPays, From: executor, To: gov.Address{19: 9}, Asset: gov.Known(gov.Asset{19: 7}), ID: gov.Known(gov.NewAmount(1)), Amount: gov.Known(gov.NewAmount(10)), Target: gov.Address{19: 7}},
			{Kind: gov.ImpactPays, From: executor, To: gov.Address{19: 9}, Asset: gov.Known(gov.Asset{19: 7}), ID: gov.Known(gov.NewAmount(2)), Amount: gov.Known(gov.NewAmount(20)), Target: gov.Address{19: 7}},
		}},
	} {
		got := impact.Declared([]gov.Call{c.call}, executor)
		if len(got) != len(c.want) {
			t.Errorf("%s: %+v", c.name, got)
			continue
		}
		for i := range got {
			got[i].Declared, got[i].When = nil, ""
			if a, b := digest(t, got[i]), digest(t, c.want[i]); a != b {
				t.Errorf("%s: got %+v, want %+v", c.name, got[i], c.want[i])
			}
		}
	}
}

func digest(t *testing.T, i gov.Impact) gov.Digest {
	t.Helper()
	d, err := gov.DigestOf(i)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
