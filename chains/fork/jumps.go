package fork

import (
	"sync"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/vm"
)

// maxJumps bounds the kept analyses: at most 3 KB each.
const maxJumps = 2048

// jumps keeps which bytes of a code are jump targets, for all runs at a block: a seventh of a warm run's time. It
// is keyed by code hash, so it cannot go stale.
type jumps struct {
	mu sync.RWMutex
	m  map[common.Hash]vm.BitVec
}

// Load implements vm.JumpDestCache.
func (j *jumps) Load(code common.Hash) (vm.BitVec, bool) {
	j.mu.RLock()
	defer j.mu.RUnlock()
	v, ok := j.m[code]
	return v, ok
}

// Store implements vm.JumpDestCache.
func (j *jumps) Store(code common.Hash, v vm.BitVec) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.m == nil {
		j.m = map[common.Hash]vm.BitVec{}
	}
	if len(j.m) < maxJumps {
		j.m[code] = v
	}
}
