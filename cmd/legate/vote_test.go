package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/legate-dao/legate/agent/approval"
	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/journal"
	"github.com/legate-dao/legate/chains/devchain"
)

// voteHome is the fixture with a hand that is listed, one that is not, and proposal 291: a vote for that waits.
func voteHome(t *testing.T) {
	t.Helper()
	fixture(t)
	write(t, "pass", "right\n")
	write(t, "wrong", "wrong\n")
	keys, err := handKeys()
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range keys {
		write(t, name, text)
	}
	edit(t, "legate.yaml", "ledger: ledger/", fmt.Sprintf("ledger: ledger/, approvers: [%q]", devchain.Address(accountHand)))
	seen, _ := grantStory()
	id := fixtureID("291")
	var events []dossier.Event
	for _, e := range fixtureEvents(t)[seen.Proposal.ID][:4] { // up to the gate
		if s, ok := e.(dossier.WasSeen); ok {
			s.Seen.Proposal.ID = id
			e = s
		}
		events = append(events, e)
	}
	inStore(t, func(ctx context.Context, tx journal.Tx) error {
		_, _, err := tx.Append(ctx, id, dossier.Dossier{}, time.Unix(1_700_000_200, 0), events...)
		return err
	})
}

// handKeys are the key files, encrypted once: that is slow on purpose.
var handKeys = sync.OnceValues(func() (map[string]string, error) {
	out := map[string]string{}
	for name, account := range map[string]int{"hand.json": accountHand, "stranger.json": accountAttacker} {
		err := writeKey(name, devchain.Account(account), "right", true)
		if err != nil {
			return nil, err
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		out[name] = string(text)
		if err := os.Remove(name); err != nil {
			return nil, err
		}
	}
	return out, nil
})

func inStore(t *testing.T, f func(context.Context, journal.Tx) error) {
	t.Helper()
	db := openFixture(t)
	defer db.Close()
	if err := db.InTx(t.Context(), f); err != nil {
		t.Fatal(err)
	}
}

func openFixture(t *testing.T) *journal.DB {
	t.Helper()
	db, err := journal.Open(t.Context(), "sqlite:legate.db", ".", journal.Command)
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func stored(t *testing.T, number string) dossier.Dossier {
	t.Helper()
	db := openFixture(t)
	defer db.Close()
	d, err := db.Load(t.Context(), fixtureID(number))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// typed puts what a person types where the command reads it.
func typed(t *testing.T, text string) {
	t.Helper()
	write(t, "typed", text)
	f, err := os.Open("typed")
	if err != nil {
		t.Fatal(err)
	}
	old := os.Stdin
	os.Stdin = f
	t.Cleanup(func() { os.Stdin = old; f.Close() })
}

var hand = []string{"--key", "keystore:hand.json", "--passphrase", "file:pass"}

func TestVote(t *testing.T) {
	voteHome(t)
	out, errs := legate(t, 0, append([]string{"vote", "compound/800000", "against", "--yes", "--json"}, hand...)...)
	if errs != "" {
		t.Errorf("--yes shows %q", errs)
	}
	var doc struct {
		Version  int
		Approval gov.Approval
	}
	if err := json.Unmarshal([]byte(out), &doc); err != nil {
		t.Fatal(err)
	}
	d, listed := stored(t, fixtureBig), []gov.Address{gov.Address(devchain.Address(accountHand))}
	if d.Approval == nil || *d.Approval != doc.Approval || doc.Version != 1 {
		t.Fatalf("printed %+v, stored %+v", doc.Approval, d.Approval)
	}
	if err := approval.Verify(*d.Approval, listed, d.Proposal, d.Gathered.Basis, d.GatheredAt); err != nil {
		t.Error(err)
	}
	if d.Approval.Support != gov.SupportAgainst || d.Approval.Expires != d.GatheredAt+86400 {
		t.Errorf("an answer %s until %s", d.Approval.Support, d.Approval.Expires)
	}
	// another answer takes the place of the first
	text, _ := legate(t, 0, append([]string{"vote", "compound/800000", "abstain", "--yes", "--expires", "2h"}, hand...)...)
	if a := stored(t, fixtureBig).Approval; a.Support != gov.SupportAbstain || a.Expires != d.GatheredAt+7200 || !strings.Contains(text, "abstain on compound/800000 is signed by "+a.Approver.String()) {
		t.Errorf("%+v; %s", a, text)
	}
}

// TestVoteCountsFromNow: a hold is answered days after its facts were gathered, and the answer counts for a day from
// then on, by what the daemon has read of the chain.
func TestVoteCountsFromNow(t *testing.T) {
	voteHome(t)
	d := stored(t, fixtureBig)
	later := gov.Block{Number: 40_000, Hash: gov.Hash{4}, Time: d.GatheredAt + 3*86400}
	inStore(t, func(ctx context.Context, tx journal.Tx) error {
		return tx.Advance(ctx, gov.Cursor{}, gov.Cursor{Chain: 1, From: 1, Block: later, Final: later}, []gov.Block{later})
	})
	legate(t, 0, append([]string{"vote", "compound/800000", "for", "--yes"}, hand...)...)
	if a := stored(t, fixtureBig).Approval; a.Expires != later.Time+86400 {
		t.Errorf("the answer counts until %s, the chain is at %s", a.Expires, later.Time)
	}
}

func TestVoteAsks(t *testing.T) {
	for answer, status := range map[string]int{"y\n": 0, "YES\n": 0, "n\n": 1, "\n": 1, "": 1, "yess\n": 1} {
		t.Run(strings.TrimSpace(answer), func(t *testing.T) {
			voteHome(t)
			typed(t, answer)
			out, errs := legate(t, status, append([]string{"vote", "compound/800000", "against"}, hand...)...)
			if !strings.Contains(errs, "Vote against on compound/800000, by your own hand? [y/N]") || !strings.Contains(errs, "Findings") {
				t.Errorf("it is not shown what is voted on:\n%s", errs)
			}
			if i := strings.IndexFunc(errs, active); i >= 0 {
				t.Errorf("G30: a stranger's text is active: %q", errs[max(0, i-20):i+4])
			}
			if voted := stored(t, fixtureBig).Approval != nil; voted != (status == 0) || (out != "") != voted {
				t.Errorf("%q: voted %v, said %q", answer, voted, out)
			}
		})
	}
}

func TestVoteRefuses(t *testing.T) {
	voteHome(t)
	for number, change := range map[string]func(*gov.Proposal){
		"292": func(p *gov.Proposal) { p.Created.Number = 1 << 40 },
		"293": func(p *gov.Proposal) { p.ContentHash = gov.Hash{} },
	} {
		seen, _ := grantStory()
		seen.Proposal.ID = fixtureID(number)
		change(&seen.Proposal)
		inStore(t, func(ctx context.Context, tx journal.Tx) error {
			_, _, err := tx.Append(ctx, seen.Proposal.ID, dossier.Dossier{}, time.Unix(1_700_000_300, 0), dossier.WasSeen{Seen: seen, Head: stored(t, "290").Head})
			return err
		})
	}
	for _, c := range []struct {
		name   string
		status int
		args   []string
		want   string
	}{
		{"a hand that is not listed", 3, []string{"compound/800000", "for", "--key=keystore:stranger.json", "--passphrase=file:pass"}, "not among voter.approvers"},
		{"a wrong passphrase", 3, []string{"compound/800000", "for", "--key=keystore:hand.json", "--passphrase=file:wrong"}, "wrong passphrase"},
		{"a passphrase in plain sight", 2, []string{"compound/800000", "for", "--key=keystore:hand.json", "--passphrase=right"}, "env:NAME"},
		{"no terminal to ask", 2, []string{"compound/800000", "for", "--key=keystore:hand.json"}, "no terminal"},
		{"no key", 2, []string{"compound/800000", "for"}, "--key"},
		{"a key that is not there", 3, []string{"compound/800000", "for", "--key=keystore:lost.json", "--passphrase=file:pass"}, "lost.json"},
		{"a key in the clear", 3, []string{"compound/800000", "for", "--key=0x" + strings.Repeat("1", 64), "--passphrase=file:pass"}, "a key is named by a kind"},
		{"an unknown proposal", 3, append([]string{"compound/12345", "for"}, hand...), "compound/12345"},
		{"a proposal whose content is not agreed", 3, append([]string{"compound/292", "for"}, hand...), "its content is not agreed"},
		{"a proposal whose content cannot be read", 3, append([]string{"compound/293", "for"}, hand...), "could not be read at all"},
		{"a vote that is cast", 3, append([]string{"compound/289", "against"}, hand...), "is final already"},
		{"no direction", 2, append([]string{"compound/800000", "yes"}, hand...), "none of for, against, abstain"},
		{"hold is no vote", 2, append([]string{"compound/800000", "hold"}, hand...), "none of for, against, abstain"},
		{"an expiry that is none", 2, append([]string{"compound/800000", "for", "--expires=soon"}, hand...), "--expires"},
		{"too few words", 2, []string{"compound/800000"}, "arg"},
	} {
		t.Run(c.name, func(t *testing.T) {
			typed(t, "")
			out, errs := legate(t, c.status, append([]string{"vote", "--yes"}, c.args...)...)
			if out != "" || !strings.Contains(errs, c.want) {
				t.Errorf("%q, want %q", errs, c.want)
			}
			if strings.Contains(errs, strings.Repeat("1", 64)) {
				t.Errorf("G07: the key is shown: %s", errs)
			}
		})
	}
	for _, number := range []string{"289", "292", "293", fixtureBig} {
		if stored(t, number).Approval != nil {
			t.Errorf("%s has an answer", number)
		}
	}
	// without approvers nobody's answer counts
	edit(t, "legate.yaml", fmt.Sprintf(", approvers: [%q]", devchain.Address(accountHand)), "")
	if _, errs := legate(t, 3, append([]string{"vote", "compound/800000", "for", "--yes"}, hand...)...); !strings.Contains(errs, "not among voter.approvers") {
		t.Error(errs)
	}
}

// TestG49HandWithoutFacts: where no facts could be gathered the hand works all the same, over the content hash alone, and
// is told so; and on facts that it was shown where it asks for that.
func TestG49HandWithoutFacts(t *testing.T) {
	voteHome(t)
	for name, args := range map[string][]string{"290": nil, fixtureBig: {"--content-only"}} {
		out, errs := legate(t, 0, append(append([]string{"vote", "compound/" + map[string]string{"290": "290", fixtureBig: "800000"}[name], "against", "--yes", "--json"}, args...), hand...)...)
		d := stored(t, name)
		if !strings.Contains(errs, "over the content hash "+d.Proposal.ContentHash.String()+" alone") || (name == "290") != strings.Contains(errs, "nothing is known of what it does") {
			t.Errorf("%s: it is not said what the answer is over: %q", name, errs)
		}
		a := d.Approval
		if a == nil || !a.OnContent() || !strings.Contains(out, `"basis": ""`) {
			t.Fatalf("%s: the answer is %+v, printed %s", name, a, out)
		}
		if err := approval.Verify(*a, []gov.Address{gov.Address(devchain.Address(accountHand))}, d.Proposal, gov.Digest{}, d.Head.Latest.Time); err != nil {
			t.Error(err)
		}
	}
}

func TestCancel(t *testing.T) {
	voteHome(t)
	if d := stored(t, "291"); d.Vote.Status != gov.VoteWaiting {
		t.Fatalf("the vote of the fixture is %q", d.Vote.Status)
	}
	out, _ := legate(t, 0, "cancel", "compound/291", "--json")
	if !strings.Contains(out, `"status": "canceled"`) {
		t.Error(out)
	}
	if d := stored(t, "291"); !d.Canceled || d.Vote.Status != gov.VoteCanceled {
		t.Errorf("canceled %v, vote %s", d.Canceled, d.Vote.Status)
	}
	for name, want := range map[string]string{"compound/289": `its vote "final"`, "compound/12345": "compound/12345"} {
		if _, errs := legate(t, 3, "cancel", name); !strings.Contains(errs, want) {
			t.Errorf("%s: %s", name, errs)
		}
	}
	legate(t, 2, "cancel")
	// a person's vote still decides it
	legate(t, 0, append([]string{"vote", "compound/291", "for", "--yes"}, hand...)...)
	if d := stored(t, "291"); d.Canceled || d.Approval == nil || d.Vote.Status != gov.VoteWaiting {
		t.Errorf("canceled %v, answer %v, vote %s", d.Canceled, d.Approval, d.Vote.Status)
	}
	// and can be taken back
	if out, _ := legate(t, 0, "cancel", "compound/291"); !strings.Contains(out, "is canceled") {
		t.Error(out)
	}
	if d := stored(t, "291"); !d.Canceled || d.Approval != nil {
		t.Errorf("canceled %v, answer %v", d.Canceled, d.Approval)
	}
}

// TestG46AnswersBesideTheCommand: an answer that was put into the store by other means than the holder's key is
// refused where it is checked: signer and lifecycle read the approval, not who stored it.
func TestG46AnswersBesideTheCommand(t *testing.T) {
	voteHome(t)
	legate(t, 0, append([]string{"vote", "compound/800000", "for", "--yes"}, hand...)...)
	d, listed := stored(t, fixtureBig), []gov.Address{gov.Address(devchain.Address(accountHand))}
	a := *d.Approval
	other := stored(t, "291")
	moved := a
	moved.Proposal = other.ID()
	turned := a
	turned.Support = gov.SupportAgainst
	for name, err := range map[string]error{
		"replayed for another proposal": approval.Verify(a, listed, other.Proposal, other.Gathered.Basis, d.GatheredAt),
		"moved to another proposal":     approval.Verify(moved, listed, other.Proposal, other.Gathered.Basis, d.GatheredAt),
		"turned round":                  approval.Verify(turned, listed, d.Proposal, d.Gathered.Basis, d.GatheredAt),
		"expired":                       approval.Verify(a, listed, d.Proposal, d.Gathered.Basis, a.Expires+1),
		"on another basis":              approval.Verify(a, listed, d.Proposal, other.Gathered.Basis, d.GatheredAt),
		"by a key that was taken off":   approval.Verify(a, nil, d.Proposal, d.Gathered.Basis, d.GatheredAt),
	} {
		if err == nil || !errors.Is(err, approval.ErrForged) && !errors.Is(err, approval.ErrProposal) && !errors.Is(err, approval.ErrExpired) && !errors.Is(err, approval.ErrStale) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
