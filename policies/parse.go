package policies

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/policies/strict"
)

// Parse reads a policies.yaml and reports all that is wrong with it, and the lint warnings, at once. name
// is the file's name in messages. The set is nil when one of the problems is an error.
func Parse(name string, text []byte) (*Set, strict.Problems) { return ParseWith(name, text, Names{}) }

// ParseWith is Parse that also checks the names of governors and metrics that the operator's config has.
func ParseWith(name string, text []byte, names Names) (*Set, strict.Problems) {
	file := defaults()
	doc, problems := strict.ReadAt(name, text, &file)
	p := &parser{doc: doc, file: &file, names: names, problems: problems}
	set := p.set()
	p.problems.Sort()
	if p.problems.HasErrors() {
		return nil, p.problems
	}
	return set, p.problems
}

// parser turns a file into a set.
type parser struct {
	doc      *strict.Doc
	file     *File
	names    Names
	problems strict.Problems
	rule     string // the rule that problems are about
}

func (p *parser) add(problem strict.Problem) {
	if len(p.problems) >= strict.MaxProblems {
		return
	}
	problem.Rule = p.rule
	p.problems = append(p.problems, problem)
}

func (p *parser) report(path, message, hint string) { p.add(p.doc.Problem(path, message, hint)) }

func (p *parser) warn(path, message, hint string) {
	problem := p.doc.Problem(path, message, hint)
	problem.Severity = strict.Warning
	p.add(problem)
}

func (p *parser) set() *Set {
	f := p.file
	s := &Set{policies: map[gov.Label]*Policy{}}
	for _, name := range sortedKeys(f.Policies) {
		p.name(strict.Path("policies", name), name)
		s.policies[gov.Label(name)] = p.policy(name, f.Policies[name])
	}
	s.holders = p.holders()
	s.emergency = p.emergency()
	p.lintTiming()
	if digest, err := gov.DigestOf(canonicalFile(f)); err == nil {
		s.digest = digest
	}
	return s
}

var nameForm = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9 ._-]{0,62}[A-Za-z0-9])?$`)

// name checks the name of a rule, policy or holder: it goes on chain and into alerts.
func (p *parser) name(path, name string) {
	if !nameForm.MatchString(name) {
		p.report(path, fmt.Sprintf("%.70q is not a name", name), "letters and digits, with - . _ and blanks between them, at most 64")
	}
}

// What a name may not be, because a verdict or a hold says something else by it. A hold_if named `rule` would
// look like a hold by known facts, and time out into a vote.
var (
	reservedRules = []string{string(gov.HoldOtherwise), string(gov.HoldClosedWorld), floor}
	reservedHolds = []string{
		string(gov.HoldByRule), string(gov.HoldOtherwise), string(gov.HoldModel), string(gov.HoldModelMissing), string(gov.HoldNoAnswer), string(gov.HoldTooShort),
		string(gov.HoldClosedWorld), string(gov.HoldUnknown), string(gov.HoldUnavailable), string(gov.HoldDisagreement), string(gov.HoldBudget),
		string(gov.HoldCritical),
	}
)

func (p *parser) holders() (out []Holder) {
	seen := map[string]bool{}
	for i, h := range p.file.Holders {
		at := strict.Path("holders", i)
		p.name(at+".name", h.Name)
		if seen[h.Name] {
			p.report(at+".name", fmt.Sprintf("the holder %q is there twice", h.Name), "")
		}
		seen[h.Name] = true
		if _, ok := p.file.Policies[h.Policy]; !ok && p.doc.Has(at+".policy") {
			p.report(at+".policy", fmt.Sprintf("there is no policy %q", h.Policy), near(h.Policy, sortedKeys(p.file.Policies)))
		}
		if p.doc.Has(at+".governors") && len(h.Governors) == 0 {
			p.report(at+".governors", "a holder needs at least one governor", "")
		}
		one := Holder{Holder: gov.Holder{Name: gov.Label(h.Name), Account: gov.Address(h.Account.Address.Address)}, Chain: gov.ChainID(h.Account.Chain.ID()), Policy: gov.Label(h.Policy)}
		for j, g := range h.Governors {
			if p.names.Governors != nil && !slices.Contains(p.names.Governors, g) {
				p.report(fmt.Sprintf("%s.governors[%d]", at, j), fmt.Sprintf("there is no governor %q", g), near(g, p.names.Governors))
			}
			if slices.Contains(one.Governors, gov.Label(g)) {
				p.report(fmt.Sprintf("%s.governors[%d]", at, j), fmt.Sprintf("the governor %q is there twice", g), "")
			}
			one.Governors = append(one.Governors, gov.Label(g))
		}
		out = append(out, one)
	}
	if p.names.Governors != nil {
		p.oneVoice(out)
	}
	if p.doc.Has("$.holders") && len(p.file.Holders) == 0 {
		p.report("$.holders", "there is no holder", "")
	}
	return out
}

// oneVoice demands one policy for all holders of a governor: a configuration has one voting key, which casts one vote.
func (p *parser) oneVoice(holders []Holder) {
	first := map[gov.Label]Holder{}
	for i, h := range holders {
		for _, g := range h.Governors {
			before, there := first[g]
			if !there {
				first[g] = h
				continue
			}
			if before.Policy != h.Policy && before.Name != h.Name {
				p.report(strict.Path("holders", i)+".policy", fmt.Sprintf("%s and %s have different policies for %s, and one key casts one vote", before.Name, h.Name, g),
					"give both the same policy, or vote for one of them by another daemon with its own key")
				break
			}
		}
	}
}

func (p *parser) policy(name string, f PolicyFile) *Policy {
	path := strict.Path("policies", name)
	out := &Policy{
		Name: gov.Label(name), Otherwise: directionOf(f.Otherwise), OnTimeout: Timeout(p.file.OnTimeout),
		Timing: timingOf(p.file.Timing), Limits: limitsOf(p.file.Limits),
	}
	rules, holds := map[string]bool{}, map[string]bool{}
	for i, r := range f.Rules {
		at := fmt.Sprintf("%s.rules[%d]", path, i)
		p.rule = r.Name
		p.uniqueName(at, r.Name, rules, reservedRules)
		out.Rules = append(out.Rules, p.ruleOf(at, r, out.Timing.Wait))
	}
	if p.rule = ""; p.doc.Has(path+".rules") && len(f.Rules) == 0 {
		p.report(path+".rules", "a policy needs at least one rule", "")
	}
	for i, h := range f.HoldIf {
		at := fmt.Sprintf("%s.hold_if[%d]", path, i)
		p.rule = h.Name
		p.uniqueName(at, h.Name, holds, reservedHolds)
		out.HoldIf = append(out.HoldIf, HoldRule{Name: gov.Label(h.Name), When: strings.TrimSpace(h.When.Text), expr: p.compile(holdEnv, h.When)})
	}
	p.rule = ""
	p.lintPolicy(path, out)
	if digest, err := gov.DigestOf(canonicalOf(p.file, f)); err == nil {
		out.Digest = digest
	}
	return out
}

func (p *parser) uniqueName(at, name string, seen map[string]bool, reserved []string) {
	if !p.doc.Has(at + ".name") {
		return
	}
	p.name(at+".name", name)
	if slices.Contains(reserved, name) {
		p.report(at+".name", fmt.Sprintf("the name %q means something else in verdicts", name), "choose another")
	}
	if seen[name] {
		p.report(at+".name", fmt.Sprintf("the name %q is there twice", name), "")
	}
	seen[name] = true
}

func (p *parser) ruleOf(at string, r RuleEntry, wait time.Duration) Rule {
	out := Rule{Name: gov.Label(r.Name), Vote: directionOf(r.Vote), When: strings.TrimSpace(r.When.Text), Because: r.Because, Wait: wait}
	if r.Wait != nil {
		out.Wait = r.Wait.Std()
	}
	out.Despite = p.despite(at, r, out.Vote)

	hasWhen, hasIntent, hasWithin := p.doc.Has(at+".when"), p.doc.Has(at+".intent"), p.doc.Has(at+".within")
	switch {
	case hasWhen && (hasIntent || hasWithin):
		p.report(at, "a rule has when, or intent and within, not both", "")
	case hasWhen:
		out.expr = p.compile(ruleEnv, r.When)
		return out
	case !hasIntent && !hasWithin:
		p.report(at, "a rule needs when, or intent and within", "")
	case !hasIntent || strings.TrimSpace(r.Intent) == "":
		p.report(at, "a rule with within needs an intent", "")
	case !hasWithin:
		p.report(at, "an intent needs within", "within limits what the model may decide, such as treasury.outflow_usd <= 0 && clean()")
	}
	if hasIntent {
		if out.Vote != gov.For && p.doc.Has(at+".vote") {
			p.report(at+".vote", "an intent stands under vote: for only", "a model may choose between For and Hold, nothing else")
		}
		out.Intent, out.When = r.Intent, strings.TrimSpace(r.Within.Text)
		out.Clause = sha256.Sum256([]byte(r.Intent))
	}
	if hasWithin {
		out.expr = p.compile(ruleEnv, r.Within)
	}
	return out
}

// despite reads the checks whose critical findings a For passes over.
func (p *parser) despite(at string, r RuleEntry, vote gov.Direction) (out []gov.CheckName) {
	if !p.doc.Has(at + ".despite") {
		return nil
	}
	if vote != gov.For && p.doc.Has(at+".vote") {
		p.report(at+".despite", "despite stands under vote: for only", "no critical finding holds another vote")
	}
	if len(r.Despite) == 0 {
		p.report(at+".despite", "despite names no check", "leave it out, or name the checks whose critical findings are meant")
	}
	names := checkNames()
	for i, name := range r.Despite {
		where := fmt.Sprintf("%s.despite[%d]", at, i)
		switch {
		case !slices.Contains(names, name):
			p.report(where, fmt.Sprintf("there is no check %q", name), near(name, names))
		case slices.Contains(r.Despite[:i], name):
			p.report(where, fmt.Sprintf("the check %q is there twice", name), "")
		}
		out = append(out, gov.CheckName(name))
	}
	return out
}

// compile compiles an expression and reports its faults where they stand in the file.
func (p *parser) compile(e *environment, x strict.Expr) *expression {
	if x.Text == "" {
		return nil // reported by the reader
	}
	expr, faults := e.compile(x.Text, p.names)
	for _, f := range faults {
		line, column := x.Position(f.line, f.column)
		p.add(p.doc.ProblemAt(line, column, f.message, f.hint))
	}
	return expr
}

func (p *parser) emergency() (out []EmergencyRule) {
	seen := map[string]bool{}
	for i, e := range p.file.Emergency {
		at := strict.Path("emergency", i)
		p.rule = e.Name
		p.uniqueName(at, e.Name, seen, nil)
		one := EmergencyRule{Name: gov.Label(e.Name), When: strings.TrimSpace(e.When.Text), For: e.For.Std(), expr: p.compile(emergencyEnv, e.When)}
		if p.doc.Has(at+".do") && len(e.Do) != 1 {
			p.report(at+".do", "an emergency rule does exactly one thing", "do: [{alert: critical}]")
		}
		for j, d := range e.Do {
			if d.Alert == "" && !p.doc.Has(fmt.Sprintf("%s.do[%d].alert", at, j)) {
				p.report(fmt.Sprintf("%s.do[%d]", at, j), "what shall be done is missing", "do: [{alert: critical}]")
			}
			one.Do, one.Severity = gov.AlarmAlert, gov.Severity(d.Alert)
		}
		out = append(out, one)
	}
	p.rule = ""
	return out
}

func directionOf(word string) gov.Direction {
	d, err := gov.ParseDirection(word)
	if err != nil {
		return gov.Hold // reported by the reader
	}
	return d
}

func timingOf(t TimingEntry) Timing {
	return Timing{Wait: t.Wait.Std(), Latest: t.Latest.Std(), VoteIfTooShort: t.IfTooShort == "vote"}
}

func limitsOf(l LimitsEntry) Limits {
	return Limits{FeePerVote: gov.AmountOf(&l.FeePerVote.Wei), FeePerDay: gov.AmountOf(&l.FeePerDay.Wei), VotesPerDay: l.VotesPerDay}
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
