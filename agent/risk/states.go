package risk

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/legate-dao/legate/agent/gov"
)

// turn is what one look at the rules makes of the clocks.
type turn struct {
	desk  *Desk
	spans map[gov.Label]int64 // the rules' `for:`, in seconds
	next  map[key]gov.Watch
	prior map[about]gov.Maybe[float64]
	told  []gov.Firing
}

// advance moves the clocks of all rules, and says what is told. It changes nothing of the desk.
func (d *Desk) advance(results map[about]judged) turn {
	t := turn{desk: d, spans: map[gov.Label]int64{}, next: map[key]gov.Watch{}, prior: map[about]gov.Maybe[float64]{}}
	for _, r := range d.conf.Set.EmergencyRules() {
		t.spans[r.Name] = int64(r.For / time.Second)
	}
	all := map[about]bool{}
	for a := range results {
		all[a] = true
	}
	for k := range d.clocks {
		all[k.about] = true
	}
	for _, a := range slices.SortedFunc(maps.Keys(all), func(a, b about) int { return cmp.Or(cmp.Compare(a.rule, b.rule), cmp.Compare(a.of, b.of)) }) {
		j, there := results[a]
		switch {
		case !there:
			t.gone(a)
		case j.Alarm.Result == gov.True:
			t.isTrue(a, j)
		case j.Alarm.Result == gov.Unknown:
			t.isUnknown(a, j)
		default:
			t.isFalse(a, j, "")
		}
	}
	return t
}

func (t *turn) clock(a about, result gov.Tri) (gov.Watch, bool) {
	w, ok := t.desk.clocks[key{a, result}]
	return w, ok
}

func (t *turn) keep(a about, w gov.Watch) { t.next[key{a, w.Result}] = w }

// isTrue starts the clock of a rule, lets it run, and fires when it has run for long enough. A rule that was over
// begins a new episode at the next moment of the chain, so that no two begin at one.
func (t *turn) isTrue(a about, j judged) {
	now := t.desk.now
	w, running := t.clock(a, gov.True)
	firing := running && w.State == gov.AlarmFiring
	t.settleDoubt(a, j, firing)
	t.prior[a] = t.desk.prior[a]
	switch {
	case running && w.State == gov.AlarmResolved && now <= w.Ended:
		t.keep(a, w)
		return
	case !running, w.State == gov.AlarmResolved, w.State == gov.AlarmPending && int64(now-w.Last) > tolerance:
		w = gov.Watch{Rule: a.rule, About: a.of, Result: gov.True, State: gov.AlarmPending, Since: now, Block: t.block(j), Before: t.desk.prior[a]}
	}
	w.Last, w.Blind = now, 0
	switch {
	case w.State == gov.AlarmPending && int64(now-w.Since) >= t.spans[a.rule]:
		w.State, w.Fired = gov.AlarmFiring, true
		f := t.firing(j, w, gov.AlarmFiring)
		f.Raised = f.At
		t.tell(&w, f)
	case w.Told == nil && w.State == gov.AlarmFiring: // stored by a release that knew no states
		f := t.firing(j, w, gov.AlarmFiring)
		f.Raised = f.At
		w.Told = &f
	case w.Told != nil && w.Told.Blind != 0:
		f := *w.Told
		f.Blind = 0
		w.Told = &f
	}
	t.keep(a, w)
}

// isUnknown keeps what was true: unknown is not false. One that fires goes on firing. After patience it is told that
// the rule cannot be evaluated.
func (t *turn) isUnknown(a about, j judged) {
	now := t.desk.now
	t.prior[a] = t.desk.prior[a]
	w, running := t.clock(a, gov.True)
	firing := running && w.State == gov.AlarmFiring
	doubt, doubted := t.clock(a, gov.Unknown)
	if !doubted || !doubt.Fired && int64(now-doubt.Last) > tolerance {
		doubt = gov.Watch{Rule: a.rule, About: a.of, Result: gov.Unknown, Since: now, Block: t.block(j)}
	}
	doubt.Last = now
	if firing && w.Blind == 0 {
		w.Blind = now
	}
	if !doubt.Fired && int64(now-doubt.Since) >= max(t.spans[a.rule], patience) {
		doubt.Fired = true
		if firing {
			f := t.firing(j, w, gov.AlarmFiring)
			f.Blind, f.Raised = w.Blind, f.At
			if w.Told != nil { // what it fired for is what can be said of it
				f.Raised, f.Reading, f.Sources = w.Told.Raised, w.Told.Reading, w.Told.Sources
			}
			t.tell(&w, f)
		} else {
			f := t.firing(j, doubt, gov.AlarmUnknown)
			f.Raised = f.At
			t.tell(&doubt, f)
		}
	}
	if running {
		t.keep(a, w)
	}
	t.keep(a, doubt)
}

// isFalse ends what was on. why is another reason for the end than that the rule is false.
func (t *turn) isFalse(a about, j judged, why string) {
	now := t.desk.now
	w, running := t.clock(a, gov.True)
	firing := running && w.State == gov.AlarmFiring
	t.settleDoubt(a, j, firing)
	if j.Alarm.Result == gov.False {
		t.prior[a] = j.Reading.Value
	}
	switch {
	case firing:
		w.State, w.Fired, w.Ended, w.Blind = gov.AlarmResolved, false, now, 0
		f := t.firing(j, w, gov.AlarmResolved)
		f.Ended, f.Why, f.Raised = now, why, f.At
		if w.Told != nil {
			f.Raised, f.Before, f.Alarm.Severity = w.Told.Raised, w.Told.Reading.Value, w.Told.Alarm.Severity
		}
		t.tell(&w, f)
		w.Last = now
		t.keep(a, w)
	case running && w.State == gov.AlarmResolved && int64(now-w.Ended) < shownFor:
		t.keep(a, w)
	}
}

// gone ends what a rule said that is in the policies no more, or of a proposal that is not open any more.
func (t *turn) gone(a about) {
	var j judged
	for _, result := range []gov.Tri{gov.Unknown, gov.True} {
		if w, ok := t.clock(a, result); ok && w.Told != nil {
			j.Judged = gov.Judged{Alarm: w.Told.Alarm, Reading: w.Told.Reading}
		}
	}
	j.Alarm.Rule, j.Alarm.Result, j.Reading.Value = a.rule, "", gov.Maybe[float64]{}
	why := "the rule is not in the policies any more"
	if _, still := t.spans[a.rule]; still {
		why = "the proposal is not open any more"
	}
	t.isFalse(a, j, why)
}

// settleDoubt tells that a rule can be evaluated again, where it was told that it could not be. Of one that fires, its
// being over or not says that.
func (t *turn) settleDoubt(a about, j judged, firing bool) {
	doubt, ok := t.clock(a, gov.Unknown)
	if !ok || !doubt.Fired || firing {
		return
	}
	f := t.firing(j, doubt, gov.AlarmKnown)
	f.Ended, f.Raised = t.desk.now, f.At
	if doubt.Told != nil {
		f.Raised = doubt.Told.Raised
	}
	t.told = append(t.told, f)
}

// tell notes what is told, for whoever has to be told again.
func (t *turn) tell(w *gov.Watch, f gov.Firing) {
	w.Told = &f
	t.told = append(t.told, f)
}

// firing is what a rule is told with now.
func (t *turn) firing(j judged, w gov.Watch, state gov.AlarmState) gov.Firing {
	f := gov.Firing{
		Alarm: j.Alarm, Reading: j.Reading, State: state, Since: w.Since, Block: w.Block, Before: w.Before, At: t.desk.wall(), Sources: t.sources(j),
	}
	f.Alarm.Rule = w.Rule
	if id, err := gov.ParseProposalID(w.About); err == nil && w.About != "" {
		f.About = &id
	}
	if j.subject != nil {
		f.Governor = j.subject.Governor
	} else if w.Told != nil {
		f.Governor = w.Told.Governor
	}
	return f
}

// sources say how the numbers of a rule were read.
func (t *turn) sources(j judged) []string {
	t.desk.look.Lock()
	defer t.desk.look.Unlock()
	out := []string{}
	for _, m := range j.Reading.Metrics {
		if r := t.desk.readings[m]; r.got.Source != "" {
			out = append(out, r.got.Source)
		}
	}
	return out
}

// block is the newest block in which something was read that the rule speaks of.
func (t *turn) block(j judged) (n uint64) {
	t.desk.look.Lock()
	defer t.desk.look.Unlock()
	for _, m := range j.Reading.Metrics {
		if r := t.desk.readings[m]; r.value.IsKnown() {
			n = max(n, r.got.Block.Number)
		}
	}
	if n == 0 && j.subject != nil {
		n = j.subject.Facts.At.Number
	}
	return n
}
