package screen

import (
	"strings"
	"unicode"

	"github.com/legate-dao/legate/agent/gov"
)

// Words that say a number goes up or down.
var (
	raising  = stems("increas rais lift higher boost doubl tripl")
	lowering = stems("lower reduc decreas cut halv lessen shrink")
)

// changed is a number that the calls change, by the words of its name.
type changed struct {
	name    []string // in lower case
	up      bool
	account gov.Address
}

// directions holds "lower X" and "raise X" against how X changes. It is a contradiction only when every
// verb at the name goes the other way, and every changed number of that name does.
func (m *matcher) directions() {
	for _, c := range m.changes() {
		at, up, down := token{}, 0, 0
		for i, t := range m.tokens {
			if t.kind != aWord || !m.namesAt(i, c.name) {
				continue
			}
			switch u, d := m.verbAt(i); {
			case u == d: // neither, or both: nothing is said
			case u:
				up++
				at = m.tokens[i]
			default:
				down++
				at = m.tokens[i]
			}
		}
		if c.up && down > 0 && up == 0 || !c.up && up > 0 && down == 0 {
			m.contradict(strings.Join(c.name, " "), "a number goes the other way than the text says", at.sentence, -1, c.account)
		}
	}
}

// verbAt looks for raising and lowering in the few words before the name, and for "from A to B" words not
// at all: numbers speak through the facts.
func (m *matcher) verbAt(i int) (up, down bool) {
	for j := i - 1; j >= 0 && j >= i-4 && m.tokens[j].sentence == m.tokens[i].sentence; j-- {
		if m.tokens[j].kind != aWord {
			continue
		}
		up = up || raising(m.tokens[j].low)
		down = down || lowering(m.tokens[j].low)
	}
	return up, down
}

// namesAt says whether the words of a name stand at i.
func (m *matcher) namesAt(i int, name []string) bool {
	for k, w := range name {
		if i+k >= len(m.tokens) || m.tokens[i+k].sentence != m.tokens[i].sentence || strings.TrimSuffix(m.tokens[i+k].low, "s") != w {
			return false
		}
	}
	return true
}

// changes lists the numbers that change, where all of one name go the same way.
func (m *matcher) changes() []changed {
	byName := map[string]*changed{}
	mixed := map[string]bool{}
	add := func(name []string, before, after float64, account gov.Address) {
		key := strings.Join(name, " ")
		if len(name) == 0 || before == after {
			return
		}
		if had := byName[key]; had != nil && had.up != (after > before) {
			mixed[key] = true
		}
		byName[key] = &changed{name, after > before, account}
	}
	params, _ := m.facts.Params.Get()
	for _, p := range params {
		before, okBefore := p.Before.Get()
		after, okAfter := p.After.Get()
		if okBefore && okAfter {
			add(nameOf(p.Signature), before, after, p.Target)
		}
	}
	g := m.facts.Governor
	spanOf(g.Quorum, func(b, a float64) { add([]string{"quorum"}, b, a, m.facts.DAO.Governor) })
	spanOf(g.Threshold, func(b, a float64) { add([]string{"proposal", "threshold"}, b, a, m.facts.DAO.Governor) })
	spanOf(g.Delay, func(b, a int64) { add([]string{"voting", "delay"}, float64(b), float64(a), m.facts.DAO.Governor) })
	spanOf(g.Period, func(b, a int64) { add([]string{"voting", "period"}, float64(b), float64(a), m.facts.DAO.Governor) })
	spanOf(gov.Span[int64]{Before: m.facts.Timelock.DelayBefore, After: m.facts.Timelock.DelayAfter}, func(b, a int64) {
		add([]string{"timelock", "delay"}, float64(b), float64(a), m.facts.DAO.Timelock)
	})
	var out []changed
	for _, key := range sortedKeys(byName) {
		if !mixed[key] {
			out = append(out, *byName[key])
		}
	}
	return out
}

func spanOf[T any](s gov.Span[T], f func(before, after T)) {
	before, okBefore := s.Before.Get()
	after, okAfter := s.After.Get()
	if okBefore && okAfter {
		f(before, after)
	}
}

// nameOf are the words of a setter's name without set, update and the like: setCollateralFactor(…) is
// collateral factor. One short word alone is no name.
func nameOf(s gov.Signature) []string {
	fn := strings.TrimLeft(s.Function(), "_")
	var words []string
	start := 0
	for i, r := range fn {
		if i > start && unicode.IsUpper(r) {
			words, start = append(words, strings.ToLower(fn[start:i])), i
		}
	}
	if start < len(fn) {
		words = append(words, strings.ToLower(fn[start:]))
	}
	for len(words) > 0 {
		switch words[0] {
		case "set", "update", "change", "configure", "new", "support":
			words = words[1:]
			continue
		}
		break
	}
	if len(words) == 1 && len(words[0]) < 5 {
		return nil
	}
	for i := range words {
		words[i] = strings.TrimSuffix(words[i], "s")
	}
	return words
}
