package policies

import "github.com/legate-dao/legate/agent/gov"

// Holds lists the hold_if of the holder's policy that are true or unknown on what people and text add to
// the case: each turns a For into a Hold, and nothing else. For a holder whom the set does not know it
// gives one that cannot be known.
func (s *Set) Holds(c gov.Case, ctx gov.Context, reading gov.Reading) []gov.HoldIf {
	p, ok := s.Policy(c.Holder.Name)
	if !ok {
		return []gov.HoldIf{{Name: "unknown", Result: gov.Unknown, Why: "there is no policy for this holder"}}
	}
	if len(p.HoldIf) == 0 {
		return []gov.HoldIf{}
	}
	e := prepare(c)
	view := &holdView{
		ruleView: ruleViewOf(&e.Case),
		Context:  ctx, Text: reading.Text, Brief: reading.Brief,
	}
	on := newScope(holdEnv.root, view, &e.Case.Facts, e.results)
	out := []gov.HoldIf{}
	for i := range p.HoldIf {
		h := &p.HoldIf[i]
		if result, why := h.expr.evaluate(on); result != gov.False {
			out = append(out, gov.HoldIf{Name: h.Name, Result: result, Why: why})
		}
	}
	return out
}
