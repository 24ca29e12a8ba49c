package rpc

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
)

// AtHash is the block argument of a read at one block: the object of EIP-1898, which a node answers from that
// block or not at all. An endpoint that does not know the object gets the block's number instead, and its answer
// counts only if the canonical block at that number has the hash before and after the read.
type AtHash struct {
	Hash common.Hash
}

// MarshalJSON writes the object of EIP-1898.
func (a AtHash) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Hash      common.Hash `json:"blockHash"`
		Canonical bool        `json:"requireCanonical"`
	}{a.Hash, true})
}

// numberCache remembers the heights of block hashes, which never change.
type numberCache struct {
	mu sync.Mutex
	m  map[common.Hash]uint64
}

const numberCacheSize = 512

func (c *numberCache) get(h common.Hash) (uint64, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, ok := c.m[h]
	return n, ok
}

func (c *numberCache) put(h common.Hash, n uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.m == nil || len(c.m) >= numberCacheSize {
		c.m = map[common.Hash]uint64{}
	}
	c.m[h] = n
}

// pinned sends requests, replacing reads at a block hash where the endpoint does not know them.
func (n *node) pinned(ctx context.Context, reqs []*Request) error {
	var byHash, rest []*Request
	for _, r := range reqs {
		if _, ok := hashArg(r); ok {
			byHash = append(byHash, r)
		} else {
			rest = append(rest, r)
		}
	}
	if len(byHash) == 0 {
		return n.send(ctx, reqs)
	}
	if n.noHashParam.Load() {
		if len(rest) > 0 {
			if err := n.send(ctx, rest); err != nil {
				return err
			}
		}
		return n.byNumber(ctx, byHash)
	}
	if err := n.send(ctx, reqs); err != nil {
		return err
	}
	refused := keep(byHash, func(r *Request) bool { return refusesHashParam(r.Err) })
	if len(refused) == 0 {
		return nil
	}
	return n.learnByNumber(ctx, refused)
}

// learnByNumber tries the fallback on requests the node refused, and remembers it where it helps. Where it does
// not, the refusal was about something else and stays the answer.
func (n *node) learnByNumber(ctx context.Context, refused []*Request) error {
	was := errorsOf(refused)
	err := n.byNumber(ctx, refused)
	helped := false
	for i, r := range refused {
		switch {
		case err == nil && (r.Err == nil || Classify(r.Err) == Reverted):
			helped = true
		case Classify(r.Err) == BadRequest || err != nil && !Classify(err).fault():
			r.Err = was[i]
		}
	}
	if helped {
		n.noHashParam.Store(true)
	}
	return err
}

func hashArg(r *Request) (AtHash, bool) {
	for _, a := range r.Args {
		if at, ok := a.(AtHash); ok {
			return at, true
		}
	}
	return AtHash{}, false
}

// byNumber answers reads at block hashes with reads at numbers, between two looks at the canonical hash there.
func (n *node) byNumber(ctx context.Context, reqs []*Request) error {
	heights, err := n.canonical(ctx, reqs)
	if err != nil {
		return err
	}
	swapped := make([]*Request, 0, len(reqs))
	origin := make([]*Request, 0, len(reqs))
	for _, r := range reqs {
		at, _ := hashArg(r)
		height, ok := heights[at.Hash]
		if !ok {
			r.Err = n.notCanonical(r.Method, at.Hash)
			continue
		}
		args := make([]any, len(r.Args))
		for i, a := range r.Args {
			if args[i] = a; a == any(at) {
				args[i] = hexutil.Uint64(height)
			}
		}
		swapped = append(swapped, &Request{Method: r.Method, Args: args, Result: r.Result})
		origin = append(origin, r)
	}
	if len(swapped) == 0 {
		return nil
	}
	if err := n.send(ctx, swapped); err != nil {
		return err
	}
	after, err := n.canonical(ctx, origin)
	if err != nil {
		return err
	}
	for i, r := range origin {
		at, _ := hashArg(r)
		r.Err = swapped[i].Err
		if _, still := after[at.Hash]; !still {
			r.Err = n.notCanonical(r.Method, at.Hash)
		}
	}
	return nil
}

func (n *node) notCanonical(method string, hash common.Hash) error {
	return fmt.Errorf("%s: %s: block %s is not canonical there: %w", n.name, method, hash, ErrNotFound)
}

// canonical returns the heights of those asked-for blocks that are canonical on this node right now.
func (n *node) canonical(ctx context.Context, reqs []*Request) (map[common.Hash]uint64, error) {
	wanted := map[common.Hash]uint64{}
	var order []common.Hash
	for _, r := range reqs {
		at, _ := hashArg(r)
		if _, seen := wanted[at.Hash]; seen {
			continue
		}
		height, ok, err := n.heightOf(ctx, at.Hash)
		if err != nil {
			return nil, err
		}
		if ok {
			wanted[at.Hash] = height
			order = append(order, at.Hash)
		}
	}
	out := map[common.Hash]uint64{}
	for _, hash := range order {
		var h Header
		r := &Request{Method: "eth_getBlockByNumber", Args: []any{hexutil.Uint64(wanted[hash]), false}, Result: headerResult{&h}}
		if err := n.send(ctx, []*Request{r}); err != nil {
			return nil, err
		}
		if r.Err != nil && Classify(r.Err) != NotFound {
			return nil, r.Err
		}
		if r.Err == nil && h.Hash == hash {
			out[hash] = wanted[hash]
		}
	}
	return out, nil
}

func (n *node) heightOf(ctx context.Context, hash common.Hash) (uint64, bool, error) {
	if height, ok := n.numbers.get(hash); ok {
		return height, true, nil
	}
	var h Header
	r := &Request{Method: "eth_getBlockByHash", Args: []any{hash, false}, Result: headerResult{&h}}
	if err := n.send(ctx, []*Request{r}); err != nil {
		return 0, false, err
	}
	switch {
	case Classify(r.Err) == NotFound:
		return 0, false, nil
	case r.Err != nil:
		return 0, false, r.Err
	case h.Hash != hash:
		return 0, false, nil
	}
	n.numbers.put(hash, h.Number)
	return h.Number, true, nil
}
