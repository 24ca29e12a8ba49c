package rpc

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
)

const (
	maxPieces = 64 // requests into which one log request is split before the caller must ask for less
	maxHints  = 2  // refusals in a row of one request whose suggestion is believed
)

// ranged sends one batch. Log requests that are wider than the endpoint answers are split for it. Each goes by
// itself but the last, which keeps the rest of the batch as company: who asks for a block beside a range wants both
// from one conversation.
func (n *node) ranged(ctx context.Context, reqs []*Request) error {
	wide := keep(reqs, func(r *Request) bool { _, ok := wideFilter(r); return ok })
	if len(wide) == 0 {
		return n.pinned(ctx, reqs)
	}
	last := wide[len(wide)-1]
	company := keep(reqs, func(r *Request) bool { _, ok := wideFilter(r); return !ok })
	for _, r := range wide[:len(wide)-1] {
		if err := n.pieces(ctx, r, nil); err != nil {
			return err
		}
	}
	return n.pieces(ctx, last, company)
}

// wideFilter is the filter of a request for the logs of more than one block.
func wideFilter(r *Request) (Filter, bool) {
	if r.Method != "eth_getLogs" || len(r.Args) != 1 {
		return Filter{}, false
	}
	f, ok := r.Args[0].(Filter)
	return f, ok && f.BlockHash == nil && f.To > f.From
}

// split is one log request under way.
type split struct {
	n       *node
	r       *Request
	company []*Request // goes with the first piece, that of the last blocks
	left    Filter     // what is not answered yet
	width   uint64     // of the next piece
	refused uint64     // the width refused since the last answer; 0: none
	hints   int        // refusals in a row
	gaveUp  bool
	why     error             // the last refusal
	answers []json.RawMessage // from the last blocks to the first
	size    int64             // of answers, in bytes
}

// pieces answers one log request, in as many pieces as the endpoint needs. The last blocks come first, together with
// the company: an endpoint that lags does not have them.
func (n *node) pieces(ctx context.Context, r *Request, company []*Request) error {
	f, _ := wideFilter(r)
	s := &split{n: n, r: r, company: company, left: f, width: n.span.of(f.To - f.From + 1)}
	for asked := 0; ; asked++ {
		if asked >= maxPieces {
			r.Err = s.tooMany(f)
			return nil
		}
		done, err := s.next(ctx)
		if done || err != nil {
			return err
		}
	}
}

// tooMany is ErrRange with the node's reason as text: the class is not that of the refusal.
func (s *split) tooMany(f Filter) error {
	err := fmt.Errorf("%s: %w: blocks %d to %d are more than %d requests, the last of %d blocks", s.n.name, ErrRange, f.From, f.To, maxPieces, s.width)
	if s.why != nil {
		err = fmt.Errorf("%w: %v", err, s.why)
	}
	return err
}

// next asks for one piece. done says that the request is settled.
func (s *split) next(ctx context.Context) (done bool, err error) {
	piece := s.left
	piece.From = max(s.left.From, s.left.To-min(s.left.To, s.width-1))
	width := piece.To - piece.From + 1
	whole := len(s.answers) == 0 && piece.From == s.left.From
	one := &Request{Method: s.r.Method, Args: []any{piece}, Result: s.r.Result}
	var answer keepRaw
	if !whole {
		one.Result = &answer
	}
	err = s.n.pinned(ctx, append([]*Request{one}, s.company...))
	failed := err
	if failed == nil {
		failed = one.Err
	}
	if failed == nil {
		s.answered(width)
		if whole {
			s.r.Err = nil
			return true, nil
		}
		s.answers, s.size = append(s.answers, answer.raw), s.size+int64(len(answer.raw))
		if s.size > s.n.maxResponse {
			s.r.Err = fmt.Errorf("%s: %s: %w: more than %d bytes in %d pieces", s.n.name, s.r.Method, ErrTooLarge, s.n.maxResponse, len(s.answers))
			return true, nil
		}
		if piece.From == s.left.From {
			s.r.Err = s.join()
			return true, nil
		}
		s.left.To = piece.From - 1
		return false, nil
	}
	if ctx.Err() == nil && s.smaller(failed, width) {
		return false, nil
	}
	if width == 1 && refusalOf(failed) == refused {
		s.r.Err = s.n.refusedAlone(failed, piece.From)
		return true, s.settleCompany(err)
	}
	s.r.Err = failed
	return true, err
}

// answered notes an answer, and with it that what was refused before was too wide.
func (s *split) answered(width uint64) {
	if s.refused > 0 {
		s.n.span.shrink(s.refused, width)
		s.n.log.Info("rpc_log_range", "host", s.n.name, "refused", s.refused, "answered", width, "error", s.why)
	}
	s.n.span.answered(width)
	s.refused, s.hints, s.gaveUp, s.company = 0, 0, false, nil
	s.width = s.n.span.of(s.left.To - s.left.From + 1)
}

// smaller chooses the next width after a failed piece; false says that no other is worth trying.
func (s *split) smaller(err error, width uint64) bool {
	kind := refusalOf(err)
	if kind == final || width == 1 {
		return false
	}
	s.why = err
	next := narrower(err, width, s.hints < maxHints)
	if kind == gaveUp {
		// Learnt whether or not the smaller try is answered: each costs a time-out, and the next request shall not
		// begin where this one did.
		s.n.span.shrink(width, next)
		if s.gaveUp {
			return false
		}
		s.gaveUp = true
	} else {
		next = s.n.span.below(width, next)
		s.refused = width
	}
	s.hints++
	s.width = next
	s.n.log.Debug("rpc_log_range_refused", "host", s.n.name, "blocks", width, "next", next, "error", err)
	return true
}

// settleCompany gives the questions beside a refused one their own error where the conversation had one.
func (s *split) settleCompany(err error) error {
	if err == nil {
		return nil
	}
	for _, c := range s.company {
		c.Err = err
	}
	return nil
}

// join decodes the answers as one, in the order of the blocks.
func (s *split) join() error {
	var all bytes.Buffer
	all.WriteByte('[')
	for i := len(s.answers) - 1; i >= 0; i-- {
		items := bytes.TrimSpace(s.answers[i])
		if len(items) < 2 || items[0] != '[' || items[len(items)-1] != ']' {
			return fmt.Errorf("%s: %s: %w: logs are not a list", s.n.name, s.r.Method, ErrMalformed)
		}
		items = bytes.TrimSpace(items[1 : len(items)-1])
		if len(items) > 0 && all.Len() > 1 {
			all.WriteByte(',')
		}
		all.Write(items)
		s.answers[i] = nil
	}
	all.WriteByte(']')
	if err := Decode(all.Bytes(), s.r.Result); err != nil {
		return fmt.Errorf("%s: %s: %w", s.n.name, s.r.Method, err)
	}
	return nil
}

// keepRaw is a result kept as it came.
type keepRaw struct{ raw json.RawMessage }

// DecodeResult implements RawResult.
func (k *keepRaw) DecodeResult(raw []byte) error {
	if !json.Valid(raw) {
		return fmt.Errorf("%w: answer is not JSON", ErrMalformed)
	}
	k.raw = bytes.Clone(raw)
	return nil
}
