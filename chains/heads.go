package chains

import (
	"fmt"
	"maps"

	"github.com/ethereum/go-ethereum/common"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/governor"
	"github.com/legate-dao/legate/chains/quorum"
	"github.com/legate-dao/legate/chains/rpc"
)

// keep remembers the heads of a poll as what they are: agreed. A batch, which is stored, has their bare values.
func (w *Watcher) keep(by quorum.Agreed[rpc.Header], heads map[gov.Address]gov.Head) {
	w.headsMu.Lock()
	defer w.headsMu.Unlock()
	if w.heads == nil {
		w.heads = map[gov.Address]quorum.Agreed[gov.Head]{}
	}
	for a, h := range heads {
		w.heads[a] = quorum.Map(by, func(rpc.Header) gov.Head { return h })
	}
}

// Heads are the governors' heads as the polls up to now saw them. Number, time, final block and clock are each an agreed
// answer.
func (w *Watcher) Heads() map[gov.Address]quorum.Agreed[gov.Head] {
	w.headsMu.Lock()
	defer w.headsMu.Unlock()
	return maps.Clone(w.heads)
}

// Follow takes up what a followed governor has become: its clock and its logs are read so from the next poll on.
func (w *Watcher) Follow(g governor.Governor) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, ok := w.governors[g.Address]; !ok || g.Chain != w.chain {
		return fmt.Errorf("follow governor %s on %s: it is not watched on %s", g.Address, g.Chain, w.chain)
	}
	w.governors[g.Address] = g
	delete(w.calls, g.Address)
	known := map[common.Hash]bool{}
	for _, t := range w.filter.Topics[0] {
		known[t] = true
	}
	for _, t := range g.Topics() {
		if !known[t] {
			w.filter.Topics[0] = append(w.filter.Topics[0], t)
		}
	}
	return nil
}
