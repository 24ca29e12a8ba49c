package chains_test

import (
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains"
	"github.com/legate-dao/legate/chains/rpc"
)

// three are sources of one truth; the first is the liar.
func three(tr *truth) *fakeClient {
	c := &fakeClient{need: 2}
	for i, name := range []string{"liar", "b", "c"} {
		c.all = append(c.all, &source{name: name, truth: tr, rng: rand.New(rand.NewPCG(48, uint64(i)))})
	}
	c.source = c.all[0]
	return c
}

// TestG48OneHeadOfThreeMovesNothing: a block that one endpoint invents, however far ahead or back, in number or in
// time, is no head.
func TestG48OneHeadOfThreeMovesNothing(t *testing.T) {
	for name, lie := range map[string]func(h rpc.Header) rpc.Header{
		"a year ahead":          func(h rpc.Header) rpc.Header { h.Number++; h.Time += 365 * 86400; h.Hash[0]++; return h },
		"six hours back":        func(h rpc.Header) rpc.Header { h.Time -= 6 * 3600; h.Hash[0]++; return h },
		"the same hash, a year": func(h rpc.Header) rpc.Header { h.Time += 365 * 86400; return h },
		"an old block":          func(h rpc.Header) rpc.Header { h.Number -= 50; h.Time -= 600; h.Hash[0]++; return h },
		"number 2^63":           func(h rpc.Header) rpc.Header { h.Number = 1 << 63; h.Hash[0]++; return h },
	} {
		t.Run(name, func(t *testing.T) {
			tr := newTruth(1)
			for range 200 {
				tr.mine()
			}
			tr.finalise(64)
			c := three(tr)
			s, w := newStore(), watch(t, c, 1)
			catchUp(t, w, s)
			c.all[0].head = lie
			for range 3 {
				tr.mine()
				tr.finalise(64)
				b, err := w.Poll(t.Context(), s.cursor, s.recent)
				if err != nil {
					t.Fatal(err)
				}
				if err := s.add(b); err != nil {
					t.Fatal(err)
				}
				h, truth := b.Heads[daoAddress], tr.head()
				if h.Latest.Number != truth.number || h.Latest.Hash != truth.hash || uint64(h.Latest.Time) != truth.time || uint64(h.Clock) != truth.number {
					t.Fatalf("head %+v, the chain is at %d", h, truth.number)
				}
			}
		})
	}
}

// TestG18OneLogOfThreeIsNotBelieved: a log that one endpoint leaves out, alters or invents at the head is neither
// missed nor told.
func TestG18OneLogOfThreeIsNotBelieved(t *testing.T) {
	for name, lie := range map[string]func(tr *truth, logs []rpc.Log) []rpc.Log{
		"left out":     func(_ *truth, _ []rpc.Log) []rpc.Log { return nil },
		"another id":   func(_ *truth, logs []rpc.Log) []rpc.Log { return alter(logs, 31) },
		"another byte": func(_ *truth, logs []rpc.Log) []rpc.Log { return alter(logs, -1) },
		"twice":        func(_ *truth, logs []rpc.Log) []rpc.Log { return append(logs, logs...) },
		"invented": func(tr *truth, logs []rpc.Log) []rpc.Log {
			l := created(99, 1, "# Invented")
			l.BlockNumber, l.BlockHash, l.Index = tr.head().number, tr.head().hash, 7
			return append(logs, l)
		},
	} {
		t.Run(name, func(t *testing.T) {
			tr := newTruth(1)
			for range 200 {
				tr.mine()
			}
			tr.finalise(64)
			c := three(tr)
			s, w := newStore(), watch(t, c, 1)
			catchUp(t, w, s)
			c.all[0].lie = func(logs []rpc.Log) []rpc.Log { return lie(tr, logs) }
			for i := range 5 {
				tr.propose(uint64(i))
				catchUp(t, w, s)
				compare(t, s, tr.proposals(tr.head().number), tr.head().number)
			}
			for range 70 {
				tr.mine()
			}
			tr.finalise(64)
			catchUp(t, w, s)
			compare(t, s, tr.proposals(tr.head().number), tr.head().number)
			if s.retracted > 0 {
				t.Errorf("%d proposals were told and taken back", s.retracted)
			}
		})
	}
}

// alter changes one byte of the data, of the last ones where at is negative.
func alter(logs []rpc.Log, at int) []rpc.Log {
	var out []rpc.Log
	for _, l := range logs {
		l.Data = append([]byte(nil), l.Data...)
		if at < 0 {
			l.Data[len(l.Data)-32]++
		} else {
			l.Data[at]++
		}
		out = append(out, l)
	}
	return out
}

// TestG18LogsAreRememberedByTheirBytes: the only endpoint tells of other content for a poll. When the block is final the
// real one takes its place, also where the daemon has started again in between.
func TestG18LogsAreRememberedByTheirBytes(t *testing.T) {
	for name, at := range map[string]int{"another id": 31, "another byte": -1} {
		for _, restart := range []bool{false, true} {
			tr := newTruth(1)
			for range 200 {
				tr.mine()
			}
			tr.finalise(64)
			c := &fakeClient{need: 1, source: &source{truth: tr, rng: rand.New(rand.NewPCG(1, 2))}}
			s, w := newStore(), watch(t, c, 1)
			catchUp(t, w, s)
			tr.propose(5)
			c.lie = func(logs []rpc.Log) []rpc.Log { return alter(logs, at) }
			catchUp(t, w, s)
			c.lie = nil
			if restart {
				w = watch(t, c, 1)
			}
			for range 70 {
				tr.mine()
			}
			tr.finalise(64)
			for range 5 { // the only endpoint contradicts itself: it is asked again before it is believed
				if b, err := w.Poll(t.Context(), s.cursor, s.recent); err == nil {
					must(t, s.add(b))
				}
			}
			catchUp(t, w, s)
			compare(t, s, tr.proposals(tr.final), tr.final)
			if s.retracted != 1 {
				t.Errorf("%s, restart %v: %d proposals taken back, want the one that was a lie", name, restart, s.retracted)
			}
		}
	}
}

// TestG48TheFutureIsRefused: where nobody contradicts the only endpoint, the machine's clock does.
func TestG48TheFutureIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		need   int
		behind uint64
		ahead  time.Duration
		ok     bool
	}{
		"one source, a minute":                      {1, 0, time.Minute, true},
		"one source, an hour":                       {1, 0, time.Hour, false},
		"one source, an hour, finality by distance": {1, 5, time.Hour, true},
		"two that agree, a year":                    {2, 0, 365 * 24 * time.Hour, true},
	} {
		tr := newTruth(1)
		for range 100 {
			tr.mine()
		}
		tr.finalise(64)
		client := three(tr)
		client.need, client.behind = c.need, c.behind
		now := time.Unix(int64(tr.head().time), 0).Add(-c.ahead)
		w, err := chains.New(chains.Config{Client: client.client(), Governors: []chains.Watched{{Governor: dao(), FromBlock: 1}}, Now: func() time.Time { return now }})
		must(t, err)
		_, err = w.Poll(t.Context(), gov.Cursor{}, nil)
		if c.ok && err != nil || !c.ok && !errors.Is(err, chains.ErrFuture) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
