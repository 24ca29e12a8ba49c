package fit

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/big"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/holiman/uint256"

	"github.com/legate-dao/legate/agent/gov"
)

// Recorded is a folder of recorded votings: proposals/*.jsonl, votes/*.jsonl and governors.json.
type Recorded struct {
	proposals []proposal // by file and line
	votes     map[key][]ballot
	rules     map[string]governorRecord
}

type key struct{ dao, id string }

// proposal is one line of proposals/*.jsonl, as far as it is used.
type proposal struct {
	DAO      string     `json:"dao"`
	ID       string     `json:"proposal_id"`
	Starts   *time.Time `json:"start_time_est"`
	Ends     *time.Time `json:"end_time_est"`
	StartAt  *time.Time `json:"start_at"` // of polls
	FinishAt *time.Time `json:"finish_at"`
	Choices  []string   `json:"choices"`
	Required *float64   `json:"required_vp_to_pass"`
	Executor string     `json:"executor"`
	Outcome  *outcome   `json:"outcome"`
}

// outcome is how it ended: read for votings that are over, and for scores.
type outcome struct {
	State    string `json:"state"`
	Status   string `json:"status_final"`
	For      string `json:"for"`
	Against  string `json:"against"`
	Passed   *bool  `json:"passed_by_tally"`
	Canceled bool   `json:"canceled_before_vote_end"`
}

// ballot is one line of votes/*.jsonl.
type ballot struct {
	DAO     string     `json:"dao"`
	ID      string     `json:"proposal_id"`
	Voter   string     `json:"voter"`
	Support *int       `json:"support"`
	Choice  int        `json:"choice_index"` // of polls, from 1
	Weight  string     `json:"weight"`
	VP      *float64   `json:"vp"`
	Time    *time.Time `json:"time"`
}

// governorRecord is an entry of governors.json.
type governorRecord struct {
	Decimals  *int   `json:"decimals"`
	Quorum    string `json:"quorum_for_votes"`
	Executors map[string]struct {
		Quorum string `json:"quorum_for_votes"`
		Lead   string `json:"vote_differential"`
	} `json:"executors"`
}

// pollScale is how many units a poll's point of voting power is.
const pollScale = 1e6

// maxLine bounds a line of a record, in bytes.
const maxLine = 32 << 20

// Load reads a folder. What cannot be read is an error with file and line.
func Load(dir fs.FS) (*Recorded, error) {
	r := &Recorded{votes: map[key][]ballot{}, rules: map[string]governorRecord{}}
	text, err := fs.ReadFile(dir, "governors.json")
	if err == nil {
		err = json.Unmarshal(text, &r.rules)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("governors.json: %w", err)
	}
	err = eachLine(dir, "proposals", func(line []byte) error {
		var p proposal
		if err := json.Unmarshal(line, &p); err != nil {
			return err
		}
		if p.DAO == "" || p.ID == "" {
			return nil // a draft that was put to no vote
		}
		r.proposals = append(r.proposals, p)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(r.proposals) == 0 {
		return nil, errors.New("there is no line in proposals/*.jsonl")
	}
	return r, eachLine(dir, "votes", func(line []byte) error {
		var b ballot
		if err := json.Unmarshal(line, &b); err != nil {
			return err
		}
		k := key{b.DAO, b.ID}
		r.votes[k] = append(r.votes[k], b)
		return nil
	})
}

func eachLine(dir fs.FS, folder string, do func(line []byte) error) error {
	names, err := fs.Glob(dir, folder+"/*.jsonl")
	if err != nil {
		return err
	}
	slices.Sort(names)
	for _, name := range names {
		if err := eachLineOf(dir, name, do); err != nil {
			return err
		}
	}
	return nil
}

func eachLineOf(dir fs.FS, name string, do func(line []byte) error) error {
	f, err := dir.Open(path.Clean(name))
	if err != nil {
		return err
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	s.Buffer(make([]byte, 64<<10), maxLine)
	n := 0
	for s.Scan() {
		n++
		if len(bytes.TrimSpace(s.Bytes())) == 0 {
			continue
		}
		if err := do(s.Bytes()); err != nil {
			return fmt.Errorf("%s:%d: %w", name, n, err)
		}
	}
	if err := s.Err(); err != nil {
		return fmt.Errorf("%s:%d: %w", name, n+1, err)
	}
	return nil
}

// span is when the voting is open. ok is false where the record does not say.
func (p proposal) span() (starts, ends gov.Clocks, ok bool) {
	from, to := p.Starts, p.Ends
	if from == nil || to == nil {
		from, to = p.StartAt, p.FinishAt
	}
	if from == nil || to == nil || to.Before(*from) || from.Unix() < 0 {
		return 0, 0, false
	}
	return gov.Clocks(from.Unix()), gov.Clocks(to.Unix()), true
}

// poll says whether it is an off-chain poll, whose weights are floats.
func (p proposal) poll() bool { return p.Choices != nil || p.StartAt != nil }

// unit is the weight of one unit of the history, in the record's.
func (p proposal) unit() float64 {
	if p.poll() {
		return 1 / pollScale
	}
	return 1
}

// yesNo says whether the choices are yes and no.
func (p proposal) yesNo() bool {
	if p.Choices == nil {
		return true
	}
	return len(p.Choices) == 2 && strings.EqualFold(p.Choices[0], "yes") && strings.EqualFold(p.Choices[1], "no")
}

// passed is how it ended; ok is false where that is not known or was not left to the vote.
func (p proposal) passed() (passed, ok bool) {
	o := p.Outcome
	if o == nil || o.Canceled || !p.yesNo() {
		return false, false
	}
	if o.Passed != nil {
		return *o.Passed, true
	}
	switch {
	case p.poll():
		return o.Status == "passed" || o.Status == "enacted", o.Status != ""
	case o.State == "executed" || strings.HasPrefix(o.State, "queued") || strings.HasPrefix(o.State, "succeeded"):
		return true, true
	}
	return false, o.State == "defeated"
}

// support is the choice as governors number it.
func (b ballot) support() gov.Support {
	switch {
	case b.Support != nil && *b.Support >= 0 && *b.Support <= 2:
		return gov.Support(*b.Support)
	case b.Choice == 1:
		return gov.SupportFor
	case b.Choice == 2:
		return gov.SupportAgainst
	}
	return gov.SupportAbstain
}

// cast is the ballot as a history has it. One whose time is not known is known at the end only.
func (b ballot) cast(ends gov.Clocks) (v gov.CastVote, err error) {
	if v.Voter, err = gov.ParseAddress(b.Voter); err != nil {
		return v, fmt.Errorf("vote on %s of %s: %w", b.ID, b.DAO, err)
	}
	v.Support, v.At = b.support(), ends
	if b.Time != nil {
		v.At = gov.Clocks(max(b.Time.Unix(), 0))
	}
	if b.VP != nil {
		v.Weight = units(*b.VP * pollScale)
		return v, nil
	}
	if v.Weight, err = gov.ParseAmount(b.Weight); err != nil {
		return v, fmt.Errorf("vote of %s on %s of %s: %w", b.Voter, b.ID, b.DAO, err)
	}
	return v, nil
}

// units rounds to an amount.
func units(x float64) gov.Amount {
	if !(x > 0) || math.IsInf(x, 0) {
		return gov.Amount{}
	}
	whole, _ := new(big.Float).SetFloat64(math.Round(min(x, 1e77))).Int(nil)
	n, _ := uint256.FromBig(whole)
	return gov.AmountOf(n)
}

var firstNumber = regexp.MustCompile(`[0-9]+`)

// rule is when a proposal passes, from governors.json and, for polls, the proposal.
func (r *Recorded) rule(p proposal) gov.VoteRule {
	rule := gov.VoteRule{For: true}
	if p.Required != nil {
		rule.Quorum = units(*p.Required * pollScale)
		return rule
	}
	g := r.rules[p.DAO]
	decimals := 18
	if g.Decimals != nil {
		decimals = *g.Decimals
	}
	tokens := func(text string) gov.Amount {
		digits := firstNumber.FindString(text)
		if digits == "" || decimals < 0 || decimals > 36 || len(digits) > 30 {
			return gov.Amount{}
		}
		a, _ := gov.ParseAmount(strings.TrimLeft(digits, "0") + strings.Repeat("0", decimals))
		return a
	}
	rule.Quorum = tokens(g.Quorum)
	if e, ok := g.Executors[p.Executor]; ok {
		rule.Quorum, rule.Lead = tokens(e.Quorum), tokens(e.Lead)
	}
	return rule
}

// votings are a DAO's, ready to be looked at as of any moment.
type votings struct {
	list []recorded // by end
}

type recorded struct {
	proposal
	voting   gov.Voting // all votes, in the order of time
	rule     gov.VoteRule
	subject  bool // of the back-test, not only of its training
	canceled bool
}

// everybody stand in for the voters of a voting whose totals alone are recorded.
var everybody = [2]gov.Address{{19: 1}, {19: 2}}

// add puts a folder's votings in. Those without times are left out.
func (r *Recorded) add(to map[string]*votings, subject bool, rules *Recorded) error {
	for _, p := range r.proposals {
		starts, ends, ok := p.span()
		if !ok {
			continue
		}
		v := recorded{proposal: p, voting: gov.Voting{Starts: starts, Ends: ends}, subject: subject, rule: rules.rule(p)}
		for _, b := range r.votes[key{p.DAO, p.ID}] {
			c, err := b.cast(ends)
			if err != nil {
				return err
			}
			v.voting.Votes = append(v.voting.Votes, c)
		}
		if o := p.Outcome; o != nil {
			v.canceled = o.Canceled
			if len(v.voting.Votes) == 0 {
				v.voting.Votes = totals(o, ends)
			}
		}
		slices.SortStableFunc(v.voting.Votes, func(a, b gov.CastVote) int { return cmp.Compare(a.At, b.At) })
		if to[p.DAO] == nil {
			to[p.DAO] = &votings{}
		}
		to[p.DAO].list = append(to[p.DAO].list, v)
	}
	return nil
}

// totals are the recorded sums as two votes, known when the voting has ended.
func totals(o *outcome, ends gov.Clocks) (out []gov.CastVote) {
	for i, text := range []string{o.For, o.Against} {
		if a, err := gov.ParseAmount(text); err == nil && !a.IsZero() {
			out = append(out, gov.CastVote{Voter: everybody[i], Support: gov.Support(1 - i), Weight: a, At: ends})
		}
	}
	return out
}

// asOf is what was known of a voting's DAO at a moment.
func (v *votings) asOf(current recorded, at gov.Clocks) gov.History {
	h := gov.History{At: at, Rule: current.rule, Current: gov.Voting{Starts: current.voting.Starts, Ends: current.voting.Ends}}
	for _, other := range v.list {
		if other.voting.Ends <= at && other.ID != current.ID && !other.canceled {
			ended := other.voting
			ended.Quorum = other.rule.Quorum
			h.Ended = append(h.Ended, ended)
		}
	}
	for _, c := range current.voting.Votes {
		if c.At <= at && c.At < current.voting.Ends {
			h.Current.Votes = append(h.Current.Votes, c)
		}
	}
	return h
}
