package chains

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/ethereum/go-ethereum/common"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/rpc"
)

// BackFill reads final blocks up to a cursor that were not read for one of the governors, since it was added after
// they were, or its from_block lowered. Like Poll it reads some ranges and returns what they told; Batch.Filled
// says for which governors which blocks were read, and is to be stored with them. Batch.Behind says that more is
// there. heads are those of the last poll. Sources must agree, and what is read links to what lies beside it.
//
// A governor whose beginning cannot be found stops the others only when nothing is left to read for them.
func (w *Watcher) BackFill(ctx context.Context, at gov.Cursor, read []gov.Followed, heads map[gov.Address]gov.Head) (dossier.Batch, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f := &filling{poll: poll{w: w, at: at, told: map[logID]uint64{}}}
	f.out.From, f.out.To = at, at
	failed := f.begin(ctx, read)
	for range w.cfg.Requests {
		g, ok := f.next()
		if !ok {
			break
		}
		if err := f.fill(ctx, g); err != nil {
			failed = errors.Join(failed, err)
			break
		}
	}
	if f.timed(heads); failed != nil {
		if len(f.out.Filled) == 0 || ctx.Err() != nil {
			return dossier.Batch{}, fmt.Errorf("back-fill %s: %w", w.chain, failed)
		}
		w.cfg.Log.Warn("back-fill ended early", "chain", w.chain.String(), "error", failed)
		f.out.Behind = true
		return f.out, nil
	}
	_, f.out.Behind = f.next()
	return f.out, nil
}

// filling is one BackFill under way.
type filling struct {
	poll
	read []gov.Followed // of governors whose beginning is known
}

// begin finds where each governor's blocks begin, as recorded, configured or searched for.
func (f *filling) begin(ctx context.Context, read []gov.Followed) (failed error) {
	for _, g := range f.w.cfg.Governors {
		known := gov.Followed{Governor: g.Address}
		if i := slices.IndexFunc(read, func(r gov.Followed) bool { return r.Governor == g.Address }); i >= 0 {
			known = read[i]
		}
		if g.FromBlock == 0 && known.Found {
			f.read = append(f.read, known)
			continue
		}
		head, err := f.w.cfg.Client.Headers(ctx, f.at.Block.Number)
		var from uint64
		if err == nil {
			from, err = f.w.firstOf(ctx, g, head.Value()[0])
		}
		if err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		if found := g.FromBlock == 0; known.From != from || known.Found != found {
			known.From, known.Found = from, found
			f.out.Filled = append(f.out.Filled, gov.Followed{Governor: g.Address, From: from, Found: found})
		}
		f.read = append(f.read, known)
	}
	return failed
}

// gap is a range of blocks that was not read for some governors.
type gap struct {
	from, to  uint64
	governors []int // indices of filling.read
}

// next is the lowest gap, with all governors that have it, up to where another one begins or ends.
func (f *filling) next() (g gap, ok bool) {
	for i, r := range f.read {
		from, to, has := r.Hole(f.at.Final.Number)
		switch {
		case !has:
		case !ok || from < g.from:
			if ok {
				to = min(to, g.from-1)
			}
			g, ok = gap{from, to, []int{i}}, true
		case from == g.from:
			g.to, g.governors = min(g.to, to), append(g.governors, i)
		default:
			g.to = min(g.to, from-1)
		}
	}
	return g, ok
}

// fill reads the beginning of a gap, as far as one request for logs goes.
func (f *filling) fill(ctx context.Context, g gap) error {
	w := f.w
	for {
		to := min(g.from+w.span-1, g.to)
		s, err := f.link(ctx, g, to)
		if err != nil {
			return err
		}
		filter := w.filter
		filter.From, filter.To, filter.Addresses = g.from, to, nil
		for _, i := range g.governors {
			filter.Addresses = append(filter.Addresses, common.Address(f.read[i].Governor))
		}
		agreed, err := w.cfg.Client.Logs(ctx, filter, s.To.Hash)
		if errors.Is(err, rpc.ErrRange) && to > g.from {
			w.span = (to - g.from + 1) / 2
			continue
		}
		if err != nil {
			return fmt.Errorf("final blocks %d to %d: %w", g.from, to, err)
		}
		logs := agreed.Value()
		blocks, err := f.blocksOf(ctx, logs)
		if err != nil {
			return err
		}
		for _, l := range logs {
			f.tell(l, blocks[l.BlockNumber])
		}
		for _, i := range g.governors {
			f.read[i] = f.read[i].Join(s)
			f.out.Filled = append(f.out.Filled, gov.Followed{Governor: f.read[i].Governor, Read: []gov.Stretch{s}})
		}
		w.span = min(w.span+w.span/8+1, w.cfg.MaxSpan)
		return nil
	}
}

// link asks for the ends of a range, and compares them with the stretches that each governor has on both sides
// and with the cursor.
func (f *filling) link(ctx context.Context, g gap, to uint64) (gov.Stretch, error) {
	agreed, err := f.w.cfg.Client.Headers(ctx, g.from, to)
	if err != nil {
		return gov.Stretch{}, err
	}
	headers := agreed.Value()
	s := gov.Stretch{From: g.from, Before: headers[0].ParentHash, To: blockOf(headers[1])}
	torn := func(at uint64) error {
		return fmt.Errorf("final blocks %d to %d do not link to what was read at block %d: %w", g.from, to, at, rpc.ErrDisagreement)
	}
	if to == f.at.Final.Number && s.To.Hash != f.at.Final.Hash {
		return s, torn(to)
	}
	for _, i := range g.governors {
		for _, r := range f.read[i].Read {
			if r.To.Number+1 == g.from && r.To.Hash != s.Before {
				return s, torn(r.To.Number)
			}
			if r.From == to+1 && r.Before != (gov.Hash{}) && r.Before != s.To.Hash {
				return s, torn(r.From)
			}
		}
	}
	return s, nil
}

// timed adds the heads of the governors that something was told of, and when their votes end by them.
func (f *filling) timed(heads map[gov.Address]gov.Head) {
	f.out.Heads = heads
	for i := range f.out.Seen {
		s := &f.out.Seen[i].Proposal
		s.EndsAt = heads[s.ID.Governor].At(s.Clock, s.Ends)
	}
}
