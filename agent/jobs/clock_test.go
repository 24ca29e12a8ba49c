package jobs_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/legate-dao/legate/agent"
	"github.com/legate-dao/legate/agent/agenttest"
	"github.com/legate-dao/legate/agent/gov"
)

// exec changes the store.
func (r *rig) exec(query string) {
	r.t.Helper()
	if _, err := r.db.SQL().ExecContext(r.t.Context(), query); err != nil {
		r.t.Fatal(err)
	}
}

const waiting = "state IN ('retryable', 'scheduled', 'available')"

// putOff proposes what is voted against, and puts it off until later is over.
func (r *rig) putOff(later *atomic.Bool) gov.ProposalID {
	r.t.Helper()
	later.Store(true)
	r.world.Before = func(port string, _ gov.ProposalID) error {
		if port == "gather" && later.Load() {
			return agent.ErrLater
		}
		return nil
	}
	id := r.world.Propose(agenttest.Proposal{Number: 7, Direction: gov.Against, Ends: 3000 * agenttest.BlockTime})
	r.start().head(4)
	r.until("the step is put off", func() bool { return r.count("kind = 'step' AND CAST(metadata ->> 'snoozes' AS INTEGER) > 1") > 0 })
	r.until("the watch", func() bool { return r.count("kind = 'deadline' AND state = 'scheduled'") == 1 })
	return id
}

// A machine's clock that was a year ahead is set right while the daemon is off. What was put off, and the lease of the
// job engine, are of the year to come: the vote is cast all the same, also by steps that fail and are tried again.
func TestClockThatWasAheadBeforeAStart(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var later atomic.Bool
	id := r.putOff(&later)
	r.stop()
	r.exec("UPDATE river_job SET scheduled_at = datetime(scheduled_at, '+1 year'), created_at = datetime(created_at, '+1 year')")
	r.exec("INSERT INTO river_leader (leader_id, name, elected_at, expires_at) VALUES ('before', 'default', datetime('now', '+1 year'), datetime('now', '+1 year', '+15 seconds'))")
	r.start()
	r.until("nothing waits for a year", func() bool { return r.count(waiting+" AND scheduled_at > datetime('now', '+1 day')") == 0 })
	if n := r.count(waiting + " AND created_at > datetime('now', '+1 day')"); n != 0 {
		t.Errorf("%d jobs are made in a year", n)
	}
	r.until("a step that failed is taken up", func() bool {
		r.exec("UPDATE river_job SET state = 'retryable', scheduled_at = datetime('now', '-1 second') WHERE kind = 'step' AND state = 'available'")
		return r.count("kind = 'step' AND state = 'retryable'") > 0
	})
	later.Store(false)
	r.until("it is gathered", func() bool { return r.dossier(id).Gathered != nil })
	r.heads("the vote is final", func() bool { r.world.Mine(1); return r.dossier(id).Vote.Status == gov.VoteFinal })
	r.sound()
}

// The clock is set right while the daemon runs.
func TestClockThatIsSetBack(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var later atomic.Bool
	var ahead atomic.Int64
	ahead.Store(int64(365 * 24 * time.Hour))
	r.conf.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	id := r.putOff(&later)
	r.until("all that waits waits for a year", func() bool {
		r.exec("UPDATE river_job SET scheduled_at = datetime('now', '+1 year') WHERE " + waiting)
		return r.count("kind = 'step' AND state = 'running'") == 0
	})
	ahead.Store(0)
	later.Store(false)
	r.until("nothing waits for a year", func() bool { return r.count(waiting+" AND scheduled_at > datetime('now', '+1 day')") == 0 })
	r.heads("the vote is final", func() bool { r.world.Mine(1); return r.dossier(id).Vote.Status == gov.VoteFinal })
	r.sound()
}
