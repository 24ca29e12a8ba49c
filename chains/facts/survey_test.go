package facts_test

import (
	"bytes"
	"math/big"
	"slices"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/legate-dao/legate/agent/checks"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/devchain"
	"github.com/legate-dao/legate/chains/facts"
)

// calldataOf is multicall(bytes[]) with these elements, encoded as an encoder would.
func calldataOf(elements ...[]byte) []byte {
	word := func(v int) []byte { return common.LeftPadBytes(n(int64(v)).Bytes(), 32) }
	var heads, tails bytes.Buffer
	for _, e := range elements {
		heads.Write(word(32*len(elements) + tails.Len()))
		tails.Write(word(len(e)))
		tails.Write(e)
		tails.Write(make([]byte, (32-len(e)%32)%32))
	}
	out := append([]byte{}, crypto.Keccak256([]byte("multicall(bytes[])"))[:4]...)
	return slices.Concat(out, word(32), word(len(elements)), heads.Bytes(), tails.Bytes())
}

// overlapping is multicall(bytes[]) of the same element many times, whose bytes stand there once.
func overlapping(element []byte, times int) []byte {
	word := func(v int) []byte { return common.LeftPadBytes(n(int64(v)).Bytes(), 32) }
	out := slices.Concat(crypto.Keccak256([]byte("multicall(bytes[])"))[:4], word(32), word(times))
	for range times {
		out = append(out, word(32*times)...)
	}
	return append(append(append(out, word(len(element))...), element...), make([]byte, (32-len(element)%32)%32)...)
}

// TestG49HiddenInAWrapper: what one action holds is looked at to its end, however many calls stand before the one that
// matters, however deep it lies and however often its bytes are used; and what is left closed says no zero.
func TestG49HiddenInAWrapper(t *testing.T) {
	w := newWorld(t, devchain.OZ5Block)
	d := w.dao
	approve := w.act(d.Token, d.TokenContract(), "approve", stranger, ether(1)).Calldata
	decoy := slices.Concat(crypto.Keccak256([]byte("ping()"))[:4], make([]byte, 32))
	nested := approve
	for range 20 {
		nested = calldataOf(nested)
	}
	for name, data := range map[string][]byte{
		"behind 6000 calls":              calldataOf(append(slices.Repeat([][]byte{decoy}, 3*facts.MaxCalls), approve)...),
		"behind 21 000 calls of nothing": calldataOf(append(slices.Repeat([][]byte{nil}, 21_000), approve)...),
		"20 deep":                        nested,
		"three times the same bytes":     overlapping(slices.Concat(approve, make([]byte, 5000)), 3),
	} {
		t.Run(name, func(t *testing.T) {
			p := gov.Proposal{ID: gov.ProposalID{Chain: 31337, Governor: gov.Address(d.Governor), Number: gov.NewAmount(1)}, Flavour: w.deps.Governor.Flavour,
				Actions: []gov.Action{{To: gov.Address(d.Token), Calldata: gov.CalldataOf(data)}}}
			deps := w.deps
			deps.Runner = nil
			got, err := facts.Gather(t.Context(), deps, p, w.head())
			must(t, err)
			found := checks.Run(p, got.Facts)
			if s := checks.StatusOf("outflow", found); s != gov.Found {
				t.Errorf("outflow is %s, excerpt of %d, missing %s", s, len(got.Facts.Excerpt), missing(got.Facts))
			}
		})
	}
}

// TestG49SurveyedRights: a right that a contract grants without a log is counted where the calls are only surveyed, as it
// is where they are kept. Nothing that was not looked at is 0.
func TestG49SurveyedRights(t *testing.T) {
	a := newArena(t, devchain.OZ5Block)
	silent := devchain.Action{Target: common.Address{0x77}, Calldata: slices.Concat(crypto.Keccak256([]byte("setMinter(address)"))[:4], common.LeftPadBytes(stranger[:], 32))}
	for name, x := range map[string]trick{
		"alone":  {add: func(base devchain.Action) []devchain.Action { return []devchain.Action{base} }},
		"hidden": {padded: facts.MaxTargets + 1, at: 7, apart: true},
	} {
		f, _ := a.verdict(a.tried(x, silent))
		if outside, known := f.Roles.GrantedOutside.Get(); !known || outside != 1 || f.Excerpt != nil != (name == "hidden") {
			t.Errorf("%s: granted to outsiders %d (known %v), excerpt of %d, missing %s", name, outside, known, len(f.Excerpt), missing(f))
		}
	}
}

// TestG49MoreCoinThanThereIs: values that nobody can send, to a governor that takes them from whoever executes, make the
// run revert, and are nothing that we could not read.
func TestG49MoreCoinThanThereIs(t *testing.T) {
	power := func(n uint) *big.Int { return new(big.Int).Lsh(big.NewInt(1), n) }
	for name, values := range map[string][]*big.Int{"one": {power(200)}, "together": {power(255), new(big.Int).Add(power(255), big.NewInt(1))}} {
		a := newArena(t, devchain.Bravo)
		actions := []devchain.Action{a.act(a.dao.Token, a.dao.TokenContract(), "approve", stranger, ether(40_000))}
		for _, v := range values {
			actions = append(actions, devchain.Action{Target: stranger, Value: v})
		}
		f, v := a.verdict(a.made(actions...))
		if f.Effects.Status.Or("?") != gov.EffectsReverted || v.Direction != gov.Against {
			t.Errorf("%s: %s by %s %v, dry run %s", name, v.Direction, v.Rule, v.Reasons, f.Effects.Status.Or("?"))
		}
	}
}
