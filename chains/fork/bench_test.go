package fork_test

import (
	"encoding/json"
	"testing"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/devchain"
	"github.com/legate-dao/legate/chains/fork"
)

func sameEffects(t *testing.T, a, b gov.Effects) bool {
	t.Helper()
	x, err := json.Marshal(a)
	must(t, err)
	y, err := json.Marshal(b)
	must(t, err)
	return string(x) == string(y)
}

func benchWorld(b *testing.B) (*world, gov.Proposal, gov.Block) {
	w := newWorld(b, devchain.OZ5Block)
	return w, w.proposal(w.propose(mixed(w)...)), w.head()
}

func BenchmarkDryRunWarm(b *testing.B) {
	w, p, at := benchWorld(b)
	r := w.runner()
	_, err := r.Run(b.Context(), p, at, w.plan())
	must(b, err)
	for b.Loop() {
		_, err := r.Run(b.Context(), p, at, w.plan())
		must(b, err)
	}
}

func BenchmarkDryRunCold(b *testing.B) {
	for name, lazy := range map[string]bool{"prefetch": false, "lazy": true} {
		b.Run(name, func(b *testing.B) {
			w, p, at := benchWorld(b)
			trips := 0
			for b.Loop() {
				res, err := fork.New(w.rpc, fork.Config{ChainID: 31337, NoPrefetch: lazy}).Run(b.Context(), p, at, w.plan())
				must(b, err)
				trips = res.Reads.Trips
			}
			b.ReportMetric(float64(trips), "trips/op")
		})
	}
}
