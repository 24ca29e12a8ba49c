package fork

import (
	"context"
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/state"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/triedb"
	"github.com/holiman/uint256"
)

// maxPasses is how often a run starts again with what it missed before it reads one thing at a time. Six are
// enough for a lifecycle through two proxies; a contract that follows pointers could make it thousands.
const maxPasses = 12

// pass is one attempt of a run or a read over a Source.
type pass struct {
	src    *Source
	ctx    context.Context // of the run: the interpreter's interfaces have no place for it
	budget *budget
	lazy   bool // read what is missing at once
	miss   *want
	err    error  // first failed read of a lazy pass
	stop   func() // ends the interpreter that is running
	deep   int    // reads that a lazy pass made one after the other; -1: not bounded
	// touched is all that was read, whether it was missing or not.
	touched *want
}

// cold is what a run has read so far where it is made as if nothing were known, and how much that may be.
type cold struct {
	known *want
	max   int
	deep  int
	most  int // of deep
}

// settle runs f until a pass misses nothing, fetching in between. Only the last pass counts: the error of a pass
// that missed something says nothing.
func (s *Source) settle(ctx context.Context, b *budget, lazy bool, f func(*pass) error) error {
	for n := 1; ; n++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		p := &pass{src: s, ctx: ctx, budget: b, lazy: lazy || n > maxPasses, miss: newWant(), touched: newWant()}
		if lazy {
			p.deep = -1
		}
		b.reads.Passes++
		err := p.guard(f)
		if p.err != nil {
			return p.err
		}
		b.touched = p.touched.size()
		if p.miss.empty() {
			return err
		}
		if b.cold != nil {
			if b.cold.known.add(p.miss); b.cold.known.size() > b.cold.max {
				return errTouched
			}
		}
		// A pass on state that is partly missing may ask for more than there is to read: then one thing at a time is
		// read, which is asked for in truth.
		if err := s.fetch(ctx, b, s.unknown(p.miss)); errors.Is(err, errReads) && b.bounded {
			n = maxPasses
		} else if err != nil {
			return err
		}
	}
}

// unknown is the part of w that was not read yet.
func (s *Source) unknown(w *want) *want {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := newWant()
	for a := range w.accounts {
		if _, ok := s.accounts[a]; !ok {
			out.accounts[a] = struct{}{}
		}
	}
	for k := range w.slots {
		if _, ok := s.slots[k]; !ok {
			out.slots[k] = struct{}{}
		}
	}
	for n := range w.hashes {
		if _, ok := s.hashes[n]; !ok {
			out.hashes[n] = struct{}{}
		}
	}
	return out
}

// step counts one more read that could only be asked for when the one before was known. An error ends the pass.
func (p *pass) step(deep *int, most int, over error) error {
	if *deep < 0 || p.err != nil {
		return p.err
	}
	if *deep++; *deep > most {
		p.err = over
		if p.stop != nil {
			p.stop()
		}
	}
	return p.err
}

// guard turns a panic of the interpreter into an error: on state that is partly missing (zero now, and not zero
// when read again) its own invariants, such as the refund counter, need not hold.
func (p *pass) guard(f func(*pass) error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("the interpreter stopped: %v", v)
		}
	}()
	return f(p)
}

// clean says whether everything the pass saw is true.
func (p *pass) clean() bool { return p.miss.empty() && p.err == nil }

// trust returns err if it means something. A pass that has missed state goes on, to find what else it needs.
func (p *pass) trust(err error) error {
	if p.err != nil {
		return p.err
	}
	if ctxErr := p.ctx.Err(); ctxErr != nil {
		return ctxErr
	}
	if !p.clean() {
		return nil
	}
	return err
}

func (p *pass) fetch(w *want) error {
	if p.budget.bounded && p.step(&p.deep, MaxDeep, errDeep) != nil {
		return p.err
	}
	if p.err == nil {
		b := p.budget
		if b.bounded { // the depth bounds it
			b.left += w.size()
		}
		p.err = p.src.fetch(p.ctx, b, w)
	}
	if p.err != nil && p.stop != nil {
		p.stop()
	}
	return p.err
}

func (p *pass) account(a common.Address) (account, error) {
	p.touched.accounts[a] = struct{}{}
	if c := p.budget.cold; c != nil {
		if _, known := c.known.accounts[a]; !known {
			if !p.lazy {
				p.miss.accounts[a] = struct{}{}
				return account{}, nil
			}
			if err := p.step(&c.deep, c.most, errTouched); err != nil {
				return account{}, err
			}
			c.known.accounts[a] = struct{}{}
		}
	}
	v, ok := p.src.account(a)
	if ok {
		return v, nil
	}
	if !p.lazy {
		p.miss.accounts[a] = struct{}{}
		return account{}, nil
	}
	if err := p.fetch(&want{accounts: map[common.Address]struct{}{a: {}}}); err != nil {
		return account{}, err
	}
	v, _ = p.src.account(a)
	return v, nil
}

func (p *pass) slot(k slotKey) (common.Hash, error) {
	p.touched.slots[k] = struct{}{}
	if c := p.budget.cold; c != nil {
		if _, known := c.known.slots[k]; !known {
			if !p.lazy {
				p.miss.slots[k] = struct{}{}
				return common.Hash{}, nil
			}
			if err := p.step(&c.deep, c.most, errTouched); err != nil {
				return common.Hash{}, err
			}
			c.known.slots[k] = struct{}{}
		}
	}
	v, ok := p.src.slot(k)
	if ok {
		return v, nil
	}
	if !p.lazy {
		p.miss.slots[k] = struct{}{}
		return common.Hash{}, nil
	}
	if err := p.fetch(&want{slots: map[slotKey]struct{}{k: {}}}); err != nil {
		return common.Hash{}, err
	}
	v, _ = p.src.slot(k)
	return v, nil
}

// blockHash is BLOCKHASH. The blocks after the pinned one do not exist: theirs are derived.
func (p *pass) blockHash(number uint64) common.Hash {
	at := p.src.at
	if number == at.Number {
		return at.Hash
	}
	if number > at.Number {
		return crypto.Keccak256Hash(at.Hash[:], common.BigToHash(new(uint256.Int).SetUint64(number).ToBig()).Bytes())
	}
	if h, ok := p.src.hash(number); ok {
		return h
	}
	if !p.lazy {
		p.miss.hashes[number] = struct{}{}
		return common.Hash{}
	}
	if err := p.fetch(&want{hashes: map[uint64]struct{}{number: {}}}); err != nil {
		return common.Hash{}
	}
	h, _ := p.src.hash(number)
	return h
}

// reader is a pass with changes laid over it, in the form go-ethereum's StateDB reads from.
type reader struct {
	*pass
	over  *overlay // nil: none
	payer *payer   // nil: none
}

// payer is who sends the transactions of a run. It never lacks the coin to pay for them.
type payer struct {
	account common.Address
	real    bool // its account is the chain's, not one of no history
}

var payerMeans = new(uint256.Int).Lsh(uint256.NewInt(1), 100) // 1.2e12 ETH, in wei

// Account implements state.Reader.
func (r *reader) Account(a common.Address) (*types.StateAccount, error) {
	if r.over != nil {
		if c, ok := r.over.accounts[a]; ok {
			return copyOf(c.state), nil
		}
	}
	if r.payer != nil && a == r.payer.account && !r.payer.real {
		return &types.StateAccount{Nonce: 1, Balance: new(uint256.Int).Set(payerMeans), Root: types.EmptyRootHash, CodeHash: types.EmptyCodeHash.Bytes()}, nil
	}
	v, err := r.pass.account(a)
	if err != nil {
		return nil, err
	}
	out := copyOf(v.state)
	if r.payer != nil && a == r.payer.account {
		if out == nil {
			out = types.NewEmptyStateAccount()
		}
		out.Balance.Add(out.Balance, payerMeans)
	}
	return out, nil
}

// Storage implements state.Reader.
func (r *reader) Storage(a common.Address, slot common.Hash) (common.Hash, error) {
	k := slotKey{a, slot}
	if r.over != nil {
		if v, ok := r.over.slots[k]; ok {
			return v, nil
		}
		if c, ok := r.over.accounts[a]; ok && c.state == nil {
			return common.Hash{}, nil
		}
	}
	return r.pass.slot(k)
}

// Code implements state.Reader.
func (r *reader) Code(a common.Address, hash common.Hash) []byte {
	if r.over != nil {
		if c, ok := r.over.accounts[a]; ok && c.state != nil && common.BytesToHash(c.state.CodeHash) == hash {
			return c.code
		}
	}
	v, err := r.pass.account(a)
	if err != nil || v.state == nil || common.BytesToHash(v.state.CodeHash) != hash {
		return nil
	}
	return v.code
}

// CodeSize implements state.Reader.
func (r *reader) CodeSize(a common.Address, hash common.Hash) int { return len(r.Code(a, hash)) }

// Has implements state.Reader.
func (r *reader) Has(a common.Address, hash common.Hash) bool { return len(r.Code(a, hash)) > 0 }

func copyOf(a *types.StateAccount) *types.StateAccount {
	if a == nil {
		return nil
	}
	return a.Copy()
}

// overlay are changes over a Source.
type overlay struct {
	accounts map[common.Address]account // whole accounts; a nil state is one that is gone
	slots    map[slotKey]common.Hash
}

// noTrie is the database behind a StateDB that nobody asks for a root.
type noTrie struct{}

var errNoTrie = errors.New("a fork has no trie")

func (noTrie) Type() state.DatabaseType                     { return state.TypeMPT }
func (noTrie) Reader(common.Hash) (state.Reader, error)     { return nil, errNoTrie }
func (noTrie) Iteratee(common.Hash) (state.Iteratee, error) { return nil, errNoTrie }
func (noTrie) OpenTrie(common.Hash) (state.Trie, error)     { return nil, errNoTrie }
func (noTrie) TrieDB() *triedb.Database                     { return nil }
func (noTrie) Commit(*state.StateUpdate) error              { return errNoTrie }
func (noTrie) OpenStorageTrie(common.Hash, common.Address, common.Hash, state.Trie) (state.Trie, error) {
	return nil, errNoTrie
}
