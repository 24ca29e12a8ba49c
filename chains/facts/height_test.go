package facts_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"sync"
	"testing"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/devchain"
	"github.com/legate-dao/legate/chains/facts"
	"github.com/legate-dao/legate/chains/fork"
	"github.com/legate-dao/legate/chains/rpc"
)

// recorded answers what a real chain answered before, for reads pinned to one block hash. Every other read of state gets
// another answer each time, as from a head that moves between any two calls.
type recorded struct {
	rpc.Caller
	pinned gov.Hash
	mu     sync.Mutex
	answer map[string]json.RawMessage
	failed map[string]error // calls that revert do so every time
	moves  int
	fresh  int // asked of the chain
}

func (r *recorded) Call(ctx context.Context, result any, method string, args ...any) error {
	key, err := json.Marshal([]any{method, args})
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.moves++
	if !pinnedRead(r.pinned, method, args) {
		return fmt.Errorf("%s %v would be answered by block %d of a head that moves", method, args, r.moves)
	}
	if err := r.failed[string(key)]; err != nil {
		return err
	}
	raw, ok := r.answer[string(key)]
	if !ok {
		r.fresh++
		if err := r.Caller.Call(ctx, &raw, method, args...); err != nil {
			r.failed[string(key)] = err
			return err
		}
		r.answer[string(key)] = raw
	}
	return rpc.Decode(raw, result)
}

// pinnedRead says whether an answer can only come from the block: it is asked by the hash.
func pinnedRead(hash gov.Hash, method string, args []any) bool {
	if method == "eth_getBlockByHash" && len(args) > 0 && fmt.Sprint(args[0]) == hash.Hex() {
		return true
	}
	for _, a := range args {
		if at, ok := a.(rpc.AtHash); ok && at.Hash == hash {
			return true
		}
	}
	return false
}

func (r *recorded) Batch(ctx context.Context, reqs []rpc.Request) error {
	for i := range reqs {
		reqs[i].Err = r.Call(ctx, reqs[i].Result, reqs[i].Method, reqs[i].Args...)
	}
	return nil
}

// TestG19OneHeightManyTimes is TestG19OneHeight over the recorded answers of one block: n gatherings, each of whose
// reads is answered only because it is asked by the hash. LEGATE_G19_N sets n.
func TestG19OneHeightManyTimes(t *testing.T) {
	n := 500
	if s := os.Getenv("LEGATE_G19_N"); s != "" {
		var err error
		n, err = strconv.Atoi(s)
		must(t, err)
	}
	w := newWorld(t, devchain.OZ5Block)
	p := w.propose(devchain.Action{Target: stranger, Value: ether(10)}, w.act(w.dao.Token, w.dao.TokenContract(), "transfer", stranger, ether(7)))
	at := w.head()
	r := &recorded{Caller: w.rpc, pinned: at.Hash, answer: map[string]json.RawMessage{}, failed: map[string]error{}}
	deps := w.deps
	deps.Caller = r
	var first gov.Digest
	for i := range n {
		deps.Runner = fork.New(r, fork.Config{ChainID: 31337})
		got, err := facts.Gather(t.Context(), deps, p, at)
		must(t, err)
		is(t, "status", got.Facts.Effects.Status, gov.EffectsExecuted)
		d, err := got.Facts.Digest()
		must(t, err)
		if i == 0 {
			first = d
		}
		if d != first {
			t.Fatalf("gathering %d has another digest", i)
		}
	}
	t.Logf("n=%d gatherings, %d reads, %d different ones, every one by the block's hash", n, r.moves, r.fresh)
}
