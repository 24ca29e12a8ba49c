package simulators_test

import (
	"math"
	"slices"
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
	f := gov.Facts{DAO: gov.DAO{Token: token}, Effects: gov.Effects{Status: gov.Known(gov.EffectsExecuted)}}
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

func outlook(t *testing.T, f gov.Facts, p simulators.Prospect) gov.Outlooks {
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
	if a.P05.Or(0) <= b.P05.Or(0) || b.P05.Or(0) <= 0 || a.P99.Or(0) > 0.2000001 {
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
	if want := 1 - 8/9.0; !ok || math.Abs(d.P05.Or(0)-want) > 1e-12 || d.P05 != d.P99 {
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

func scenario() simulators.Scenario { return simulators.Scenario{Prospect: prospect(), Paths: 2000} }

func outlooks(t *testing.T, s simulators.Scenario, p gov.Proposal, f gov.Facts) gov.Outlooks {
	t.Helper()
	o, err := s.Outlooks(t.Context(), p, f)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// TestScenarioIsOfTheProposal: an outlook is the same at any block and for any number of workers, and another one for
// another content.
func TestScenarioIsOfTheProposal(t *testing.T) {
	p := gov.Proposal{ID: gov.ProposalID{Chain: 1, Number: gov.NewAmount(7)}, ContentHash: gov.Hash{3}}
	f, later := daoFacts(), daoFacts()
	later.At = gov.Block{Number: 99, Hash: gov.Hash{9}, Time: 1}
	a, b := outlooks(t, scenario(), p, f), outlooks(t, scenario(), p, later)
	if a.With != b.With || a.Engine != b.Engine || a.Engine.Version != simulators.OutlookVersion {
		t.Errorf("the block changes the outlook:\n%+v\n%+v", a, b)
	}
	other := p
	other.ContentHash = gov.Hash{4}
	if c := outlooks(t, scenario(), other, f); c.Engine.Seed == a.Engine.Seed || c.With == a.With {
		t.Error("another content has the same random numbers")
	}
	old, poor := treasuryOf(t, a.With), scenario()
	poor.Flow = gov.Known(-20_000.0)
	if now := treasuryOf(t, outlooks(t, poor, p, f).With); now.RunwayDays.P05.Or(0) >= old.RunwayDays.P05.Or(0) {
		t.Errorf("spending more leaves %v days, less %v", now.RunwayDays.P05, old.RunwayDays.P05)
	}
}

// TestScenarioClosedForm: stable coins alone last as long as a division says, and an empty treasury no day.
func TestScenarioClosedForm(t *testing.T) {
	f := daoFacts(gov.Outflow{Token: stable, Amount: gov.NewAmount(400_000), USD: gov.Known(4e5)})
	f.Treasury.Holdings, f.Treasury.ValueUSD = f.Treasury.Holdings[2:], gov.Known(1e6)
	o := outlooks(t, scenario(), gov.Proposal{}, f)
	with, without := treasuryOf(t, o.With).RunwayDays, treasuryOf(t, o.Without).RunwayDays
	if math.Abs(with.P05.Or(0)-75) > 1e-9 || with.P05 != with.P99 || math.Abs(without.P05.Or(0)-125) > 1e-9 {
		t.Errorf("600 000 at 8000 a day last %+v, 1 000 000 %+v", with, without)
	}
	f.Treasury.Holdings, f.Treasury.ValueUSD, f.Treasury.Outflows = nil, gov.Known(0.0), gov.Known([]gov.Outflow{})
	if x := treasuryOf(t, outlooks(t, scenario(), gov.Proposal{}, f).With); x.RunwayDays.P95.Or(1) != 0 || x.ValueUSD.P95.Or(1) != 0 {
		t.Errorf("an empty treasury: %+v", x)
	}
}

// TestScenarioSaysWhatIsMissing: with a reason for each, and never a number that a run did not show.
func TestScenarioSaysWhatIsMissing(t *testing.T) {
	blind := daoFacts()
	blind.Effects.Status = gov.Known(gov.EffectsReverted)
	silent := scenario()
	silent.Flow = gov.Maybe[float64]{}
	huge := daoFacts()
	huge.Treasury.Holdings[0].USD = gov.Known(math.Inf(1))
	for name, one := range map[string]struct {
		s     simulators.Scenario
		f     gov.Facts
		part  gov.Part
		want  gov.Reason
		value bool
	}{
		"not executed": {scenario(), blind, "outlook.treasury", gov.NoFacts, false},
		"no flow":      {silent, daoFacts(), "outlook.treasury.runway_days", gov.NoFlow, true},
		"positions":    {scenario(), daoFacts(), "outlook.collateral", gov.NoPositions, true},
		"no amount":    {scenario(), huge, "outlook", gov.TooLarge, false},
	} {
		o := outlooks(t, one.s, gov.Proposal{}, one.f)
		if !slices.Contains(o.Missing, gov.Missing{Part: one.part, Reason: one.want}) || o.With.Treasury.IsKnown() != one.value || o.With.Collateral.IsKnown() {
			t.Errorf("%s: %+v", name, o)
		}
	}
}

// TestOutlookOfMaskedFacts: facts of which some are missing give the same numbers or none.
func TestOutlookOfMaskedFacts(t *testing.T) {
	full := daoFacts(gov.Outflow{Token: stable, Amount: gov.NewAmount(100_000), USD: gov.Known(1e5)})
	all := outlooks(t, scenario(), gov.Proposal{}, full).With
	for name, mask := range map[string]func(*gov.Facts){
		"value":    func(f *gov.Facts) { f.Treasury.ValueUSD = gov.Maybe[float64]{} },
		"outflows": func(f *gov.Facts) { f.Treasury.Outflows = gov.Maybe[[]gov.Outflow]{} },
		"price":    func(f *gov.Facts) { f.Treasury.Holdings[1].USD = gov.Maybe[float64]{} },
		"moved": func(f *gov.Facts) {
			f.Treasury.Outflows = gov.Known([]gov.Outflow{{Token: stable, Amount: gov.NewAmount(100_000)}})
		},
		"minted":  func(f *gov.Facts) { f.Supply.MintedBps = gov.Maybe[float64]{} },
		"minters": func(f *gov.Facts) { f.Supply.MintersAdded = gov.Maybe[int64]{} },
		"cap":     func(f *gov.Facts) { f.Supply.CapRaised = gov.Maybe[bool]{} },
		"supply":  func(f *gov.Facts) { f.Supply.Before = gov.Maybe[gov.Amount]{} },
		"run":     func(f *gov.Facts) { f.Effects.Status = gov.Maybe[gov.EffectsStatus]{} },
	} {
		f := daoFacts(gov.Outflow{Token: stable, Amount: gov.NewAmount(100_000), USD: gov.Known(1e5)})
		mask(&f)
		o := outlooks(t, scenario(), gov.Proposal{}, f).With
		if o == all || o.Treasury.IsKnown() && o.Treasury != all.Treasury || o.Dilution.IsKnown() && o.Dilution != all.Dilution {
			t.Errorf("%s: %+v, of all facts %+v", name, o, all)
		}
	}
}

// BenchmarkOutlook is both outlooks of a treasury of ten assets with the default horizon, step and paths.
func BenchmarkOutlook(b *testing.B) {
	f := daoFacts()
	for i := range 7 {
		f.Treasury.Holdings = append(f.Treasury.Holdings, gov.Holding{Token: gov.Asset{3, byte(i)}, Amount: gov.NewAmount(5), USD: gov.Known(1e5)})
	}
	s := simulators.Scenario{Prospect: simulators.DefaultProspect, Paths: simulators.OutlookPaths}
	s.Flow = gov.Known(-8000.0)
	for b.Loop() {
		if _, err := s.Outlooks(b.Context(), gov.Proposal{}, f); err != nil {
			b.Fatal(err)
		}
	}
}
