package screen_test

import (
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/holiman/uint256"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/screen"
)

var (
	token  = gov.Address{1, 2, 3}
	alice  = gov.Address{0xa1, 0x1c, 0xe0, 19: 7}
	market = gov.Address{0x33, 19: 9}
)

func word(a gov.Address) gov.Value {
	var v gov.Value
	copy(v.Word[12:], a[:])
	return v
}

func units(n uint64, decimals int) gov.Value {
	x := new(big.Int).Mul(new(big.Int).SetUint64(n), new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(decimals)), nil))
	u, _ := uint256.FromBig(x)
	return gov.Value{Word: u.Bytes32()}
}

func call(to gov.Address, label, signature string, kind gov.Kind, args ...gov.Arg) gov.Call {
	return gov.Call{To: to, Label: gov.Label(label), Signature: gov.Signature(signature), Kind: kind, Known: true, Selector: &gov.Selector{1}, Decoded: gov.DecodedFull, Args: args}
}

func pay(n uint64) gov.Call {
	return call(token, "COMP", "transfer(address,uint256)", gov.KindTransfer,
		gov.Arg{Name: "to", Type: "address", Value: word(alice)}, gov.Arg{Name: "amount", Type: "uint256", Value: units(n, 18)})
}

func native(n uint64) gov.Call {
	v := units(n, 18)
	return gov.Call{To: alice, Value: v.Amount(), Kind: gov.KindNative, Known: true, Decoded: gov.DecodedFull}
}

func factsOf(calls ...gov.Call) gov.Facts { return gov.Facts{Calls: gov.Known(calls)} }

func moving() gov.Facts { return factsOf(pay(1_500_000), native(3)) }

func param(before, after float64) gov.Facts {
	f := factsOf(call(market, "Market", "setCollateralFactor(address,uint256)", gov.KindParameter))
	f.Params = gov.Known([]gov.Param{{Target: market, Signature: "setCollateralFactor(address,uint256)", Before: gov.Known(before), After: gov.Known(after)}})
	return f
}

// TestD10TextMatch: what a text names, held against the calls.
func TestD10TextMatch(t *testing.T) {
	upgrade := factsOf(call(market, "Market", "upgradeToAndCall(address,bytes)", gov.KindUpgrade))
	mint := factsOf(call(token, "COMP", "mint(address,uint256)", gov.KindMint, gov.Arg{Type: "address", Value: word(alice)}, gov.Arg{Type: "uint256", Value: units(900, 18)}))
	approve := factsOf(call(token, "COMP", "approve(address,uint256)", gov.KindApproval, gov.Arg{Type: "address", Value: word(alice)}, gov.Arg{Type: "uint256", Value: units(900, 18)}))
	other := gov.Address{0xee, 19: 1}
	for _, c := range []struct {
		name, text string
		facts      gov.Facts
		want       bool
		match      string // a claim that must match, empty if none
	}{
		{"amount with separators", "Transfer 1,500,000 COMP to the fund.", factsOf(pay(1_500_000)), false, "1,500,000 COMP"},
		{"amount with suffix", "We send 1.5M COMP to the fund.", factsOf(pay(1_500_000)), false, "1.5 COMP"},
		{"another amount", "Transfer 150,000 COMP to the fund.", factsOf(pay(1_500_000)), true, ""},
		{"ten times", "This grants 20 COMP to the auditors.", factsOf(pay(200)), true, ""},
		{"rounded", "Transfer about 1.5 million COMP.", factsOf(pay(1_498_000)), false, ""},
		{"rate times time", "Stream 100 COMP a day, transferred at once for 30 days.", factsOf(pay(3000)), false, ""},
		{"sum of parts", "Transfer 40 COMP to Ada and send 60 COMP to Bob.", factsOf(pay(100)), false, ""},
		{"native", "Sends 3.0 ETH to the grantee.", factsOf(native(3)), false, "3.0 ETH"},
		{"other native", "Sends 3 ETH to the grantee.", factsOf(native(30)), true, ""},
		{"wei", "Sends 3000000000000000000 wei to the grantee.", factsOf(native(3)), false, "3000000000000000000 wei"},
		{"exponent", "Sends 3e18 wei.", factsOf(native(3)), false, ""},
		{"other token", "Transfer 100 USDC to the auditors.", factsOf(native(500)), true, ""},
		{"worth in another token", "Transfer 500 ETH, worth 900,000 USDC, to the auditors.", factsOf(native(500)), false, ""},
		{"recipient", "Transfer 5 COMP to " + alice.Hex() + ".", factsOf(pay(5)), false, alice.Hex()},
		{"another recipient", "Transfer 5 COMP to " + other.Hex() + ".", factsOf(pay(5)), true, ""},
		{"forum text about another payment", "Last year the DAO paid " + other.Hex() + ". Transfer 5 COMP to " + alice.Hex() + ".", factsOf(pay(5)), false, ""},
		{"typo and upgrade", "# Fix a typo\n\nFixes a typo in an error message.", upgrade, true, ""},
		{"typo and upgrade said", "Fixes a typo by an upgrade of the implementation.", upgrade, false, ""},
		{"no funds and transfer", "Routine work. No funds move.", factsOf(pay(5)), true, ""},
		{"no funds and allowance", "Routine work. No funds are moved.", approve, true, ""},
		{"parameter only and mint", "This only changes a parameter.", mint, true, ""},
		{"does not mint", "It does not mint any token.", mint, true, ""},
		{"denial of what is not done", "No funds move. It does not mint.", param(80, 70), false, ""},
		{"lower", "We lower the collateral factor of the coin.", param(80, 70), false, ""},
		{"lower but raised", "We lower the collateral factor of the coin.", param(70, 80), true, ""},
		{"raise but lowered", "Increase collateral factors a little.", param(80, 70), true, ""},
		{"both ways", "Increase the collateral factor of A. Reduce the collateral factor of B.", param(80, 70), false, ""},
		{"silent", "A better future for everyone.", factsOf(pay(5)), false, ""},
		{"function", "It calls setCollateralFactor on the market.", param(80, 70), false, "setCollateralFactor"},
		{"market data", "COMP trades at 40 and 1,200 ETH left the pool.", factsOf(native(3)), false, ""},
	} {
		m := screen.Claims(dossier.Text{Description: dossier.Untrusted(c.text)}, c.facts, dossier.Shown{})
		got, known := m.Contradicts.Get()
		if !known || got != c.want {
			t.Errorf("%s: contradicts %v (known %v), want %v: %+v", c.name, got, known, c.want, m.Claims)
		}
		found := c.match == ""
		for _, claim := range m.Claims {
			found = found || claim.Relation == dossier.Match && string(claim.Text) == c.match && len(claim.Sources) == 2
		}
		if !found {
			t.Errorf("%s: %q does not match a call: %+v", c.name, c.match, m.Claims)
		}
		for _, e := range m.Finding.Evidence {
			if strings.Contains(c.text, e.What) {
				t.Errorf("%s: the finding quotes the text: %q", c.name, e.What)
			}
		}
	}
}

// TestD10Unknown: without calls nothing is said not to contradict.
func TestD10Unknown(t *testing.T) {
	m := screen.Claims(dossier.Text{Description: "Transfer 5 COMP."}, gov.Facts{}, dossier.Shown{})
	if m.Contradicts.IsKnown() || m.Finding.Status != gov.NotChecked {
		t.Errorf("contradicts %v, finding %s", m.Contradicts, m.Finding.Status)
	}
	m = screen.Claims(dossier.Text{Description: "Hello there."}, factsOf(), dossier.Shown{})
	if m.Finding.Status != gov.NotApplicable {
		t.Errorf("a text that names nothing: %s", m.Finding.Status)
	}
}

// TestD10HonestProposals: real proposals do not contradict their own calls, and do once the calls pay
// ten times as much.
func TestD10HonestProposals(t *testing.T) {
	honest, planted := rate{}, rate{}
	for _, p := range rows[real](t, "testdata/proposals.jsonl") {
		f := p.facts()
		m := screen.Claims(p.text(), f, dossier.Shown{})
		honest.n++
		if v, _ := m.Contradicts.Get(); v {
			honest.held++
			t.Errorf("%s %s contradicts itself: %+v", p.DAO, p.ID, m.Claims[0])
		}
		calls, _ := f.Calls.Get()
		changed := false
		for i := range calls {
			if calls[i].Kind == gov.KindTransfer && calls[i].Label != "" && len(calls[i].Args) == 2 {
				a := calls[i].Args[1].Value.Amount().Int()
				a.Mul(a, uint256.NewInt(137))
				calls[i].Args[1].Value.Word = a.Bytes32()
				changed = true
			}
		}
		if !changed {
			continue
		}
		planted.n++
		f.Calls = gov.Known(calls)
		if v, _ := screen.Claims(p.text(), f, dossier.Shown{}).Contradicts.Get(); v {
			planted.held++
		}
	}
	t.Logf("honest: %d of %d contradict; other amounts planted: %d of %d", honest.held, honest.n, planted.held, planted.n)
	if planted.n == 0 || planted.held < 2 {
		t.Errorf("%d of %d planted amounts are seen", planted.held, planted.n)
	}
}

// TestGateHoldIf: true and unknown hold with the rule's name, and the rules see what code saw.
func TestGateHoldIf(t *testing.T) {
	var seen gov.Reading
	text := dossier.Text{Title: "Fix a typo", Description: "Fixes a typo."}
	d := dossierOf(text, dossier.Shown{}, factsOf(call(market, "Market", "upgradeTo(address)", gov.KindUpgrade)))
	for _, c := range []struct {
		result gov.Tri
		want   gov.GateResult
	}{{gov.True, gov.GateHold}, {gov.Unknown, gov.GateHold}, {"", gov.GateHold}, {gov.False, gov.GatePass}} {
		g := gateOf(t, rules{[]gov.HoldIf{{Name: "late", Result: c.result}}, &seen})
		e, err := g.Gate(t.Context(), d, gov.Head{})
		if err != nil || e.Gate.Result != c.want || len(e.Gate.Reasons) > 0 && e.Gate.Reasons[0] != "late" {
			t.Errorf("hold_if %q: %v, %v", c.result, e.Gate, err)
		}
		onlyHoldsFor(t, e.Gate)
	}
	if v, ok := seen.Brief.Contradicts.Get(); !ok || !v {
		t.Errorf("the rules saw brief.contradicts %v", seen.Brief.Contradicts)
	}
	if n, ok := seen.Text.Length.Get(); !ok || n != int64(len(text.Title)+len(text.Description)) {
		t.Errorf("the rules saw a length of %d", n)
	}
	if _, err := gateOf(t, rules{}).Gate(t.Context(), dossier.Dossier{Text: text}, gov.Head{}); err == nil {
		t.Error("a dossier without facts was gated")
	}
	if _, err := screen.New(screen.Config{}); err == nil {
		t.Error("a gate without policies was built")
	}
}

// TestGateTooLarge: a proposal of which parts were left out is held, and its length is not known.
func TestGateTooLarge(t *testing.T) {
	d := dossierOf(dossier.Text{Description: "Pays the team."}, dossier.Shown{}, factsOf(pay(5)))
	d.Proposal.TooLarge = true
	e, err := gateOf(t, rules{}).Gate(t.Context(), d, gov.Head{})
	if err != nil || e.Gate.Result != gov.GateHold || fmt.Sprint(e.Gate.Reasons) != "[too-long]" || e.Reading.Text.Length.IsKnown() || e.Reading.Brief.Contradicts.IsKnown() {
		t.Errorf("%+v, %v", e, err)
	}
}
