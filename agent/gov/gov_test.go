package gov_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/legate-dao/legate/agent/gov"
)

// What is missing must read back as missing, and what is known as known: the digest stands on it.
func TestFactsReadBackWithEqualDigest(t *testing.T) {
	sel := gov.Selector{0xa9, 5, 0x9c, 0xbb}
	f := gov.Facts{
		Calls: gov.Known([]gov.Call{{
			Selector: &sel, Signature: "f(address,(int256,string)[],bytes4,bool)", Kind: gov.KindCall,
			Args: []gov.Arg{
				{Type: "address", Value: gov.Value{Word: [32]byte{31: 7}}},
				{Type: "(int256,string)[]", Value: gov.Value{List: []gov.Value{{List: []gov.Value{
					{Word: [32]byte{0: 255, 1: 255, 2: 255, 3: 255, 4: 255, 5: 255, 6: 255, 7: 255, 8: 255, 9: 255, 10: 255, 11: 255, 12: 255, 13: 255, 14: 255, 15: 255, 16: 255, 17: 255, 18: 255, 19: 255, 20: 255, 21: 255, 22: 255, 23: 255, 24: 255, 25: 255, 26: 255, 27: 255, 28: 255, 29: 255, 30: 255, 31: 254}},
					gov.TextValue([]byte("a stranger's words")),
				}}}}},
				{Type: "bytes4", Value: gov.Value{Word: [32]byte{1, 2, 3, 4}}},
				{Type: "bool", Value: gov.Value{Word: [32]byte{31: 1}}},
			},
		}}),
		Supply: gov.Supply{MintedBps: gov.Known(0.0)},
		Params: gov.Known([]gov.Param{}),
	}
	f.Finish()
	b, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	var back gov.Facts
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	want, _ := f.Digest()
	got, _ := back.Digest()
	if want != got {
		again, _ := json.Marshal(back)
		t.Errorf("digest changed (-want +got):\n%s", cmp.Diff(string(b), string(again)))
	}
	if back.Supply.BurnedBps.IsKnown() || !back.Supply.MintedBps.IsKnown() {
		t.Error("missing and known zero were confused")
	}
}

func TestFinalIsHoldOnlyForFor(t *testing.T) {
	for _, d := range []gov.Direction{gov.Hold, gov.For, gov.Against, gov.Abstain} {
		for _, g := range []gov.Gated{{}, {Result: gov.GatePass}, {Result: gov.GateHold}, {Result: "malformed"}} {
			want := d
			if d == gov.For && g.Result != gov.GatePass {
				want = gov.Hold
			}
			if got := gov.Final(d, g); got != want {
				t.Errorf("Final(%s, %q) = %s, want %s", d, g.Result, got, want)
			}
		}
	}
}

func TestProposalIDReadsBack(t *testing.T) {
	for _, s := range []string{"eip155:1:0xc0Da02939E1441F497fd74F78cE7Decb17B66529/289"} {
		id, err := gov.ParseProposalID(s)
		if err != nil || id.String() != s {
			t.Errorf("%s: %v %v", s, id, err)
		}
	}
	for _, s := range []string{"", "/", "eip155:1:0x/1", "eip155:01:0xc0Da02939E1441F497fd74F78cE7Decb17B66529/1", "eip155:1:0xc0Da02939E1441F497fd74F78cE7Decb17B66529/-1", "eip155:1:0xc0Da02939E1441F497fd74F78cE7Decb17B66529/"} {
		if id, err := gov.ParseProposalID(s); err == nil {
			t.Errorf("%q was read as %v", s, id)
		}
	}
}
