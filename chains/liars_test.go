package chains_test

import (
	"testing"
	"time"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains"
	"github.com/legate-dao/legate/chains/chaintest"
	"github.com/legate-dao/legate/chains/devchain"
	"github.com/legate-dao/legate/chains/governor"
	"github.com/legate-dao/legate/chains/rpc"
)

// Of three endpoints the preferred one leaves out every log, serves narrow ranges or lags: what is final is
// known all the same, from the other two.
func TestOneLiarOfThreeHidesNothing(t *testing.T) {
	for name, faults := range map[string]chaintest.Faults{
		"omits logs":  {DropLogs: chaintest.AllLogs},
		"narrow":      {MaxRange: 3},
		"lags":        {Lag: 5},
		"answers 500": {Status: 500},
	} {
		t.Run(name, func(t *testing.T) { oneLiar(t, faults) })
	}
}

func oneLiar(t *testing.T, faults chaintest.Faults) {
	ctx := t.Context()
	c, err := devchain.Start(devchain.Config{GenesisTime: time.Unix(1_750_000_000, 0)})
	must(t, err)
	t.Cleanup(func() { must(t, c.Close()) })
	s, err := c.Session(ctx, 0)
	must(t, err)
	t.Cleanup(s.Close)
	must(t, c.Mine(ctx, 1))
	liar := chaintest.NewProxy(t, c.HTTP())
	client, err := rpc.Dial(ctx, rpc.Config{
		Endpoints: []rpc.Endpoint{{HTTP: liar.URL()}, {HTTP: chaintest.NewProxy(t, c.HTTP()).URL()}, {HTTP: c.HTTP()}},
		Agree:     2, Jitter: func() float64 { return -0.5 },
	})
	must(t, err)
	t.Cleanup(client.Close)
	d, err := devchain.DeployDAO(ctx, s, devchain.DAOConfig{})
	must(t, err)
	must(t, s.Delegate(ctx, d, s.From))
	must(t, c.Mine(ctx, 1))
	h, err := client.Latest(ctx)
	must(t, err)
	g, err := governor.Detect(ctx, client, gov.Address(d.Governor), h.Hash)
	must(t, err)
	w, err := chains.New(chains.Config{Client: chains.Over(client, nil), Governors: []chains.Watched{{Governor: g}}, FinalEvery: 1})
	must(t, err)
	st := newStore()
	catchUp(t, w, st)
	liar.Set(faults)
	pay, err := devchain.ActionOn(d.Treasury, "Treasury", "pay", devchain.Address(7), devchain.Tokens(3))
	must(t, err)
	p, err := s.Propose(ctx, d, []devchain.Action{pay}, "# Pay")
	must(t, err)
	catchUp(t, w, st)
	must(t, c.Mine(ctx, 80))
	for st.cursor.Final.Number < p.Receipt.BlockNumber.Uint64() {
		catchUp(t, w, st)
		if b := st.batches[len(st.batches)-1]; b.From == b.To { // a lagging endpoint in front: the chain goes on
			must(t, c.Mine(ctx, 1))
		}
	}
	if got := st.seen[id(d, p)].Proposal; got.Created.Hash != p.Receipt.BlockHash {
		t.Errorf("seen %+v, made in block %s", got.Created, p.Receipt.BlockHash)
	}
}
