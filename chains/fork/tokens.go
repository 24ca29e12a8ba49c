package fork

import (
	"cmp"
	"errors"
	"slices"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/legate-dao/legate/agent/gov"
)

// probes ask tokens the same before and after a run, in two machines that differ in nothing but the run. A contract
// that does not answer within its gas costs what is known of it, and nothing else.
type probes struct {
	before, after *machine
	gas           uint64                 // left for all
	used          map[gov.Address]uint64 // by contract
	listed        map[gov.Address]bool
	nfts          map[gov.Address]bool // tokens whose logs index an id
	spent         map[gov.Address]bool // contracts that used up a probe's gas, or all of theirs: they are asked no more
	missing       map[gov.Missing]bool
	cut           bool // what is missing is so because of what the proposal runs
}

// readTokens measures balances and rights over tokens on both sides. What the logs say is only where to look.
func (x *run) readTokens(m *machine, t *trace, logs []*types.Log, res *Result, ready, after *overlay) error {
	p := &probes{gas: MaxProbesGas, used: map[gov.Address]uint64{}, listed: map[gov.Address]bool{}, nfts: map[gov.Address]bool{},
		spent: map[gov.Address]bool{}, missing: map[gov.Missing]bool{}}
	for _, l := range logs {
		if len(l.Topics) == 4 && (l.Topics[0] == topicTransfer || l.Topics[0] == topicApproval) {
			p.nfts[gov.Address(l.Address)] = true
		}
	}
	for _, token := range x.plan.Tokens {
		p.listed[token] = true
	}
	var err error
	if p.before, err = newMachine(m.ctx, m.cfg, m.head, &reader{pass: m.rd.pass, over: ready}, m.at); err != nil {
		return err
	}
	if p.after, err = newMachine(m.ctx, m.cfg, m.head, &reader{pass: m.rd.pass, over: after}, m.at); err != nil {
		return err
	}
	p.before.baseFee, p.after.baseFee = m.baseFee, m.baseFee
	// What matters most is asked first: what the DAO's own accounts hold, and who may take it; then what others hold.
	own, others := x.pairs(logs, p)
	if res.Effects.BalanceDeltas, err = p.balances(own); err != nil {
		return err
	}
	if err := p.rights(x.claims(t, logs), res); err != nil {
		return err
	}
	more, err := p.balances(others)
	if err != nil {
		return err
	}
	res.Effects.BalanceDeltas = append(res.Effects.BalanceDeltas, more...)
	p.tell(res)
	return nil
}

// tell lists what is missing. Contracts beyond MaxMissing stand under the zero address.
func (p *probes) tell(res *Result) {
	missing := keysOf(setOf(p.missing), func(a, b gov.Missing) int {
		return cmp.Or(cmp.Compare(a.Part, b.Part), a.Subject.Cmp(b.Subject))
	})
	named := map[gov.Part]int{}
	for _, m := range missing {
		if named[m.Part]++; named[m.Part] > MaxMissing {
			m.Subject = gov.Address{}
		}
		if !slices.Contains(res.Missing, m) {
			res.Missing = append(res.Missing, m)
		}
	}
	if p.cut {
		res.Effects.Status, res.Effects.Ended = gov.Known(gov.EffectsExhausted), true
	}
}

func setOf[K comparable](m map[K]bool) map[K]struct{} {
	out := make(map[K]struct{}, len(m))
	for k := range m {
		out[k] = struct{}{}
	}
	return out
}

type holding struct{ token, account gov.Address }

// pairs are the holdings to read: those a log names, and every watched account for every token listed or seen. own are
// those of the watched accounts. Tokens beyond MaxTokens are missing.
func (x *run) pairs(logs []*types.Log, p *probes) (own, others []holding) {
	seen := map[holding]struct{}{}
	tokens := map[gov.Address]struct{}{}
	for _, token := range x.plan.Tokens {
		tokens[token] = struct{}{}
	}
	for _, l := range logs {
		accounts, ok := holders(l)
		if !ok {
			continue
		}
		tokens[gov.Address(l.Address)] = struct{}{}
		for _, a := range accounts {
			if !a.IsZero() {
				seen[holding{gov.Address(l.Address), a}] = struct{}{}
			}
		}
	}
	watched := x.watched()
	for token := range tokens {
		for _, a := range watched {
			seen[holding{token, a}] = struct{}{}
		}
	}
	rank := x.ranks(tokens)
	for token, r := range rank {
		if r >= MaxTokens {
			p.spent[token] = true
			p.lack("effects.balance_deltas", token)
		}
	}
	all := keysOf(seen, func(a, b holding) int {
		return cmp.Or(cmp.Compare(rank[a.token], rank[b.token]), a.account.Cmp(b.account))
	})
	for _, h := range all {
		if _, is := slices.BinarySearchFunc(watched, h.account, gov.Address.Cmp); is {
			own = append(own, h)
		} else {
			others = append(others, h)
		}
	}
	return own, others
}

// ranks orders tokens by how much they matter: those listed, then those that the proposal calls itself, then the rest.
func (x *run) ranks(tokens map[gov.Address]struct{}) map[gov.Address]int {
	out := map[gov.Address]int{}
	add := func(token gov.Address) {
		if _, is := tokens[token]; !is {
			return
		}
		if _, done := out[token]; !done {
			out[token] = len(out)
		}
	}
	for _, token := range x.plan.Tokens {
		add(token)
	}
	for _, a := range x.proposal.Actions {
		add(a.To)
	}
	for _, token := range keysOf(tokens, gov.Address.Cmp) {
		add(token)
	}
	return out
}

func (p *probes) balances(pairs []holding) ([]gov.BalanceDelta, error) {
	out := []gov.BalanceDelta{}
	for _, h := range pairs {
		before, after, sides, err := p.both(h.token, call(balanceOf, word(h.account)))
		if err != nil {
			return nil, err
		}
		if sides < 2 {
			// A contract that never answers is no token, which matters only if the plan takes it for one.
			switch {
			case sides == 1, p.spent[h.token]:
				p.lack("effects.balance_deltas", h.token)
			case p.listed[h.token]:
				p.miss("effects.balance_deltas", h.token)
			}
			continue
		}
		if b, a := before.amount(0), after.amount(0); a.Cmp(b) != 0 {
			out = append(out, gov.BalanceDelta{Account: h.account, Token: gov.Asset(h.token), Before: b, Delta: gov.DeltaOf(b, a)})
		}
	}
	return out, nil
}

// both asks one question on both sides, and says how many answered.
func (p *probes) both(to gov.Address, data []byte) (before, after args, sides int, err error) {
	before, ok, err := p.ask(p.before, to, data)
	if err != nil {
		return nil, nil, 0, err
	}
	if ok {
		sides++
	}
	if after, ok, err = p.ask(p.after, to, data); err != nil {
		return nil, nil, 0, err
	}
	if ok {
		sides++
	}
	return before, after, sides, nil
}

// ask is one call. An account without code has nothing of anything.
func (p *probes) ask(m *machine, to gov.Address, data []byte) (args, bool, error) {
	if m.sdb.GetCodeSize(common.Address(to)) == 0 {
		return args{}, true, nil
	}
	if p.spent[to] || p.gas < DefaultProbeGas {
		p.spent[to] = true
		return nil, false, nil
	}
	out, used, err := m.read(common.Address(to), data, DefaultProbeGas, nil)
	p.gas -= used
	p.used[to] += used
	var r *Reverted
	if errors.As(err, &r) {
		p.spent[to] = r.OutOfGas
		err = nil
	}
	p.spent[to] = p.spent[to] || p.used[to] > MaxTokenGas
	if r != nil {
		return nil, false, nil
	}
	return args(out[:min(len(out), maxAnswer)]), len(out) >= 32, err
}

// maxAnswer is how much of an answer is looked at: every question here has one word for an answer, Permit2's three.
const maxAnswer = 96

// lack is miss where the contract itself is why: it was within the run's power to answer, and it did not.
func (p *probes) lack(part gov.Part, token gov.Address) {
	p.cut = true
	p.miss(part, token)
}

func (p *probes) miss(part gov.Part, token gov.Address) {
	reason := gov.NoCode
	if p.spent[token] {
		reason = gov.TooLarge
	}
	p.missing[gov.Missing{Part: part, Reason: reason, Subject: token}] = true
}

// claims are the rights of watched owners that the run asked for or used, those undone by a failure left out.
func (x *run) claims(t *trace, logs []*types.Log) map[right]claim {
	out := map[right]claim{}
	watched := map[gov.Address]bool{}
	for _, a := range x.watched() {
		watched[a] = true
	}
	add := func(c claim) {
		if !watched[c.owner] || c.spender.IsZero() || (c.used && c.spender == c.owner) {
			return
		}
		old, ok := out[c.right]
		if !ok {
			old = claim{right: c.right}
		}
		old.used = old.used || c.used
		if c.amount.Cmp(old.amount) > 0 {
			old.amount = c.amount
		}
		out[c.right] = old
	}
	for _, l := range logs {
		if c, ok := logClaim(l); ok {
			add(c)
		}
	}
	for i, f := range t.frames {
		if f.claim != nil && t.stands(i) {
			add(*f.claim)
		}
	}
	return out
}

func (p *probes) rights(claims map[right]claim, res *Result) error {
	rights := make([]right, 0, len(claims))
	for r := range claims {
		rights = append(rights, r)
	}
	slices.SortFunc(rights, func(a, b right) int {
		return cmp.Or(cmp.Compare(p.order(a), p.order(b)), a.compare(b))
	})
	for _, r := range rights {
		var err error
		if r.operator != nil {
			err = p.operator(r, res)
		} else {
			err = p.allowance(r, claims[r], res)
		}
		if err != nil {
			return err
		}
	}
	slices.SortFunc(res.Effects.Allowances, func(a, b gov.Allowance) int {
		return cmp.Or(a.Token.Cmp(b.Token), a.Owner.Cmp(b.Owner), a.Spender.Cmp(b.Spender), a.Via.Cmp(b.Via))
	})
	return nil
}

// order is 0 for a right over a listed token, 1 for the others.
func (p *probes) order(r right) int {
	if p.listed[r.token] {
		return 0
	}
	return 1
}

func (r right) compare(o right) int {
	return cmp.Or(r.token.Cmp(o.token), r.owner.Cmp(o.owner), r.spender.Cmp(o.spender), r.via.Cmp(o.via), r.id.Cmp(o.id))
}

func (p *probes) allowance(r right, c claim, res *Result) error {
	holder, data := r.token, call(allowanceOf, word(r.owner), word(r.spender))
	if !r.via.IsZero() {
		holder, data = r.via, call(allowancePermit, word(r.owner), word(r.token), word(r.spender))
	}
	b, a, sides, err := p.both(holder, data)
	if err != nil {
		return err
	}
	if sides < 2 {
		// approve and transferFrom of an NFT look like a token's; its rights are the operators.
		if sides == 1 || !p.nfts[holder] || p.spent[holder] {
			p.lack("effects.allowances", holder)
		}
		return nil
	}
	before, after := b.amount(0), a.amount(0)
	peak := before
	for _, n := range []gov.Amount{after, c.amount} {
		if n.Cmp(peak) > 0 {
			peak = n
		}
	}
	if before.Cmp(after) == 0 && peak.Cmp(before) == 0 && (!c.used || before.IsZero()) {
		return nil // the same was allowed before, and is
	}
	res.Effects.Allowances = append(res.Effects.Allowances, gov.Allowance{
		Token: r.token, Owner: r.owner, Spender: r.spender, Before: before, After: after, Via: r.via, Peak: peak,
	})
	return nil
}

func (p *probes) operator(r right, res *Result) error {
	first, second := r.owner, r.spender
	if r.operator.swap {
		first, second = second, first
	}
	data := call(r.operator.ask, word(first), word(second))
	if r.operator.byID {
		data = call(r.operator.ask, r.id.Int().Bytes32())
	}
	b, a, sides, err := p.both(r.token, data)
	if err != nil {
		return err
	}
	if sides < 2 {
		p.lack("effects.allowances", r.token)
		return nil
	}
	is := func(answer args) bool {
		if r.operator.byID {
			return answer.address(0) == r.spender
		}
		return !answer.amount(0).IsZero()
	}
	o := Operator{Token: r.token, Owner: r.owner, Operator: r.spender, Before: is(b), After: is(a)}
	if r.operator.byID {
		o.ID = &r.id
	}
	if o.Before || o.After {
		res.Operators = append(res.Operators, o)
	}
	return nil
}

func call(s gov.Selector, words ...[32]byte) []byte {
	out := append([]byte{}, s[:]...)
	for _, w := range words {
		out = append(out, w[:]...)
	}
	return out
}

func word(a gov.Address) (w [32]byte) {
	copy(w[12:], a[:])
	return w
}
