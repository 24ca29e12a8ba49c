package policies

import (
	"fmt"
	"strings"
	"testing"

	"github.com/legate-dao/legate/agent/gov"
)

// Where an evaluation is not counted, counting it would change nothing: same result, same reason.
func TestUncountedIsTheSameAsCounted(t *testing.T) {
	outflows := make([]gov.Outflow, shortList)
	params := make([]gov.Param, shortList)
	for i := range outflows {
		outflows[i].USD = gov.Known(float64(i))
		params[i].Direction = gov.Known(gov.Tighter)
	}
	f := gov.Facts{Effects: gov.Effects{Status: gov.Known(gov.EffectsExecuted)}, Treasury: gov.Treasury{Outflows: gov.Known(outflows)}, Params: gov.Known(params)}
	view := &ruleView{factsView: viewOf(&f)}
	long := strings.Repeat(`treasury.outflows.all(o, o.usd >= 0) && `, 20) + "true"
	free := 0
	for _, text := range []string{
		`true`, `treasury.outflows.all(o, o.usd >= 0)`, `params.all(p, p.direction == "tighter" || p.after > p.before)`, `treasury.outflows.exists(o, o.usd > 62.5)`, long,
		`treasury.outflows.filter(o, o.usd > 5.0).all(o, o.usd > 4.0)`, `treasury.outflows.map(o, o.usd * 2).exists(u, u > 120.0)`, `treasury.outflows.all(o, params.all(p, p.direction == "tighter"))`,
		`treasury.outflows.exists_one(o, o.usd == 3.0) && treasury.value_usd > 1`, `treasury.outflows.all(o, treasury.outflows.all(q, treasury.outflows.all(r, o.usd + q.usd + r.usd >= 0)))`,
		`(params + params).all(p, p.direction == "tighter")`, "[" + strings.Repeat("1, ", 200) + "2].all(x, x > 0)",
	} {
		e, faults := ruleEnv.compile(text, Names{})
		if len(faults) > 0 {
			t.Fatalf("%s: %+v", text, faults)
		}
		if e.free == nil {
			continue
		}
		free++
		on := newScope(ruleEnv.root, view, &f, &checkResults{})
		if !on.short {
			t.Fatal("the lists are not short")
		}
		result, why := e.evaluate(on)
		e.free = nil
		counted, countedWhy := e.evaluate(newScope(ruleEnv.root, view, &f, &checkResults{}))
		if fmt.Sprint(result, why) != fmt.Sprint(counted, countedWhy) {
			t.Errorf("%s: %s (%s), counted %s (%s)", text, result, why, counted, countedWhy)
		}
	}
	if free < 4 {
		t.Errorf("only %d expressions go uncounted", free)
	}
}

// A rule over more calls than any honest proposal has ends at the limit, as unknown, and soon.
func TestCostLimitEndsLongLoops(t *testing.T) {
	calls := make([]gov.Call, 2000)
	f := gov.Facts{Calls: gov.Known(calls)}
	e, faults := ruleEnv.compile(`calls.all(c, calls.all(d, c.depth == d.depth))`, Names{})
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	if result, why := e.evaluate(newScope(ruleEnv.root, &ruleView{factsView: viewOf(&f)}, &f, &checkResults{})); result != gov.Unknown || why != "cost limit" {
		t.Errorf("%s (%s)", result, why)
	}
}
