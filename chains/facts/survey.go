package facts

import (
	"slices"

	"github.com/legate-dao/legate/agent/checks"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/book"
)

// Limits of a survey. All count, so that every node surveys alike.
const (
	// MaxSurveyed bounds the calls that are looked at inside wrappers, of all actions together: 2 MiB of actions hold some
	// 65 000. Every action itself is looked at whatever stands before it.
	MaxSurveyed = 100_000
	// MaxSurveyDepth is how many wrappers may stand around a call.
	MaxSurveyDepth = 32
	// maxSurveyValues and maxSurveyBytes bound the arguments of wrappers: what overlaps counts each time.
	maxSurveyValues, maxSurveyBytes = 400_000, 64 << 20
	// MaxExcerpt bounds the calls that are kept for one check. A check says no more than 64 findings.
	MaxExcerpt = 32
)

// Surveyed is what a survey found.
type Surveyed struct {
	Kinds   []gov.Kind // of all leaves that were looked at
	Excerpt []gov.Call // of the calls by which a check finds something the first MaxExcerpt for each check
	// Rights are the changes of rights that the calls ask for, at most MaxCalls.
	Rights []gov.RoleChange
	// Upgrades are the accounts that upgrade calls name, at most MaxTargets.
	Upgrades []gov.Address
	// Cut: something was left closed, or out of a list. Then what was not found may be there all the same.
	Cut bool
}

// Survey looks at every action of a proposal that is too large for [Decode], and at the calls inside, wherever they
// stand: a call that others hide among thousands is found. The children of what is kept are left out.
func Survey(actions []gov.Action, o Options) Surveyed {
	if o.Code == nil { // the DAO's own contracts are told by their address; nothing else is known without code
		o.Code = func(gov.Address) (book.Code, bool) { return book.Code{}, false }
	}
	s := &survey{dao: o.DAO, kinds: map[gov.Kind]bool{}, kept: map[gov.CheckName]int{}, rights: map[gov.RoleChange]bool{}, upgrades: map[gov.Address]bool{}}
	s.out = Surveyed{Kinds: []gov.Kind{}, Excerpt: []gov.Call{}}
	d := &decoder{Options: o, quiet: true, loose: &loose{values: maxSurveyValues, bytes: maxSurveyBytes}}
	for _, a := range actions {
		c, err := d.call(inner{to: a.To, value: a.Value, data: a.Calldata.Bytes()}, "", 0, true)
		if err != nil {
			s.out.Cut = true
			continue
		}
		s.names(c)
		s.take(c)
	}
	s.out.Cut = s.out.Cut || d.loose.cut
	for _, k := range gov.Kinds {
		if s.kinds[k] {
			s.out.Kinds = append(s.out.Kinds, k)
		}
	}
	return s.out
}

// survey is what was found so far.
type survey struct {
	dao      gov.DAO
	kinds    map[gov.Kind]bool
	kept     map[gov.CheckName]int
	rights   map[gov.RoleChange]bool
	upgrades map[gov.Address]bool
	out      Surveyed
}

// names takes what an action's calls say of rights and code.
func (s *survey) names(c gov.Call) {
	var more bool
	s.out.Rights, more = distinct(s.out.Rights, changesOfCalls([]gov.Call{c}, s.dao.Executor), s.rights, MaxCalls)
	s.out.Cut = s.out.Cut || more
	s.out.Upgrades, more = distinct(s.out.Upgrades, upgradedBy([]gov.Call{c}), s.upgrades, MaxTargets)
	s.out.Cut = s.out.Cut || more
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
		// A call that nobody can read is no evidence for an Against, and neither is a target without code.
		evidence := f.Name != checks.TargetCode.Name && f.Name != checks.Undeclared.Name
		return f.Status == gov.Found && evidence && s.kept[f.Name] < MaxExcerpt
	})
	if !keep {
		return
	}
	s.out.Excerpt = append(s.out.Excerpt, c)
	for _, check := range checks.All {
		if checks.StatusOf(check.Name, found) == gov.Found {
			s.kept[check.Name]++
		}
	}
}

// distinct appends what is new, up to a length; more says that something was left out.
func distinct[T comparable](list, news []T, seen map[T]bool, most int) (out []T, more bool) {
	for _, n := range news {
		if seen[n] {
			continue
		}
		if len(list) >= most {
			return list, true
		}
		seen[n] = true
		list = append(list, n)
	}
	return list, false
}
