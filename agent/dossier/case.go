package dossier

import "github.com/legate-dao/legate/agent/gov"

// Case is what a policy decides on: the facts of this gathering, with the outlook that was computed from them.
func (g Gathered) Case(p gov.Proposal, h gov.Holder) gov.Case {
	c := gov.Case{Proposal: p, Facts: g.Facts, Holder: h}
	if g.Outlook != nil {
		c.Outlook = g.Outlook.With
	}
	return c
}

// Context is what hold_if reads of who votes: that of the last gathering, with the newest forecast on record.
func (d Dossier) Context() gov.Context {
	var c gov.Context
	if d.Gathered != nil {
		c = d.Gathered.Context
	}
	c.Forecast = d.Forecast.Chances()
	return c
}
