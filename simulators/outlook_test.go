package simulators_test

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/simulators"
	"github.com/legate-dao/legate/simulators/mc"
)

var (
	token  = gov.Address{1}
	stable = gov.Asset{2}
)

// daoFacts are of a DAO with 1 M USD in stable coins, 1 M in ETH and 2 M in its own token, a fifth of the supply.
func daoFacts(outflows ...gov.Outflow) gov.Facts {
	holding := func(a gov.Asset, amount uint64, usd float64) gov.Holding {
		return gov.Holding{Token: a, Amount: gov.NewAmount(amount), USD: gov.Known(usd)}
	}
	f := gov.Facts{DAO: gov.DAO{Token: token}}
	f.Treasury = gov.Treasury{
		ValueUSD: gov.Known(4e6), Outflows: gov.Known(append([]gov.Outflow{}, outflows...)),
		Holdings: []gov.Holding{holding(gov.Native, 500, 1e6), holding(gov.Asset(token), 200_000, 2e6), holding(stable, 1_000_000, 1e6)},
	}
	f.Supply = gov.Supply{MintedBps: gov.Known(0.0), MintersAdded: gov.Known(int64(0)), CapRaised: gov.Known(false), Before: gov.Known(gov.NewAmount(1_000_000))}
	return f
}

func prospect() simulators.Prospect {
	p := simulators.DefaultProspect
	p.Assets = []simulators.ProspectAsset{{Token: stable}}
	p.Flow = gov.Known(-8000.0)
	p.Step = 5
	return p
}

func outlook(t *testing.T, f gov.Facts, p simulators.Prospect) simulators.Outlooks {
	t.Helper()
	o, err := simulators.Outlook(t.Context(), f, p, mc.Engine{Seed: 9, Paths: 20_000})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func treasuryOf(t *testing.T, o gov.Outlook) gov.TreasuryOutlook {
	t.Helper()
	x, ok := o.Treasury.Get()
	if !ok {
		t.Fatal("there is no outlook of the treasury")
	}
	return x
}

// TestOutlookOfNothing: a proposal that moves nothing leaves every number as it is, to the last bit.
func TestOutlookOfNothing(t *testing.T) {
	o := outlook(t, daoFacts(), prospect())
	if diff := cmp.Diff(o.Without, o.With, cmp.AllowUnexported(gov.Maybe[float64]{}, gov.Maybe[gov.Quantiles]{}, gov.Maybe[gov.TreasuryOutlook]{}, gov.Maybe[gov.CollateralOutlook]{})); diff != "" {
		t.Error(diff)
	}
	x := treasuryOf(t, o.With)
	if !(x.ValueUSD.P05.Or(0) < x.ValueUSD.P50.Or(0) && x.ValueUSD.P50.Or(0) < x.ValueUSD.P95.Or(0)) || x.RunwayDays.P95.Or(0) != 365 {
		t.Errorf("%+v", x)
	}
}

// TestOutlookOfSpending: what leaves makes every quantile worse: value, runway, and dilution.
func TestOutlookOfSpending(t *testing.T) {
	f := daoFacts(gov.Outflow{Token: stable, Amount: gov.NewAmount(900_000), USD: gov.Known(9e5)}, gov.Outflow{Token: gov.Native, Amount: gov.NewAmount(500), USD: gov.Known(1e6)})
	o := outlook(t, f, prospect())
	with, without := treasuryOf(t, o.With), treasuryOf(t, o.Without)
	if with.RunwayDays.P05.Or(0) >= without.RunwayDays.P05.Or(0) || with.ValueUSD.P50.Or(0) >= without.ValueUSD.P50.Or(0) {
		t.Errorf("with %+v\nwithout %+v", with, without)
	}
	a, _ := o.With.Dilution.Get()
	b, _ := o.Without.Dilution.Get()
	if a.P05.Or(0) <= b.P05.Or(0) || b.P05.Or(0) <= 0 || a.P99.Or(0) > 2000.001 {
		t.Errorf("dilution with %+v, without %+v", a, b)
	}
}

// TestDilutionByMinting: 10 % minted and nothing sold is 10 % of 8/8.8 of the tokens outside, whatever prices do.
func TestDilutionByMinting(t *testing.T) {
	f := daoFacts()
	f.Supply.MintedBps = gov.Known(1000.0)
	p := prospect()
	p.Flow = gov.Known(0.0)
	o := outlook(t, f, p)
	d, ok := o.With.Dilution.Get()
	if want := 10_000 * (1 - 8/9.0); !ok || math.Abs(d.P05.Or(0)-want) > 1e-9 || d.P05 != d.P99 {
		t.Errorf("%+v, want %g", d, want)
	}
	f.Supply.CapRaised = gov.Known(true)
	if o := outlook(t, f, p); o.With.Dilution.IsKnown() || !o.Without.Dilution.IsKnown() {
		t.Error("a raised cap leaves dilution open, with the proposal only")
	}
}

// TestOutlookIsMissing where facts are: never nought.
func TestOutlookIsMissing(t *testing.T) {
	unpriced := daoFacts(gov.Outflow{Token: stable, Amount: gov.NewAmount(5)})
	if o := outlook(t, unpriced, prospect()); o.With.Treasury.IsKnown() || !o.Without.Treasury.IsKnown() {
		t.Error("what leaves has no price, but there is an outlook")
	}
	unknown := daoFacts()
	unknown.Treasury.ValueUSD = gov.Maybe[float64]{}
	if o := outlook(t, unknown, prospect()); o.Without.Treasury.IsKnown() {
		t.Error("the value is not known, but there is an outlook")
	}
	p := prospect()
	p.Flow = gov.Maybe[float64]{}
	if o := outlook(t, daoFacts(), p); treasuryOf(t, o.With).RunwayDays.P05.IsKnown() || o.With.Dilution.IsKnown() {
		t.Error("the spending is not known, but the runway is")
	}
	minter := daoFacts()
	minter.Supply.MintersAdded = gov.Maybe[int64]{}
	if o := outlook(t, minter, prospect()); o.With.Dilution.IsKnown() {
		t.Error("new minters are not known, but dilution is")
	}
}

// TestModels: every model runs from its inputs, with the outputs and events that the table names.
func TestModels(t *testing.T) {
	in := simulators.Inputs{
		Facts: daoFacts(), Prospect: prospect(),
		Electorate: simulators.Electorate{Nodes: simulators.NormalNodes(3, 3), Voters: []simulators.Voter{{Weight: 3}}},
		Collateral: simulators.Collateral{Market: simulators.Market{Assets: []simulators.Asset{{Name: "ETH", Vol: 1}}}, Terms: []simulators.Terms{{Threshold: .8}},
			Vaults: []simulators.Vault{{Values: []float64{100}, Debt: 70}}, Horizon: 5, Step: 1, CloseFactor: 1},
	}
	for _, m := range simulators.Models {
		k, err := m.Prepare(in)
		if err != nil {
			t.Fatalf("%s: %v", m.Name, err)
		}
		r, err := mc.Engine{Seed: 1, Paths: 2000}.Run(t.Context(), m.Name, k)
		if err != nil {
			t.Fatalf("%s: %v", m.Name, err)
		}
		if len(r.Values) != len(m.Outputs) || len(r.Events) != len(m.Events) || m.Text == "" {
			t.Errorf("%s: %d values and %d events, named %v and %v", m.Name, len(r.Values), len(r.Events), m.Outputs, m.Events)
		}
	}
}
