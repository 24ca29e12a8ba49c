package signer_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/governor/ballot"
	"github.com/legate-dao/legate/chains/ledger"
	"github.com/legate-dao/legate/chains/signer"
)

// signed demands a signature and reads it.
func signed(t testing.TB, w *world, i gov.Intent) (gov.Vote, *types.Transaction) {
	t.Helper()
	v, err := w.Sign(t.Context(), i)
	if err != nil {
		t.Fatal(err)
	}
	return v, check(t, w, i, v)
}

// check demands that a signature is the vote and nothing else.
func check(t testing.TB, w *world, i gov.Intent, v gov.Vote) *types.Transaction {
	t.Helper()
	tx := new(types.Transaction)
	if err := tx.UnmarshalBinary(v.Raw.Bytes()); err != nil {
		t.Fatal(err)
	}
	from, err := types.Sender(types.LatestSignerForChainID(tx.ChainId()), tx)
	if err != nil {
		t.Fatal(err)
	}
	cast, err := ballot.Decode(i.Ballot.Flavour, tx.Data())
	if err != nil {
		t.Fatal(err)
	}
	switch {
	case gov.Address(from) != addressOf(w.key), v.Status != gov.VoteSigned, v.Tx != tx.Hash(), v.Nonce != tx.Nonce():
		t.Fatalf("vote %+v of %s", v, from)
	case tx.Type() != types.DynamicFeeTxType, tx.Value().Sign() != 0, tx.ChainId().Uint64() != 1, len(tx.AccessList()) != 0, len(tx.SetCodeAuthorizations()) != 0:
		t.Fatalf("type %d value %s chain %s", tx.Type(), tx.Value(), tx.ChainId())
	case tx.To() == nil || gov.Address(*tx.To()) != governor:
		t.Fatalf("to %s", tx.To())
	case cast.Number != i.Ballot.Proposal.Number, cast.Support != i.Ballot.Support:
		t.Fatalf("cast %+v for %+v", cast, i.Ballot)
	case tx.Gas() > signer.DefaultMaxGas, tx.GasFeeCap().Cmp(gov.NewAmount(200e9).Int().ToBig()) > 0:
		t.Fatalf("gas %d at %s", tx.Gas(), tx.GasFeeCap())
	}
	return tx
}

func TestSign(t *testing.T) {
	w := build(t)
	for name, c := range map[string]struct {
		change func(*gov.Facts)
		want   gov.Support
		rule   gov.Label
	}{
		"for":     {nil, gov.SupportFor, "small-grant"},
		"against": {mints, gov.SupportAgainst, "no-dilution"},
		"abstain": {toEOA, gov.SupportAbstain, "no-opinion"},
	} {
		i := w.intent(t, c.change)
		if i.Ballot.Support != c.want || i.Ballot.Reason.Rule != c.rule {
			t.Fatalf("%s: the policy says %s by %s", name, i.Ballot.Support, i.Ballot.Reason.Rule)
		}
		_, tx := signed(t, w, i)
		if cast, _ := ballot.Decode(i.Ballot.Flavour, tx.Data()); !strings.Contains(cast.Reason, string(c.rule)) || !strings.Contains(cast.Reason, i.Ballot.Reason.Record.String()) {
			t.Errorf("%s: reason %q", name, cast.Reason)
		}
	}
	i := w.intent(t, func(f *gov.Facts) { burns(f); blind(f) })
	answered(t, &i, w.holder, gov.SupportFor)
	i.Gate = gov.Gated{}
	v, _ := signed(t, w, i)
	if v.Approval == nil || !strings.Contains(string(v.Reason), "by the holder's own hand") {
		t.Errorf("the holder's vote: %+v", v)
	}
	if r, err := ledger.Fsck(w.folder); err != nil || r.Votes != 4 {
		t.Errorf("ledger %+v, %v", r, err)
	}
}

// refusals are honest intents with one thing wrong.
var refusals = []struct {
	name   string
	facts  func(*gov.Facts)
	change func(t testing.TB, w *world, i *gov.Intent)
	want   error
}{
	{"support turned round", nil, func(_ testing.TB, _ *world, i *gov.Intent) { i.Ballot.Support = gov.SupportAgainst }, signer.ErrStale},
	{"for where the policy says against", mints, func(_ testing.TB, _ *world, i *gov.Intent) { i.Ballot.Support = gov.SupportFor }, signer.ErrStale},
	{"for where the policy says abstain", toEOA, func(_ testing.TB, _ *world, i *gov.Intent) { i.Ballot.Support = gov.SupportFor }, signer.ErrStale},
	{"abstain where the policy says against", mints, func(_ testing.TB, _ *world, i *gov.Intent) { i.Ballot.Support = gov.SupportAbstain }, signer.ErrStale},
	{"for on a hold", burns, func(_ testing.TB, _ *world, i *gov.Intent) { i.Ballot.Support = gov.SupportFor }, signer.ErrStale},
	{"facts left out: the dry run", blind, func(_ testing.TB, _ *world, i *gov.Intent) { i.Ballot.Support = gov.SupportFor }, signer.ErrStale},
	{"facts left out: all", func(f *gov.Facts) { *f = gov.Facts{At: f.At} }, func(_ testing.TB, _ *world, i *gov.Intent) { i.Ballot.Support = gov.SupportFor }, signer.ErrStale},
	{"facts changed under the ballot", nil, func(_ testing.TB, _ *world, i *gov.Intent) { i.Case.Facts.Supply.MintedBps = gov.Known(1.0) }, signer.ErrIntent},
	{"facts too old", aged, nil, signer.ErrStale},
	{"an against on old facts that does not stand", func(f *gov.Facts) { mints(f); aged(f) }, nil, signer.ErrStale},
	{"a for said to stand", aged, func(_ testing.TB, _ *world, i *gov.Intent) { i.Standing = true }, signer.ErrIntent},
	{"facts from the future", future, nil, signer.ErrStale},
	{"facts without a time", func(f *gov.Facts) { f.At.Time = 0 }, nil, signer.ErrIntent},
	{"another rule named", nil, func(_ testing.TB, _ *world, i *gov.Intent) { i.Ballot.Reason.Rule = "no-dilution" }, signer.ErrStale},
	{"gate held", nil, func(_ testing.TB, _ *world, i *gov.Intent) { i.Gate.Result = gov.GateHold }, signer.ErrIntent},
	{"gate missing", nil, func(_ testing.TB, _ *world, i *gov.Intent) { i.Gate = gov.Gated{} }, signer.ErrIntent},
	{"governor not listed", nil, func(_ testing.TB, _ *world, i *gov.Intent) {
		i.Ballot.Proposal.Governor, i.Case.Proposal.ID.Governor = stranger, stranger
	}, signer.ErrIntent},
	{"chain not listed", nil, func(_ testing.TB, _ *world, i *gov.Intent) {
		i.Ballot.Proposal.Chain, i.Case.Proposal.ID.Chain = 10, 10
	}, signer.ErrIntent},
	{"ballot on another proposal", nil, func(_ testing.TB, _ *world, i *gov.Intent) { i.Ballot.Proposal.Number = gov.NewAmount(999) }, signer.ErrIntent},
	{"another voter", nil, func(_ testing.TB, _ *world, i *gov.Intent) { i.Ballot.Voter = stranger }, signer.ErrIntent},
	{"another flavour", nil, func(_ testing.TB, _ *world, i *gov.Intent) {
		i.Ballot.Flavour, i.Case.Proposal.Flavour = gov.GovernorAlpha, gov.GovernorAlpha
	}, signer.ErrIntent},
	{"a draft", nil, func(_ testing.TB, _ *world, i *gov.Intent) { i.Case.Proposal.Draft = true }, signer.ErrIntent},
	{"not read in full", nil, func(_ testing.TB, _ *world, i *gov.Intent) { i.Case.Proposal.TooLarge = true }, signer.ErrStale}, // no rule is For it
	{"another holder's policy", nil, func(t testing.TB, w *world, i *gov.Intent) {
		i.Case.Holder = gov.Holder{Name: "bob", Account: gov.Address{19: 0xb0}}
		w.say(t, i)
	}, signer.ErrIntent},
	{"another holder's policy and governor name", nil, func(t testing.TB, w *world, i *gov.Intent) {
		i.Case.Holder, i.Case.Proposal.Name = gov.Holder{Name: "bob", Account: gov.Address{19: 0xb0}}, "other"
		w.say(t, i)
	}, signer.ErrIntent},
	{"another governor's name", nil, func(t testing.TB, w *world, i *gov.Intent) {
		i.Case.Proposal.Name = "other" // policies may read it
		w.say(t, i)
	}, signer.ErrIntent},
	{"another account of the holder", nil, func(_ testing.TB, _ *world, i *gov.Intent) { i.Case.Holder.Account = stranger }, signer.ErrIntent},
	{"another content hash", nil, func(_ testing.TB, _ *world, i *gov.Intent) { i.Case.Proposal.ContentHash = gov.Hash{1} }, signer.ErrIntent},
	{"another action under the same hash", nil, func(_ testing.TB, _ *world, i *gov.Intent) { i.Case.Proposal.Actions[0].To = stranger }, signer.ErrIntent},
	{"calls that are not the actions", nil, func(t testing.TB, _ *world, i *gov.Intent) {
		p := &i.Case.Proposal
		p.Actions = []gov.Action{{To: stranger, Calldata: gov.CalldataOf([]byte{1, 2, 3, 4})}}
		p.ContentHash = gov.ContentHash(p.Actions, p.DescriptionHash)
	}, signer.ErrIntent},
	{"an action more than calls", nil, func(t testing.TB, _ *world, i *gov.Intent) {
		p := &i.Case.Proposal
		p.Actions = append(p.Actions, gov.Action{To: stranger})
		p.ContentHash = gov.ContentHash(p.Actions, p.DescriptionHash)
	}, signer.ErrIntent},
	{"facts of another governor", func(f *gov.Facts) { f.DAO.Governor = stranger }, nil, signer.ErrIntent},
	{"fee cap above the bound", nil, func(_ testing.TB, _ *world, i *gov.Intent) { i.Tx.FeeCap = gov.NewAmount(201e9) }, signer.ErrIntent},
	{"a vote dearer than the policy allows", nil, func(_ testing.TB, _ *world, i *gov.Intent) {
		i.Tx.FeeCap, i.Tx.Gas = gov.NewAmount(199e9), 300_000
	}, signer.ErrIntent},
	{"gas above the bound", nil, func(_ testing.TB, _ *world, i *gov.Intent) { i.Tx.Gas = 1_000_001 }, signer.ErrIntent},
	{"no gas", nil, func(_ testing.TB, _ *world, i *gov.Intent) { i.Tx.Gas = 0 }, signer.ErrIntent},
	{"no fee", nil, func(_ testing.TB, _ *world, i *gov.Intent) { i.Tx.FeeCap = gov.Amount{} }, signer.ErrIntent},
	{"tip above the fee cap", nil, func(_ testing.TB, _ *world, i *gov.Intent) { i.Tx.TipCap = gov.NewAmount(41e9) }, signer.ErrIntent},
	{"a stranger's answer", burns, func(t testing.TB, w *world, i *gov.Intent) { answered(t, i, testKey(t, "stranger"), gov.SupportFor) }, signer.ErrIntent},
	{"the voting key's own answer", burns, func(t testing.TB, w *world, i *gov.Intent) { answered(t, i, w.key, gov.SupportFor) }, signer.ErrIntent},
	{"an answer turned round", burns, func(t testing.TB, w *world, i *gov.Intent) {
		answered(t, i, w.holder, gov.SupportFor)
		i.Ballot.Support = gov.SupportAgainst
	}, signer.ErrIntent},
	{"an answer to another proposal", burns, func(t testing.TB, w *world, i *gov.Intent) {
		other := w.intent(t, burns)
		answered(t, &other, w.holder, gov.SupportFor)
		answered(t, i, w.holder, gov.SupportFor)
		i.Approval = other.Approval
	}, signer.ErrIntent},
	{"an answer for another chain", burns, func(t testing.TB, w *world, i *gov.Intent) {
		other := *i
		other.Ballot.Proposal.Chain++
		answered(t, &other, w.holder, gov.SupportFor)
		answered(t, i, w.holder, gov.SupportFor)
		i.Approval = other.Approval
	}, signer.ErrIntent},
	{"an answer moved here from another chain", burns, func(t testing.TB, w *world, i *gov.Intent) {
		other := *i
		other.Ballot.Proposal.Chain++
		answered(t, &other, w.holder, gov.SupportFor)
		answered(t, i, w.holder, gov.SupportFor)
		moved := *other.Approval
		moved.Proposal = i.Ballot.Proposal
		i.Approval = &moved
	}, signer.ErrIntent},
	{"an answer over another basis", burns, func(t testing.TB, w *world, i *gov.Intent) {
		answered(t, i, w.holder, gov.SupportFor)
		i.Case.Facts.Params = gov.Known([]gov.Param{{Label: "x", Target: usdc}})
		record(t, i)
	}, signer.ErrStale},
	{"an answer that has expired", burns, func(t testing.TB, w *world, i *gov.Intent) {
		answered(t, i, w.holder, gov.SupportFor)
		w.at = now.Add(61 * time.Minute)
		i.Case.Facts.At.Time += 3600
		record(t, i)
	}, signer.ErrStale},
	{"an answer on old facts", func(f *gov.Facts) { burns(f); aged(f) }, func(t testing.TB, w *world, i *gov.Intent) { answered(t, i, w.holder, gov.SupportFor) }, signer.ErrStale},
	{"an answer said to be policy", burns, func(t testing.TB, w *world, i *gov.Intent) {
		answered(t, i, w.holder, gov.SupportFor)
		i.Ballot.Reason.By = gov.ByPolicy
	}, signer.ErrIntent},
	{"the holder's hand without an answer", burns, func(t testing.TB, w *world, i *gov.Intent) {
		i.Ballot.Reason.By, i.Ballot.Support = gov.ByHolder, gov.SupportFor
	}, signer.ErrIntent},
	{"a time-out before its time", burns, func(t testing.TB, w *world, i *gov.Intent) { i.Ballot.Support = gov.SupportAgainst }, signer.ErrLater},
	{"a time-out to what the policy does not say", burns, func(t testing.TB, w *world, i *gov.Intent) {
		i.Case.Proposal.EndsAt = gov.UnixTime(now.Unix() + 3600)
		i.Ballot.Support = gov.SupportAbstain
	}, signer.ErrStale},
	{"a time-out to for", burns, func(t testing.TB, w *world, i *gov.Intent) {
		i.Case.Proposal.EndsAt = gov.UnixTime(now.Unix() + 3600)
		i.Ballot.Support = gov.SupportFor
	}, signer.ErrStale},
	{"a time-out of a hold that is not about known facts", blind, func(t testing.TB, w *world, i *gov.Intent) {
		i.Case.Proposal.EndsAt = gov.UnixTime(now.Unix() + 3600)
		i.Ballot.Support = gov.SupportAgainst
	}, signer.ErrStale},
	{"a time-out without an end", burns, func(t testing.TB, w *world, i *gov.Intent) {
		i.Case.Proposal.EndsAt = 0
		i.Ballot.Support = gov.SupportAgainst
	}, signer.ErrIntent},
	{"frozen", nil, func(t testing.TB, w *world, _ *gov.Intent) {
		if err := ledger.Freeze(w.folder, "test"); err != nil {
			t.Fatal(err)
		}
	}, signer.ErrLater},
	{"a support that is none", nil, func(_ testing.TB, _ *world, i *gov.Intent) { i.Ballot.Support = 3 }, signer.ErrIntent},
}

// TestG05TypedIntentsOnly: each thing that can be wrong with an intent keeps it from being signed, with the
// error by which the agent goes on, and leaves no line in the ledger.
func TestG05TypedIntentsOnly(t *testing.T) {
	w := build(t)
	for _, c := range refusals {
		t.Run(c.name, func(t *testing.T) {
			w.at = now
			honest := w.intent(t, c.facts)
			if c.change != nil {
				c.change(t, w, &honest)
			}
			if v, err := w.Sign(t.Context(), honest); !errors.Is(err, c.want) || v.Raw.Len() != 0 {
				t.Errorf("%d bytes signed, error %v, want %v", v.Raw.Len(), err, c.want)
			}
			if err := ledger.Unfreeze(w.folder); err != nil {
				t.Fatal(err)
			}
		})
	}
	if r, err := ledger.Fsck(w.folder); err != nil || r.Votes != 0 {
		t.Errorf("ledger %+v, %v", r, err)
	}
	t.Logf("n=%d intents, 0 signed", len(refusals))
}

// TestG15StaleAndFrozen is the signer's part of pre-flight: facts that are too old make no signature, except
// an against that stands.
func TestG15StaleAndFrozen(t *testing.T) {
	w := build(t)
	i := w.intent(t, aged)
	if _, err := w.Sign(t.Context(), i); !errors.Is(err, signer.ErrStale) {
		t.Errorf("old facts: %v", err)
	}
	i = w.intent(t, func(f *gov.Facts) { mints(f); aged(f) })
	i.Standing = true
	signed(t, w, i)
	if err := ledger.Freeze(w.folder, "test"); err != nil {
		t.Fatal(err)
	}
	i = w.intent(t, func(f *gov.Facts) { mints(f); aged(f) })
	i.Standing = true
	if _, err := w.Sign(t.Context(), i); !errors.Is(err, signer.ErrLater) || !errors.Is(err, ledger.ErrFrozen) {
		t.Errorf("frozen: %v", err)
	}
}

func TestTimeOut(t *testing.T) {
	w := build(t)
	i := w.intent(t, burns)
	i.Ballot.Support = gov.SupportAgainst
	i.Case.Proposal.EndsAt = gov.UnixTime(now.Add(12 * time.Hour).Unix())
	signed(t, w, i)
}

// TestLooseClock: where the chain's time runs ahead, facts from the future are now.
func TestLooseClock(t *testing.T) {
	w := build(t)
	w.config.Governors[0].LooseClock = true
	w.open(t)
	i := w.intent(t, func(f *gov.Facts) { f.At.Time = gov.UnixTime(now.Unix() + 90*86400) })
	signed(t, w, i)
	i = w.intent(t, aged)
	if _, err := w.Sign(t.Context(), i); !errors.Is(err, signer.ErrStale) {
		t.Errorf("old facts: %v", err)
	}
}

// TestBoundAgain: what the ledger holds is signed again, after a crash or for a higher fee, however old its
// facts are by then; another vote on the proposal is not.
func TestBoundAgain(t *testing.T) {
	w := build(t)
	i := w.intent(t, nil)
	first, _ := signed(t, w, i)
	w.at = now.Add(10 * time.Hour)
	w.open(t)
	i.Tx.FeeCap = gov.NewAmount(80_000_000_000)
	again, _ := signed(t, w, i)
	if first.Tx == again.Tx || first.Nonce != again.Nonce {
		t.Errorf("first %s nonce %d, again %s nonce %d", first.Tx, first.Nonce, again.Tx, again.Nonce)
	}
	w.at = now
	turned := i
	mints(&turned.Case.Facts)
	w.say(t, &turned)
	if _, err := w.Sign(t.Context(), turned); !errors.Is(err, signer.ErrRefused) {
		t.Errorf("another vote on the same proposal: %v, want ErrRefused", err)
	}
	held := w.intent(t, burns)
	answered(t, &held, w.holder, gov.SupportFor)
	signed(t, w, held)
	w.at = now.Add(10 * time.Hour) // the answer has expired since
	signed(t, w, held)
	// an imported line is no proof that it was fresh here
	var out bytes.Buffer
	if err := ledger.Export(w.folder, &out); err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(w.dir, "other")
	l, err := ledger.Create(other, w.Address(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Import(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	w.config.Ledger = func(voter gov.Address) (*ledger.Ledger, error) { return ledger.Open(other, voter) }
	w.open(t)
	if _, err := w.Sign(t.Context(), i); !errors.Is(err, signer.ErrStale) {
		t.Errorf("an imported line: %v, want ErrStale", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	w := build(t)
	file := filepath.Join(w.dir, "voter.json")
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name string, b []byte) string {
		if err := os.WriteFile(filepath.Join(w.dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
		return "keystore:" + name
	}
	lies := bytes.Replace(raw, []byte(hex.EncodeToString(w.key.D.Bytes())[:0]+strings.ToLower(w.Address().Hex()[2:])), []byte(strings.Repeat("0", 39)+"1"), 1)
	for _, c := range []struct {
		name, ref string
		change    func(*signer.Config)
		want      error
		says      string
	}{
		{name: "wrong passphrase", ref: "keystore:voter.json", change: func(c *signer.Config) { c.Passphrase = signer.PassphraseOf("CANARY-wrong") }, want: signer.ErrPassphrase},
		{name: "no file", ref: "keystore:none.json", want: os.ErrNotExist},
		{name: "not JSON", ref: write("text", []byte("hello")), says: "not JSON"},
		{name: "not a keystore", ref: write("other.json", []byte(`{"version":3}`)), says: "not an encrypted key file"},
		{name: "too large", ref: write("large.json", make([]byte, 70<<10)), says: "more than"},
		{name: "another address inside", ref: write("lies.json", lies), says: "names another address"},
		{name: "kind of another release", ref: "awskms:key", want: signer.ErrKind},
		{name: "unknown kind", ref: "paper:key", says: "no such kind"},
		{name: "no kind", ref: "voter.json", says: "named by a kind"},
		{name: "no ledger", ref: "keystore:voter.json", want: ledger.ErrMissing, change: func(c *signer.Config) {
			c.Ledger = func(a gov.Address) (*ledger.Ledger, error) { return ledger.Open(filepath.Join(w.dir, "none"), a) }
		}},
		{name: "another key's ledger", ref: "keystore:voter.json", want: ledger.ErrVoter, change: func(c *signer.Config) {
			c.Ledger = func(gov.Address) (*ledger.Ledger, error) {
				return ledger.Create(filepath.Join(w.dir, "foreign"), stranger, 1)
			}
		}},
		{name: "no clock", ref: "keystore:voter.json", change: func(c *signer.Config) { c.Now = nil }, says: "clock"},
		{name: "no governors", ref: "keystore:voter.json", change: func(c *signer.Config) { c.Governors = nil }, says: "governors"},
	} {
		config := w.config
		if c.change != nil {
			c.change(&config)
		}
		s, err := signer.Open(t.Context(), c.ref, config)
		if s != nil || err == nil || c.want != nil && !errors.Is(err, c.want) || !strings.Contains(fmt.Sprint(err), c.says) {
			t.Errorf("%s: %v", c.name, err)
		}
		leaks(t, c.name, fmt.Sprint(err), w)
	}
}

// leaks looks for the key and the passphrases in a text, in every spelling in which they could get there.
func leaks(t *testing.T, what, text string, w *world) {
	t.Helper()
	secret := crypto.FromECDSA(w.key)
	for _, canary := range []string{"CANARY", hex.EncodeToString(secret), strings.ToUpper(hex.EncodeToString(secret)), w.key.D.String(), fmt.Sprintf("%d", secret), string(secret)} {
		if strings.Contains(text, canary) {
			t.Errorf("%s shows %.12s…: %.200s", what, canary, text)
		}
	}
}

// TestG07NoKeyLeak prints signer, approver and configuration in every way that a log, an error or a crash
// might, and looks for the canary key.
func TestG07NoKeyLeak(t *testing.T) {
	w := build(t)
	approver, err := signer.OpenApprover(t.Context(), "keystore:voter.json", signer.PassphraseOf(passphrase), w.dir)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	for _, logger := range []*slog.Logger{slog.New(slog.NewTextHandler(&log, nil)), slog.New(slog.NewJSONHandler(&log, nil))} {
		logger.Info("x", "signer", w.Signer, "approver", approver, "config", w.config.Passphrase, "any", slog.AnyValue(w.config.Passphrase))
	}
	n := 0
	for _, v := range []any{w.Signer, approver, *approver, w.config.Passphrase, struct{ A, B any }{w.Signer, w.config.Passphrase}, []any{approver}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%p"} {
			leaks(t, verb, fmt.Sprintf(verb, v), w)
			n++
		}
		b, err := json.Marshal(v)
		leaks(t, "json", string(b)+fmt.Sprint(err), w)
		n++
	}
	for _, c := range refusals {
		w.at = now
		i := w.intent(t, c.facts)
		if c.change != nil {
			c.change(t, w, &i)
		}
		_, err := w.Sign(t.Context(), i)
		leaks(t, c.name, fmt.Sprintf("%v %+v %#v", err, err, err), w)
		if err := ledger.Unfreeze(w.folder); err != nil {
			t.Fatal(err)
		}
		n++
	}
	v, _ := signed(t, w, w.intent(t, nil))
	leaks(t, "vote", fmt.Sprintf("%+v", v), w)
	leaks(t, "log", log.String(), w)
	files, err := filepath.Glob(filepath.Join(w.folder, "*"))
	if err != nil || len(files) < 3 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		leaks(t, f, string(b), w)
		n++
	}
	t.Logf("n=%d texts, 0 hits", n)
}

func TestApprover(t *testing.T) {
	w := build(t)
	a, err := signer.OpenApprover(t.Context(), "keystore:voter.json", signer.PassphraseOf(passphrase), w.dir)
	if err != nil {
		t.Fatal(err)
	}
	i := w.intent(t, burns)
	got, err := a.Answer(t.Context(), gov.Approval{
		Proposal: i.Ballot.Proposal, ContentHash: i.Case.Proposal.ContentHash, Basis: basisOf(t, i.Case), Support: gov.SupportAgainst, Expires: gov.UnixTime(now.Unix() + 60),
	})
	if err != nil || got.Approver != a.Address() {
		t.Fatalf("%+v, %v", got, err)
	}
	w.config.Approvers = []gov.Address{a.Address()}
	w.open(t)
	answered(t, &i, w.holder, gov.SupportAgainst)
	i.Approval = &got
	signed(t, w, i)
}

// TestDecodeIntent: an intent survives its JSON, and what is not quite one is refused.
func TestDecodeIntent(t *testing.T) {
	w := build(t)
	i := w.intent(t, nil)
	raw, err := json.Marshal(i)
	if err != nil {
		t.Fatal(err)
	}
	got, err := signer.DecodeIntent(raw)
	if err != nil {
		t.Fatal(err)
	}
	signed(t, w, got)
	for name, bad := range map[string][]byte{
		"empty":        nil,
		"cut":          raw[:len(raw)/2],
		"two":          slices.Concat(raw, raw),
		"unknown key":  bytes.Replace(raw, []byte(`"case":`), []byte(`"data":"0x","case":`), 1),
		"too large":    make([]byte, signer.MaxIntent+1),
		"bad address":  bytes.Replace(raw, []byte(w.Address().Hex()), []byte("0x12"), 1),
		"bad calldata": bytes.Replace(raw, []byte(`"calldata":"0x`), []byte(`"calldata":"0xq`), 1),
	} {
		if _, err := signer.DecodeIntent(bad); !errors.Is(err, signer.ErrIntent) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestCanceled: a context that ended makes no signature.
func TestCanceled(t *testing.T) {
	w := build(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if v, err := w.Sign(ctx, w.intent(t, nil)); !errors.Is(err, context.Canceled) || v.Raw.Len() > 0 {
		t.Errorf("%v", err)
	}
}
