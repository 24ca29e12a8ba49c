package main

import (
	"fmt"
	"slices"
	"testing"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
)

// g22Script is what the chain gives in a life, and where in its voting time it begins.
type g22Script struct {
	name          string
	before, after g22Facts // until and from the turn
	turn          int64    // hours after voting opened
	last          g22Facts // and then, if ever
	lastTurn      int64
	late          bool  // it is first seen ten hours before the close: too short for wait and latest
	poor          int64 // until this hour the budget has no room
}

var g22Scripts = []g22Script{
	{name: "nothing changes"},
	{name: "nothing changes, seen late", late: true},
	{name: "the same is gathered again", turn: 3},
	{name: "disagreement, then agreed", before: g22Disagree, turn: 3},
	{name: "no dry run, then one", before: g22Blind, turn: 3},
	{name: "no price, then one", before: g22Unpriced, turn: 3},
	{name: "agreed, then disagreement", after: g22Disagree, turn: 3},
	{name: "a dry run, then none", after: g22Blind, turn: 3},
	{name: "grows into an against", after: g22Drained, turn: 3},
	{name: "no dry run, then an against", before: g22Blind, after: g22Drained, turn: 3},
	{name: "an against, then no dry run", before: g22Drained, after: g22Blind, turn: 3},
	{name: "no dry run, then an against, then no dry run", before: g22Blind, after: g22Drained, turn: 3, last: g22Blind, lastTurn: 4},
	{name: "larger, then an against, then no answer", before: g22Larger, after: g22Drained, turn: 3, last: g22Disagree, lastTurn: 4},
	{name: "an against, then the real facts", before: g22Drained, turn: 3},
	{name: "grows into a hold by content", after: g22Larger, turn: 3},
	{name: "no dry run, then a hold by content", before: g22Blind, after: g22Larger, turn: 3},
	{name: "an against after latest", after: g22Drained, turn: 9},
	{name: "never a dry run", before: g22Blind, after: g22Blind, turn: 3},
	{name: "the budget is spent for a while", poor: 10},
	{name: "the budget is spent, then an against", after: g22Drained, turn: 9, poor: 11},
	{name: "always larger", before: g22Larger, after: g22Larger, turn: 3},
}

// g22Human is what the holder does four hours after voting opened.
type g22Human struct {
	name    string
	support gov.Support
	edit    func(*gov.Approval)
	answers bool
	counts  bool // the answer is to what is known, and in time
	cancels bool
}

var g22Nobody = g22Human{name: "nobody"}

var g22Humans = []g22Human{
	g22Nobody,
	{name: "answers for", support: gov.SupportFor, answers: true, counts: true},
	{name: "answers against", support: gov.SupportAgainst, answers: true, counts: true},
	{name: "answers abstain", support: gov.SupportAbstain, answers: true, counts: true},
	{name: "answers for, on another basis", support: gov.SupportFor, answers: true, edit: func(a *gov.Approval) { a.Basis[0] ^= 1 }},
	{name: "answers for, on other content", support: gov.SupportFor, answers: true, edit: func(a *gov.Approval) { a.ContentHash[31] ^= 1 }},
	{name: "answers for another proposal", support: gov.SupportFor, answers: true, edit: func(a *gov.Approval) { a.Proposal.Number = gov.NewAmount(1) }},
	{name: "answers for, too late", support: gov.SupportFor, answers: true, edit: func(a *gov.Approval) { a.Expires = 1 }},
	{name: "stops it", cancels: true},
}

// g22Life is one proposal's life in the pure pipeline, and beside it the guarantees' own account of what may be cast.
type g22Life struct {
	t      *testing.T
	g      *g22Dossier
	policy g22Policy
	asked  g22Asked
	script g22Script
	gate   g22Gate
	human  g22Human
	text   *dossier.Text // instead of the proposer's
	people *gov.Context  // instead of those at the gathering
	clock  *int64        // is told the time
	// sounds are the directions of all gatherings of this dossier by this policy and judge, whoever writes, votes or
	// answers beside them
	sounds map[g22Facts]gov.Direction

	d     dossier.Dossier
	now   int64 // seconds since voting opened
	turns int64 // changes of the facts that were gathered since
	did   map[dossier.Step]bool
	story []g22Happened
	cast  *dossier.Choice
	at    int64

	// the account
	opens, closes int64
	verdict       *gov.Verdict // of the newest gathering
	passed        bool         // the gate passed it on these facts
	barred        bool         // a hold because of text, a model, facts that were not to be had, or the budget
	standing      *gov.Verdict
	timedOut      bool
	answer        *gov.Approval
	canceled      bool
	asks          int // of the gate
}

// g22Happened is one event of a life, for whoever reads why it is wrong.
type g22Happened struct {
	at    int64
	event dossier.Event
}

func (h g22Happened) String() string { return fmt.Sprintf("%d:%s", h.at, dossier.TypeOf(h.event)) }

func (l *g22Life) wrong(format string, args ...any) {
	l.t.Helper()
	l.t.Fatalf("what %s\npolicy %q, judge %q, %s, gate %s, holder %s, at %d s: %s\nstory: %v", l.g.does, l.policy.name, g22Judges[l.asked.judge].name, l.script.name,
		l.gate.name, l.human.name, l.now, fmt.Sprintf(format, args...), l.story)
}

// says is D of the newest gathering, in short.
func (l *g22Life) says() string {
	if l.verdict == nil {
		return "not known"
	}
	return fmt.Sprintf("%s by %s %q", l.verdict.Direction, l.verdict.Rule, l.verdict.Reasons)
}

// head is the head at a time after the opening, on a chain of one block each twelve seconds that is final at once.
func (l *g22Life) head() gov.Head {
	p := l.g.seen.Proposal
	at := gov.UnixTime(l.opens + l.now)
	n := p.Created.Number + uint64(at-p.Created.Time)/12
	b := gov.Block{Number: n, Hash: gov.Hash{byte(n >> 16), byte(n >> 8), byte(n)}, Time: at}
	h := gov.Head{Latest: b, Final: b, Clock: gov.Clocks(at)}
	if p.Clock == gov.ClockBlock {
		h.Clock, h.BlockTime = gov.Clocks(n), 12
	}
	return h
}

func (l *g22Life) happen(e dossier.Event) {
	next, err := l.d.Apply(e)
	if err != nil {
		l.wrong("%v", err)
	}
	l.d = next
	l.story = append(l.story, g22Happened{l.now, e})
	l.holds()
}

// holds are the promises that hold in every state.
func (l *g22Life) holds() {
	want := gov.Hold
	switch {
	case l.standing != nil:
		want = gov.Against
	case l.verdict != nil && (l.verdict.Direction != gov.For || l.passed && !l.barred && !l.timedOut):
		want = l.verdict.Direction
	}
	if got := l.d.Final(); got != want {
		l.wrong("final is %s, want %s; D is %s, an against stands: %v, the gate passed: %v", got, want, l.says(), l.standing != nil, l.passed)
	}
	if l.d.Stage != dossier.AtDecided {
		return
	}
	l.may(l.d.Choice(l.head()))
}

// may says whether something may be cast now, by the guarantees alone.
func (l *g22Life) may(c dossier.Choice) {
	if c.Direction == gov.Hold {
		return
	}
	d := l.verdict.Direction
	if c.By == gov.ByHolder {
		if a := l.answer; a == nil || a.Support.Direction() != c.Direction || !l.human.counts || a.Basis != l.d.Gathered.Basis {
			l.wrong("cast %s as the holder's, whose answer is %+v", c.Direction, a)
		}
		return
	}
	byTimeOut := l.timedOut && !l.barred && d == gov.Hold && l.verdict.Timely() && l.d.Plan.OnTimeout == c.Direction
	switch {
	case l.canceled:
		l.wrong("cast %s after the holder stopped it", c.Direction)
	case c.Direction == gov.For && d != gov.For:
		l.wrong("cast for where D is %s", d)
	case c.Direction == gov.For && !l.passed:
		l.wrong("cast for, and the gate did not pass it")
	case c.Direction == gov.For && l.barred:
		l.wrong("cast for after a hold that only a person ends")
	case c.Direction == gov.For && l.timedOut:
		l.wrong("cast for after a hold that nobody answered")
	case c.Direction == gov.For && l.standing != nil:
		l.wrong("cast for while an against stands")
	case c.Direction == gov.Against && l.standing == nil && !byTimeOut:
		l.wrong("cast against, D is %s %q, timed out: %v, barred: %v", d, l.verdict.Reasons, l.timedOut, l.barred)
	case c.Direction == gov.Abstain && d != gov.Abstain && !byTimeOut:
		l.wrong("cast abstain, D is %s %q, timed out: %v, barred: %v", d, l.verdict.Reasons, l.timedOut, l.barred)
	}
}

// decided takes a verdict into the account.
func (l *g22Life) decided(v gov.Verdict) {
	fact := l.facts()
	if want, ok := l.sounds[fact]; ok && want != v.Direction {
		l.wrong("on the same facts D was %s, and is %s", want, v.Direction)
	}
	l.sounds[fact] = v.Direction
	l.verdict, l.passed = &v, false
	if v.Direction == gov.Against {
		l.standing = &v
	} else if l.standing != nil && g22Lifted(*l.standing, v) {
		l.standing = nil
	}
	if v.Direction == gov.Hold && slices.ContainsFunc(v.Reasons, func(r gov.HoldReason) bool {
		return r == gov.HoldUnknown || r == gov.HoldUnavailable || r == gov.HoldDisagreement || r == gov.HoldBudget
	}) {
		l.barred = true
	}
}

// g22Lifted: every Against is false on the fresh facts; one that no rule gave is false only where a rule is true.
func g22Lifted(stands, fresh gov.Verdict) bool {
	gave := func(v gov.Verdict, direction bool, result gov.Tri) bool {
		return slices.ContainsFunc(v.Trace, func(t gov.Trace) bool { return (!direction || t.Vote == gov.Against) && t.Result == result })
	}
	open := gave(fresh, true, gov.True) || gave(fresh, true, gov.Unknown)
	return !open && (gave(stands, true, gov.True) || gave(fresh, false, gov.True))
}

func (l *g22Life) facts() g22Facts {
	if l.script.lastTurn > 0 && l.now >= l.script.lastTurn*3600 {
		return l.script.last
	}
	if l.now >= l.script.turn*3600 && l.script.turn > 0 {
		return l.script.after
	}
	return l.script.before
}

// changes is how often the facts have changed.
func (l *g22Life) changes() (n int64) {
	for _, turn := range []int64{l.script.turn, l.script.lastTurn} {
		if turn > 0 && l.now >= turn*3600 {
			n++
		}
	}
	return n
}

// live drives the life from its first block to its close, or to the vote.
func (l *g22Life) live() {
	p := l.g.seen.Proposal
	created := gov.Head{Latest: p.Created, BlockTime: 12, Clock: gov.Clocks(p.Created.Number)}
	l.opens = int64(created.At(p.Clock, p.Starts))
	l.closes = int64(created.At(p.Clock, p.Ends))
	l.did = map[dossier.Step]bool{}
	for _, now := range l.heads() {
		l.now = now
		if l.clock != nil {
			*l.clock = now
		}
		if l.d.Stage == dossier.Unseen {
			seen := l.g.seen
			if l.text != nil {
				seen.Text = *l.text
			}
			l.happen(dossier.WasSeen{Seen: seen, Head: l.head()})
		}
		l.tick()
		if l.cast != nil || l.d.Stage == dossier.AtNotVoted {
			return
		}
	}
	l.wrong("it is not over after the close: stage %s", l.d.Stage)
}

// heads are the times at which something may be due, in order.
func (l *g22Life) heads() []int64 {
	const hour = 3600
	long, latest := l.closes-l.opens, l.closes-l.opens-12*hour
	all := []int64{
		-200, 24, hour, 3 * hour, 4 * hour, 6*hour - 212, 6*hour - 96, 6*hour + 24, 6*hour + 720, latest - 60, latest, latest + 60, 8 * hour, 9 * hour, 9*hour + 36,
		12 * hour, 15*hour + 24, long - 9*hour, long - 4*hour, long - 120, long - 24, long + 24,
	}
	slices.Sort(all)
	if l.script.late {
		all = slices.DeleteFunc(all, func(at int64) bool { return at < long-10*hour })
	}
	return slices.Compact(all)
}

// tick does all that is owed at one head.
func (l *g22Life) tick() {
	person := l.human.name != g22Nobody.name && l.now >= 4*3600 && l.answer == nil && !l.canceled
	for range 40 {
		if person && l.d.Stage == dossier.AtDecided {
			person = false
			l.asksPerson()
		}
		if l.turns < l.changes() && l.d.Stage == dossier.AtDecided {
			l.turns = l.changes() // a watch sees the change
			l.gather()
			continue
		}
		moved := false
		for _, s := range dossier.Next(l.d, l.head()) {
			if l.did[s] || !l.do(s) {
				continue
			}
			l.did[s] = s.Kind == dossier.Gather || s.Kind == dossier.Decide || s.Kind == dossier.Preview || s.Kind == dossier.Remind // a job is unique by its basis
			moved = true
			break
		}
		if l.cast != nil || l.d.Stage == dossier.AtNotVoted || !moved {
			return
		}
	}
	l.wrong("it does not come to rest: %v", dossier.Next(l.d, l.head()))
}

func (l *g22Life) asksPerson() {
	if l.human.cancels {
		l.canceled = true
		l.happen(dossier.WasCanceled{Why: "by hand"})
		return
	}
	p := l.d.Proposal
	a := gov.Approval{Proposal: p.ID, ContentHash: p.ContentHash, Basis: l.d.Gathered.Basis, Support: l.human.support, Expires: gov.UnixTime(l.closes + 60)}
	if l.human.edit != nil {
		l.human.edit(&a)
	}
	l.answer = &a
	l.happen(dossier.WasApproved{Approval: a})
}

func (l *g22Life) gather() {
	l.passed = false // what the gate said was of other facts
	got := l.g.gather(l.t, l.facts(), l.head().Final).Gathered
	if l.people != nil {
		got.Context = *l.people
	}
	l.happen(dossier.WasGathered{Gathered: got, Head: l.head()})
}

// do does one step; false where nothing came of it.
func (l *g22Life) do(s dossier.Step) bool {
	h := l.head()
	switch s.Kind {
	case dossier.Preview:
		got := l.g.gather(l.t, l.facts(), h.Latest)
		v := l.g.decide(got, l.policy.set, l.asked)
		l.verdict = &v
		l.happen(dossier.WasPreviewed{Gathered: got.Gathered, Verdict: v})
	case dossier.Gather:
		l.gather()
	case dossier.Decide:
		set := l.policy.set
		v := l.g.decide(l.g.gather(l.t, l.facts(), l.d.Gathered.Facts.At), set, l.asked)
		l.decided(v)
		holder := set.Holders()[0].Holder
		l.happen(dossier.WasDecided{Verdict: v, Holder: holder, Plan: voice{set, true, 1800}.Plan(holder, v), Head: h})
	case dossier.Gate:
		l.asks++
		if l.verdict.Direction != gov.For {
			l.wrong("a %s waits for the gate", l.verdict.Direction)
		}
		e, ok := l.gate.ask(l)
		if !ok {
			return false // it hangs, or it died: the step is still owed
		}
		e.Facts, e.Head = l.d.Gathered.Digest, h
		l.passed = e.Gate.Result == gov.GatePass
		l.barred = l.barred || !l.passed
		l.happen(e)
	case dossier.Remind:
		l.happen(dossier.WasReminded{Before: s.Basis})
	case dossier.TimeOut:
		l.timedOut = true
		l.happen(dossier.WasTimedOut{Direction: l.d.TimeOutDirection(), Head: h})
	case dossier.Lock:
		c := l.d.Choice(h)
		l.may(c)
		if c.Direction == gov.Hold {
			l.wrong("a vote is owed, and none is chosen")
		}
		if l.now < l.script.poor*3600 && c.By == gov.ByPolicy {
			if l.d.Held != nil && l.d.Held.Direction == c.Direction {
				return false
			}
			l.barred = l.barred || c.Direction == gov.For
			l.happen(dossier.WasHeld{Reason: gov.HoldBudget, Direction: c.Direction, Why: "the limits", Head: h})
			return true
		}
		l.cast, l.at = &c, l.now
	case dossier.Settle:
		if l.now < l.closes-l.opens { // the state is read again: voting has opened
			l.happen(dossier.WasChanged{Change: dossier.Change{ID: l.d.ID(), State: gov.StateActive, Ends: l.d.Proposal.Ends}})
			return true
		}
		l.happen(dossier.WasNotVoted{Status: gov.VoteNoVote, Why: dossier.NotHeldOpen})
	default:
		return false // beside the way to a vote
	}
	return true
}

// direction is what the life ended with.
func (l *g22Life) direction() gov.Direction {
	if l.cast == nil {
		return gov.Hold
	}
	return l.cast.Direction
}

// foretold says what must come of a life in which nobody answers, and that it came.
func (l *g22Life) foretold() {
	l.t.Helper()
	want, known := l.outcome()
	if got := l.direction(); known && got != want {
		l.wrong("it ended with %s, want %s; D is %s, barred: %v, timed out: %v", got, want, l.says(), l.barred, l.timedOut)
	}
}

// outcome is the end of a life by the guarantees; known is false where they leave it open.
func (l *g22Life) outcome() (_ gov.Direction, known bool) {
	d := l.verdict.Direction
	switch {
	case l.standing != nil: // whatever the gate, the budget and the window do: an Against is cast
		return gov.Against, true
	case d == gov.For:
		constant := l.gate.always != nil
		if !constant || l.script.poor > 0 {
			return gov.Hold, l.barred
		}
		if l.barred || l.gate.always.Result != gov.GatePass || l.short() {
			return gov.Hold, true
		}
		return gov.For, true
	case d == gov.Abstain:
		if l.short() {
			return gov.Hold, true
		}
		return gov.Abstain, true
	case !l.barred && l.verdict.Timely():
		return l.d.Plan.OnTimeout, true
	}
	return gov.Hold, true
}

// short says whether the window was too short for a For or Abstain, and the policy holds those.
func (l *g22Life) short() bool { return l.script.late && !l.d.Plan.VoteShort }

// same says that two lives ended alike, at the same time.
func (l *g22Life) same(other *g22Life) {
	l.t.Helper()
	if l.direction() != other.direction() || l.at != other.at {
		l.wrong("it ended %s at %d s; with gate %s it ended %s at %d s", l.direction(), l.at, other.gate.name, other.direction(), other.at)
	}
}
