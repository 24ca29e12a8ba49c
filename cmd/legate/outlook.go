package main

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"time"

	"github.com/invopop/jsonschema"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/policies"
	"github.com/legate-dao/legate/policies/strict"
	"github.com/legate-dao/legate/simulators"
)

// OutlookConfig is what the operator says of one DAO's prospects: what no chain can know. It is read where a policy
// reads the outlook.
type OutlookConfig struct {
	// Flow is USD a day, net, negative for spending. Left out: runway and dilution are not known.
	Flow        *float64        `yaml:"flow_usd_per_day"`
	Horizon     strict.Duration `yaml:"horizon"`
	Step        strict.Duration `yaml:"step"`
	Paths       int64           `yaml:"paths" strict:"min=1000,max=100000"`
	Assets      []AssetConfig   `yaml:"assets"`
	OtherVol    float64         `yaml:"other_vol" strict:"min=0,max=20"`
	Correlation float64         `yaml:"correlation" strict:"min=0,max=0.99"`
	StudentT    float64         `yaml:"student_t" strict:"min=0"`
}

// AssetConfig is how one token's price moves, a year.
type AssetConfig struct {
	Token TokenConfig `yaml:"token,required"`
	Drift float64     `yaml:"drift" strict:"min=-20,max=20"`
	Vol   float64     `yaml:"vol,required" strict:"min=0,max=20"`
}

// SetDefaults is what a file leaves out.
func (o *OutlookConfig) SetDefaults() { *o = defaultOutlook() }

// SetDefaults is what a file leaves out.
func (g *GovernorConfig) SetDefaults() { g.Outlook.SetDefaults() }

// defaultOutlook is [simulators.DefaultProspect].
func defaultOutlook() OutlookConfig {
	p := simulators.DefaultProspect
	return OutlookConfig{
		Horizon: ofDays(p.Horizon), Step: ofDays(p.Step), Paths: simulators.OutlookPaths, OtherVol: p.OtherVol, Correlation: p.Correlation, StudentT: p.StudentT,
	}
}

func ofDays(n float64) strict.Duration { return strict.Duration(n * float64(24*time.Hour)) }

// TokenConfig is an address or `native`.
type TokenConfig struct{ gov.Asset }

// ParseStrict reads both forms.
func (t *TokenConfig) ParseStrict(text string) error {
	if text == gov.Native.String() {
		t.Asset = gov.Native
		return nil
	}
	a, err := strict.ParseAddress(text)
	t.Asset = gov.Asset(a.Address)
	return err
}

// JSONSchema is both forms.
func (TokenConfig) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "string", Pattern: "^(native|0x[0-9a-fA-F]{40})$", Description: "the address of a token, or native"}
}

// maxSteps bounds the work of one outlook.
const maxSteps = 3650

// scenario is the configuration as the simulators take it; that of a governor without one has the defaults.
func (o OutlookConfig) scenario() simulators.Scenario {
	if o.Paths == 0 {
		o = defaultOutlook()
	}
	s := simulators.Scenario{Paths: o.Paths, Prospect: simulators.Prospect{
		OtherVol: o.OtherVol, Correlation: o.Correlation, StudentT: o.StudentT, Horizon: days(o.Horizon), Step: days(o.Step),
	}}
	if o.Flow != nil {
		s.Flow = gov.Known(*o.Flow)
	}
	for _, a := range o.Assets {
		s.Assets = append(s.Assets, simulators.ProspectAsset{Token: a.Token.Asset, Drift: a.Drift, Vol: a.Vol})
	}
	return s
}

// check is what the shapes alone do not say.
func (o OutlookConfig) check(complain func(key, message, hint string)) {
	seen := map[gov.Asset]bool{}
	for _, a := range o.Assets {
		if seen[a.Token.Asset] {
			complain("assets", fmt.Sprintf("%s is listed twice", a.Token), "")
		}
		seen[a.Token.Asset] = true
	}
	switch {
	case o.Step <= 0 || o.Horizon < o.Step || o.Horizon%o.Step != 0:
		complain("horizon", fmt.Sprintf("%s is not a whole number of steps of %s", o.Horizon, o.Step), "horizon: 365d, step: 1d")
		return
	case o.Horizon/o.Step > maxSteps:
		complain("step", fmt.Sprintf("%d steps are more than %d", o.Horizon/o.Step, maxSteps), "a longer step")
		return
	}
	if err := o.scenario().Check(); err != nil {
		complain("", err.Error(), "")
	}
}

// readsOutlook says whether a policy that speaks at a governor reads the outlook.
func readsOutlook(set *policies.Set, governor gov.Label) bool {
	for _, h := range set.HoldersOf(governor) {
		if p, ok := set.Policy(h.Name); ok && p.ReadsOutlook() {
			return true
		}
	}
	return false
}

// watchOutlooks computes outlooks from now on where these policies read one, and says what an operator left out.
func (w *world) watchOutlooks(set *policies.Set, log *slog.Logger) {
	w.reads = func(governor gov.Label) bool { return readsOutlook(set, governor) }
	for _, g := range w.conf.Governors {
		if g.Outlook.Flow == nil && w.reads(gov.Label(g.Name)) {
			log.Warn("a policy reads the outlook, but governors.outlook.flow_usd_per_day is not set: runway and dilution are unknown", "governor", g.Name)
		}
	}
}

// Outlook implements agent.Outlooks.
func (w *world) Outlook(ctx context.Context, p gov.Proposal, f gov.Facts) (*gov.Outlooks, error) {
	if w.reads == nil || !w.reads(p.Name) {
		return nil, nil
	}
	g, err := w.of(p.ID)
	if err != nil {
		return nil, err
	}
	out, err := g.conf.Outlook.scenario().Outlooks(ctx, p, f)
	return &out, err
}

// outlookRows are the outlook as people read it, with the proposal and without; empty where none was computed.
func outlookRows(o *gov.Outlooks) (rows []factRow) {
	if o == nil {
		return nil
	}
	for _, one := range []struct {
		name string
		of   gov.Outlook
	}{{"outlook", o.With}, {" without", o.Without}} {
		t, d := one.of.Treasury.Or(gov.TreasuryOutlook{}), one.of.Dilution.Or(gov.Quantiles{})
		rows = append(rows, factRow{one.name, []string{
			"treasury.runway_days.p05 " + outlookNumber(t.RunwayDays.P05, 1), "treasury.value_usd.p05 " + outlookNumber(t.ValueUSD.P05, 1), "dilution.p95 " + outlookNumber(d.P95, 1e4),
		}})
	}
	for _, m := range o.Missing {
		rows = append(rows, factRow{"", []string{fmt.Sprintf("%s is unknown: %s", m.Part, m.Reason)}})
	}
	return rows
}

// outlookNumber is rounded: a simulation is not more exact.
func outlookNumber(m gov.Maybe[float64], scale float64) string {
	if v, ok := m.Get(); ok {
		m = gov.Known(math.Round(v*scale) / scale)
	}
	return maybe(m)
}
