package chains

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/ethereum/go-ethereum/common/hexutil"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/rpc"
)

// confirm reads blocks that are final, range by range, from the newest that was read as final. Sources must
// agree on the logs. Ranges beyond the cursor move it.
func (p *poll) confirm(ctx context.Context) error {
	for n := 0; n < p.w.cfg.Requests && p.at.Final.Number < p.final.Number || !read(p.at); n++ {
		from := p.at.Final.Number + 1
		if p.at.Final.Hash == (gov.Hash{}) {
			from = p.at.From
		}
		if from > p.final.Number {
			return nil
		}
		if err := p.confirmRange(ctx, from); err != nil {
			return err
		}
	}
	return nil
}

func (p *poll) confirmRange(ctx context.Context, from uint64) error {
	w := p.w
	for {
		to := min(from+w.span-1, p.final.Number)
		end, err := p.end(ctx, to)
		if err != nil {
			return err
		}
		f := w.filter
		f.From, f.To = from, to
		agreed, err := w.cfg.Client.Logs(ctx, f, end.Hash)
		if errors.Is(err, rpc.ErrRange) && to > from {
			w.span = (to - from + 1) / 2
			continue
		}
		if err != nil {
			if p.gone(ctx, end) {
				return fmt.Errorf("final blocks %d to %d: %w: %w", from, to, errForked, err)
			}
			return fmt.Errorf("final blocks %d to %d: %w", from, to, err)
		}
		if err := p.accept(ctx, agreed.Value(), from, to); err != nil {
			return err
		}
		if w.span = min(w.span+w.span/8+1, w.cfg.MaxSpan); to > p.at.Block.Number || !read(p.at) {
			p.at.Block = end
			p.recent = append(p.recent, end)
		}
		p.at.Final = end
		return nil
	}
}

// gone says whether the chain has another block at the height of one that was read. Where finality is a number
// of blocks, a block that was read before a reorganisation can be final by its height alone.
func (p *poll) gone(ctx context.Context, b gov.Block) bool {
	h, err := p.w.cfg.Client.Headers(ctx, b.Number)
	return err == nil && h.Value()[0].Hash != b.Hash
}

// end is the last block of a range: one that was read, or a new one behind an unbroken link to the cursor.
func (p *poll) end(ctx context.Context, to uint64) (gov.Block, error) {
	if read(p.at) && to <= p.at.Block.Number {
		if b, ok := p.known(to); ok {
			return b, nil
		}
		h, err := p.w.cfg.Client.Headers(ctx, to)
		if err != nil {
			return gov.Block{}, err
		}
		return blockOf(h.Value()[0]), nil
	}
	next := p.at.Block.Number + 1
	if !read(p.at) {
		next = to
	}
	agreed, err := p.w.cfg.Client.Headers(ctx, next, to)
	if err != nil {
		return gov.Block{}, err
	}
	headers := agreed.Value()
	if read(p.at) && headers[0].ParentHash != p.at.Block.Hash {
		return gov.Block{}, fmt.Errorf("block %d: %w", next, errForked)
	}
	if to == p.final.Number && headers[1].Hash != p.final.Hash {
		return gov.Block{}, fmt.Errorf("block %d is %s, but the final block is %s: %w", to, headers[1].Hash, p.final.Hash, rpc.ErrDisagreement)
	}
	return blockOf(headers[1]), nil
}

// headersAt asks for the headers at some heights in one batch; equal heights are asked once.
func headersAt(ctx context.Context, c rpc.Caller, heights []uint64) ([]rpc.Header, error) {
	unique := slices.Compact(slices.Sorted(slices.Values(heights)))
	found := make([]rpc.Header, len(unique))
	reqs := make([]rpc.Request, len(unique))
	for i, n := range unique {
		reqs[i] = rpc.Request{Method: "eth_getBlockByNumber", Args: []any{hexutil.Uint64(n), false}, Result: header{&found[i]}}
	}
	err := c.Batch(ctx, reqs)
	if err == nil {
		err = rpc.FirstErr(reqs)
	}
	if err != nil {
		return nil, fmt.Errorf("headers: %w", err)
	}
	out := make([]rpc.Header, len(heights))
	for i, n := range heights {
		j, _ := slices.BinarySearch(unique, n)
		if found[j].Number != n {
			return nil, fmt.Errorf("header of block %d: %w: the answer is block %d", n, rpc.ErrMalformed, found[j].Number)
		}
		out[i] = found[j]
	}
	return out, nil
}

// header decodes a block. A null answer is an error, so that an endpoint that is ahead is asked too.
type header struct{ into *rpc.Header }

// DecodeResult implements [rpc.RawResult].
func (h header) DecodeResult(raw []byte) error {
	if string(raw) == "null" {
		return fmt.Errorf("block %w", rpc.ErrNotFound)
	}
	return h.into.UnmarshalJSON(raw)
}

// accept checks the logs of a final range against the headers of their blocks and tells them all, whatever was told of
// these blocks at the head: what is stored is compared with them, byte for byte, also after a restart.
func (p *poll) accept(ctx context.Context, logs []rpc.Log, from, to uint64) error {
	blocks, err := p.blocksOf(ctx, logs)
	if err != nil {
		return err
	}
	if err := p.missing(logs, from, to); err != nil {
		return err
	}
	for _, l := range logs {
		p.tell(l, blocks[l.BlockNumber])
	}
	if p.out.Confirmed == nil {
		p.out.Confirmed = &dossier.Span{From: from}
	}
	p.out.Confirmed.To = to
	p.forgetBelow(to)
	return nil
}

// maxDoubt is how often a confirmation by a single source that lacks a log is asked again.
const maxDoubt = 3

// missing compares with what was told at the head. A log that is gone from its own final block is a lie in one of
// the two answers: with several sources that agree, the first was; with one, it is asked again some times.
func (p *poll) missing(logs []rpc.Log, from, to uint64) error {
	w := p.w
	have := map[logID]bool{}
	for _, l := range logs {
		have[digestOf(l)] = true
	}
	for id, block := range p.told {
		if block < from || block > to || have[id] {
			continue
		}
		if w.doubt++; !w.cfg.Client.Verified() && w.doubt <= maxDoubt {
			return fmt.Errorf("final blocks %d to %d: a log that block %d had is missing from the range: %w", from, to, block, rpc.ErrDisagreement)
		}
		w.cfg.Log.Error("a log told at the head is not in its final block, what it said is taken back", "chain", w.chain.String(), "block", block)
	}
	w.doubt = 0
	return nil
}

// forgetBelow drops what was told of blocks that are confirmed now.
func (p *poll) forgetBelow(to uint64) {
	for id, block := range p.told {
		if block <= to {
			delete(p.told, id)
		}
	}
}

// blocksOf are the blocks of logs, each with the hash that the logs name.
func (p *poll) blocksOf(ctx context.Context, logs []rpc.Log) (map[uint64]gov.Block, error) {
	blocks := map[uint64]gov.Block{}
	var ask []uint64
	for _, l := range logs {
		if _, seen := blocks[l.BlockNumber]; seen {
			continue
		}
		b, known := p.known(l.BlockNumber)
		if !known {
			ask = append(ask, l.BlockNumber)
		}
		blocks[l.BlockNumber] = b
	}
	for chunk := range slices.Chunk(ask, 100) {
		headers, err := p.w.cfg.Client.Headers(ctx, chunk...)
		if err != nil {
			return nil, err
		}
		for _, h := range headers.Value() {
			blocks[h.Number] = blockOf(h)
		}
	}
	for _, l := range logs {
		if b := blocks[l.BlockNumber]; b.Hash != l.BlockHash {
			return nil, fmt.Errorf("log %d of block %d is of block %s, not of %s: %w", l.Index, l.BlockNumber, l.BlockHash, b.Hash, rpc.ErrDisagreement)
		}
	}
	return blocks, nil
}

// follow reads the blocks between the final one and the head, each linked to its parent. What they say is
// told at once and confirmed when they are final.
func (p *poll) follow(ctx context.Context) error {
	from := p.at.Block.Number + 1
	if !read(p.at) {
		from = p.at.From
	}
	if p.head.Number < from {
		return nil
	}
	to := min(p.head.Number, from+p.w.cfg.Ahead-1)
	headers := []rpc.Header{p.head}
	if from != p.head.Number {
		linked, err := p.w.cfg.Client.Linked(ctx, from, to)
		if err != nil {
			return err
		}
		headers = linked.Value()
	}
	if read(p.at) && headers[0].ParentHash != p.at.Block.Hash {
		return fmt.Errorf("block %d: %w", from, errForked)
	}
	logs, err := p.logsOf(ctx, headers)
	if err != nil {
		return err
	}
	p.advanceOver(headers)
	blocks, err := p.blocksOf(ctx, logs)
	if err != nil {
		return err
	}
	for _, l := range logs {
		b := blocks[l.BlockNumber]
		p.tell(l, b)
		p.told[digestOf(l)] = b.Number
	}
	return nil
}

func (p *poll) advanceOver(headers []rpc.Header) {
	for _, h := range headers {
		p.recent = append(p.recent, blockOf(h))
	}
	p.at.Block = p.recent[len(p.recent)-1]
}

// logsOf are the logs of linked blocks: by hash where they are few, else as a range whose end is compared.
func (p *poll) logsOf(ctx context.Context, headers []rpc.Header) ([]rpc.Log, error) {
	f := p.w.filter
	if len(headers) > byHash {
		last := headers[len(headers)-1]
		f.From, f.To = headers[0].Number, last.Number
		logs, err := p.w.cfg.Client.Logs(ctx, f, last.Hash)
		if errors.Is(err, rpc.ErrRange) {
			half := len(headers) / 2
			first, err := p.logsOf(ctx, headers[:half])
			if err != nil {
				return nil, err
			}
			rest, err := p.logsOf(ctx, headers[half:])
			return append(first, rest...), err
		}
		if err != nil {
			return nil, err
		}
		return logs.Value(), nil
	}
	var all []rpc.Log
	for _, h := range headers {
		logs, err := p.w.cfg.Client.LogsOf(ctx, f, h.Number, h.Hash)
		if err != nil {
			return nil, err
		}
		all = append(all, logs.Value()...)
	}
	return all, nil
}
