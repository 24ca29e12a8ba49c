package facts_test

import (
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/book"
	"github.com/legate-dao/legate/chains/devchain"
	"github.com/legate-dao/legate/chains/facts"
)

// TestEveryParameter shows each entry of the table by changes that were executed: the value is set for real, a draft
// lowers it, that is executed too, and another draft raises it again. Numbers and direction are what the entry says.
func TestEveryParameter(t *testing.T) {
	if n := len(facts.Parameters); n < 30 {
		t.Fatalf("%d parameters, want at least 30", n)
	}
	w := newWorld(t, devchain.OZ5Block)
	box := w.ownBox()
	directed := 0
	for _, p := range facts.Parameters {
		if _, elsewhere := marketSetters[p.Setter]; elsewhere {
			directed++
			continue // shown by TestParametersOfTheMarket
		}
		t.Run(string(p.Setter), func(t *testing.T) {
			m := methodOf(t, box.abi, p)
			high, low := int64(60), int64(40)
			if m.Inputs[p.Value].Type.T == abi.BoolTy {
				high, low = 1, 0
			}
			tighter, looser := gov.Tighter, gov.Looser
			switch p.Sense {
			case facts.Higher:
				tighter, looser = gov.Looser, gov.Tighter
			case facts.Neither:
				tighter, looser = gov.Unclear, gov.Unclear
			}
			if p.Sense != facts.Neither {
				directed++
			}
			if p.Reason == "" {
				t.Error("no reason is given")
			}
			box.set(t, m, p, high)
			box.expect(t, m, p, high, low, tighter)
			box.set(t, m, p, low)
			box.expect(t, m, p, low, high, looser)
		})
	}
	t.Logf("%d parameters, %d with a direction, each lowered and raised on the dev chain", len(facts.Parameters), directed)
}

// marketSetters are the setters of the dev chain's lending market, with the sense of each.
var marketSetters = map[gov.Signature]facts.Sense{"setCollateralFactor(address,uint256)": facts.Lower}

// TestParametersOfTheMarket changes the market through the governor: its own getters by the setters' names are found
// in the bound ABI, and the table says which way is tighter.
func TestParametersOfTheMarket(t *testing.T) {
	w := newWorld(t, devchain.OZ5Block)
	d := w.dao
	for _, c := range []struct {
		method, getter string
		sense          facts.Sense
	}{
		{"setCollateralFactor", "collateralFactor", facts.Lower}, {"setReserveFactor", "reserveFactor", facts.Higher},
		{"setSupplyCap", "supplyCap", facts.Lower}, {"setBorrowCap", "borrowCap", facts.Lower}, {"setBorrowRate", "borrowRate", facts.Neither},
	} {
		now, err := devchain.Read[*big.Int](t.Context(), w.s, d.Market, "Market", c.getter, d.Token)
		must(t, err)
		for _, percent := range []int64{90, 110, 100} {
			to := new(big.Int).Div(new(big.Int).Mul(now, big.NewInt(percent)), big.NewInt(100))
			want := gov.Looser
			switch {
			case percent == 100 || c.sense == facts.Neither:
				want = gov.Unclear
			case (percent < 100) == (c.sense == facts.Lower):
				want = gov.Tighter
			}
			f := w.gather(w.act(d.Market, "Market", c.method, d.Token, to)).Facts
			is(t, c.method+" status", f.Effects.Status, gov.EffectsExecuted)
			params, _ := f.Params.Get()
			if len(params) != 1 {
				t.Fatalf("%s: params = %+v", c.method, params)
			}
			is(t, c.method, params[0].Direction, want)
			is(t, c.method+" change_bps", params[0].ChangeBps, float64(percent-100)*100)
		}
	}
}

// TestZeroThatMeansNoLimit shows both ways over the edge, for caps whose zero is no cap.
func TestZeroThatMeansNoLimit(t *testing.T) {
	w := newWorld(t, devchain.OZ5Block)
	box := w.ownBox()
	n := 0
	for _, p := range facts.Parameters {
		if !p.ZeroUnlimited {
			continue
		}
		n++
		m := methodOf(t, box.abi, p)
		box.set(t, m, p, 40)
		box.expect(t, m, p, 40, 0, gov.Looser)
		box.set(t, m, p, 0)
		box.expect(t, m, p, 0, 40, gov.Tighter)
	}
	if n == 0 {
		t.Error("no entry has a zero without limit")
	}
}

// TestSeveralValuesInOneCall: a call that moves one value to the safe side and another to the other is unclear.
func TestSeveralValuesInOneCall(t *testing.T) {
	w := newWorld(t, devchain.OZ5Block)
	box := w.ownBox()
	set := func(ltv, threshold, bonus int64) []byte {
		data, err := box.abi.Pack("configureReserveAsCollateral", asset, big.NewInt(ltv), big.NewInt(threshold), big.NewInt(bonus))
		must(t, err)
		return data
	}
	_, err := w.s.Send(t.Context(), &box.at, nil, set(7000, 7500, 10500))
	must(t, err)
	for _, c := range []struct {
		name string
		data []byte
		want gov.Tightness
	}{
		{"both lower", set(6500, 7000, 10500), gov.Tighter},
		{"threshold only", set(7000, 7000, 10500), gov.Tighter},
		{"both higher", set(7100, 7600, 10500), gov.Looser},
		{"one each way", set(6500, 7600, 10500), gov.Unclear},
		{"with the bonus", set(6500, 7000, 11000), gov.Unclear},
		{"nothing", set(7000, 7500, 10500), gov.Unclear},
	} {
		params, _ := box.gather(t, c.data).Params.Get()
		if len(params) != 1 {
			t.Fatalf("%s: params = %+v", c.name, params)
		}
		is(t, c.name, params[0].Direction, c.want)
	}
}

// paramBox is a ParamBox of the deployer, whose drafts can both be dry-run and be executed at once.
type paramBox struct {
	w    *world
	at   common.Address
	abi  abi.ABI
	deps facts.Deps
}

func (w *world) ownBox() *paramBox {
	w.Helper()
	compiled, err := devchain.Load("ParamBox")
	must(w, err)
	at, err := w.s.Deploy(w.Context(), "ParamBox", w.s.From)
	must(w, err)
	proposed, err := book.Propose(w.Context(), w.rpc, gov.Address(at), w.head())
	must(w, err)
	entry := proposed.Entry
	entry.Label = "ParamBox"
	entry.ABI, err = book.ParseJSON(compiled.RawABI)
	must(w, err)
	deps := w.deps
	deps.Book = book.Of(entry)
	deps.Governor.Executor = gov.Address(w.s.From)
	return &paramBox{w, at, compiled.ABI, deps}
}

func (b *paramBox) set(t *testing.T, m abi.Method, p facts.Parameter, value int64) {
	t.Helper()
	_, err := b.w.s.Send(t.Context(), &b.at, nil, callOf(t, m, p, value))
	must(t, err)
}

func (b *paramBox) gather(t *testing.T, data []byte) gov.Facts {
	t.Helper()
	p := gov.Proposal{Draft: true, Actions: []gov.Action{{To: gov.Address(b.at), Calldata: gov.CalldataOf(data)}}}
	got, err := facts.Gather(t.Context(), b.deps, p, b.w.head())
	must(t, err)
	is(t, "status", got.Facts.Effects.Status, gov.EffectsExecuted)
	is(t, "unknown_calls", got.Facts.UnknownCalls, 0)
	return got.Facts
}

func (b *paramBox) expect(t *testing.T, m abi.Method, p facts.Parameter, from, to int64, want gov.Tightness) {
	t.Helper()
	params, ok := b.gather(t, callOf(t, m, p, to)).Params.Get()
	if !ok || len(params) != 1 {
		t.Fatalf("params = %+v (known %v), want exactly one entry", params, ok)
	}
	got := params[0]
	same(t, "label", got.Label, "ParamBox")
	same(t, "target", got.Target, gov.Address(b.at))
	is(t, "direction", got.Direction, want)
	if m.Inputs[p.Value].Type.T == abi.AddressTy {
		unknown(t, "before, of an address", got.Before)
		unknown(t, "after, of an address", got.After)
		return
	}
	is(t, "before", got.Before, float64(from))
	is(t, "after", got.After, float64(to))
	if from == 0 {
		unknown(t, "change_bps from nothing", got.ChangeBps)
		return
	}
	is(t, "change_bps", got.ChangeBps, float64((to-from)*10_000)/float64(from))
}

var asset = common.HexToAddress("0x00000000000000000000000000000000000a55e7")

func methodOf(t *testing.T, a abi.ABI, p facts.Parameter) abi.Method {
	t.Helper()
	for _, m := range a.Methods {
		if m.Sig == string(p.Setter) {
			return m
		}
	}
	t.Fatalf("the dev chain has no %s", p.Setter)
	return abi.Method{}
}

// callOf packs the setter with one value, also for the further values of the same call, and one asset as every key.
func callOf(t *testing.T, m abi.Method, p facts.Parameter, value int64) []byte {
	t.Helper()
	args := make([]any, len(m.Inputs))
	for i, in := range m.Inputs {
		v := value
		if len(p.Also) > 0 && p.Also[len(p.Also)-1].Value == i {
			v = 1 // the one that does not say which way is tighter stays
		}
		args[i] = argOf(in.Type, v, i < p.Value)
	}
	data, err := m.Inputs.Pack(args...)
	must(t, err)
	return append(m.ID[:4:4], data...)
}

func argOf(typ abi.Type, value int64, key bool) any {
	switch typ.T {
	case abi.SliceTy:
		if typ.Elem.T == abi.AddressTy {
			return []common.Address{asset}
		}
		return []*big.Int{big.NewInt(value)}
	case abi.AddressTy:
		if key {
			return asset
		}
		return common.BigToAddress(big.NewInt(value))
	case abi.BoolTy:
		return value != 0
	}
	switch typ.Size {
	case 32:
		return uint32(value)
	case 64:
		return uint64(value)
	}
	return big.NewInt(value)
}
