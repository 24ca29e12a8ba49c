package journal

import (
	"cmp"
	"context"
	"fmt"
	"slices"
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
	list, err := entries(ctx, db.read, func(q *bun.SelectQuery) *bun.SelectQuery { return q.Where("name = ?", governor) })
	if err != nil {
		return gov.ProposalID{}, err
	}
	var hits []gov.ProposalID
	for _, e := range list {
		dec := e.ID.Number.String()
		if dec == number || (len(dec) > 9 && len(number) >= minDigits && strings.HasPrefix(hexNumber(e.ID), strings.ToLower(number))) {
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

// Handles gives each entry its shortest handle that fits no other: the number where it is short, else six
// hex digits, more while ambiguous.
func Handles(list []Entry) map[gov.ProposalID]string {
	sorted := slices.SortedFunc(slices.Values(list), func(a, b Entry) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), a.ID.Number.Cmp(b.ID.Number))
	})
	out := make(map[gov.ProposalID]string, len(list))
	for i, e := range sorted {
		digits := minDigits
		for _, step := range []int{-1, 1} { // the longest common beginning is with a neighbour of another number
			j := i + step
			for j >= 0 && j < len(sorted) && sorted[j].Name == e.Name && sorted[j].ID.Number == e.ID.Number {
				j += step
			}
			if j >= 0 && j < len(sorted) && sorted[j].Name == e.Name {
				digits = max(digits, common(sorted[j].ID, e.ID)+1)
			}
		}
		out[e.ID] = e.ID.Handle(e.Name, digits)
	}
	return out
}

// minDigits is how many hex digits a handle has at least.
const minDigits = 6

// common counts the hex digits with which two numbers begin alike.
func common(a, b gov.ProposalID) int {
	x, y := hexNumber(a), hexNumber(b)
	n := 0
	for n < len(x) && x[n] == y[n] {
		n++
	}
	return n
}

// hexNumber is the proposal's number as 64 hex digits.
func hexNumber(id gov.ProposalID) string {
	n := id.Number.Int()
	return fmt.Sprintf("%064x", n.Bytes32())
}
