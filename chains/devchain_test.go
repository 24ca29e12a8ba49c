package chains_test

import (
	"context"
	"math/big"
	"testing"
	"time"

	"github.com/holiman/uint256"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains"
	"github.com/legate-dao/legate/chains/devchain"
	"github.com/legate-dao/legate/chains/governor"
	"github.com/legate-dao/legate/chains/rpc"
)

func amount(b *big.Int) gov.Amount {
	n, _ := uint256.FromBig(b)
	return gov.AmountOf(n)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// watched starts a chain with a DAO of each flavour, and a watcher of all of them over the real client.
func watched(t *testing.T, flavours ...devchain.Flavour) (*devchain.Chain, *devchain.Session, []*devchain.DAO, *chains.Watcher) {
	t.Helper()
	ctx := t.Context()
	c, err := devchain.Start(devchain.Config{GenesisTime: time.Unix(1_750_000_000, 0)})
	must(t, err)
	t.Cleanup(func() { must(t, c.Close()) })
	s, err := c.Session(ctx, 0)
	must(t, err)
	t.Cleanup(s.Close)
	must(t, c.Mine(ctx, 1))
	client, err := rpc.Dial(ctx, rpc.Config{Endpoints: []rpc.Endpoint{{HTTP: c.HTTP(), WS: c.WS()}}})
	must(t, err)
	t.Cleanup(client.Close)
	conf := chains.Config{Client: chains.Over(client, nil), FinalEvery: 1}
	var daos []*devchain.DAO
	for _, f := range flavours {
		d, err := devchain.DeployDAO(ctx, s, devchain.DAOConfig{Flavour: f})
		must(t, err)
		must(t, s.Delegate(ctx, d, s.From))
		daos = append(daos, d)
		h, err := client.Latest(ctx)
		must(t, err)
		g, err := governor.Detect(ctx, client, gov.Address(d.Governor), h.Hash)
		must(t, err)
		g.Name = gov.Label(f)
		conf.Governors = append(conf.Governors, chains.Watched{Governor: g})
	}
	must(t, c.Mine(ctx, 1))
	w, err := chains.New(conf)
	must(t, err)
	return c, s, daos, w
}

func id(d *devchain.DAO, p *devchain.Proposal) string {
	return gov.ProposalID{Chain: 31337, Governor: gov.Address(d.Governor), Number: amount(p.ID)}.String()
}

// Real governors on one chain: each proposal is seen at the head, confirmed when final, and its changes are told.
func TestWatchRealGovernors(t *testing.T) {
	ctx := t.Context()
	c, s, daos, w := watched(t, devchain.OZ5Block, devchain.OZ5Time, devchain.OZ49, devchain.Bravo)
	st := newStore()
	catchUp(t, w, st)
	for _, d := range daos {
		pay, err := devchain.ActionOn(d.Treasury, "Treasury", "pay", devchain.Address(7), devchain.Tokens(3))
		must(t, err)
		made, err := s.Propose(ctx, d, []devchain.Action{pay}, "# Pay")
		must(t, err)
		catchUp(t, w, st)
		seen, ok := st.seen[id(d, made)]
		p := seen.Proposal
		if !ok {
			t.Fatalf("%s: the proposal was not seen at the head", d.Flavour)
		}
		start, end, err := s.Window(ctx, d, made.ID)
		must(t, err)
		if p.Name != gov.Label(d.Flavour) || uint64(p.Starts) != start || uint64(p.Ends) != end || p.Created.Time == 0 || p.EndsAt <= p.Created.Time {
			t.Errorf("%s: %+v", d.Flavour, p)
		}
		must(t, s.Cancel(ctx, d, made))
		catchUp(t, w, st)
	}
	canceled := map[gov.ProposalID]bool{}
	for _, b := range st.batches {
		for _, x := range b.Changes {
			if x.State == gov.StateCanceled {
				canceled[x.ID] = true
			}
		}
	}
	if len(canceled) != len(daos) {
		t.Errorf("%d cancellations of %d", len(canceled), len(daos))
	}
	must(t, c.Mine(ctx, 70))
	catchUp(t, w, st)
	again := newStore() // a second daemon that starts now finds the same
	w2 := rewatch(t, w)
	catchUp(t, w2, again)
	if len(again.seen) != len(daos) || again.cursor.Block != st.cursor.Block || again.cursor.From != st.cursor.From {
		t.Errorf("a fresh watcher saw %d proposals and ended at %+v, not %+v", len(again.seen), again.cursor, st.cursor)
	}
	last := again.batches[len(again.batches)-1]
	for _, d := range daos {
		h := last.Heads[gov.Address(d.Governor)]
		timed := d.Clock == devchain.ClockTime
		if timed && (uint64(h.Clock) != uint64(h.Latest.Time) || h.BlockTime != 0) || !timed && (uint64(h.Clock) != h.Latest.Number || h.BlockTime < 12) {
			t.Errorf("%s: head %+v", d.Flavour, h)
		}
	}
}

// rewatch is a new watcher of the same governors.
func rewatch(t *testing.T, w *chains.Watcher) *chains.Watcher {
	t.Helper()
	n, err := chains.New(w.Config())
	must(t, err)
	return n
}

func TestReorgOfDepthThreeDropsAProposal(t *testing.T) {
	ctx := t.Context()
	c, s, daos, w := watched(t, devchain.OZ5Block)
	st := newStore()
	pay, err := devchain.ActionOn(daos[0].Treasury, "Treasury", "pay", devchain.Address(7), devchain.Tokens(3))
	must(t, err)
	before, err := s.Propose(ctx, daos[0], []devchain.Action{pay}, "stays")
	must(t, err)
	must(t, c.Mine(ctx, 2))
	catchUp(t, w, st)
	p, err := s.Propose(ctx, daos[0], []devchain.Action{pay}, "to be dropped")
	must(t, err)
	must(t, c.Mine(ctx, 2))
	catchUp(t, w, st)
	if _, ok := st.seen[id(daos[0], p)]; !ok {
		t.Fatal("the proposal was not seen")
	}
	must(t, c.Reorg(ctx, 3))
	b, err := w.Poll(ctx, st.cursor, st.recent)
	must(t, err)
	if b.Rewound == nil || b.Broken || b.Rewound.Number != p.Receipt.BlockNumber.Uint64()-1 {
		t.Fatalf("rewound %v, broken %v; the proposal was in block %s", b.Rewound, b.Broken, p.Receipt.BlockNumber)
	}
	must(t, st.add(b))
	if _, ok := st.seen[id(daos[0], p)]; ok {
		t.Error("the dropped proposal is still there")
	}
	if _, ok := st.seen[id(daos[0], before)]; !ok {
		t.Error("a proposal below the reorganisation is gone")
	}
	p, err = s.Propose(ctx, daos[0], []devchain.Action{pay}, "to be dropped")
	must(t, err)
	catchUp(t, w, st)
	if got := st.seen[id(daos[0], p)].Proposal; got.Created.Hash != p.Receipt.BlockHash {
		t.Errorf("proposed again: %+v", got.Created)
	}
}

func TestFinalityBreakOnARealChain(t *testing.T) {
	ctx := t.Context()
	c, _, _, w := watched(t, devchain.OZ5Block)
	st := newStore()
	must(t, c.Mine(ctx, 100))
	catchUp(t, w, st)
	must(t, c.Reorg(ctx, 80))
	b, err := w.Poll(ctx, st.cursor, st.recent)
	if err != nil || !b.Broken {
		t.Errorf("broken %v, error %v", b.Broken, err)
	}
}

func TestWakeOnNewHead(t *testing.T) {
	c, _, _, w := watched(t, devchain.OZ5Block)
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	wake := w.Wake(ctx)
	defer stop()
	for { // heads come only after the subscription stands
		select {
		case _, ok := <-wake:
			if !ok {
				t.Error("no wake-up")
			}
			return
		default:
			must(t, c.Mine(ctx, 1))
		}
	}
}
