package agent_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/legate-dao/legate/agent"
	"github.com/legate-dao/legate/agent/agenttest"
	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
)

// The window of every life here, on a timestamp clock.
const (
	created = 10_000
	opens   = 12_000
	closes  = 212_000
)

// What a policy of the model says is written into the facts, as their number of unknown calls.
const (
	saysFor = iota
	saysAgainst
	saysAbstain
	saysHoldByRule
	saysOtherwise
	saysUnknown     // an Against is unknown
	saysUnavailable // every Against is false, a For is unknown
	saysClosedWorld
	sayings
)

// model is one life of one proposal among things that happen: a chain that stalls and reorganises, endpoints that fail,
// a clock that is wrong, a gate that says anything, people, crashes.
type model struct {
	t    *testing.T
	seed uint64
	rng  *rand.Rand
	calm bool // nothing fails any more

	d       dossier.Dossier
	now     int64
	final   int64
	stalled bool
	skew    int64 // of the signer's clock
	content byte
	ends    gov.Clocks
	plan    dossier.Plan
	pool    []int64 // of sayings
	saying  int64
	fixed   bool // the saying does not change

	ledger  map[gov.Support]bool
	mined   bool
	records int
	story   []string

	// what the lock is held against
	first            [4]int64 // first decision of each direction, on this content
	firstAny         int64
	barred, timedOut bool // only a person votes for, and nothing times out into a vote
	answer           *gov.Approval
	stopped          bool
	standing         bool
}

func (m *model) chance(percent int) bool { return !m.calm && m.rng.IntN(100) < percent }

func (m *model) fail(percent int) error {
	if m.chance(percent) {
		return errors.New("an endpoint fails")
	}
	return nil
}

func (m *model) wrong(format string, args ...any) {
	m.t.Helper()
	tail := m.story[max(0, len(m.story)-40):]
	m.t.Fatalf("seed %d at %d: %s\nstory: %v", m.seed, m.now, fmt.Sprintf(format, args...), tail)
}

func block(n int64) gov.Block {
	return gov.Block{Number: uint64(n), Hash: gov.Hash{byte(n >> 16), byte(n >> 8), byte(n)}, Time: gov.UnixTime(n)}
}

func (m *model) head() gov.Head {
	return gov.Head{Latest: block(m.now), Final: block(m.final), Clock: gov.Clocks(m.now)}
}

func (m *model) proposal() gov.Proposal {
	return gov.Proposal{
		ID: gov.ProposalID{Chain: 1, Governor: gov.Address{1}, Number: gov.NewAmount(7)}, Clock: gov.ClockTimestamp, Created: block(created),
		Starts: opens, Ends: m.ends, State: gov.StatePending, ContentHash: gov.Hash{m.content},
	}
}

// The ports.

func (m *model) Gather(_ context.Context, _ gov.Proposal, at gov.Block) (dossier.Gathered, error) {
	if err := m.fail(20); err != nil {
		return dossier.Gathered{}, err
	}
	if !m.fixed && m.chance(30) {
		m.saying = m.pool[m.rng.IntN(len(m.pool))]
	}
	f := gov.Facts{At: at, Sources: 1, UnknownCalls: gov.Known(m.saying)}
	if m.saying == saysUnavailable && m.chance(50) {
		f.Unavailable = []gov.Missing{{Part: "effects.status", Reason: gov.RPCError}}
	}
	return dossier.Gathered{Facts: f}, nil
}

func (m *model) Head(context.Context, gov.ProposalID) (gov.Head, error) { return m.head(), nil }

func (m *model) Standing(context.Context, gov.Proposal) (gov.State, gov.Clocks, error) {
	if m.now > int64(m.ends) {
		return gov.StateDefeated, m.ends, m.fail(20)
	}
	return gov.StateActive, m.ends, m.fail(20)
}

func (m *model) Same(_ context.Context, p gov.Proposal, _ gov.Block) error {
	if p.ContentHash != (gov.Hash{m.content}) {
		return agent.ErrOther
	}
	return m.fail(5)
}

func (m *model) Canonical(context.Context, gov.ProposalID, gov.Block) error {
	if m.chance(5) {
		return fmt.Errorf("gone: %w", agent.ErrMoved)
	}
	return m.fail(5)
}

func (m *model) SameCode(context.Context, gov.Proposal, gov.Facts, gov.Block) error {
	if m.chance(5) {
		return fmt.Errorf("other code: %w", agent.ErrMoved)
	}
	return m.fail(5)
}

func (m *model) Holder(gov.Label) (gov.Holder, error) { return gov.Holder{Name: "alice"}, nil }

func (m *model) Decide(c gov.Case) gov.Verdict {
	against := gov.Trace{Rule: "against", Vote: gov.Against, Result: gov.False}
	v := gov.Verdict{Policy: gov.Digest{1}, Rule: "r"}
	v.Facts, _ = c.Facts.Digest()
	switch c.Facts.UnknownCalls.Or(saysUnavailable) {
	case saysFor:
		v.Direction = gov.For
	case saysAgainst:
		v.Direction, against.Result = gov.Against, gov.True
	case saysAbstain:
		v.Direction = gov.Abstain
	case saysHoldByRule:
		v.Reasons = []gov.HoldReason{gov.HoldByRule}
	case saysOtherwise:
		v.Reasons = []gov.HoldReason{gov.HoldOtherwise}
	case saysUnknown:
		v.Reasons, against.Result = []gov.HoldReason{gov.HoldUnknown}, gov.Unknown
	case saysUnavailable:
		v.Reasons = []gov.HoldReason{gov.HoldUnknown, gov.HoldUnavailable}
	case saysClosedWorld:
		v.Reasons = []gov.HoldReason{gov.HoldClosedWorld, gov.HoldUnavailable}
	}
	v.Trace = []gov.Trace{against}
	return v
}

func (m *model) Plan(gov.Holder, gov.Verdict) dossier.Plan { return m.plan }

func (m *model) Gate(context.Context, dossier.Dossier, gov.Head) (dossier.WasGated, error) {
	if err := m.fail(30); err != nil {
		return dossier.WasGated{}, err
	}
	g := gov.Gated{Result: gov.GatePass}
	if m.rng.IntN(4) == 0 {
		g = gov.Gated{Result: gov.GateHold, Reasons: []gov.HoldReason{"instructions"}}
	}
	return dossier.WasGated{Gate: g}, nil
}

func (m *model) Address() gov.Address { return gov.Address{2} }

// Sign does what the real signer demands of an intent, then what the ledger demands.
func (m *model) Sign(_ context.Context, i gov.Intent) (gov.Vote, error) {
	if m.chance(10) {
		return gov.Vote{}, agent.ErrLater
	}
	if i.Case.Holder.Name != "alice" || i.Case.Facts.At.Number == 0 {
		m.wrong("an intent without holder or facts: %+v", i.Case)
	}
	clock := m.now + m.skew
	verdict := m.Decide(i.Case)
	direction := i.Ballot.Support.Direction()
	switch {
	case i.Approval != nil && (i.Approval.Support != i.Ballot.Support || int64(i.Approval.Expires) < clock):
		return gov.Vote{}, agent.ErrStale
	case i.Approval != nil && m.chance(10):
		return gov.Vote{}, agent.ErrUnfit
	case i.Approval != nil:
	case i.Standing && (direction != gov.Against || verdict.Direction != gov.Against):
		m.wrong("an intent for %s says that it stands", direction)
	case direction == gov.For && i.Gate.Result != gov.GatePass:
		m.wrong("an intent for a for that the gate did not pass")
	case direction == verdict.Direction:
	case direction != gov.For && verdict.Timely() && direction == m.plan.OnTimeout:
	default:
		m.wrong("an intent for %s on facts that say %s", direction, verdict.Direction)
	}
	if age := clock - int64(i.Case.Facts.At.Time); age > m.plan.MaxAge && !i.Standing {
		return gov.Vote{}, agent.ErrStale
	}
	for s := range m.ledger {
		if s != i.Ballot.Support {
			return gov.Vote{}, agent.ErrRefused
		}
	}
	m.ledger[i.Ballot.Support] = true
	if err := m.fail(10); err != nil {
		return gov.Vote{}, err // the ledger has the line, nobody the signature
	}
	return gov.Vote{Tx: gov.Hash{byte(i.Ballot.Support), 1}, Raw: gov.CalldataOf([]byte{byte(i.Ballot.Support)})}, nil
}

func (m *model) Preflight(context.Context, gov.Proposal, gov.Holder, gov.Ballot) (gov.Amount, error) {
	return gov.NewAmount(1), m.fail(10)
}

// planner is the sender; its Plan is another one than that of the policies.
type planner struct{ *model }

func (m planner) Plan(context.Context, gov.Ballot, []gov.Vote) (gov.Tx, error) {
	if m.chance(10) {
		return gov.Tx{}, fmt.Errorf("%w: 10 votes a day", agent.ErrBudget)
	}
	return gov.Tx{Nonce: 3}, m.fail(10)
}

func (m planner) Send(_ context.Context, v gov.Vote) error {
	if m.d.Swapped() {
		m.wrong("a vote was sent for other content")
	}
	return m.fail(20)
}

func (m planner) Replace(context.Context, gov.Vote) (*gov.Tx, error) {
	if m.chance(20) {
		return &gov.Tx{Nonce: 3}, nil
	}
	return nil, m.fail(10)
}

func (m planner) Retry(context.Context, gov.Vote) (*gov.Tx, error) {
	if m.chance(20) {
		return nil, nil // it has had the most gas
	}
	return &gov.Tx{Nonce: 4}, m.fail(10)
}

func (m planner) Confirm(_ context.Context, v gov.Vote, final gov.Block) (*gov.Receipt, error) {
	if err := m.fail(20); err != nil {
		return nil, err
	}
	if !m.mined && (m.chance(60) || m.now > int64(m.ends)) {
		return nil, nil
	}
	if !m.mined && m.chance(15) {
		return &gov.Receipt{Tx: v.Tx, Block: block(m.now), Final: m.chance(50)}, nil // for want of gas
	}
	m.mined = true
	if m.chance(10) {
		m.mined = false // back from a reorganisation
		return nil, nil
	}
	return &gov.Receipt{Tx: v.Tx, OK: true, Block: block(m.now), Support: gov.Known(v.Ballot.Support), Final: m.calm || m.chance(50)}, nil
}

func (m *model) InFlight(context.Context, gov.ProposalID) ([]gov.Vote, error)    { return nil, nil }
func (m *model) GivenUp(context.Context, gov.ProposalID) ([]gov.Vote, error)     { return nil, nil }
func (m *model) Waiting(context.Context, gov.ProposalID) ([]dossier.Turn, error) { return nil, nil }

// happen stores events as the journal would, and holds each against the promises.
func (m *model) happen(events ...dossier.Event) {
	m.t.Helper()
	for _, e := range events {
		m.judge(e)
		r, err := dossier.Encode(m.d.ID(), m.d.Seq+1, time.Unix(m.now, 0), e)
		if err != nil {
			m.wrong("%v", err)
		}
		if r.Event, err = dossier.Decode(r.Type, r.Body); err != nil {
			m.wrong("%v", err)
		}
		r.ID = m.proposal().ID
		next, err := m.d.ApplyRecord(r)
		if err != nil {
			m.wrong("%v", err)
		}
		m.d = next
		m.records++
		m.story = append(m.story, fmt.Sprintf("%d:%s", m.now, r.Type))
	}
}

func (m *model) judge(e dossier.Event) {
	m.t.Helper()
	switch e := e.(type) {
	case dossier.WasDecided:
		v := e.Verdict.Direction
		if m.first[v] == 0 {
			m.first[v] = m.now
		}
		if m.firstAny == 0 {
			m.firstAny = m.now
		}
		for _, r := range e.Verdict.Reasons {
			if r == gov.HoldUnknown || r == gov.HoldUnavailable || r == gov.HoldDisagreement {
				m.barred = true
			}
		}
		if v == gov.Against {
			m.standing = true
		} else if e.Verdict.Trace[0].Result == gov.False {
			m.standing = false
		}
	case dossier.WasGated:
		if m.d.Verdict.Direction == gov.For && e.Gate.Result != gov.GatePass {
			m.barred = true
		}
	case dossier.WasHeld:
		if e.Reason != gov.HoldBudget || m.d.Vote.Status.Bound() {
			m.wrong("held because of %q with the vote %s", e.Reason, m.d.Vote.Status)
		}
		if e.Direction == gov.For {
			m.barred = true
		}
	case dossier.WasTimedOut:
		m.timedOut = true
	case dossier.WasApproved:
		m.answer, m.stopped = &e.Approval, false
	case dossier.WasCanceled:
		m.answer, m.stopped = nil, true
	case dossier.WasReleased:
		if e.Answer {
			m.answer = nil
		}
	case dossier.WasLocked:
		m.judgeLock(e)
	}
}

// judgeLock says whether this vote may be bound now.
func (m *model) judgeLock(e dossier.WasLocked) {
	m.t.Helper()
	d, direction, wait := m.d, e.Ballot.Support.Direction(), m.plan.Wait
	short := func(from int64) bool { return int64(m.ends)-max(opens, from) < wait+m.plan.Latest }
	switch {
	case d.Vote.Status.Bound():
		m.wrong("bound twice")
	case d.Provisional || d.Gathered == nil:
		m.wrong("a vote on a preview")
	case m.now <= opens || m.now > int64(m.ends):
		m.wrong("a vote while voting is not open")
	case e.Content != (gov.Hash{m.content}):
		m.wrong("a vote on other content")
	case e.Ballot.Reason.By == gov.ByHolder:
		if m.answer == nil || m.answer.Support != e.Ballot.Support || m.answer.Basis != d.Gathered.Basis || int64(m.answer.Expires) < m.now {
			m.wrong("a vote by hand without the hand: %+v", m.answer)
		}
		if m.now-int64(d.Gathered.Facts.At.Time) > m.plan.MaxAge {
			m.wrong("a vote by hand on old facts")
		}
		return
	case m.stopped:
		m.wrong("a vote by policy that a person stopped")
	case m.answer != nil && m.answer.Basis == d.Gathered.Basis && int64(m.answer.Expires) >= m.now:
		m.wrong("a vote by policy beside an answer that counts")
	}
	timely := m.timedOut && !m.barred && d.Verdict.Timely() && direction == m.plan.OnTimeout && direction != gov.For
	switch direction {
	case gov.For:
		if d.Verdict.Direction != gov.For || d.Gate == nil || d.Gate.Gate.Result != gov.GatePass || m.barred || m.timedOut || m.standing {
			m.wrong("a for: verdict %s, barred %v, timed out %v, an against stands %v", d.Verdict.Direction, m.barred, m.timedOut, m.standing)
		}
	case gov.Against:
		if !m.standing && !timely {
			m.wrong("an against that nobody decided")
		}
		if m.standing {
			if m.now < m.first[gov.Against]+wait && !short(m.firstAny) && !short(m.first[gov.Against]) {
				m.wrong("an against before its wait")
			}
			return
		}
	case gov.Abstain:
		if (d.Verdict.Direction != gov.Abstain && !timely) || m.standing {
			m.wrong("an abstain on %s, an against stands %v", d.Verdict.Direction, m.standing)
		}
	default:
		m.wrong("a vote for %s", direction)
	}
	late := m.now < int64(m.ends)-m.plan.Latest
	switch {
	case timely && d.Verdict.Direction == gov.Hold:
		if late {
			m.wrong("a time-out vote before its time")
		}
	case m.now < m.first[direction]+wait && !(m.plan.VoteShort && (short(m.firstAny) || m.first[direction]+wait > int64(m.ends)-m.plan.Margin)):
		m.wrong("a %s before its wait, first decided at %d", direction, m.first[direction])
	case m.now-int64(d.Gathered.Facts.At.Time) > m.plan.MaxAge:
		m.wrong("a %s on old facts", direction)
	}
}

// forget starts the books over for other content.
func (m *model) forget() {
	m.first, m.firstAny, m.barred, m.timedOut, m.answer, m.stopped, m.standing = [4]int64{}, 0, false, false, nil, false, false
}

// meddle is what strangers, people and the chain do.
func (m *model) meddle() {
	open := m.d.Stage == dossier.AtDecided || m.d.Stage == dossier.AtGathered
	switch {
	case m.chance(2) && open && !m.d.Vote.Status.Bound():
		a := gov.Approval{Proposal: m.d.ID(), ContentHash: gov.Hash{m.content}, Basis: m.d.Gathered.Basis, Support: gov.Support(m.rng.IntN(3)), Expires: gov.UnixTime(m.now + m.rng.Int64N(90_000))}
		if m.chance(20) {
			a.Basis = gov.Digest{9}
		}
		m.happen(dossier.WasApproved{Approval: a})
	case m.chance(2) && open && !m.d.Vote.Status.Bound():
		m.happen(dossier.WasCanceled{})
	case m.chance(1) && m.now < int64(m.ends):
		m.ends += gov.Clocks(m.rng.IntN(20_000))
		if m.d.Stage != dossier.AtClosed {
			m.happen(dossier.WasChanged{Change: dossier.Change{ID: m.d.ID(), Ends: m.ends}})
		}
	case m.chance(1) && m.d.Stage != dossier.AtClosed:
		m.happen(dossier.WasRewound{})
		if m.chance(40) {
			m.content++
			m.forget()
			m.mined = false
		}
		m.happen(dossier.WasSeen{Seen: dossier.Seen{Proposal: m.proposal()}, Head: m.head()})
	case m.chance(3):
		m.stalled = !m.stalled
	}
}

// votes are the steps on the way to a vote: what is written for people beside them decides nothing.
var votes = []dossier.StepKind{
	dossier.Preview, dossier.Gather, dossier.Decide, dossier.Gate, dossier.Remind, dossier.TimeOut, dossier.Lock, dossier.Sign,
	dossier.Send, dossier.Confirm, dossier.Settle, dossier.Close,
}

// tick lets time pass and does what is owed, in any order, some of it lost in a crash.
func (m *model) tick(a *agent.Agent) {
	m.now += 12 + m.rng.Int64N(2400)
	if m.calm {
		m.stalled = false
	}
	if !m.stalled {
		m.final = m.now - 12
	}
	m.meddle()
	for range 8 {
		steps := slices.DeleteFunc(dossier.Next(m.d, m.head()), func(s dossier.Step) bool { return !slices.Contains(votes, s.Kind) })
		if len(steps) == 0 {
			return
		}
		s := steps[m.rng.IntN(len(steps))]
		events, err := a.Do(m.t.Context(), m.d, s)
		if m.chance(5) {
			continue // a crash: the step was done, and nothing of it is stored
		}
		if err == nil {
			m.happen(events...)
		}
	}
}

func newModel(t *testing.T, seed uint64) (*model, *agent.Agent) {
	m := &model{
		t: t, seed: seed, rng: rand.New(rand.NewPCG(seed, 22)), now: created, final: created, ends: closes, ledger: map[gov.Support]bool{}, content: 1,
		plan: dossier.Plan{Wait: 21600, Latest: 43200, MaxAge: 1800, Margin: 36, Live: true},
	}
	m.plan.OnTimeout = []gov.Direction{gov.Hold, gov.Against, gov.Abstain}[m.rng.IntN(3)]
	m.plan.VoteShort = m.rng.IntN(2) == 0
	for s := range int64(sayings) {
		m.pool = append(m.pool, s)
	}
	m.saying = m.rng.Int64N(sayings)
	if m.rng.IntN(5) == 0 {
		m.skew = m.rng.Int64N(7200)
	}
	a := agent.New(agent.Parts{Facts: agenttest.OverFacts(m), Chain: agenttest.OverChain(m), Policies: m, Gate: m, Signer: m, Sender: agenttest.OverSender(planner{m}), Flights: m, Log: slog.New(slog.DiscardHandler)})
	m.happen(dossier.WasSeen{Seen: dossier.Seen{Proposal: m.proposal()}, Head: m.head()})
	return m, a
}

// maxRecords is far more than a life needs; a loop that fills the journal has more.
const maxRecords = 200

// Claim 1 and the promises about time, on random lives: what is bound was decided or answered, after its wait, on
// content and facts of now; never a for after a hold because of text or a time-out; an Against that stands beats a
// for; one support is ever signed; no life fills the journal.
func TestG22RandomLives(t *testing.T) {
	const n = 1500
	ends, most, total := map[string]int{}, 0, 0
	for seed := range uint64(n) {
		m, a := newModel(t, seed)
		for m.now < int64(m.ends)+6000 {
			m.tick(a)
		}
		most, total = max(most, m.records), total+m.records
		for m.calm = true; m.now < int64(m.ends)+40_000; {
			m.tick(a)
		}
		if s := m.d.Vote.Status; s == gov.VoteLocked || s == gov.VoteSigned || s == gov.VoteSent {
			m.wrong("the vote is %s long after the close, and holds up the key's others", s)
		}
		if len(m.ledger) > 1 {
			m.wrong("two different votes were signed: %v", m.ledger)
		}
		if m.records > maxRecords {
			m.wrong("%d records", m.records)
		}
		ends[fmt.Sprintf("%s %s", m.d.Stage, m.d.Vote.Status)]++
	}
	t.Logf("n = %d random lives of %d records on average, %d at most; they end %v", n, total/n, most, ends)
	for _, some := range []string{"closed final", "closed no_vote", "closed canceled"} {
		if ends[some] == 0 {
			t.Errorf("no life ends %q; the model shows nothing", some)
		}
	}
}

// An Against that stands is cast, whatever text, gate, clocks, stalls and failures there were before, where nobody stopped
// or answered it and three hours of calm are left before the close; also when fresh facts cannot be had any more.
func TestG22AgainstIsNeverSilenced(t *testing.T) {
	const n = 1500
	cast := 0
	for seed := range uint64(n) {
		m, a := newModel(t, 1_000_000+seed)
		m.pool, m.saying = []int64{saysAgainst, saysAgainst, saysUnknown, saysUnknown, saysFor}, saysAgainst
		for until := created + m.rng.Int64N(closes-12_000-created)/(1+m.rng.Int64N(8)); m.now < until; {
			m.tick(a)
		}
		if !m.standing || m.stopped || m.answer != nil || m.d.Vote.Status.Bound() || m.d.Stage == dossier.AtClosed {
			continue
		}
		if m.d.Stage != dossier.AtDecided && m.d.Stage != dossier.AtGathered {
			continue
		}
		m.calm, m.fixed = true, true
		if m.rng.IntN(2) == 0 {
			m.saying = saysUnknown // fresh facts cannot be had any more
		} else {
			m.saying = saysAgainst
		}
		for m.now < int64(m.ends)-60 && m.d.Vote.Status != gov.VoteFinal {
			m.tick(a)
		}
		if len(m.ledger) == 1 && !m.ledger[gov.SupportAgainst] {
			continue // bound to another vote before, by a line without a signature
		}
		if m.d.Vote.Status != gov.VoteFinal || m.d.Vote.Ballot.Support != gov.SupportAgainst {
			m.wrong("an against that stands was not cast: stage %s, vote %q, refused %+v", m.d.Stage, m.d.Vote.Status, m.d.Refused)
		}
		cast++
	}
	if cast < n/10 {
		t.Fatalf("only %d of %d lives had an against that stands near the end", cast, n)
	}
	t.Logf("n = %d lives with an against that stands near the close, all cast", cast)
}
