package facts_test

import (
	"context"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/book"
	"github.com/legate-dao/legate/chains/chaintest"
	"github.com/legate-dao/legate/chains/devchain"
	"github.com/legate-dao/legate/chains/facts"
	"github.com/legate-dao/legate/chains/fork"
	"github.com/legate-dao/legate/chains/rpc"
)

// trips counts HTTP round trips.
type trips struct {
	http.RoundTripper
	n atomic.Int64
}

func (t *trips) RoundTrip(r *http.Request) (*http.Response, error) {
	t.n.Add(1)
	return t.RoundTripper.RoundTrip(r)
}

// forwarder is a proxy that delegates to what its EIP-1967 slot holds.
var forwarder = append(append(hexutil.MustDecode("0x363d3d373d3d363d7f"), book.ImplementationSlot[:]...), hexutil.MustDecode("0x545af400")...)

// proxies puts n different proxies on the chain, each with an implementation of its own, and returns a call to each.
func (w *world) proxies(n int) []devchain.Action {
	w.Helper()
	set := func(method string, args ...any) { must(w, w.s.RPC.CallContext(w.Context(), nil, method, args...)) }
	out := make([]devchain.Action, n)
	for i := range out {
		proxy, behind := common.BigToAddress(common.Big256), common.BigToAddress(common.Big257)
		proxy[0], proxy[1], proxy[2] = 0xaa, byte(i>>8), byte(i)
		behind[0], behind[1], behind[2] = 0xbb, byte(i>>8), byte(i)
		set("anvil_setCode", proxy, hexutil.Bytes(forwarder))
		set("anvil_setCode", behind, hexutil.Bytes{0x00, byte(i >> 8), byte(i)})
		set("anvil_setStorageAt", proxy, hexutil.EncodeBig(book.ImplementationSlot.Big()), common.BytesToHash(behind[:]))
		out[i] = devchain.Action{Target: proxy, Calldata: hexutil.MustDecode("0x12345678")}
	}
	must(w, w.s.MineBlocks(w.Context(), 1))
	return out
}

// through is the world's dependencies by a slow way that counts.
func (w *world) through(f chaintest.Faults, change func(*rpc.Config)) (facts.Deps, *trips) {
	w.Helper()
	proxy := chaintest.NewProxy(w.TB, w.chain.HTTP())
	count := &trips{RoundTripper: http.DefaultTransport}
	cfg := rpc.Config{ChainID: 31337, Endpoints: []rpc.Endpoint{{HTTP: proxy.URL()}}, Finality: rpc.LatestTag, Transport: count}
	if change != nil {
		change(&cfg)
	}
	client, err := rpc.Dial(w.Context(), cfg)
	must(w, err)
	w.Cleanup(client.Close)
	proxy.Set(f)
	count.n.Store(0)
	deps := w.deps
	deps.Caller, deps.Runner = client.Sources()[0], fork.New(client.Sources()[0], fork.Config{ChainID: 31337})
	return deps, count
}

// TestG49ManyTargets: 400 targets cost a handful of round trips, whether or not the endpoint takes batches, and the
// facts are those of an endpoint that is asked directly.
func TestG49ManyTargets(t *testing.T) {
	w := newWorld(t, devchain.OZ5Block)
	p := w.propose(w.proxies(400)...)
	at := w.head()
	want, err := facts.Gather(t.Context(), w.deps, p, at)
	must(t, err)
	is(t, "status", want.Facts.Effects.Status, gov.EffectsExecuted)
	is(t, "proxies", want.Facts.Targets.Proxy, 400)
	for _, c := range []struct {
		name   string
		faults chaintest.Faults
		change func(*rpc.Config)
		most   int64 // round trips, one after the other
	}{
		{"batches", chaintest.Faults{Delay: 60 * time.Millisecond}, nil, 60},
		{"one by one", chaintest.Faults{NoBatch: true}, nil, 4500},
		{"no batches at all", chaintest.Faults{Delay: 60 * time.Millisecond}, func(c *rpc.Config) { c.MaxBatch = 1 }, 4500},
		{"no hash parameter", chaintest.Faults{NoHashParam: true}, nil, 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			deps, count := w.through(c.faults, c.change)
			began := time.Now()
			got, err := facts.Gather(t.Context(), deps, p, at)
			must(t, err)
			t.Logf("%d round trips, %s", count.n.Load(), time.Since(began).Round(time.Millisecond))
			if n := count.n.Load(); n > c.most {
				t.Errorf("%d round trips, more than %d", n, c.most)
			}
			same(t, "digest", digest(t, got.Facts), digest(t, want.Facts))
		})
	}
}

// TestG49PlainProposal: a plain proposal costs no more round trips than it did when each read was made alone.
func TestG49PlainProposal(t *testing.T) {
	w := newWorld(t, devchain.OZ5Block)
	p := w.propose(devchain.Action{Target: stranger, Value: ether(10)}, w.act(w.dao.Token, w.dao.TokenContract(), "transfer", stranger, ether(7)))
	deps, count := w.through(chaintest.Faults{}, nil)
	_, err := facts.Gather(t.Context(), deps, p, w.head())
	must(t, err)
	t.Logf("%d round trips", count.n.Load())
	if n := count.n.Load(); n > 42 { // what it took when each read was made alone
		t.Errorf("%d round trips, more than 42", n)
	}
}

// TestG49GatheringEndsInTime: an endpoint too slow for its step leaves facts with what is missing listed as timed out,
// before the step's deadline; nothing comes out as zero, and it is the step that stores them.
func TestG49GatheringEndsInTime(t *testing.T) {
	w := newWorld(t, devchain.OZ5Block)
	p := w.propose(w.proxies(40)...)
	at := w.head()
	for name, f := range map[string]chaintest.Faults{"slow": {Delay: 400 * time.Millisecond}, "hangs": {Hang: true}} {
		t.Run(name, func(t *testing.T) {
			deps, _ := w.through(f, func(c *rpc.Config) { c.MaxBatch = 1 })
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			got, err := facts.Gather(ctx, deps, p, at)
			if err != nil || ctx.Err() != nil {
				t.Fatalf("%v; the step's context: %v", err, ctx.Err())
			}
			end, _ := ctx.Deadline()
			t.Logf("%s were left", time.Until(end).Round(time.Millisecond))
			unknown(t, "outflow_usd", got.Facts.Treasury.OutflowUSD)
			is(t, "status", got.Facts.Effects.Status, gov.EffectsUnavailable)
			for _, part := range []gov.Part{"effects.status", "calls"} {
				if !slices.ContainsFunc(got.Facts.Unavailable, func(m gov.Missing) bool { return m.Part == part && m.Reason == gov.TimedOut }) {
					t.Errorf("%s is not listed as timed out: %v", part, got.Facts.Unavailable)
				}
			}
		})
	}
}
