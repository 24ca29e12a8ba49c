package fork

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/holiman/uint256"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/rpc"
)

// Source is the state of one block as far as it was asked for. What it holds never changes, so runs and
// goroutines share it.
type Source struct {
	caller rpc.Caller
	at     gov.Block

	mu       sync.RWMutex
	head     *rpc.Header
	accounts map[common.Address]account
	slots    map[slotKey]common.Hash
	hashes   map[uint64]common.Hash // of earlier blocks

	jumps jumps
}

// account is one account; state is nil where it does not exist.
type account struct {
	state *types.StateAccount
	code  []byte
}

type slotKey struct {
	account common.Address
	slot    common.Hash
}

func (k slotKey) compare(o slotKey) int {
	return cmp.Or(k.account.Cmp(o.account), k.slot.Cmp(o.slot))
}

func newSource(caller rpc.Caller, at gov.Block) *Source {
	return &Source{
		caller: caller, at: at,
		accounts: map[common.Address]account{},
		slots:    map[slotKey]common.Hash{},
		hashes:   map[uint64]common.Hash{},
	}
}

func (s *Source) account(a common.Address) (account, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	v, ok := s.accounts[a]
	return v, ok
}

func (s *Source) slot(k slotKey) (common.Hash, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	v, ok := s.slots[k]
	return v, ok
}

func (s *Source) hash(number uint64) (common.Hash, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	v, ok := s.hashes[number]
	return v, ok
}

// header is the pinned block's header, whose fields are the environment of a run.
func (s *Source) header(ctx context.Context, b *budget) (rpc.Header, error) {
	s.mu.RLock()
	head := s.head
	s.mu.RUnlock()
	if head != nil {
		return *head, nil
	}
	b.reads.Trips++
	h, err := rpc.HeaderByHash(ctx, s.caller, s.at.Hash)
	if err != nil {
		return rpc.Header{}, fmt.Errorf("read header of block %d: %w", s.at.Number, err)
	}
	if h.Number != s.at.Number || h.Hash != s.at.Hash {
		return rpc.Header{}, fmt.Errorf("asked for block %d (%s), got %d (%s): %w", s.at.Number, s.at.Hash, h.Number, h.Hash, rpc.ErrMalformed)
	}
	s.mu.Lock()
	s.head = &h
	s.mu.Unlock()
	return h, nil
}

// budget bounds and counts the reads of one run.
type budget struct {
	left  int
	reads Reads
	// bounded says that the depth of a lazy pass is bounded: it is a run's.
	bounded bool
	touched int   // by the last pass
	cold    *cold // nil: what was read before counts as known
}

func (b *budget) spend(n int) error {
	if n > b.left {
		return fmt.Errorf("read %d more accounts and slots: %w", n, errReads)
	}
	b.left -= n
	return nil
}

// want is state that is to be read.
type want struct {
	accounts map[common.Address]struct{}
	slots    map[slotKey]struct{}
	hashes   map[uint64]struct{}
}

func newWant() *want {
	return &want{map[common.Address]struct{}{}, map[slotKey]struct{}{}, map[uint64]struct{}{}}
}

func (w *want) empty() bool { return w.size() == 0 }

func (w *want) size() int { return len(w.accounts) + len(w.slots) + len(w.hashes) }

// add takes in what another one has.
func (w *want) add(o *want) {
	maps.Copy(w.accounts, o.accounts)
	maps.Copy(w.slots, o.slots)
	maps.Copy(w.hashes, o.hashes)
}

// fetch reads all that is wanted in one batch.
func (s *Source) fetch(ctx context.Context, b *budget, w *want) error {
	if err := b.spend(len(w.accounts) + len(w.slots) + len(w.hashes)); err != nil {
		return err
	}
	if len(w.accounts)+len(w.slots) > 0 {
		if err := s.fetchState(ctx, b, w); err != nil {
			return err
		}
	}
	if len(w.hashes) > 0 {
		return s.fetchHashes(ctx, b, w)
	}
	return nil
}

// accountAnswer is what a node says of an account; nil is a null, which is no answer and not zero.
type accountAnswer struct {
	balance *hexutil.Big
	nonce   *hexutil.Uint64
	code    *hexutil.Bytes
}

func (s *Source) fetchState(ctx context.Context, b *budget, w *want) error {
	addrs := keysOf(w.accounts, common.Address.Cmp)
	slots := keysOf(w.slots, slotKey.compare)
	at := rpc.AtHash{Hash: s.at.Hash}
	answers, values := make([]accountAnswer, len(addrs)), make([]common.Hash, len(slots))
	reqs := make([]rpc.Request, 0, 3*len(addrs)+len(slots))
	for i, a := range addrs {
		reqs = append(reqs,
			rpc.Request{Method: "eth_getBalance", Args: []any{a, at}, Result: &answers[i].balance},
			rpc.Request{Method: "eth_getTransactionCount", Args: []any{a, at}, Result: &answers[i].nonce},
			rpc.Request{Method: "eth_getCode", Args: []any{a, at}, Result: &answers[i].code})
	}
	for i, k := range slots {
		reqs = append(reqs, rpc.StorageRead(k.account, k.slot, s.at.Hash, &values[i]))
	}
	b.reads.Trips++
	b.reads.Accounts += len(addrs)
	b.reads.Slots += len(slots)
	err := s.caller.Batch(ctx, reqs)
	if err = errors.Join(err, rpc.FirstErr(reqs)); err != nil {
		return fmt.Errorf("read %d accounts and %d slots at block %d: %w", len(addrs), len(slots), s.at.Number, err)
	}
	accounts := make([]account, len(addrs))
	for i := range answers {
		if accounts[i], err = answers[i].account(); err != nil {
			return fmt.Errorf("read account %s: %w", addrs[i], err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, a := range addrs {
		s.accounts[a] = accounts[i]
	}
	for i, k := range slots {
		s.slots[k] = values[i]
	}
	return nil
}

// account makes the interpreter's form. The storage root is not known and not needed: nobody asks for a root.
func (a accountAnswer) account() (account, error) {
	if a.balance == nil || a.nonce == nil || a.code == nil {
		return account{}, fmt.Errorf("null: %w", rpc.ErrMalformed)
	}
	balance, overflow := uint256.FromBig(a.balance.ToInt())
	if overflow || a.balance.ToInt().Sign() < 0 {
		return account{}, fmt.Errorf("balance out of range: %w", rpc.ErrMalformed)
	}
	code := *a.code
	if balance.IsZero() && *a.nonce == 0 && len(code) == 0 {
		return account{}, nil
	}
	hash := types.EmptyCodeHash
	if len(code) > 0 {
		hash = crypto.Keccak256Hash(code)
	}
	return account{code: code, state: &types.StateAccount{
		Nonce: uint64(*a.nonce), Balance: balance, Root: types.EmptyRootHash, CodeHash: hash.Bytes(),
	}}, nil
}

// fetchHashes reads earlier headers, linked by parent hash up to the pinned block.
func (s *Source) fetchHashes(ctx context.Context, b *budget, w *want) error {
	first := keysOf(w.hashes, cmp.Compare)[0]
	b.reads.Trips++
	heads, err := rpc.Headers(ctx, s.caller, first, s.at.Number)
	if err != nil {
		return fmt.Errorf("read the headers from %d to %d: %w", first, s.at.Number, err)
	}
	if heads[len(heads)-1].Hash != s.at.Hash {
		return fmt.Errorf("block %d is no longer %s: %w", s.at.Number, s.at.Hash, rpc.ErrNoState)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range heads {
		s.hashes[h.Number] = h.Hash
	}
	return nil
}

func keysOf[K comparable](m map[K]struct{}, compare func(a, b K) int) []K {
	out := make([]K, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.SortFunc(out, compare)
	return out
}
