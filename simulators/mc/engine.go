package mc

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"

	"github.com/legate-dao/legate/agent/supervise"
)

// Version names the engine in results: the same version, model, seed and paths give the same numbers.
const Version = "mc-1"

// DefaultBlock is how many paths one stream serves. A block takes from 50 µs to some milliseconds, so a cancelled run
// ends soon and a worker seldom waits.
const DefaultBlock = 1024

// MaxPaths bounds a run.
const MaxPaths = 1_000_000_000

// Engine says how a model is run. The zero values of Block and Workers take the defaults: 1024, and one worker for
// each processor. Neither Workers nor the machine shows in a result; Seed, Paths and Block do.
type Engine struct {
	Seed    uint64
	Paths   int64
	Block   int
	Workers int
}

// Kernel simulates paths. Each worker has its own, made by Fork, which may keep scratch memory; what is prepared once
// and only read may be shared.
type Kernel interface {
	// Shape is how many numbers a path gives, and how many events are counted over it.
	Shape() (values, events int)
	// Fork is another kernel of the same model for another worker.
	Fork() Kernel
	// Block simulates out.Paths paths: it writes their numbers to out.Values[v][p] and adds to out.Hits[e].
	Block(s *Stream, out *Out)
}

// Out is what a kernel fills for one block.
type Out struct {
	First  int64 // the number of the block's first path
	Paths  int   // of this block
	Total  int64 // paths of the run, for models that spread paths over strata
	Values [][]float64
	Hits   []int64
}

// Sample is one number over all paths. Moments are of the finite ones' sum only if all were finite.
type Sample struct {
	Moments
	Histogram *Histogram
}

// Quantile is that of the histogram.
func (s Sample) Quantile(q float64) float64 { return s.Histogram.Quantile(q) }

// Result is a run.
type Result struct {
	Paths  int64
	Seed   uint64
	Values []Sample
	Events []Proportion
}

// Run simulates a model. name keys the random numbers together with the seed. The error is the context's, or says
// which argument makes no sense; a cancelled run ends within one block of each worker.
func (e Engine) Run(ctx context.Context, name string, k Kernel) (*Result, error) {
	if e.Block == 0 {
		e.Block = DefaultBlock
	}
	if e.Workers == 0 {
		e.Workers = runtime.GOMAXPROCS(0)
	}
	if e.Paths < 1 || e.Paths > MaxPaths || e.Block < 1 || e.Workers < 1 {
		return nil, fmt.Errorf("run %s: %d paths in blocks of %d by %d workers is not possible (1 to %d paths)", name, e.Paths, e.Block, e.Workers, int64(MaxPaths))
	}
	values, events := k.Shape()
	blocks := (e.Paths + int64(e.Block) - 1) / int64(e.Block)
	r := &run{Engine: e, key: HashName(name), blocks: blocks, moments: make([]Moments, blocks*int64(values))}
	workers := make([]*worker, min(int64(e.Workers), blocks))
	var wait supervise.Group
	for i := range workers {
		workers[i] = newWorker(k.Fork(), values, events, e.Block)
		wait.Go(func() { workers[i].work(ctx, r) })
	}
	wait.Wait()
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("run %s: %w", name, err)
	}
	return r.result(workers, values, events), nil
}

// run is what the workers share.
type run struct {
	Engine
	key     uint64
	blocks  int64
	next    atomic.Int64
	moments []Moments // values of a block together, blocks in order
}

type worker struct {
	kernel     Kernel
	stream     Stream
	out        Out
	whole      [][]float64 // out.Values at the full width of a block
	histograms []Histogram
}

func newWorker(k Kernel, values, events, block int) *worker {
	w := &worker{kernel: k, histograms: make([]Histogram, values)}
	w.out.Hits = make([]int64, events)
	w.out.Values = make([][]float64, values)
	w.whole = make([][]float64, values)
	for i := range w.whole {
		w.whole[i] = make([]float64, block)
	}
	return w
}

func (w *worker) work(ctx context.Context, r *run) {
	for ctx.Err() == nil {
		b := r.next.Add(1) - 1
		if b >= r.blocks {
			return
		}
		w.block(r, b)
	}
}

func (w *worker) block(r *run, b int64) {
	o := &w.out
	o.First, o.Total = b*int64(r.Engine.Block), r.Paths
	o.Paths = int(min(int64(r.Engine.Block), r.Paths-o.First))
	for v := range w.whole {
		o.Values[v] = w.whole[v][:o.Paths]
	}
	w.stream = NewStream(r.Seed, r.key, uint64(b))
	w.kernel.Block(&w.stream, o)
	moments := r.moments[b*int64(len(o.Values)):][:len(o.Values)]
	for v, list := range o.Values {
		var m Moments
		h := &w.histograms[v]
		for _, x := range list {
			m.Add(x)
			h.Add(x)
		}
		moments[v] = m
	}
}

// result adds up: integers in any order, floats in the order of the blocks.
func (r *run) result(workers []*worker, values, events int) *Result {
	out := &Result{Paths: r.Paths, Seed: r.Seed, Values: make([]Sample, values), Events: make([]Proportion, events)}
	for v := range out.Values {
		s := &out.Values[v]
		s.Histogram = new(Histogram)
		for _, w := range workers {
			s.Histogram.Merge(&w.histograms[v])
		}
		for b := range r.blocks {
			s.Moments.Merge(r.moments[b*int64(values)+int64(v)])
		}
	}
	for e := range out.Events {
		out.Events[e].Of = r.Paths
		for _, w := range workers {
			out.Events[e].Hits += w.out.Hits[e]
		}
	}
	return out
}
