package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/legate-dao/legate/agent"
	"github.com/legate-dao/legate/agent/agenttest"
	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
)

// aside lists what is set aside, as "part: what".
func (r *rig) aside() string {
	r.t.Helper()
	list, err := r.db.AllAside(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	var out []string
	for _, a := range list {
		out = append(out, string(a.Part)+": "+a.What)
	}
	return strings.Join(out, "\n")
}

// against proposes what is voted against, and others beside it that are voted for.
func (r *rig) against(number uint64) gov.ProposalID {
	plan := r.world.TxPlan
	r.world.TxPlan = func(ctx context.Context, b gov.Ballot) (gov.Tx, error) { // the world has no fees by which an Against overtakes
		if busy, err := r.db.InFlight(ctx, b.Proposal); err != nil || len(busy) > 0 {
			return gov.Tx{}, errors.Join(agent.ErrLater, err)
		}
		return plan(ctx, b)
	}
	for n := uint64(1); n <= 3; n++ {
		r.world.Propose(agenttest.Proposal{Number: number + n, Direction: gov.For, Ends: 1000 * agenttest.BlockTime})
	}
	return r.world.Propose(agenttest.Proposal{Number: number, Direction: gov.Against, Ends: 1000 * agenttest.BlockTime})
}

// castAll waits until all that against proposed is voted on.
func (r *rig) castAll(number uint64) {
	r.t.Helper()
	r.heads("all votes final", func() bool {
		r.world.Mine(3) // a vote that comes first is waited for, for ten minutes at most
		for n := number; n <= number+3; n++ {
			if r.dossier(agenttest.ID(n)).Vote.Status != gov.VoteFinal {
				return false
			}
		}
		return true
	})
	votes, doubled := r.world.Votes()
	want := map[uint64]gov.Support{number: gov.SupportAgainst, number + 1: gov.SupportFor, number + 2: gov.SupportFor, number + 3: gov.SupportFor}
	for n, support := range want {
		if votes[n] != support || doubled != 0 {
			r.t.Errorf("votes %v, %d doubled", votes, doubled)
		}
	}
}

// An observer that panics misses the record, which is set aside and told once; all others are told, and votes are cast.
func TestG51ObserverThatPanicsHarmsNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	observe := r.conf.Observe
	r.conf.Observe = func(rec dossier.Record, d dossier.Dossier) {
		observe(rec, d)
		if rec.ID == agenttest.ID(8) {
			panic("no room for record " + rec.Type)
		}
	}
	r.against(7)
	r.start()
	r.castAll(7)
	if got := r.aside(); !strings.Contains(got, "told: record 1 of "+agenttest.ID(8).String()) || strings.Contains(got, agenttest.ID(9).String()) {
		t.Errorf("set aside:\n%s", got)
	}
	if !strings.Contains(r.told(), "records are missing in the log") {
		t.Errorf("alarms: %s", r.told())
	}
	r.stop()
	r.conf.Observe = func(dossier.Record, dossier.Dossier) {}
	r.start()
	r.until("a new process has nothing set aside", func() bool { return r.aside() == "" })
	r.sound()
}

// A proposal whose records were damaged takes no other down, is told, and is dealt with again when it is mended.
func TestG51ProposalThatDoesNotFoldStopsNoOther(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	bad := r.world.Propose(agenttest.Proposal{Number: 6, Direction: gov.Against, Ends: 3000 * agenttest.BlockTime})
	r.start().head(4)
	r.vote(bad, gov.VoteWaiting)
	r.stop()
	restore := r.damage(bad, "WasDecided")
	r.against(7)
	r.start()
	r.castAll(7)
	if got := r.aside(); got != "proposal: "+bad.String() {
		t.Errorf("set aside:\n%s", got)
	}
	if n := strings.Count(r.told(), "nothing can be done about "+bad.String()); n != 1 {
		t.Errorf("told %d times: %s", n, r.told())
	}
	r.stop()
	restore()
	r.start()
	r.heads("the mended proposal is voted on", func() bool { return r.dossier(bad).Vote.Status == gov.VoteFinal })
	r.until("nothing is set aside", func() bool { return r.aside() == "" })
	r.sound()
}

// What the chain says of a proposal whose records were damaged, that its creation is final, that it has changed, that
// this did not happen, stops no other: the chain is followed, and what was said is stored when the records are mended.
func TestG51ChainSaysMoreOfAProposalThatDoesNotFold(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	lies := newLying(r, func(b *dossier.Batch) {
		b.Changes = append(b.Changes, dossier.Change{ID: agenttest.ID(6), State: gov.StateQueued, Block: b.To.Block, Log: gov.Hash{1}})
	})
	lies.Store(false)
	r.start().head(4)
	r.polls(2)
	bad := r.world.Propose(agenttest.Proposal{Number: 6, Direction: gov.Against, Starts: 10 * agenttest.BlockTime, Ends: 3000 * agenttest.BlockTime})
	r.head(1)
	r.stage(bad, dossier.AtSeen)
	lies.Store(true) // what is told at the head and will not be in the final block
	r.head(1)
	r.until("believed", func() bool { return r.dossier(bad).Proposal.State == gov.StateQueued })
	lies.Store(false)
	r.stop()

	restore := r.damage(bad, "WasSeen")
	r.against(7)
	r.start()
	r.head(1)
	r.stored()
	r.world.Change(6, gov.StateExecuted)
	r.castAll(7)
	if got := r.aside(); !strings.Contains(got, "proposal: "+bad.String()) || !strings.Contains(got, "event: WasChanged of "+bad.String()) {
		t.Errorf("set aside:\n%s", got)
	}
	r.stop()
	restore()
	r.start()
	r.heads("the mended proposal knows of its change", func() bool { return r.dossier(bad).Proposal.State == gov.StateExecuted })
	r.until("nothing is set aside", func() bool { return r.aside() == "" })
	if d := r.dossier(bad); d.Stage == dossier.Unseen || len(d.Changes) != 2 {
		t.Errorf("stage %s, changes %+v", d.Stage, d.Changes)
	}
	r.sound()
}

// A step that panics is told, tried seldom, and its proposal is voted on when it works again; others are voted on meanwhile.
func TestG51StepThatPanicsTakesNoOtherDown(t *testing.T) {
	t.Parallel()
	for _, port := range []string{"gather", "preflight", "sign", "send", "confirm"} {
		t.Run(port, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			bad := r.world.Propose(agenttest.Proposal{Number: 6, Direction: gov.Against, Ends: 3000 * agenttest.BlockTime})
			var heals atomic.Bool
			var panics atomic.Int32
			r.world.Before = func(p string, id gov.ProposalID) error {
				if p == port && id == bad && !heals.Load() {
					panics.Add(1)
					panic("index out of range in " + port)
				}
				return nil
			}
			r.against(7)
			r.start()
			if port == "gather" || port == "preflight" { // one transaction of a key is under way at a time
				r.castAll(7)
			}
			r.heads("set aside", func() bool { return strings.Contains(r.aside(), "step: ") })
			for line := range strings.Lines(r.aside() + "\n") {
				if !strings.HasPrefix(line, "step: ") || !strings.HasSuffix(line, " of "+bad.String()+"\n") {
					t.Errorf("set aside: %q", line)
				}
			}
			const title = "a step fails again and again, its proposal may miss its vote: "
			r.until("told", func() bool { return strings.Contains(r.told(), title) })
			if n := strings.Count(r.told(), title); n > 2 { // preview and gathering are two steps
				t.Errorf("told %d times: %s", n, r.told())
			}
			heals.Store(true)
			r.stop()
			r.start() // at which it is tried at once
			r.heads("voted on all the same", func() bool { return r.dossier(bad).Vote.Status == gov.VoteFinal })
			r.until("nothing is set aside", func() bool { return r.aside() == "" })
			r.castAll(7)
			r.sound()
			t.Logf("n = %d panics", panics.Load())
		})
	}
}

// odd is a chain that once panics when it is polled, and tells of changes that cannot be stored.
type odd struct {
	*agenttest.Poller
	panics *atomic.Int32
}

func (o odd) Poll(ctx context.Context, from gov.Cursor, recent []gov.Block) (dossier.Batch, error) {
	b, err := o.Poller.Poll(ctx, from, recent)
	if len(b.Seen) > 0 && o.panics.Add(-1) >= 0 {
		panic(fmt.Sprintf("the answer about block %d is odd", b.To.Block.Number))
	}
	if len(b.Seen) > 0 {
		b.Changes = append(b.Changes, dossier.Change{State: gov.StateCanceled, Block: b.To.Block}) // its id cannot be read back
	}
	return b, err
}

// A watcher that panics is started again and loses nothing; what it brings and nobody can store is set aside.
func TestG51WatcherThatPanicsLosesNoProposal(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	o := odd{r.poller, &atomic.Int32{}}
	o.panics.Store(2)
	r.conf.Pollers = append(r.conf.Pollers[:0], o)
	r.against(7)
	r.start().head(3)
	r.until("told", func() bool {
		return strings.Contains(r.told(), "the watcher of eip155:1337 stopped and is started again")
	})
	if h := r.runner.Health()[agenttest.Chain]; h.Err == nil && h.CaughtUp && r.dossier(agenttest.ID(7)).Seq == 0 {
		t.Errorf("the chain looks as if it were followed: %+v", h)
	}
	r.castAll(7)
	if got := r.aside(); !strings.HasPrefix(got, "event: WasChanged of ") || !strings.Contains(r.told(), "what the chain told could not be stored") {
		t.Errorf("set aside:\n%s\nalarms: %s", got, r.told())
	}
	if report, err := r.db.Fsck(t.Context()); err != nil || len(report.SetAside) != 1 || len(report.Problems) > 0 {
		t.Errorf("fsck: %+v, %v", report, err)
	}
}

// Nothing depends on whether a person can be told.
func TestG51AlarmThatPanicsHarmsNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.conf.Alarm = func(string, error) { panic("the outbox is gone") }
	r.world.Before = func(p string, id gov.ProposalID) error {
		if p == "gather" && id == agenttest.ID(6) {
			panic("no")
		}
		return nil
	}
	r.world.Propose(agenttest.Proposal{Number: 6, Direction: gov.Against, Ends: 1000 * agenttest.BlockTime})
	r.against(7)
	r.start()
	r.castAll(7)
	r.until("set aside", func() bool { return strings.Contains(r.aside(), "step: gather of "+agenttest.ID(6).String()) })
}

// breakWaiting breaks a record of a proposal that is waiting for its vote, and stops the daemon.
func (r *rig) breakWaiting(bad gov.ProposalID) {
	r.t.Helper()
	r.stop()
	if _, err := r.db.SQL().ExecContext(r.t.Context(), "UPDATE records SET body = replace(body, '{', '[') WHERE proposal = ? AND type = 'WasDecided'", bad.String()); err != nil {
		r.t.Fatal(err)
	}
}

// What is read of a proposal whose records were damaged, or confirmed of it, stops no chain: what was told is set aside,
// and the others are voted on.
func TestG51NewsOfAProposalThatDoesNotFoldStopsNoOther(t *testing.T) {
	t.Parallel()
	for name, news := range map[string]func(r *rig, bad gov.ProposalID){
		"changed": func(r *rig, bad gov.ProposalID) {
			r.breakWaiting(bad)
			r.against(7)
			r.world.Change(6, gov.StateCanceled)
		},
		"a change becomes final": func(r *rig, bad gov.ProposalID) {
			r.world.Change(6, gov.StateActive)
			r.head(1)
			r.until("the change", func() bool { return strings.Contains(r.story(), "Changed") })
			r.breakWaiting(bad)
			r.against(7)
		},
		"a reorganisation takes a change back": func(r *rig, bad gov.ProposalID) {
			r.world.Change(6, gov.StateActive)
			r.head(1)
			r.until("the change", func() bool { return strings.Contains(r.story(), "Changed") })
			r.breakWaiting(bad)
			r.world.Reorg(1, false)
			r.against(7)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			bad := r.world.Propose(agenttest.Proposal{Number: 6, Direction: gov.Against, Ends: 3000 * agenttest.BlockTime})
			r.start().head(4)
			r.vote(bad, gov.VoteWaiting)
			news(r, bad)
			r.start()
			r.castAll(7)
			if n := strings.Count(r.told(), "nothing can be done about "+bad.String()); n != 1 || strings.Contains(r.told(), "cannot follow") {
				t.Errorf("told %d times: %s", n, r.told())
			}
		})
	}
}

// The block of a proposal becomes final after its records were damaged.
func TestG51ConfirmedProposalThatDoesNotFoldStopsNoOther(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	bad := r.world.Propose(agenttest.Proposal{Number: 6, Direction: gov.Against, Ends: 3000 * agenttest.BlockTime})
	r.start().head(1)
	r.until("a preview", func() bool { return strings.Contains(r.story(), "Previewed") })
	r.stop()
	if _, err := r.db.SQL().ExecContext(t.Context(), "UPDATE records SET body = replace(body, '{', '[') WHERE proposal = ? AND type = 'WasSeen'", bad.String()); err != nil {
		t.Fatal(err)
	}
	r.against(7)
	r.start()
	r.castAll(7)
	if n := strings.Count(r.told(), "nothing can be done about "+bad.String()); n != 1 || strings.Contains(r.told(), "cannot follow") {
		t.Errorf("told %d times: %s", n, r.told())
	}
}

// A proposal whose records were damaged while its vote was bound, or on its way, holds up no other vote of the key.
func TestG51DamagedVoteHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	for port, status := range map[string]gov.VoteStatus{"sign": gov.VoteLocked, "send": gov.VoteSigned, "confirm": gov.VoteSent} {
		t.Run(string(status), func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			bad := r.world.Propose(agenttest.Proposal{Number: 6, Direction: gov.Against, Ends: 3000 * agenttest.BlockTime})
			var heals atomic.Bool
			r.world.Before = func(p string, id gov.ProposalID) error {
				if p == port && id == bad && !heals.Load() {
					return errors.New("not now")
				}
				return nil
			}
			r.start()
			r.heads("bound", func() bool { return r.dossier(bad).Vote.Status == status })
			r.stop()
			restore := r.damage(bad, "WasDecided")
			r.against(7)
			r.start()
			r.castAll(7)
			r.stop()
			restore()
			heals.Store(true)
			r.start()
			r.heads("the mended proposal is voted on", func() bool { return r.dossier(bad).Vote.Status == gov.VoteFinal })
			if votes, doubled := r.world.Votes(); votes[6] != gov.SupportAgainst || doubled != 0 {
				t.Errorf("votes %v, %d doubled", votes, doubled)
			}
			r.sound()
		})
	}
}

// damage makes the first record of a type unreadable, until the function that it returns is called.
func (r *rig) damage(id gov.ProposalID, kind string) (restore func()) {
	r.t.Helper()
	var body string
	var place int64
	err := r.db.SQL().QueryRowContext(r.t.Context(), "SELECT place, body FROM records WHERE proposal = ? AND type = ? ORDER BY seq", id.String(), kind).Scan(&place, &body)
	if err != nil {
		r.t.Fatal(err)
	}
	set := func(to string) {
		r.t.Helper()
		if _, err := r.db.SQL().ExecContext(r.t.Context(), "UPDATE records SET body = ? WHERE place = ?", to, place); err != nil {
			r.t.Fatal(err)
		}
	}
	set(strings.Replace(body, "{", "[", 1))
	return func() { set(body) }
}
