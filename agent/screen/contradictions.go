package screen

import (
	"strings"

	"github.com/legate-dao/legate/agent/gov"
)

// sending are words by which a sentence says that value moves.
var sending = stems("transfer send sends sent sending pay pays paid payment grant disburs distribut allocat stream award reimburs compensat refund withdraw")

// stems makes a test for words that begin with one of the list.
func stems(list string) func(string) bool {
	l := strings.Fields(list)
	return func(w string) bool {
		for _, s := range l {
			if strings.HasPrefix(w, s) {
				return true
			}
		}
		return false
	}
}

// privileged groups the kinds of call of which a text that plays the proposal down must speak: the words
// that speak of them, and how the check names them.
var privileged = []struct {
	what  string
	kinds []gov.Kind
	says  func(string) bool
}{
	{"upgrade code", []gov.Kind{gov.KindUpgrade}, stems("upgrad implementation proxy replac migrat version deploy implement delegator beacon facet diamond")},
	{"mint", []gov.Kind{gov.KindMint}, stems("mint issu inflat emission suppl")},
	{"change roles", []gov.Kind{gov.KindRole}, stems("role admin owner grant revok permission guardian minter access manager authori ownership")},
	{"change the timelock or governor", []gov.Kind{gov.KindTimelock, gov.KindGovernor}, stems("timelock delay governor governance quorum threshold period")},
	{"allow others to move tokens", []gov.Kind{gov.KindApproval}, stems("approv allowanc allow spend permit")},
	{"move tokens", []gov.Kind{gov.KindTransfer, gov.KindNative, gov.KindStream},
		stems("transfer send sent pay paid payment grant disburs distribut allocat stream award reimburs compensat refund withdraw fund deposit swap move budget return topup")},
}

// Places in privileged.
const (
	allowing = 4
	spending = 5
)

// smallness are phrases that say a proposal does next to nothing.
var smallness = []string{
	"fix a typo", "fixes a typo", "fixing a typo", "fix typo", "fixes typo", "typo fix", "correct a typo", "corrects a typo", "fix the typo", "typographical",
	"text change only", "text only", "only a text change", "text change", "documentation only", "documentation change", "docs only", "cosmetic", "purely formal",
	"signaling only", "signalling only", "signal only", "purely informational", "no on chain effect", "no onchain effect", "no on chain action", "no on chain change",
	"has no effect", "does nothing", "housekeeping only", "no functional change", "comment only", "metadata only", "spelling",
}

// parameterOnly are phrases that say only a parameter changes.
var parameterOnly = []string{
	"parameter only", "only a parameter", "only parameters", "only changes a parameter", "only changes parameters", "only updates a parameter", "only a parameter change",
	"parameter change only", "parameter update only", "just a parameter", "no other changes than the parameter",
}

// negations are phrases that deny one thing outright, with its group in privileged.
var negations = []struct {
	group   int
	phrases []string
}{
	{0, []string{"no upgrade", "does not upgrade", "not upgrade any", "without upgrading", "no code change", "no code is changed", "no contract is upgraded", "does not change any code"}},
	{1, []string{"no mint", "does not mint", "no tokens are minted", "no new tokens", "without minting", "no token is minted", "no inflation", "does not increase the supply"}},
	{2, []string{"no role", "does not grant any role", "no permissions are", "no new permissions", "does not change any role", "no admin change", "no change of owner"}},
	{4, []string{"no approval", "no allowance", "does not approve any", "no approvals"}},
	{5, []string{
		"no funds move", "no funds are", "no funds will", "no funds leave", "no treasury funds", "no funds to be", "no tokens are transferred", "no tokens will be transferred", "does not transfer any", "does not move any", "does not move funds", "does not spend",
		"does not transfer funds", "no funding is requested", "no transfer", "no tokens move", "no money", "no payment", "without moving funds", "no treasury spend", "no budget is requested", "no cost to the treasury",
	}},
}

// denials hold phrases that play the proposal down against the kinds of its calls.
func (m *matcher) denials() {
	for _, s := range m.sentences() {
		for _, p := range smallness {
			if strings.Contains(s.text, " "+p+" ") {
				m.unsaid(s, p, 0, len(privileged))
			}
		}
		for _, p := range parameterOnly {
			if strings.Contains(s.text, " "+p+" ") {
				m.unsaid(s, p, 0, 3)
				m.unsaid(s, p, 4, len(privileged))
			}
		}
		for _, n := range negations {
			for _, p := range n.phrases {
				if strings.Contains(s.text, " "+p+" ") && !conditional(s.text) {
					m.denied(s, p, n.group)
				}
			}
		}
	}
}

// denied contradicts a phrase that denies what the calls do. Who says that nothing is spent denies an
// allowance too, unless the text speaks of it.
func (m *matcher) denied(s sentence, phrase string, group int) {
	leaf, ok := m.does(group)
	if !ok && group == spending && !m.speaks(privileged[allowing].says) {
		group = allowing
		leaf, ok = m.does(group)
	}
	if ok {
		m.contradict(phrase, "the text denies what the calls do: "+privileged[group].what, s.number, leaf, m.target(leaf))
	}
}

// unsaid contradicts a phrase when the calls do what the text nowhere speaks of.
func (m *matcher) unsaid(s sentence, phrase string, from, to int) {
	for g := from; g < to; g++ {
		leaf, ok := m.does(g)
		if ok && !m.speaks(privileged[g].says) {
			m.contradict(phrase, "the text calls the proposal a small matter and nowhere says that the calls "+privileged[g].what, s.number, leaf, m.target(leaf))
		}
	}
}

// conditional says whether a sentence speaks of what might be, or of before.
func conditional(s string) bool {
	for _, w := range []string{" if ", " unless ", " until ", " would ", " previously ", " currently ", " failed ", " was ", " were ", " because ", " so that ", " in case "} {
		if strings.Contains(s, w) {
			return true
		}
	}
	return false
}

// does gives the first leaf of a group's kinds. A transfer of nothing is none.
func (m *matcher) does(group int) (leaf int, ok bool) {
	for _, k := range privileged[group].kinds {
		if i, had := m.kinds[k]; had {
			return i, true
		}
	}
	return 0, false
}

func (m *matcher) speaks(of func(string) bool) bool {
	for _, t := range m.tokens {
		if t.kind == aWord && of(t.low) {
			return true
		}
	}
	return false
}

// target is the account that a leaf calls.
func (m *matcher) target(leaf int) gov.Address {
	if leaf < 0 || leaf >= len(m.leaves) {
		return gov.Address{}
	}
	return m.leaves[leaf].Call.To
}

// sentence is the words of a sentence in lower case with single spaces, one at each end.
type sentence struct {
	number int
	text   string
}

func (m *matcher) sentences() []sentence {
	var out []sentence
	var b strings.Builder
	for i, t := range m.tokens {
		if b.Len() == 0 {
			b.WriteByte(' ')
		}
		if t.kind == aWord {
			b.WriteString(t.low)
		} else {
			b.WriteByte('#')
		}
		b.WriteByte(' ')
		if i+1 == len(m.tokens) || m.tokens[i+1].sentence != t.sentence {
			out = append(out, sentence{t.sentence, b.String()})
			b.Reset()
		}
	}
	return out
}

// between are the tokens of the sentence of token i.
func (m *matcher) between(i int) []token {
	from, to := i, i+1
	for from > 0 && m.tokens[from-1].sentence == m.tokens[i].sentence {
		from--
	}
	for to < len(m.tokens) && m.tokens[to].sentence == m.tokens[i].sentence {
		to++
	}
	return m.tokens[from:to]
}

func sends(sentence []token) bool {
	for _, t := range sentence {
		if t.kind == aWord && sending(t.low) {
			return true
		}
	}
	return false
}

const (
	near       = 0.02  // a stated amount within 2 % of the moved one is a rounded one
	maxNumbers = 2000  // of the text that are compared with the moved amounts
	maxPairs   = 24    // of the text whose products are looked at: a rate times a time
	exact      = 0.002 // for what is computed from two of them: with more room, chance explains anything
	maxMoves   = 256   // of the calls
)

// amounts holds what the text says is sent of a token against what the calls send of it. It is a
// contradiction only when the text names an amount of that token in a sentence about sending, and no
// number of the text, no sum and no product of two gives any amount that the calls send.
func (m *matcher) amounts() {
	if len(m.moves) == 0 || len(m.moves) > maxMoves {
		return
	}
	numbers := m.numbersOf()
	for i, t := range m.tokens {
		if t.kind != aNumber || t.unit == "" || t.unit == "%" || t.number.value == 0 || !sends(m.between(i)) {
			continue
		}
		unit := t.unit
		if unit == "wei" || unit == "gwei" {
			unit = "ETH"
		}
		same := m.movesOf(unit)
		switch {
		case len(same) > 0:
			if !m.explains(numbers, same, t.unit) {
				mv := same[0]
				m.contradict(amountText(t), "the calls send another amount of a token than the text names", t.sentence, mv.leaf, mv.to)
			}
		case len(unit) >= 3 && unit != "USD" && m.tokensNamed() && !m.mentionsMoved() && !m.explains(numbers, m.moves, ""):
			mv := m.moves[0]
			m.contradict(amountText(t), "the text names a transfer of a token that no call moves, and the calls move another", t.sentence, mv.leaf, mv.to)
		}
	}
}

// numbersOf lists the different numbers of the text, and sums of all of one unit.
func (m *matcher) numbersOf() []number {
	var out []number
	seen, sums := map[float64]bool{}, map[string]float64{}
	for _, t := range m.tokens {
		if t.kind != aNumber || t.number.value == 0 || seen[t.number.value] {
			continue
		}
		seen[t.number.value] = true
		if t.unit != "" {
			sums[t.unit] += t.number.value
		}
		if out = append(out, number{t.number.value, max(t.number.slack, near)}); len(out) >= maxNumbers {
			break
		}
	}
	for _, unit := range sortedKeys(sums) {
		out = append(out, number{sums[unit], near})
	}
	if len(out) > maxPairs {
		return out
	}
	for _, a := range append([]number{}, out...) {
		for _, b := range out[:min(len(out), maxPairs)] {
			out = append(out, number{a.value * b.value, exact})
			if a.value > b.value {
				out = append(out, number{a.value / b.value, exact}, number{a.value - b.value, exact})
			}
		}
	}
	return out
}

// explains says whether a number of the text gives an amount that the calls send, or their sum.
func (m *matcher) explains(numbers []number, moves []move, unit string) bool {
	sum := 0.0
	for _, mv := range moves {
		if !mv.whole { // an allowance without bound: no text states its number
			return true
		}
		sum += mv.amount.Float()
		for _, n := range numbers {
			if n.equals(mv.amount.Float(), m.scalings(mv.token, unit)) || n.equals(mv.amount.Float(), m.scalings(mv.token, "")) {
				return true
			}
		}
	}
	for _, n := range numbers {
		if n.equals(sum, m.scalings(moves[0].token, unit)) {
			return true
		}
	}
	return false
}

func (m *matcher) movesOf(symbol string) []move {
	var out []move
	for _, mv := range m.moves {
		if m.called(mv.token, symbol) {
			out = append(out, mv)
		}
	}
	return out
}

// tokensNamed says whether every token that moves has a name: only then can another be told from it.
func (m *matcher) tokensNamed() bool {
	for _, mv := range m.moves {
		if len(m.names[mv.token]) == 0 {
			return false
		}
	}
	return m.complete
}

// mentionsMoved says whether the text names a token that moves, in any part of its name.
func (m *matcher) mentionsMoved() bool {
	for _, t := range m.tokens {
		if t.kind != aWord {
			continue
		}
		for _, mv := range m.moves {
			for _, name := range m.names[mv.token] {
				if name == t.low || len(name) > 2 && strings.Contains(t.low, name) || symbolLike(t.text) && strings.Contains(name, t.low) {
					return true
				}
			}
		}
	}
	return false
}

// recipients holds the address that the text says is paid against those that the calls pay. It is a
// contradiction only when the text names exactly one address to send to, that address is in no call, and
// no recipient of the calls is named anywhere in the text, by address, label or ENS name.
func (m *matcher) recipients() {
	paid, leaf := map[gov.Address]bool{}, -1
	for _, mv := range m.moves {
		if _, isApproval := m.approval(mv); !isApproval {
			paid[mv.to] = true
			leaf = max(leaf, mv.leaf)
		}
	}
	named := map[gov.Address]token{}
	for i, t := range m.tokens {
		if t.kind == aWord && (t.low == "ens" || strings.HasSuffix(t.low, ".eth")) {
			continue
		}
		if t.kind != anAddress {
			continue
		}
		if paid[t.address] {
			return
		}
		if m.paysTo(i) {
			named[t.address] = t
		}
	}
	if len(paid) == 0 || len(named) != 1 || m.labelled(paid) {
		return
	}
	for a, t := range named {
		if _, inCalls := m.addresses[a]; !inCalls && m.complete {
			m.contradict(t.text, "the calls pay another account than the one that the text names", t.sentence, leaf, m.firstPaid())
		}
	}
}

func (m *matcher) firstPaid() gov.Address {
	for _, mv := range m.moves {
		if _, isApproval := m.approval(mv); !isApproval {
			return mv.to
		}
	}
	return gov.Address{}
}

// approval says whether a move is an allowance.
func (m *matcher) approval(mv move) (gov.Call, bool) {
	if mv.leaf < 0 {
		return gov.Call{}, false
	}
	c := m.leaves[mv.leaf].Call
	return c, c.Kind == gov.KindApproval
}

// paysTo says whether the address at i is what a sentence sends to: "to" and few words before it, after a
// word of sending.
func (m *matcher) paysTo(i int) bool {
	to := false
	for j := i - 1; j >= 0 && j >= i-16 && m.tokens[j].sentence == m.tokens[i].sentence; j-- {
		t := m.tokens[j]
		if t.kind == aWord && t.low == "to" && i-j <= 6 {
			to = true
		}
		if to && t.kind == aWord && sending(t.low) {
			return true
		}
		if t.kind == aWord && (t.low == "recipient" || t.low == "receiver" || t.low == "beneficiary") && i-j <= 4 {
			return true
		}
	}
	return false
}

// labelled says whether the operator has a name for a recipient: the text may use one too.
func (m *matcher) labelled(paid map[gov.Address]bool) bool {
	for a := range paid {
		if len(m.names[gov.Asset(a)]) > 0 {
			return true
		}
	}
	return false
}
