package journal

import (
	"context"
	"fmt"
	"strings"

	"github.com/uptrace/bun"

	"github.com/legate-dao/legate/agent/gov"
)

// Resolve finds a proposal by id (eip155:1:0x…/123) or handle (compound/289, ens/7f3a2c). A handle that
// fits several is an error that lists them.
func (db *DB) Resolve(ctx context.Context, name string) (gov.ProposalID, error) {
	if strings.HasPrefix(name, "eip155:") {
		return gov.ParseProposalID(name)
	}
	governor, number, ok := strings.Cut(name, "/")
	if !ok || governor == "" || number == "" {
		return gov.ProposalID{}, fmt.Errorf("%q is neither an id such as eip155:1:0x…/123 nor a handle such as compound/289", name)
	}
	list, err := entries(ctx, db.bun, func(q *bun.SelectQuery) *bun.SelectQuery { return q.Where("name = ?", governor) })
	if err != nil {
		return gov.ProposalID{}, err
	}
	var hits []gov.ProposalID
	for _, e := range list {
		dec := e.ID.Number.String()
		n := e.ID.Number.Int()
		if dec == number || (len(dec) > 9 && len(number) >= 6 && strings.HasPrefix(fmt.Sprintf("%064x", n.Bytes32()), strings.ToLower(number))) {
			hits = append(hits, e.ID)
		}
	}
	switch len(hits) {
	case 0:
		return gov.ProposalID{}, fmt.Errorf("%s: %w; `legate proposals` lists them", name, ErrUnknown)
	case 1:
		return hits[0], nil
	}
	return gov.ProposalID{}, fmt.Errorf("%s fits %d proposals, write more digits: %v", name, len(hits), hits)
}

// Handles gives each entry its shortest handle that fits no other: six hex digits, more while ambiguous.
func Handles(list []Entry) map[gov.ProposalID]string {
	out := map[gov.ProposalID]string{}
	for _, e := range list {
		digits := 6
		for ; digits < 64; digits++ {
			if !ambiguous(list, e, digits) {
				break
			}
		}
		out[e.ID] = e.ID.Handle(e.Name, digits)
	}
	return out
}

func ambiguous(list []Entry, e Entry, digits int) bool {
	h := e.ID.Handle(e.Name, digits)
	for _, o := range list {
		if o.ID != e.ID && o.ID.Handle(o.Name, digits) == h {
			return true
		}
	}
	return false
}
