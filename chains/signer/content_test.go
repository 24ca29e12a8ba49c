package signer_test

import (
	"crypto/ecdsa"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/crypto"

	"github.com/legate-dao/legate/agent/approval"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/ledger"
	"github.com/legate-dao/legate/chains/signer"
)

// unread is a proposal of which nothing but the content hash is known, with the holder's answer over that alone.
func (w *world) unread(t testing.TB, k *ecdsa.PrivateKey, s gov.Support) gov.Intent {
	t.Helper()
	i := w.intent(t, nil)
	i.Case.Facts = gov.Facts{}
	i.Case.Proposal.TooLarge, i.Case.Proposal.Actions = true, nil
	i.Gate = gov.Gated{}
	i.Approval, i.Ballot.Support = w.onContent(t, i, k, s, func(*gov.Approval) {}), s
	i.Ballot.Reason = gov.BallotReason{By: gov.ByHolder}
	return i
}

func (w *world) onContent(t testing.TB, i gov.Intent, k *ecdsa.PrivateKey, s gov.Support, change func(*gov.Approval)) *gov.Approval {
	t.Helper()
	a := gov.Approval{Proposal: i.Ballot.Proposal, ContentHash: i.Case.Proposal.ContentHash, Support: s, Expires: gov.UnixTime(now.Unix() + 3600)}
	change(&a)
	a, err := approval.Build(a, func(h gov.Hash) ([]byte, error) { return crypto.Sign(h[:], k) })
	if err != nil {
		t.Fatal(err)
	}
	return &a
}

// TestG49SignerTakesTheHandByHash: every direction is signed on nothing but the holder's answer over the content hash; on
// chain it says so; and it is signed again for a dearer transaction after the answer has expired.
func TestG49SignerTakesTheHandByHash(t *testing.T) {
	w := build(t)
	for _, s := range []gov.Support{gov.SupportAgainst, gov.SupportFor, gov.SupportAbstain} {
		w.at = now
		i := w.unread(t, w.holder, s)
		v, _ := signed(t, w, i)
		if v.Approval == nil || !strings.Contains(string(v.Reason), "by the holder's own hand, over the content alone") {
			t.Errorf("%s: %+v", s, v)
		}
		w.at = now.Add(2 * time.Hour)
		i.Tx.FeeCap = gov.NewAmount(50_000_000_000)
		signed(t, w, i)
	}
	if r, err := ledger.Fsck(w.folder); err != nil || r.Votes != 3 {
		t.Errorf("ledger %+v, %v", r, err)
	}
}

// TestG46SignerOnContentAlone: what is not the holder's answer on this content, now, is not signed.
func TestG46SignerOnContentAlone(t *testing.T) {
	cases := []struct {
		name   string
		change func(w *world, i *gov.Intent)
		want   error
	}{
		{"a stranger's answer", func(w *world, i *gov.Intent) {
			i.Approval = w.onContent(t, *i, testKey(t, "stranger"), i.Ballot.Support, func(*gov.Approval) {})
		}, signer.ErrIntent},
		{"turned round", func(_ *world, i *gov.Intent) { i.Ballot.Support = gov.SupportFor }, signer.ErrIntent},
		{"turned round in the answer as well", func(_ *world, i *gov.Intent) {
			i.Ballot.Support, i.Approval.Support = gov.SupportFor, gov.SupportFor
		}, signer.ErrIntent},
		{"expired", func(w *world, _ *gov.Intent) { w.at = now.Add(2 * time.Hour) }, signer.ErrStale},
		{"given on facts, which were taken away", func(w *world, i *gov.Intent) {
			i.Approval = w.onContent(t, *i, w.holder, i.Ballot.Support, func(a *gov.Approval) { a.Basis = gov.Digest{5} })
			i.Approval.Basis = gov.Digest{}
		}, signer.ErrIntent},
		{"for another proposal", func(w *world, i *gov.Intent) {
			i.Approval = w.onContent(t, *i, w.holder, i.Ballot.Support, func(a *gov.Approval) { a.Proposal.Number = gov.NewAmount(9999) })
		}, signer.ErrIntent},
		{"for another chain", func(w *world, i *gov.Intent) {
			i.Approval = w.onContent(t, *i, w.holder, i.Ballot.Support, func(a *gov.Approval) { a.Proposal.Chain = 10 })
		}, signer.ErrIntent},
		{"for other content", func(_ *world, i *gov.Intent) { i.Case.Proposal.ContentHash = gov.Hash{1} }, signer.ErrStale},
		{"no content hash", func(w *world, i *gov.Intent) {
			i.Case.Proposal.ContentHash = gov.Hash{}
			i.Approval = w.onContent(t, *i, w.holder, i.Ballot.Support, func(*gov.Approval) {})
		}, signer.ErrIntent},
		{"actions that are not the content", func(_ *world, i *gov.Intent) {
			i.Case.Proposal.Actions = []gov.Action{{To: stranger}}
		}, signer.ErrIntent},
		{"said to stand", func(_ *world, i *gov.Intent) { i.Standing = true }, signer.ErrIntent},
		{"by the policy", func(_ *world, i *gov.Intent) { i.Ballot.Reason.By = gov.ByPolicy }, signer.ErrIntent},
		{"naming facts", func(_ *world, i *gov.Intent) { i.Ballot.Reason.Record = gov.Digest{3} }, signer.ErrIntent},
		{"naming a rule", func(_ *world, i *gov.Intent) { i.Ballot.Reason.Rule = "small-grant" }, signer.ErrIntent},
		{"a governor that is not listed", func(_ *world, i *gov.Intent) {
			i.Ballot.Proposal.Governor, i.Case.Proposal.ID.Governor = stranger, stranger
		}, signer.ErrIntent},
		{"another voter", func(_ *world, i *gov.Intent) { i.Ballot.Voter = stranger }, signer.ErrIntent},
		{"another holder's policy", func(_ *world, i *gov.Intent) { i.Case.Holder.Name = "bob" }, signer.ErrIntent},
		{"gas beyond the bound", func(_ *world, i *gov.Intent) { i.Tx.Gas = 2_000_000 }, signer.ErrIntent},
	}
	for _, c := range cases {
		w := build(t)
		i := w.unread(t, w.holder, gov.SupportAgainst)
		c.change(w, &i)
		if v, err := w.Sign(t.Context(), i); !errors.Is(err, c.want) || v.Raw.Len() > 0 {
			t.Errorf("%s: %d bytes signed, error %v, want %v", c.name, v.Raw.Len(), err, c.want)
		}
	}
	// another vote on the same proposal, by the same hand
	w := build(t)
	i := w.unread(t, w.holder, gov.SupportAgainst)
	signed(t, w, i)
	i.Ballot.Support = gov.SupportFor
	i.Approval = w.onContent(t, i, w.holder, gov.SupportFor, func(*gov.Approval) {})
	if _, err := w.Sign(t.Context(), i); !errors.Is(err, signer.ErrRefused) {
		t.Errorf("a second, different vote: %v", err)
	}
	t.Logf("n=%d intents, none signed", len(cases)+1)
}
