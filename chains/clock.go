package chains

import (
	"context"
	"errors"
	"fmt"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/governor"
	"github.com/legate-dao/legate/chains/rpc"
)

const (
	window  = 100 // blocks over which one mean block time is taken
	windows = 10  // of which the smallest counts
)

// blockTimes remembers the blocks at the borders of the windows.
type blockTimes struct {
	at    uint64 // newest border
	heads []rpc.Header
	mean  map[gov.Address]float64
}

// heads computes where each governor's clock stands at the newest block.
func (p *poll) heads(ctx context.Context) error {
	if read(p.at) && p.head.Number < p.at.Block.Number {
		return nil // lagging endpoints know nothing newer
	}
	if err := p.w.measure(ctx, p.head, p.out.Rewound != nil); err != nil {
		return fmt.Errorf("measure block times: %w", err)
	}
	final := blockOf(p.final)
	if p.at.Final.Number >= final.Number && p.at.Final.Hash != (gov.Hash{}) {
		final = p.at.Final
	}
	p.out.Heads = map[gov.Address]gov.Head{}
	for address, g := range p.w.governors {
		head := gov.Head{Latest: blockOf(p.head), Final: final, Clock: g.HeaderNow(p.head), BlockTime: p.w.times.mean[address]}
		if p.w.asksClock(g) {
			now, err := p.w.cfg.Client.Now(ctx, g, p.head.Hash)
			if err != nil {
				return err
			}
			head.Clock = now.Value()
		}
		p.out.Heads[address] = head
	}
	for i := range p.out.Seen {
		s := &p.out.Seen[i].Proposal
		s.EndsAt = p.out.Heads[s.ID.Governor].At(s.Clock, s.Ends)
	}
	return nil
}

// HeadAt is where a governor stands at a block, without following the chain.
func HeadAt(ctx context.Context, c *Client, g governor.Governor, at rpc.Header) (gov.Head, error) {
	w, err := New(Config{Client: c, Governors: []Watched{{Governor: g}}})
	if err != nil {
		return gov.Head{}, err
	}
	if err := w.measure(ctx, at, false); err != nil {
		return gov.Head{}, fmt.Errorf("measure block times: %w", err)
	}
	head := gov.Head{Latest: blockOf(at), Clock: g.HeaderNow(at), BlockTime: w.times.mean[g.Address]}
	if w.asksClock(g) {
		now, err := c.Now(ctx, g, at.Hash)
		if err != nil {
			return gov.Head{}, err
		}
		head.Clock = now.Value()
	}
	return head, nil
}

// asksClock says whether a governor's time has to be asked for: it is not the header's.
func (w *Watcher) asksClock(g governor.Governor) bool { return !g.HeaderClock || w.calls[g.Address] }

// measure computes the smallest mean block time once in each window, and looks whether the clocks still go
// with the headers.
func (w *Watcher) measure(ctx context.Context, head rpc.Header, again bool) error {
	border := head.Number - head.Number%window
	if w.times.mean != nil && w.times.at == border && !again && border > 0 {
		return nil
	}
	heights := []uint64{0, head.Number}
	if border > 0 {
		heights = nil
		for n := min(border/window, windows); ; n-- {
			heights = append(heights, border-n*window)
			if n == 0 {
				break
			}
		}
	}
	headers, err := w.borders(ctx, heights, head, again)
	if err != nil {
		return err
	}
	mean := map[gov.Address]float64{}
	for address, g := range w.governors {
		if g.HeaderClock && !w.calls[address] {
			now, err := w.cfg.Client.Now(ctx, g, head.Hash)
			if err != nil {
				return err
			}
			if now.Value() != g.HeaderNow(head) {
				w.cfg.Log.Warn("the governor's clock is not the header's any more", "governor", address.String())
				w.calls[address] = true
			}
		}
		if g.Clock == gov.ClockTimestamp {
			continue
		}
		if mean[address], err = w.smallestMean(ctx, g, headers); err != nil {
			return err
		}
	}
	w.times = blockTimes{border, headers, mean}
	return nil
}

// borders asks for the headers that are not remembered.
func (w *Watcher) borders(ctx context.Context, heights []uint64, head rpc.Header, again bool) ([]rpc.Header, error) {
	have := map[uint64]rpc.Header{head.Number: head}
	if !again {
		for _, h := range w.times.heads {
			have[h.Number] = h
		}
	}
	var ask []uint64
	for _, n := range heights {
		if _, ok := have[n]; !ok {
			ask = append(ask, n)
		}
	}
	if len(ask) > 0 {
		headers, err := w.cfg.Client.Headers(ctx, ask...)
		if err != nil {
			return nil, err
		}
		for _, h := range headers.Value() {
			have[h.Number] = h
		}
	}
	out := make([]rpc.Header, len(heights))
	for i, n := range heights {
		out[i] = have[n]
	}
	return out, nil
}

// smallestMean is the smallest mean time of a tick of the governor's clock between two borders, in seconds. A
// clock that is not the block number is read at each border where it can be read: the governor may be
// younger than the border, and the node may have no state that old. Where fewer than two are left, blocks
// stand for ticks: they are never rarer, so the estimate is early rather than late.
func (w *Watcher) smallestMean(ctx context.Context, g governor.Governor, borders []rpc.Header) (float64, error) {
	var at []rpc.Header
	var ticks []gov.Clocks
	for _, h := range borders {
		now := g.HeaderNow(h)
		if w.asksClock(g) {
			agreed, err := w.cfg.Client.Now(ctx, g, h.Hash)
			if errors.Is(err, governor.ErrEmpty) || errors.Is(err, rpc.ErrNoState) {
				continue
			}
			if err != nil {
				return 0, err
			}
			now = agreed.Value()
		}
		at, ticks = append(at, h), append(ticks, now)
	}
	if len(ticks) < 2 {
		at, ticks = borders, nil
		for _, h := range borders {
			ticks = append(ticks, gov.Clocks(h.Number))
		}
	}
	smallest := 0.0
	for i := 1; i < len(at); i++ {
		if ticks[i] <= ticks[i-1] {
			continue
		}
		mean := (float64(at[i].Time) - float64(at[i-1].Time)) / float64(ticks[i]-ticks[i-1])
		if smallest == 0 || mean < smallest {
			smallest = mean
		}
	}
	return smallest, nil
}
