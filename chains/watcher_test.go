package chains_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains"
	"github.com/legate-dao/legate/chains/governor"
	"github.com/legate-dao/legate/chains/rpc"
)

// store does what the journal does with batches.
type store struct {
	cursor   gov.Cursor
	recent   []gov.Block
	seen     map[string]dossier.Seen
	coverage chains.Coverage
	followed []gov.Followed
	batches  []dossier.Batch
	broken   bool
	// retracted counts what was told at the head and was not in its final block
	retracted int
}

func newStore() *store { return &store{seen: map[string]dossier.Seen{}} }

func (s *store) add(b dossier.Batch) error {
	var err error
	if s.coverage, err = s.coverage.Add(b); err != nil {
		return err
	}
	if b.Rewound != nil {
		for id, p := range s.seen {
			if p.Proposal.Created.Number > b.Rewound.Number {
				delete(s.seen, id)
			}
		}
	}
	for id, p := range s.seen {
		if b.Confirmed.Has(p.Proposal.Created.Number) && !slices.ContainsFunc(b.Seen, func(n dossier.Seen) bool { return n.Log == p.Log }) {
			delete(s.seen, id)
			s.retracted++
		}
	}
	for _, n := range b.Seen {
		if _, known := s.seen[n.Proposal.ID.String()]; !known { // as Dossier.Apply: seen twice changes nothing
			s.seen[n.Proposal.ID.String()] = n
		}
	}
	if final := b.To.Final; final.Hash != (gov.Hash{}) && final.Number > b.From.Final.Number {
		read := gov.Stretch{From: b.To.From, To: final}
		if b.From.Final.Hash != (gov.Hash{}) {
			read.From, read.Before = b.From.Final.Number+1, b.From.Final.Hash
		}
		for _, g := range b.Followed {
			s.follow(gov.Followed{Governor: g, Read: []gov.Stretch{read}})
		}
	}
	s.cursor, s.recent = b.To, b.Recent
	s.broken = s.broken || b.Broken
	s.batches = append(s.batches, b)
	return nil
}

func (s *store) follow(news gov.Followed) {
	i := slices.IndexFunc(s.followed, func(f gov.Followed) bool { return f.Governor == news.Governor })
	if i < 0 {
		i, s.followed = len(s.followed), append(s.followed, gov.Followed{Governor: news.Governor})
	}
	if news.From > 0 || news.Found {
		s.followed[i].From, s.followed[i].Found = news.From, news.Found
	}
	for _, r := range news.Read {
		s.followed[i] = s.followed[i].Join(r)
	}
}

// fill stores what a back-fill brought.
func (s *store) fill(b dossier.Batch) {
	for _, n := range b.Seen {
		if _, known := s.seen[n.Proposal.ID.String()]; !known {
			s.seen[n.Proposal.ID.String()] = n
		}
	}
	for _, f := range b.Filled {
		s.follow(f)
	}
}

// step is one poll and one piece of back-fill, of which each may fail, or the transaction that stores it.
func (s *store) step(t testing.TB, w *chains.Watcher, rng *rand.Rand) {
	t.Helper()
	b, err := w.Poll(t.Context(), s.cursor, s.recent)
	if err != nil || rng.IntN(10) == 0 {
		return
	}
	if err := s.add(b); err != nil {
		t.Fatal(err)
	}
	b, err = w.BackFill(t.Context(), s.cursor, s.followed, b.Heads)
	if err == nil && rng.IntN(10) > 0 {
		s.fill(b)
	}
}

// backFill reads, without faults, until nothing is left.
func (s *store) backFill(t testing.TB, w *chains.Watcher) {
	t.Helper()
	for range 1000 {
		b, err := w.BackFill(t.Context(), s.cursor, s.followed, s.batches[len(s.batches)-1].Heads)
		if err != nil {
			t.Fatal(err)
		}
		s.fill(b)
		if !b.Behind {
			return
		}
	}
	t.Fatal("still behind after 1000 pieces")
}

func watch(t testing.TB, c *fakeClient, from uint64) *chains.Watcher {
	t.Helper()
	w, err := chains.New(chains.Config{Client: c.client(), Governors: []chains.Watched{{Governor: dao(), FromBlock: from}}, FirstSpan: 500, FinalEvery: 4})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// catchUp polls without faults until nothing is behind.
func catchUp(t testing.TB, w *chains.Watcher, s *store) {
	t.Helper()
	for range 10_000 {
		b, err := w.Poll(context.Background(), s.cursor, s.recent)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.add(b); err != nil {
			t.Fatal(err)
		}
		if !b.Behind {
			return
		}
	}
	t.Fatal("still behind after 10000 polls")
}

func compare(t testing.TB, s *store, want map[string]gov.Hash, upTo uint64) {
	t.Helper()
	for id, hash := range want {
		if p, ok := s.seen[id]; !ok {
			t.Errorf("%s is lost", id)
		} else if p.Proposal.ContentHash != hash {
			t.Errorf("%s has content %s, on chain it is %s", id, p.Proposal.ContentHash, hash)
		}
	}
	for id, p := range s.seen {
		if _, ok := want[id]; !ok && p.Proposal.Created.Number <= upTo {
			t.Errorf("%s of block %d is on no chain", id, p.Proposal.Created.Number)
		}
	}
}

// storm is one random run: reorganisations, down-time, faults of endpoints, restarts, lost transactions.
func storm(t *testing.T, seed uint64, days bool) *store {
	t.Helper()
	rng := rand.New(rand.NewPCG(16, seed))
	tr := newTruth(1 + rng.Uint64N(50))
	for range tr.from + 10 + rng.Uint64N(200) {
		tr.mine()
	}
	client := faultyClient(tr, rng)
	if days {
		for i := range uint64(30 * 7200) {
			if i%1000 == 0 {
				tr.propose(i)
			} else {
				tr.mine()
			}
		}
		tr.finalise(64)
	}
	s := newStore()
	var w *chains.Watcher
	for range 50 {
		happen(tr, rng)
		if w == nil || rng.IntN(8) == 0 {
			from := uint64(0)
			if rng.IntN(2) == 0 {
				from = tr.from
			}
			w = watch(t, client, from)
		}
		for range 1 + rng.IntN(3) {
			lag := uint64(0)
			if rng.IntN(5) == 0 {
				lag = rng.Uint64N(80) // head going back
			}
			for _, x := range client.all {
				x.lag = lag
			}
			b, err := w.Poll(context.Background(), s.cursor, s.recent)
			if err != nil {
				continue // endpoints fail; nothing is lost by it
			}
			if rng.IntN(10) == 0 {
				continue // the transaction that stores the batch fails
			}
			if err := s.add(b); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
		}
	}
	for _, x := range client.all {
		x.fails, x.empty, x.timeOut, x.lag, x.broken = 0, 0, 0, 0, false
	}
	client.source.lag, client.source.fails, client.source.empty = 0, 0, 0
	for range 70 {
		tr.mine()
	}
	tr.finalise(64)
	w = watch(t, client, 0)
	catchUp(t, w, s)
	if s.broken {
		t.Errorf("seed %d: called broken, but no final block ever changed", seed)
	}
	if b := tr.head(); s.cursor.Block.Hash != b.hash || s.cursor.Final.Hash != tr.blocks[tr.final].hash {
		t.Errorf("seed %d: cursor at %v, final %v, the chain is at %d", seed, s.cursor.Block, s.cursor.Final, b.number)
	}
	compare(t, s, tr.proposals(tr.final), tr.final)
	if t.Failed() {
		t.Fatalf("seed %d", seed)
	}
	return s
}

// happen changes the chain.
func happen(tr *truth, rng *rand.Rand) {
	if rng.IntN(4) == 0 {
		depth := min(rng.Uint64N(64)+1, tr.head().number-tr.final)
		tr.drop(depth)
		for range rng.Uint64N(depth + 3) {
			tr.mine()
		}
	}
	blocks := rng.Uint64N(12)
	if rng.IntN(20) == 0 {
		blocks = rng.Uint64N(600) // the daemon was down
	}
	for range blocks {
		if rng.IntN(12) == 0 {
			tr.propose(rng.Uint64N(1 << 40))
		} else {
			tr.mine()
		}
	}
	tr.finalise(64)
}

// faultyClient is one endpoint that fails and lags, or three of which one also leaves logs out.
func faultyClient(tr *truth, rng *rand.Rand) *fakeClient {
	limits := func() (logs, blocks uint64) {
		if rng.IntN(2) == 0 {
			return 100 + rng.Uint64N(9900), 0
		}
		return 0, 100 + rng.Uint64N(9900)
	}
	c := &fakeClient{need: 1}
	for range 3 {
		s := &source{truth: tr, rng: rand.New(rand.NewPCG(rng.Uint64(), rng.Uint64())), fails: 0.05 * rng.Float64(), timeOut: 0.05 * rng.Float64()}
		s.maxLogs, s.maxBlocks = limits()
		c.all = append(c.all, s)
	}
	if rng.IntN(2) == 0 {
		c.need = 2
		c.all[rng.IntN(3)].empty = 0.3
	} else {
		c.all = c.all[:1]
	}
	c.source = c.all[0]
	return c
}

func TestG16NoLostProposal(t *testing.T) {
	const n = 200
	proposals := 0
	for seed := range uint64(n) {
		proposals += len(storm(t, seed, seed == 0).seen)
	}
	t.Logf("n=%d runs, seeds 0..%d, %d proposals at the ends, each equal to the truth", n, n-1, proposals)
}

func TestG17CoverageProof(t *testing.T) {
	gaps, runs := 0, 10
	for seed := range uint64(runs) {
		s := storm(t, 1000+seed, false)
		from, to, ok := s.coverage.Range()
		if !ok || to != s.cursor.Block.Number || from > s.cursor.Final.Number {
			t.Fatalf("seed %d: covered %d to %d, %v", seed, from, to, ok)
		}
		for i := 1; i < len(s.batches); i++ {
			if s.batches[i].From == s.batches[i].To && s.batches[i].Rewound == nil {
				continue // an empty poll: without it nothing is missing
			}
			without := slices.Delete(slices.Clone(s.batches), i, i+1)
			moved := s.batches[i].From.Block != s.batches[i].To.Block
			if i+1 < len(s.batches) && moved {
				if err := fold(without); !errors.Is(err, chains.ErrGap) {
					t.Errorf("seed %d: batch %d left out: %v", seed, i, err)
				}
				gaps++
			}
		}
		planted := slices.Clone(s.batches)
		last := &planted[len(planted)-1]
		if n := len(last.Recent); n > 3 && last.Recent[n-2].Number > last.To.Final.Number {
			last.Recent = slices.Delete(slices.Clone(last.Recent), n-2, n-1)
			if err := fold(planted); !errors.Is(err, chains.ErrGap) {
				t.Errorf("seed %d: recent block left out: %v", seed, err)
			}
			gaps++
		}
	}
	if gaps == 0 {
		t.Fatal("no gap was planted")
	}
	t.Logf("n=%d runs covered, %d planted gaps all found", runs, gaps)
}

func fold(batches []dossier.Batch) error {
	var c chains.Coverage
	var err error
	for _, b := range batches {
		if c, err = c.Add(b); err != nil {
			return err
		}
	}
	return nil
}

func TestG20ContentBinding(t *testing.T) {
	const n = 1000
	for seed := range uint64(n) {
		rng := rand.New(rand.NewPCG(20, seed))
		tr := newTruth(1)
		for range 70 {
			tr.mine()
		}
		tr.finalise(64)
		c := &fakeClient{need: 1, source: &source{truth: tr, rng: rand.New(rand.NewPCG(2, seed))}}
		c.all = []*source{c.source}
		s, w := newStore(), watch(t, c, 1)
		catchUp(t, w, s)
		tr.propose(1)
		for range rng.IntN(40) {
			tr.mine()
		}
		catchUp(t, w, s)
		old := s.seen[fmt.Sprintf("eip155:1:%s/1", daoAddress)].Proposal
		if old.Created.Number == 0 {
			t.Fatalf("seed %d: the first proposal was not seen", seed)
		}
		if err := dao().Same(t.Context(), c, old, s.cursor.Block); err != nil {
			t.Fatalf("seed %d: before the swap: %v", seed, err)
		}
		depth := tr.head().number - old.Created.Number + 1
		tr.drop(depth)
		for i := range depth + rng.Uint64N(5) {
			if i == 0 {
				tr.propose(2) // same id, same place, other content
			} else {
				tr.mine()
			}
		}
		if rng.IntN(2) == 0 {
			w = watch(t, c, 1)
		}
		if err := dao().Same(t.Context(), c, old, s.cursor.Block); err == nil {
			t.Fatalf("seed %d: the old content passes on a block that is gone", seed)
		}
		catchUp(t, w, s)
		now := s.seen[old.ID.String()].Proposal
		if now.ContentHash == old.ContentHash || now.ContentHash != tr.proposals(tr.head().number)[old.ID.String()] {
			t.Fatalf("seed %d: after the swap the content is %s, before it was %s", seed, now.ContentHash, old.ContentHash)
		}
		if err := dao().Same(t.Context(), c, old, s.cursor.Block); err == nil {
			t.Fatalf("seed %d: the old content passes after the swap", seed)
		}
		if err := dao().Same(t.Context(), c, now, s.cursor.Block); err != nil {
			t.Fatalf("seed %d: the new content: %v", seed, err)
		}
	}
	t.Logf("n=%d swaps under one id, seeds 0..%d", n, n-1)
}

func TestG21FinalityBreak(t *testing.T) {
	const n = 100
	for seed := range uint64(n) {
		rng := rand.New(rand.NewPCG(21, seed))
		tr := newTruth(1)
		for range 400 {
			tr.mine()
		}
		tr.finalise(64)
		c := &fakeClient{need: 1 + int(seed%2), source: &source{truth: tr, rng: rand.New(rand.NewPCG(2, seed))}}
		c.all = []*source{c.source, {truth: tr, rng: rand.New(rand.NewPCG(2, seed))}}
		s, w := newStore(), watch(t, c, 1)
		catchUp(t, w, s)
		for range 20 {
			tr.mine()
			tr.finalise(64)
			catchUp(t, w, s)
		}
		depth := 64 + 1 + rng.Uint64N(300) // at least one final block
		last := tr.head().number - depth
		tr.drop(depth)
		tr.final = min(tr.final, last)
		for range depth + 1 + rng.Uint64N(10) {
			tr.mine()
		}
		if rng.IntN(2) == 0 {
			w = watch(t, c, 1)
		}
		b, err := w.Poll(t.Context(), s.cursor, s.recent)
		if err != nil || !b.Broken || b.Rewound == nil || b.Rewound.Number > last {
			t.Fatalf("seed %d, depth %d: broken %v, rewound %v, error %v", seed, depth, b.Broken, b.Rewound, err)
		}
	}
	t.Logf("n=%d reorganisations below the final block, each told by the first poll", n)
}

// TestG21FinalityAsANumber: where finality is a number of blocks, a block that was read and reorganised away
// may be final by its height when the watcher looks again. Above finality that is a reorganisation like any
// other; below it finality is broken. Both are told at once, however far the head has moved.
func TestG21FinalityAsANumber(t *testing.T) {
	const finality, n = 6, 200
	breaks := 0
	for seed := range uint64(n) {
		rng := rand.New(rand.NewPCG(22, seed))
		tr := newTruth(1)
		for range 100 {
			tr.mine()
		}
		c := &fakeClient{need: 1 + int(seed%2), behind: finality, source: &source{truth: tr, rng: rand.New(rand.NewPCG(2, seed))}}
		c.all = []*source{c.source, {truth: tr, rng: rand.New(rand.NewPCG(2, seed))}}
		s, w := newStore(), watch(t, c, 1)
		catchUp(t, w, s)
		depth := 1 + rng.Uint64N(2*finality)
		last := tr.head().number - depth
		tr.drop(depth)
		tr.propose(seed)
		for range depth - 1 + rng.Uint64N(3*finality) {
			tr.mine()
		}
		if rng.IntN(2) == 0 {
			w = watch(t, c, 1)
		}
		b, err := w.Poll(t.Context(), s.cursor, s.recent)
		if err != nil || b.Rewound == nil || b.Rewound.Number > last || b.Broken != (depth > finality) {
			t.Fatalf("seed %d, depth %d: broken %v, rewound %v, error %v", seed, depth, b.Broken, b.Rewound, err)
		}
		if b.Broken {
			breaks++
			continue
		}
		if err := s.add(b); err != nil {
			t.Fatal(err)
		}
		catchUp(t, w, s)
		compare(t, s, tr.proposals(tr.head().number), tr.head().number)
	}
	t.Logf("n=%d reorganisations, %d of them below the final block", n, breaks)
}

// Endpoints that fewer than the need stand behind break no finality: whatever chain they are on is not followed.
func TestForkedEndpointIsNotAFinalityBreak(t *testing.T) {
	rng := func() *rand.Rand { return rand.New(rand.NewPCG(1, 1)) }
	good, bad := newTruth(1), newTruth(1)
	for range 200 {
		good.mine()
	}
	good.finalise(64)
	c := &fakeClient{need: 2, source: &source{name: "a", truth: good, rng: rng()}}
	c.all = []*source{c.source, {name: "b", truth: good, rng: rng()}}
	s, w := newStore(), watch(t, c, 1)
	catchUp(t, w, s)
	bad.salt = 1 << 40
	for range 220 {
		bad.mine()
	}
	bad.final = good.final
	c.all[0] = &source{name: "a", truth: bad, rng: rng()}
	if b, err := w.Poll(t.Context(), s.cursor, s.recent); err == nil {
		t.Fatalf("a fork of one endpoint was followed: %+v", b)
	}
	c.all = append(c.all, &source{name: "c", truth: good, rng: rng()})
	good.mine()
	catchUp(t, w, s)
	if s.broken || s.cursor.Block.Hash != good.head().hash {
		t.Errorf("broken %v, at %+v", s.broken, s.cursor.Block)
	}
}

func TestIdleCost(t *testing.T) {
	tr := newTruth(1)
	for range 1000 {
		tr.mine()
	}
	tr.finalise(64)
	c := &fakeClient{need: 1, source: &source{truth: tr, rng: rand.New(rand.NewPCG(1, 2))}}
	c.all = []*source{c.source}
	w, err := chains.New(chains.Config{Client: c.client(), Governors: []chains.Watched{{Governor: dao(), FromBlock: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	s := newStore()
	catchUp(t, w, s)
	c.requests = nil
	const blocks = 320
	for range blocks {
		tr.mine()
		tr.finalise(64)
		catchUp(t, w, s)
	}
	headers, logs := c.requests["eth_getBlockByNumber"], c.requests["eth_getLogs"]
	// Beside one header and one log request a block: at every sixteenth block the final one, and a range with its end;
	// a border of the block time windows at every hundredth.
	if headers > blocks+blocks/8 || logs > blocks+blocks/10 {
		t.Errorf("%d headers and %d log requests for %d blocks", headers, logs, blocks)
	}
	t.Logf("%.2f headers and %.2f log requests a block, %v", float64(headers)/blocks, float64(logs)/blocks, c.requests)
}

func TestBackfillInPieces(t *testing.T) {
	tr := newTruth(70)
	for range 100_000 {
		tr.mine()
	}
	tr.propose(1)
	for range 70 {
		tr.mine()
	}
	tr.finalise(64)
	c := &fakeClient{need: 1, source: &source{truth: tr, rng: rand.New(rand.NewPCG(1, 2)), maxBlocks: 1000}}
	c.all = []*source{c.source}
	s, w := newStore(), watch(t, c, 0)
	catchUp(t, w, s)
	if s.cursor.From != tr.from {
		t.Errorf("began at %d, the governor is from %d", s.cursor.From, tr.from)
	}
	if len(s.batches) < 10 || !s.batches[0].Behind || s.batches[0].To.Block.Number == 0 {
		t.Errorf("%d batches, the first to %d", len(s.batches), s.batches[0].To.Block.Number)
	}
	compare(t, s, tr.proposals(tr.final), tr.final)
	head := s.batches[0].Heads[daoAddress]
	if head.Latest.Number != tr.head().number || head.BlockTime != 12 || head.Clock != gov.Clocks(tr.head().number) {
		t.Errorf("head while behind: %+v", head)
	}
}

func TestPrunedStateAsksForFromBlock(t *testing.T) {
	tr := newTruth(10)
	for range 500 {
		tr.mine()
	}
	tr.finalise(64)
	c := &fakeClient{need: 1, source: &source{truth: tr, rng: rand.New(rand.NewPCG(1, 2)), prunedBelow: 372}}
	c.all = []*source{c.source}
	_, err := watch(t, c, 0).Poll(t.Context(), gov.Cursor{}, nil)
	if !errors.Is(err, rpc.ErrNoState) {
		t.Fatalf("error %v", err)
	}
	if _, err := watch(t, c, 10).Poll(t.Context(), gov.Cursor{}, nil); err != nil {
		t.Errorf("with from_block: %v", err)
	}
}

func TestBlockTimeIsTheSmallestMean(t *testing.T) {
	tr := newTruth(1)
	for range 1500 {
		tr.mine()
	}
	for i := range tr.blocks { // one window of 7 s blocks, and one before the last ten of 1 s
		tr.blocks[i].time = 1_700_000_000 + 12*uint64(i)
		switch {
		case i > 800 && i <= 900:
			tr.blocks[i].time = tr.blocks[800].time + 7*uint64(i-800)
		case i > 900:
			tr.blocks[i].time = tr.blocks[900].time + 12*uint64(i-900)
		}
	}
	tr.finalise(64)
	c := &fakeClient{need: 1, source: &source{truth: tr, rng: rand.New(rand.NewPCG(1, 2))}}
	c.all = []*source{c.source}
	b, err := watch(t, c, 1490).Poll(t.Context(), gov.Cursor{}, nil)
	if err != nil || b.Heads[daoAddress].BlockTime != 7 {
		t.Errorf("block time %v, error %v", b.Heads[daoAddress].BlockTime, err)
	}
}

// TestBlockTimeOfAClockThatIsAsked: a governor whose clock is not the header's is asked at old blocks only where
// it was there and the node still has the state; a young governor and a pruned node stop no poll.
func TestBlockTimeOfAClockThatIsAsked(t *testing.T) {
	for name, c := range map[string]struct{ from, pruned uint64 }{
		"old": {1, 0}, "young": {1420, 0}, "of today": {1495, 0}, "pruned": {1, 1372}, "pruned to the head": {1, 1500},
	} {
		tr := newTruth(c.from)
		for range 1500 {
			tr.mine()
		}
		tr.finalise(4)
		client := &fakeClient{need: 1, source: &source{truth: tr, rng: rand.New(rand.NewPCG(1, 2)), prunedBelow: c.pruned}}
		client.all = []*source{client.source}
		g := dao()
		g.HasClock, g.HeaderClock = true, false
		w, err := chains.New(chains.Config{Client: client.client(), Governors: []chains.Watched{{Governor: g, FromBlock: 1490}}})
		if err != nil {
			t.Fatal(err)
		}
		b, err := w.Poll(t.Context(), gov.Cursor{}, nil)
		if err != nil || b.Heads[daoAddress].BlockTime != 12 || b.Heads[daoAddress].Clock != gov.Clocks(tr.head().number) {
			t.Errorf("%s: head %+v, error %v", name, b.Heads[daoAddress], err)
		}
	}
}

// TestG16AddedGovernor: a governor that is watched only from some run on, with a past that lies under the cursor, is
// known at the end as if it had always been watched, whatever fails, forks and starts again meanwhile.
func TestG16AddedGovernor(t *testing.T) {
	const n = 60
	late, past := gov.Address{19: 0xdb}, 0
	for seed := range uint64(n) {
		rng := rand.New(rand.NewPCG(160, seed))
		tr := newTruth(1 + rng.Uint64N(50))
		tr.twin = late
		for range tr.from + 10 + rng.Uint64N(200) {
			happen(tr, rng)
			if tr.head().number > 1500 {
				break
			}
		}
		client := faultyClient(tr, rng)
		s := newStore()
		added, start := 5+rng.IntN(30), tr.from+rng.Uint64N(100)
		var w *chains.Watcher
		var followed []gov.Address
		for round := range 60 {
			happen(tr, rng)
			if w == nil || rng.IntN(8) == 0 || round == added {
				conf := chains.Config{Client: client.client(), FirstSpan: 100, FinalEvery: 4, Requests: 1 + rng.IntN(3)}
				conf.Governors = []chains.Watched{{Governor: dao(), FromBlock: tr.from * rng.Uint64N(2)}}
				if round >= added && rng.IntN(6) > 0 {
					second := dao()
					second.Address = late
					conf.Governors = append(conf.Governors, chains.Watched{Governor: second, FromBlock: start})
				}
				var err error
				if w, err = chains.New(conf); err != nil {
					t.Fatal(err)
				}
				followed = nil
				for _, g := range conf.Governors {
					followed = append(followed, g.Address)
				}
			}
			for range 1 + rng.IntN(3) {
				s.step(t, w, rng)
			}
			for _, f := range s.followed {
				for _, r := range f.Read {
					if r.To.Number > s.cursor.Final.Number || tr.blocks[r.To.Number].hash != r.To.Hash {
						t.Fatalf("seed %d: read up to %+v, final is %+v", seed, r.To, s.cursor.Final)
					}
				}
			}
		}
		for _, c := range client.all {
			c.fails, c.timeOut, c.empty, c.lag = 0, 0, 0, 0
		}
		second := dao()
		second.Address = late
		w, err := chains.New(chains.Config{Client: client.client(), Governors: []chains.Watched{{Governor: dao(), FromBlock: tr.from}, {Governor: second, FromBlock: start}}})
		if err != nil {
			t.Fatal(err)
		}
		before := len(s.seen)
		catchUp(t, w, s)
		s.backFill(t, w)
		past += len(s.seen) - before
		want := tr.proposals(s.cursor.Final.Number)
		for _, b := range tr.blocks[:start] {
			for _, l := range b.logs {
				_, early := s.seen[idOf(t, l)] // the cursor may have been below the first block when the governor was added
				if gov.Address(l.Address) == late && !early || b.number < tr.from {
					delete(want, idOf(t, l))
				}
			}
		}
		compare(t, s, want, s.cursor.Final.Number)
		if t.Failed() {
			t.Fatalf("seed %d, governors at the end %v", seed, followed)
		}
	}
	t.Logf("n=%d seeds 0..%d, %d proposals were found in the last back-fill", n, n-1, past)
}

func idOf(t *testing.T, l rpc.Log) string {
	t.Helper()
	g := dao()
	g.Address = gov.Address(l.Address)
	e, err := g.Decode(l)
	if err != nil {
		t.Fatal(err)
	}
	return e.(governor.Created).Seen.Proposal.ID.String()
}
