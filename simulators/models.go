package simulators

import (
	"errors"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/simulators/mc"
)

// Model is one Monte Carlo model, for lists and for running all alike.
type Model struct {
	Name    string
	Text    string   // one line for the operator
	Outputs []string // the numbers of a path, in the kernel's order
	Events  []string
	Prepare func(Inputs) (mc.Kernel, error)
}

// Inputs are what the models are prepared from; each takes what it needs.
type Inputs struct {
	Facts      gov.Facts
	Prospect   Prospect
	Electorate Electorate
	Collateral Collateral
}

// Models are all there are. A new one is a file and a line here.
var Models = []Model{
	{"vote", "how a voting ends, from voters' habits", []string{"for", "against", "turnout"},
		[]string{"pass", "quorum", "own lead", "own quorum", "own both", "pass and lead", "pass and quorum"},
		func(in Inputs) (mc.Kernel, error) { return in.Electorate.Kernel() }},
	{"treasury", "what the treasury is worth at the horizon, and how long it lasts", []string{"value_usd", "runway_days", "sold"}, []string{"ruin"},
		prepareTreasury},
	{"collateral", "the bad debt of a lending market", []string{"bad_debt_usd"}, []string{"insolvent", "over_buffer", "liquidated"},
		func(in Inputs) (mc.Kernel, error) { return in.Collateral.Kernel() }},
}

func prepareTreasury(in Inputs) (mc.Kernel, error) {
	held, ok := heldUSD(in.Facts)
	if !ok {
		return nil, errors.New("the treasury holds something without a price")
	}
	p := in.Prospect
	return Treasury{Values: held, Market: p.market(in.Facts.Treasury.Holdings), Flow: p.Flow.Or(0), Horizon: p.Horizon, Step: p.Step}.Kernel()
}
