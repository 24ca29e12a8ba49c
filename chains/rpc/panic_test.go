package rpc_test

import (
	"strings"
	"testing"

	"github.com/legate-dao/legate/agent/supervise"
	"github.com/legate-dao/legate/chains/rpc"
)

// tricky panics over an answer, as a decoder with a fault would over a stranger's bytes.
type tricky struct{}

// DecodeResult implements [rpc.RawResult].
func (tricky) DecodeResult([]byte) error { panic("index out of range") }

// A fault over one answer is an error of whoever asked, also where questions go side by side: in several batches, or
// alone since the endpoint takes none.
func TestG51AnswerThatPanicsEndsNoProgram(t *testing.T) {
	for name, most := range map[string]int{"batches": 4, "alone": 1} {
		c := config(server(t, chainOne(func(string) string { return `"result":"0x10"` })))
		c.ChainID, c.MaxBatch, c.Finality = 1, most, rpc.Behind(2)
		client := dial(t, c)
		reqs := make([]rpc.Request, 24)
		for i := range reqs {
			reqs[i] = rpc.Request{Method: "eth_blockNumber", Result: tricky{}}
		}
		err := supervise.Catch(func() error { return client.Batch(t.Context(), reqs) })
		if p, ok := supervise.Panicked(err); !ok || !strings.Contains(p.Error(), "index out of range") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
