package rpc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/legate-dao/legate/agent/supervise"
)

// node is one endpoint at work: its connection, its limits, and what we learnt about it.
type node struct {
	at       Endpoint
	name     string // redacted host, the only name that leaves the package
	operator string
	loopback bool
	secrets  []string

	http        *http.Client
	limit       *rate.Limiter // nil: none
	timeout     time.Duration
	maxResponse int64
	maxBatch    int
	nextID      atomic.Uint64
	noBatch     atomic.Bool // learnt: wants its questions one by one
	noHashParam atomic.Bool // learnt: does not know EIP-1898
	numbers     numberCache
	span        span // of its log requests
	log         *slog.Logger

	mu       sync.Mutex
	chain    uint64 // 0: not yet seen
	wrong    bool   // serves another chain
	head     uint64 // highest block it reported at the last look
	lagging  bool
	failures int       // in a row
	coolTill time.Time // asked last until then
	slows    int       // how often it was far slower than the others, less how often it was not
	slowTill time.Time // left out until then
}

func newNode(at Endpoint, c Config) *node {
	n := &node{
		at:          at,
		name:        hostOf(at.HTTP),
		operator:    operatorOf(at.HTTP),
		secrets:     secretsOf(at.HTTP, at.WS),
		timeout:     c.Timeout,
		maxResponse: c.MaxResponse,
		maxBatch:    c.MaxBatch,
		log:         c.Log,
		http: &http.Client{
			Transport: c.Transport,
			// A redirect would carry our question, and the key in its address, somewhere else.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	n.noBatch.Store(c.MaxBatch == 1)
	n.loopback = len(n.operator) > 9 && n.operator[:9] == "loopback:"
	if c.Rate > 0 {
		n.limit = rate.NewLimiter(rate.Limit(c.Rate), max(1, int(math.Ceil(c.Rate))))
	}
	return n
}

// ask answers the questions from this endpoint alone: split to its batch size, logs to the ranges that it gives, reads
// at a block hash replaced where it does not know them. The error is about the conversation; then the unanswered requests carry it too.
func (n *node) ask(ctx context.Context, reqs []*Request) error {
	if size := n.part(reqs); size == len(reqs) {
		return n.askPart(ctx, reqs)
	}
	for len(reqs) > 0 {
		var (
			abreast supervise.Group
			errs    [partsAbreast]error
		)
		most := partsAbreast
		if n.noBatch.Load() {
			most = 1 // its questions go abreast already
		}
		for i := 0; i < most && len(reqs) > 0; i++ {
			size := n.part(reqs)
			part := reqs[:size]
			abreast.Go(func() { errs[i] = n.askPart(ctx, part) })
			reqs = reqs[size:]
		}
		abreast.Wait()
		for _, err := range errs {
			if err == nil {
				continue
			}
			for _, r := range reqs {
				r.Err = err
			}
			return err
		}
	}
	return nil
}

// partsAbreast is how many batches of one question go to an endpoint at a time.
const partsAbreast = 4

func (n *node) askPart(ctx context.Context, reqs []*Request) error {
	err := n.ranged(ctx, reqs)
	if err != nil {
		for _, r := range reqs {
			r.Err = err
		}
	}
	return err
}

// callWeight is what one eth_call counts in a batch: how long it takes is the contract's choice, and one answer that
// comes too late is one for all of its batch.
const callWeight = 4

func isCall(r *Request) bool { return r.Method == "eth_call" }

// part is how many of the questions go in the next batch. Where batches are refused all may go: each is sent alone.
func (n *node) part(reqs []*Request) int {
	size, weight, most := 0, 0, n.maxBatch
	if n.noBatch.Load() {
		most = max(most, DefaultMaxBatch)
	}
	for _, r := range reqs {
		w := 1
		if isCall(r) {
			w = callWeight
		}
		if weight += w; size > 0 && weight > most {
			break
		}
		size++
	}
	return size
}

// send is one batch with the repairs that need no other endpoint: one by one where batches are refused or nobody
// answered in time, in halves where the answer is too large.
func (n *node) send(ctx context.Context, reqs []*Request) error {
	if n.noBatch.Load() && len(reqs) > 1 {
		return n.sendEach(ctx, reqs)
	}
	err := n.post(ctx, reqs)
	switch {
	case err == nil || len(reqs) == 1:
		return err
	case errors.Is(err, errNoBatch):
		return n.learnNoBatch(ctx, reqs, err)
	case Classify(err) == Timeout && ctx.Err() == nil && slices.ContainsFunc(reqs, isCall):
		return n.sendEach(ctx, reqs) // one of the calls may be what takes so long
	case Classify(err) == Range:
		half := len(reqs) / 2
		if err := n.send(ctx, reqs[:half]); err != nil {
			return err
		}
		return n.send(ctx, reqs[half:])
	}
	return err
}

// learnNoBatch asks one by one what was refused together, and remembers it. Where one question alone is refused in
// the same words, it was the reason, and batches are taken.
func (n *node) learnNoBatch(ctx context.Context, reqs []*Request, refused error) error {
	err := n.sendEach(ctx, reqs)
	var whole, one *NodeError
	if !errors.As(refused, &whole) {
		return err
	}
	for _, r := range reqs {
		if errors.As(r.Err, &one) && one.Code == whole.Code && one.Message == whole.Message {
			return err
		}
	}
	n.noBatch.Store(true)
	return err
}

// aside is how many questions one endpoint is asked at a time where it takes no batches.
const aside = 8

// sendEach sends questions alone, a few at a time. Where none of a few comes through, the endpoint is what fails, and
// the rest is not asked; else what failed on the way is that question's own error.
func (n *node) sendEach(ctx context.Context, reqs []*Request) error {
	for few := range slices.Chunk(reqs, aside) {
		errs := make([]error, len(few))
		var wg supervise.Group
		for i, r := range few {
			wg.Go(func() { errs[i] = n.post(ctx, []*Request{r}) })
		}
		wg.Wait()
		through := false
		for i, err := range errs {
			if err != nil {
				few[i].Err = err
			}
			through = through || err == nil
		}
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("%s: %w", n.name, err)
		}
		if !through {
			return errs[0]
		}
	}
	return nil
}

// failed notes an error that speaks against the endpoint: it is asked last for a while, longer each time.
func (n *node) failed(err error, now time.Time) {
	if !Classify(err).fault() {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.failures++
	cool := time.Second << min(n.failures-1, 6)
	if after, ok := RetryAfter(err); ok {
		cool = after
	}
	n.coolTill = now.Add(cool)
}

func (n *node) worked() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.failures, n.coolTill = 0, time.Time{}
}

// sawChain compares a chain id with the wanted one; 0 accepts the first seen.
func (n *node) sawChain(got, want uint64) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.chain = got
	n.wrong = want != 0 && got != want
	if n.wrong {
		return fmt.Errorf("%s: %w: it serves chain id %d, configured is %d", n.name, ErrWrongChain, got, want)
	}
	return nil
}

// standing orders endpoints: smaller is asked earlier.
type standing int

const (
	good standing = iota
	cooling
	behind
	unchecked
	barred
)

func (n *node) standing(now time.Time) standing {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case n.wrong:
		return barred
	case n.chain == 0:
		return unchecked
	case n.lagging:
		return behind
	case now.Before(n.coolTill), now.Before(n.slowTill):
		return cooling
	}
	return good
}
