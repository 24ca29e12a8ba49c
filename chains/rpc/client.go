package rpc

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sort"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common/hexutil"

	"github.com/legate-dao/legate/agent/supervise"
)

// lookEvery is how old the comparison of the endpoints' heads may get before Latest makes it again: about one
// block of Ethereum, so that a stuck endpoint is left within a block or two.
const lookEvery = 12 * time.Second

// lookGrace is how long endpoints are waited for at least when enough have answered.
const lookGrace = time.Second

// Client is several endpoints of one chain as one. It is safe for concurrent use.
type Client struct {
	cfg   Config
	nodes []*node

	mu     sync.Mutex
	looked time.Time // last comparison of heads
}

// Dial checks the endpoints and returns a client over them. A wrong chain id anywhere is an error that names the
// host and both ids. Endpoints that do not answer now are tolerated while enough operators do (Config.Agree);
// they are checked before their first use. A finality tag that no endpoint knows is an error. The context bounds
// only the dialling.
func Dial(ctx context.Context, cfg Config) (*Client, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	if cfg.Jitter == nil {
		cfg.Jitter = rand.Float64
	}
	c := &Client{cfg: cfg}
	for _, e := range cfg.Endpoints {
		c.nodes = append(c.nodes, newNode(e, cfg))
	}
	if err := c.checkChains(ctx); err != nil {
		return nil, err
	}
	if err := c.checkFinality(ctx); err != nil {
		return nil, err
	}
	return c, nil
}

// Close lets go of idle connections.
func (c *Client) Close() {
	for _, n := range c.nodes {
		n.http.CloseIdleConnections()
	}
}

// ChainID is the configured chain id, or the one the endpoints agreed on where none was configured.
func (c *Client) ChainID() uint64 { return c.cfg.ChainID }

// Need is the number of sources that must agree (Config.Agree after defaults).
func (c *Client) Need() int { return c.cfg.Agree }

// Finality is the configured finality.
func (c *Client) Finality() Finality { return c.cfg.Finality }

// look asks every endpoint for its chain id and head in one round trip each, in parallel. When so many of them as patient
// have answered, the rest have a short while more, and are slow.
func (c *Client) look(ctx context.Context, patient int) []error {
	type seen struct {
		node int
		err  error
	}
	errs := make([]error, len(c.nodes))
	heard := make(chan seen, len(c.nodes))
	for i, n := range c.nodes {
		errs[i] = ErrSlow
		// one that is not waited for goes on by itself, so that its head is known when it comes
		go func() {
			heard <- seen{i, supervise.Catch(func() error { return c.lookAt(context.WithoutCancel(ctx), n) })}
		}()
	}

	began, answered := time.Now(), 0
	var enough <-chan time.Time
waiting:
	for range c.nodes {
		select {
		case s := <-heard:
			errs[s.node] = s.err
			if s.err == nil {
				answered++
			}
			if answered >= patient && enough == nil {
				enough = time.After(max(2*time.Since(began), lookGrace))
			}
		case <-enough:
			break waiting
		case <-ctx.Done():
			return errs
		}
	}
	for i, err := range errs {
		if errors.Is(err, ErrSlow) {
			c.nodes[i].slowed(time.Now())
		}
	}
	c.compareHeads(errs)
	c.mu.Lock()
	c.looked = time.Now()
	c.mu.Unlock()
	return errs
}

func (c *Client) lookAt(ctx context.Context, n *node) error {
	var id, head hexutil.Uint64
	reqs := []*Request{{Method: "eth_chainId", Result: &id}, {Method: "eth_blockNumber", Result: &head}}
	err := n.ask(ctx, reqs)
	for _, r := range reqs {
		if err == nil {
			err = r.Err
		}
	}
	if err == nil {
		err = n.sawChain(uint64(id), c.cfg.ChainID)
	}
	if err != nil {
		if ctx.Err() == nil {
			n.failed(err, time.Now())
		}
		return err
	}
	n.worked()
	n.mu.Lock()
	n.head = uint64(head)
	n.mu.Unlock()
	return nil
}

// compareHeads marks the endpoints that lag. The measure is the Agree-th highest head by operator among those
// that answered just now, so that fewer liars than the quota cannot make honest endpoints look late by inventing a
// high head, and a dead endpoint's last word does not count.
func (c *Client) compareHeads(errs []error) {
	best := map[string]uint64{}
	for i, n := range c.nodes {
		if errs[i] != nil {
			continue
		}
		n.mu.Lock()
		best[n.operator] = max(best[n.operator], n.head)
		n.mu.Unlock()
	}
	heads := make([]uint64, 0, len(best))
	for _, h := range best {
		heads = append(heads, h)
	}
	if len(heads) == 0 {
		return
	}
	sort.Slice(heads, func(i, j int) bool { return heads[i] > heads[j] })
	measure := heads[min(c.cfg.Agree, len(heads))-1]
	for _, n := range c.nodes {
		n.mu.Lock()
		was := n.lagging
		n.lagging = n.head+c.cfg.MaxLag < measure
		is, head := n.lagging, n.head
		n.mu.Unlock()
		if is != was {
			c.cfg.Log.Info("rpc_lag", "host", n.name, "lagging", is, "head", head, "measure", measure)
		}
	}
}

func (c *Client) checkChains(ctx context.Context) error {
	errs := c.look(ctx, len(c.nodes))
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("check rpc endpoints: %w", err)
	}
	answered := map[string]bool{}
	for i, n := range c.nodes {
		switch {
		case errs[i] == nil:
			answered[n.operator] = true
		case errors.Is(errs[i], ErrWrongChain):
			return errs[i]
		default:
			c.cfg.Log.Warn("rpc_down_at_start", "host", n.name, "error", errs[i])
		}
	}
	if len(answered) == 0 {
		return fmt.Errorf("%w: none of %d rpc endpoints answered: %w", ErrNoEndpoint, len(c.nodes), errors.Join(errs...))
	}
	if len(answered) < c.cfg.Agree {
		return fmt.Errorf("%w: %d operators must agree, but only %d answered: %w", ErrNoEndpoint, c.cfg.Agree, len(answered), errors.Join(errs...))
	}
	return c.adoptChain()
}

// adoptChain fixes the chain id where none was configured, and refuses endpoints of different chains.
func (c *Client) adoptChain() error {
	first := ""
	for _, n := range c.nodes {
		n.mu.Lock()
		id := n.chain
		n.mu.Unlock()
		switch {
		case id == 0:
		case c.cfg.ChainID == 0:
			c.cfg.ChainID, first = id, n.name
		case id != c.cfg.ChainID:
			return fmt.Errorf("%s: %w: it serves chain id %d, but %s serves %d", n.name, ErrWrongChain, id, first, c.cfg.ChainID)
		}
	}
	return nil
}

// checkFinality looks for the configured tag. Only a clear "no such block" from every endpoint that answers is
// proof that the chain lacks it.
func (c *Client) checkFinality(ctx context.Context) error {
	if !c.cfg.Finality.IsTag() {
		return nil
	}
	var errs []error
	for _, s := range c.pick(func(_ *node, s standing) bool { return s < unchecked }) {
		if _, err := HeaderByTag(ctx, s, c.cfg.Finality.String()); err != nil {
			errs = append(errs, err)
			continue
		}
		return nil
	}
	return fmt.Errorf("no rpc endpoint has a %q block; set finality to what this chain offers (safe, latest or a number of blocks): %w", c.cfg.Finality, errors.Join(errs...))
}
