package rpc

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Reads is a Caller for reading much of one block: what was read at a block hash is not asked again, and questions
// that are asked side by side ([Reads.Each]) travel together. It is made for one piece of work and then let go; what
// it remembers are the answers of the one endpoint beneath. It is safe for concurrent use.
type Reads struct {
	caller Caller

	mu    sync.Mutex
	known map[string]answer
	size  int // of known, in bytes
}

// maxKnown bounds what a Reads remembers, in bytes of JSON. What does not fit is asked again.
const maxKnown = 64 << 20

// answer is what an endpoint said to a question at a block hash: JSON, or a call that reverted.
type answer struct {
	raw []byte
	err error
}

// NewReads returns a Reads over a caller. Where the caller is one already, it is returned itself.
func NewReads(c Caller) *Reads {
	if r, ok := c.(*Reads); ok {
		return r
	}
	return &Reads{caller: c, known: map[string]answer{}}
}

// Call asks one method. In a task of Each it waits until every task beside it waits as well.
func (r *Reads) Call(ctx context.Context, result any, method string, args ...any) error {
	req := Request{Method: method, Args: args, Result: result}
	_ = r.ask(ctx, []*Request{&req}) // whatever happened is also req.Err
	return req.Err
}

// Batch asks all requests, with those of the tasks beside it.
func (r *Reads) Batch(ctx context.Context, reqs []Request) error {
	return r.ask(ctx, pointers(reqs))
}

// ask answers from what is known, and the rest together with the tasks beside this one.
func (r *Reads) ask(ctx context.Context, reqs []*Request) error {
	var open []*asked
	for _, req := range reqs {
		q := &asked{req: req, key: keyOf(req)}
		if !r.answer(q) {
			open = append(open, q)
		}
	}
	if len(open) == 0 {
		return nil
	}
	if g := groupOf(ctx, r); g != nil {
		return g.wait(open)
	}
	return r.send(ctx, open)
}

// asked is a request on its way, with the key under which its answer is known; "" where answers may change.
type asked struct {
	req *Request
	key string
}

// keyOf names a question whose answer cannot change: one about a block by its hash.
func keyOf(r *Request) string {
	if _, pinned := hashArg(r); !pinned {
		return ""
	}
	args, err := json.Marshal(r.Args)
	if err != nil {
		return ""
	}
	return r.Method + string(args)
}

// answer fills a request from what is known.
func (r *Reads) answer(q *asked) bool {
	if q.key == "" {
		return false
	}
	r.mu.Lock()
	a, ok := r.known[q.key]
	r.mu.Unlock()
	if !ok {
		return false
	}
	if q.req.Err = a.err; a.err == nil {
		q.req.Err = Decode(a.raw, q.req.Result)
	}
	return true
}

// tee decodes an answer where it belongs and keeps its bytes.
type tee struct {
	into any
	raw  []byte
}

// DecodeResult implements RawResult.
func (t *tee) DecodeResult(raw []byte) error {
	if err := Decode(raw, t.into); err != nil {
		return err
	}
	t.raw = bytes.Clone(raw)
	return nil
}

// send asks in one batch, each question once, in an order that does not depend on who asked first.
func (r *Reads) send(ctx context.Context, open []*asked) error {
	slices.SortStableFunc(open, func(a, b *asked) int { return strings.Compare(a.key, b.key) })
	reqs, at := make([]Request, 0, len(open)), make([]int, len(open))
	for i, q := range open {
		if i > 0 && q.key != "" && q.key == open[i-1].key {
			at[i] = at[i-1]
			continue
		}
		at[i] = len(reqs)
		one := Request{Method: q.req.Method, Args: q.req.Args, Result: q.req.Result}
		if q.key != "" {
			one.Result = &tee{into: q.req.Result}
		}
		reqs = append(reqs, one)
	}
	var talk error
	if len(reqs) == 1 {
		reqs[0].Err = r.caller.Call(ctx, reqs[0].Result, reqs[0].Method, reqs[0].Args...)
	} else {
		talk = r.caller.Batch(ctx, reqs)
	}
	for i, q := range open {
		one := &reqs[at[i]]
		q.req.Err = one.Err
		if q.key == "" {
			continue
		}
		raw := one.Result.(*tee).raw
		r.learn(q.key, raw, one.Err)
		if one.Err == nil && i > 0 && at[i] == at[i-1] {
			q.req.Err = Decode(raw, q.req.Result) // the same question of another task
		}
	}
	return talk
}

// learn keeps an answer. An error is one only where the call ran and failed, which it would again.
func (r *Reads) learn(key string, raw []byte, err error) {
	if err != nil && Classify(err) != Reverted {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, known := r.known[key]; known || r.size+len(key)+len(raw) > maxKnown {
		return
	}
	r.known[key] = answer{raw, err}
	r.size += len(key) + len(raw)
}

// maxTasks bounds the tasks of one Each that run at a time.
const maxTasks = 512

// Each runs n tasks side by side and returns when all have ended. Their questions are held back until every task that
// runs waits for one, and then go as one batch; so n tasks that each ask one thing after another cost as many round
// trips as one of them. A task asks on its own goroutine, with the context that it gets, and may call Each itself; what it
// writes must be its own. Tasks must not wait for each other.
func (r *Reads) Each(ctx context.Context, n int, task func(ctx context.Context, i int)) {
	for from := 0; from < n; from += maxTasks {
		r.some(ctx, from, min(from+maxTasks, n), task)
	}
}

func (r *Reads) some(ctx context.Context, from, to int, task func(context.Context, int)) {
	g := groupOf(ctx, r)
	outer := g != nil
	if !outer {
		g = &group{reads: r, ctx: ctx}
		ctx = context.WithValue(ctx, groupKey{}, g)
	}
	left := to - from
	g.enter(left, outer)
	var tasks sync.WaitGroup
	var failed any
	for i := from; i < to; i++ {
		tasks.Go(func() {
			defer func() {
				v := recover()
				g.leave(&left, outer, func() { failed = v }, v != nil)
			}()
			task(ctx, i)
		})
	}
	tasks.Wait()
	if failed != nil {
		panic(failed) // on the goroutine of the caller, who may catch it
	}
}

type groupKey struct{}

func groupOf(ctx context.Context, r *Reads) *group {
	if g, ok := ctx.Value(groupKey{}).(*group); ok && g.reads == r {
		return g
	}
	return nil
}

// group are the tasks that run side by side.
type group struct {
	reads *Reads
	ctx   context.Context // of the outermost Each: what is asked is for all tasks, whose own contexts may end sooner

	mu      sync.Mutex
	running int // tasks that do not wait
	waiting []*waiter
}

// waiter is a task that waits for answers.
type waiter struct {
	open []*asked
	done chan struct{}
	err  error
}

// enter adds tasks. Where a task starts them it waits for them, and its own place goes to the last that ends.
func (g *group) enter(tasks int, nested bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.running += tasks
	if nested {
		g.running--
	}
}

// leave takes a task away that ended. The last one of a nested Each leaves its place to the task that waits for it.
func (g *group) leave(left *int, nested bool, failed func(), panicked bool) {
	g.mu.Lock()
	if panicked {
		failed()
	}
	if *left--; *left > 0 || !nested {
		g.running--
	}
	batch := g.ready()
	g.mu.Unlock()
	g.answer(batch)
}

// wait holds questions back until all tasks wait, and returns when they are answered.
func (g *group) wait(open []*asked) error {
	w := &waiter{open: open, done: make(chan struct{})}
	g.mu.Lock()
	g.waiting = append(g.waiting, w)
	g.running--
	batch := g.ready()
	g.mu.Unlock()
	g.answer(batch)
	<-w.done
	return w.err
}

// ready takes those who wait when nobody runs any more. They count as running again.
func (g *group) ready() []*waiter {
	if g.running > 0 || len(g.waiting) == 0 {
		return nil
	}
	batch := g.waiting
	g.waiting, g.running = nil, len(batch)
	return batch
}

// answer asks what a batch of tasks waits for, and lets them go on.
func (g *group) answer(batch []*waiter) {
	if len(batch) == 0 {
		return
	}
	var all []*asked
	for _, w := range batch {
		all = append(all, w.open...)
	}
	err := g.reads.send(g.ctx, all)
	for _, w := range batch {
		for _, q := range w.open {
			if err != nil && errors.Is(q.req.Err, err) {
				w.err = fmt.Errorf("ask with %d others: %w", len(batch)-1, err)
			}
		}
		close(w.done)
	}
}
