package facts

import (
	"slices"

	"github.com/legate-dao/legate/agent/checks"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/book"
)

// Limits of a survey. Both count, so that every node surveys alike.
const (
	// MaxSurveyed bounds the calls that are looked at, wrappers included: 2 MiB of actions hold some 13 000.
	MaxSurveyed = 100_000
	// MaxExcerpt bounds the calls that are kept for one check. A check says no more than 64 findings.
	MaxExcerpt = 32
)

// Survey looks at every action of a proposal that is too large for [Decode]: the kinds of all its leaves, and of the
// calls by which a check finds something the first MaxExcerpt for each check, wherever they stand. A call that others
// hide among thousands is found. Their children are left out.
func Survey(actions []gov.Action, o Options) ([]gov.Kind, []gov.Call) {
	if o.Code == nil { // the DAO's own contracts are told by their address; nothing else is known without code
		o.Code = func(gov.Address) (book.Code, bool) { return book.Code{}, false }
	}
	s := &survey{dao: o.DAO, kinds: map[gov.Kind]bool{}, kept: map[gov.CheckName]int{}, excerpt: []gov.Call{}}
	left := MaxSurveyed
	for _, a := range actions {
		d := &decoder{Options: o, quiet: true, loose: true}
		c, err := d.call(inner{to: a.To, value: a.Value, data: a.Calldata.Bytes()}, "", 0, true)
		if err == nil {
			s.take(c)
		}
		if left -= d.calls; left <= 0 {
			break
		}
	}
	kinds := []gov.Kind{}
	for _, k := range gov.Kinds {
		if s.kinds[k] {
			kinds = append(kinds, k)
		}
	}
	return kinds, s.excerpt
}

// survey is what was found so far.
type survey struct {
	dao     gov.DAO
	kinds   map[gov.Kind]bool
	kept    map[gov.CheckName]int
	excerpt []gov.Call
}

// take looks at a call and at those inside it. A wrapper tells by those inside, but for an upgrade, which is one itself.
func (s *survey) take(c gov.Call) {
	for _, child := range c.Children {
		s.take(child)
	}
	leaf := len(c.Children) == 0
	if leaf {
		s.kinds[c.Kind] = true
	}
	if !leaf && c.Kind != gov.KindUpgrade {
		return
	}
	c.Known, c.Children = false, []gov.Call{}
	found := checks.Run(gov.Proposal{}, gov.Facts{DAO: s.dao, Calls: gov.Known([]gov.Call{c})})
	keep := slices.ContainsFunc(found, func(f gov.Finding) bool {
		return f.Status == gov.Found && f.Name != checks.TargetCode.Name && s.kept[f.Name] < MaxExcerpt
	})
	if !keep {
		return
	}
	s.excerpt = append(s.excerpt, c)
	for _, check := range checks.All {
		if checks.StatusOf(check.Name, found) == gov.Found {
			s.kept[check.Name]++
		}
	}
}
