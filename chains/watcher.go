package chains

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/governor"
	"github.com/legate-dao/legate/chains/quorum"
	"github.com/legate-dao/legate/chains/rpc"
)

// Watched is a governor and where to begin.
type Watched struct {
	governor.Governor
	// FromBlock is the first block to read; 0 is found by search: the block in which the code appeared.
	FromBlock uint64
}

// Config says what to follow and how. Zero values take the defaults in brackets.
type Config struct {
	Client    *Client
	Governors []Watched // of one chain, at least one
	// FirstSpan and MaxSpan are how many blocks one log request asks for at first and at most [2000, 50000].
	FirstSpan, MaxSpan uint64
	// Requests bounds the log ranges of one poll, so that a long back-fill is stored piece by piece [8].
	Requests int
	// Ahead bounds the blocks above the final one that one poll reads [128].
	Ahead uint64
	// FinalEvery is after how many new blocks an idle watcher asks for the final block again [16]. While a
	// proposal waits for finality it asks at each block.
	FinalEvery uint64
	Now        func() time.Time // this machine's clock [time.Now]
	Log        *slog.Logger     // [silent]
}

func (c Config) withDefaults() (Config, error) {
	if c.Client == nil || len(c.Governors) == 0 {
		return c, errors.New("watch a chain: a client and at least one governor are needed")
	}
	for _, g := range c.Governors {
		if g.Chain != c.Governors[0].Chain || g.Chain == 0 {
			return c, fmt.Errorf("watch %s: governor %s is on %s", c.Governors[0].Chain, g.Address, g.Chain)
		}
	}
	for _, d := range []struct {
		v *uint64
		n uint64
	}{{&c.FirstSpan, 2000}, {&c.MaxSpan, 50_000}, {&c.Ahead, 128}, {&c.FinalEvery, 16}} {
		if *d.v == 0 {
			*d.v = d.n
		}
	}
	if c.Requests <= 0 {
		c.Requests = 8
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c, nil
}

// ErrFuture says that the only source tells of a block that this machine's clock has not reached.
var ErrFuture = errors.New("a block of the future")

// Watcher follows one chain. What it remembers between polls only saves requests: a new one at the same
// cursor finds the same.
type Watcher struct {
	cfg       Config
	chain     gov.ChainID
	governors map[gov.Address]governor.Governor
	filter    rpc.Filter // addresses and topics

	mu     sync.Mutex       // held by Poll
	span   uint64           // blocks of the next log request
	last   gov.Cursor       // of the last batch
	told   map[logID]uint64 // logs above the final block, with the number of theirs
	final  rpc.Header
	asked  uint64                 // head at which final was asked
	doubt  int                    // confirmations in a row that lacked a log which had been seen
	starts map[gov.Address]uint64 // first blocks of governors, as found by search
	times  blockTimes
	calls  map[gov.Address]bool // governors whose clock is not the header's any more

	headsMu sync.Mutex
	heads   map[gov.Address]quorum.Agreed[gov.Head]
}

// logID names a log of a block that is not final yet, by its bytes: at the same place another answer may have others.
type logID = gov.Hash

// digestOf is all that a log says, and where it stands.
func digestOf(l rpc.Log) logID { return rpc.LogsDigest([]rpc.Log{l}) }

// New builds a watcher; it asks nothing yet.
func New(c Config) (*Watcher, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	w := &Watcher{
		cfg: c, chain: c.Governors[0].Chain, span: c.FirstSpan, governors: map[gov.Address]governor.Governor{},
		told: map[logID]uint64{}, calls: map[gov.Address]bool{}, starts: map[gov.Address]uint64{},
	}
	topics := map[gov.Hash]bool{}
	w.filter.Topics = [][]common.Hash{nil}
	for _, g := range c.Governors {
		if _, twice := w.governors[g.Address]; twice {
			return nil, fmt.Errorf("watch %s: governor %s is listed twice", w.chain, g.Address)
		}
		w.governors[g.Address] = g.Governor
		w.filter.Addresses = append(w.filter.Addresses, common.Address(g.Address))
		for _, t := range g.Topics() {
			if !topics[t] {
				topics[t] = true
				w.filter.Topics[0] = append(w.filter.Topics[0], t)
			}
		}
	}
	return w, nil
}

// Config is what the watcher works with, defaults filled in.
func (w *Watcher) Config() Config { return w.cfg }

// Chain is the chain that is followed.
func (w *Watcher) Chain() gov.ChainID { return w.chain }

// Wake yields when a new head may be there; nil without such a signal. Polling must go on beside it.
func (w *Watcher) Wake(ctx context.Context) <-chan struct{} {
	heads := w.cfg.Client.SubscribeHeads(ctx)
	if heads == nil {
		return nil
	}
	wake := make(chan struct{}, 1)
	go func() {
		defer close(wake)
		for range heads {
			select {
			case wake <- struct{}{}:
			default: // a wake-up is waiting already
			}
		}
	}()
	return wake
}

// Poll reads what is new since a cursor. The zero cursor (of this chain) begins at the first block of the
// governors; recent are the blocks that the last stored batch left. Long ranges come piece by piece:
// Batch.Behind says that more is there. An error means that nothing was read; what had been read before
// it is returned first, and the error comes again at the next poll.
//
// A head below the cursor on the same chain means endpoints that lag: nothing changes. Heads are those of the
// newest block, also while a back-fill is behind it.
func (w *Watcher) Poll(ctx context.Context, from gov.Cursor, recent []gov.Block) (dossier.Batch, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p, err := w.poll(ctx, from, recent)
	if err != nil {
		return dossier.Batch{}, fmt.Errorf("follow %s: %w", w.chain, err)
	}
	b := p.batch()
	w.last, w.told = b.To, p.told
	w.keep(p.by, b.Heads)
	return b, nil
}

func (w *Watcher) poll(ctx context.Context, from gov.Cursor, recent []gov.Block) (*poll, error) {
	if from.Chain == 0 {
		from.Chain = w.chain
	}
	if from.Chain != w.chain {
		return nil, fmt.Errorf("the cursor is of %s", from.Chain)
	}
	fresh := from.Block != w.last.Block || from.From != w.last.From
	if fresh {
		clear(w.told) // the last batch was not stored, or this is a new run
	}
	head, err := w.cfg.Client.Head(ctx)
	if err != nil {
		return nil, fmt.Errorf("ask for the newest block: %w", err)
	}
	p := &poll{w: w, by: head, head: head.Value(), at: from, recent: cloneBlocks(recent), told: maps.Clone(w.told), fresh: fresh}
	if err := w.plausible(p.head); err != nil {
		return nil, err
	}
	p.out.From = from
	if err := p.begin(ctx); err != nil {
		return nil, err
	}
	if err := p.run(ctx); err != nil {
		if ctx.Err() != nil || !p.moved() {
			return nil, err
		}
		w.cfg.Log.Warn("poll ended early", "chain", w.chain.String(), "error", err)
	}
	return p, nil
}

// ahead is how far a newest block may be ahead of this machine's clock, as for the facts that a signer accepts.
const ahead = 2 * time.Minute

// plausible is an error where the only source claims the future: nobody contradicts it, and what ends or opens by it
// could not be taken back. Operators that agree are better evidence than one clock, and where finality is no tag of
// the node the time may be a test's.
func (w *Watcher) plausible(head rpc.Header) error {
	by := time.Unix(int64(min(head.Time, math.MaxInt64)), 0).Sub(w.cfg.Now())
	if _, weak := w.cfg.Client.Behind(); by <= ahead || weak {
		return nil
	}
	if w.cfg.Client.Verified() {
		w.cfg.Log.Warn("the newest block is ahead of this machine's clock", "chain", w.chain.String(), "block", head.Number, "by", by.Round(time.Second).String())
		return nil
	}
	return fmt.Errorf("%w: block %d is %s ahead of this machine's clock, and no other endpoint is asked; one of the two is wrong", ErrFuture, head.Number, by.Round(time.Second))
}
