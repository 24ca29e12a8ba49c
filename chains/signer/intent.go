package signer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/legate-dao/legate/agent/approval"
	"github.com/legate-dao/legate/agent/checks"
	"github.com/legate-dao/legate/agent/gov"
)

// MaxIntent bounds an encoded intent in bytes.
const MaxIntent = 16 << 20

// DecodeIntent reads an intent from JSON, strictly. The proposal's id, which a case does not spell, is that
// of the ballot.
func DecodeIntent(b []byte) (i gov.Intent, err error) {
	if len(b) > MaxIntent {
		return i, fmt.Errorf("%w: %d bytes, more than %d", ErrIntent, len(b), MaxIntent)
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&i); err != nil {
		return gov.Intent{}, fmt.Errorf("%w: %w", ErrIntent, err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return gov.Intent{}, fmt.Errorf("%w: more follows the document", ErrIntent)
	}
	i.Case.Proposal.ID = i.Ballot.Proposal
	return i, nil
}

// refuse is a refusal of one kind.
func refuse(kind error, format string, args ...any) error {
	return fmt.Errorf("%w: %w", kind, fmt.Errorf(format, args...))
}

// examine says whether an intent may be signed now. bound says that the ledger holds this very decision:
// it was fresh when it was bound, and is signed again after a crash or for a higher fee.
func (v *voter) examine(ctx context.Context, i gov.Intent, bound bool) error {
	g, err := v.governor(i)
	if err != nil {
		return err
	}
	if err := sameContent(i.Case); err != nil {
		return err
	}
	if err := v.holder(i.Case, g); err != nil {
		return err
	}
	if i.Approval != nil && i.Approval.OnContent() {
		if err := v.onContent(i, v.clock(i.Case, g), bound); err != nil {
			return err
		}
		return v.fees(i)
	}
	digest, err := i.Case.Facts.Digest()
	if err != nil {
		return refuse(ErrIntent, "%w", err)
	}
	if digest != i.Ballot.Reason.Record {
		return refuse(ErrIntent, "the ballot stands on facts %s, the bundle has %s", i.Ballot.Reason.Record, digest)
	}
	if i.Case.Outlook, err = v.outlook(ctx, i.Case, g); err != nil {
		return err
	}
	now := v.clock(i.Case, g)
	switch by := i.Ballot.Reason.By; {
	case by == gov.ByPolicy && i.Approval == nil:
		err = v.byPolicy(i, now, bound)
	case by == gov.ByHolder && i.Approval != nil:
		err = v.byHolder(i, now, bound)
	default:
		err = refuse(ErrIntent, "it says that %q decided, and an answer is there: %v", by, i.Approval != nil)
	}
	if err != nil {
		return err
	}
	if err := v.fresh(i, g, bound); err != nil {
		return err
	}
	return v.fees(i)
}

// outlook is computed here, from the facts of the bundle and the signer's own scenario, where the policy reads one: what
// the intent says of it counts for nothing.
func (v *voter) outlook(ctx context.Context, c gov.Case, g Governor) (gov.Outlook, error) {
	p, ok := v.Policies.Policy(c.Holder.Name)
	if !ok || !p.ReadsOutlook() {
		return gov.Outlook{}, nil
	}
	all, err := g.Scenario.Outlooks(ctx, c.Proposal, c.Facts)
	if err != nil {
		return gov.Outlook{}, fmt.Errorf("compute the outlook: %w", err)
	}
	return all.With, nil
}

// governor finds the listed governor that the intent speaks of, everywhere the same one.
func (v *voter) governor(i gov.Intent) (Governor, error) {
	b, p := i.Ballot, i.Case.Proposal
	n := slices.IndexFunc(v.Governors, func(g Governor) bool {
		return g.Chain == b.Proposal.Chain && g.Address == b.Proposal.Governor
	})
	switch {
	case n < 0:
		return Governor{}, refuse(ErrIntent, "governor %s on %s is not listed", b.Proposal.Governor, b.Proposal.Chain)
	case b.Voter != v.Address():
		return Governor{}, refuse(ErrIntent, "the voter is %s, the key %s", b.Voter, v.Address())
	case p.ID != b.Proposal:
		return Governor{}, refuse(ErrIntent, "the ballot is on %s, the case on %s", b.Proposal, p.ID)
	case p.Flavour != b.Flavour:
		return Governor{}, refuse(ErrIntent, "the ballot is for %s, the case for %s", b.Flavour, p.Flavour)
	case p.Draft:
		return Governor{}, refuse(ErrIntent, "the proposal is a draft")
	}
	g := v.Governors[n]
	switch {
	case p.Name != g.Name:
		return g, refuse(ErrIntent, "the case is named %s, the governor %s", p.Name, g.Name)
	case g.Flavour != "" && p.Flavour != g.Flavour:
		return g, refuse(ErrIntent, "the governor is %s, not %s", g.Flavour, p.Flavour)
	case i.Case.Facts.DAO.Governor != g.Address && !i.Case.Facts.DAO.Governor.IsZero():
		return g, refuse(ErrIntent, "the facts are of governor %s", i.Case.Facts.DAO.Governor)
	}
	return g, nil
}

// sameContent demands that content hash, actions and decoded calls are of one and the same proposal. Of one whose
// actions are more than is kept the hash is all there is; then there are no calls either, and so no For.
func sameContent(c gov.Case) error {
	p := c.Proposal
	if p.TooLarge && len(p.Actions) == 0 {
		if _, known := c.Facts.Calls.Get(); known || p.ContentHash == (gov.Hash{}) {
			return refuse(ErrIntent, "calls of actions that are not there (%v), or no content hash", known)
		}
		return nil
	}
	if got := gov.ContentHash(p.Actions, p.DescriptionHash); got != p.ContentHash {
		return refuse(ErrIntent, "the content hash is %s, that of the actions %s", p.ContentHash, got)
	}
	calls, known := c.Facts.Calls.Get()
	if !known {
		return nil // then nothing that reads them is known
	}
	if len(calls) != len(p.Actions) {
		return refuse(ErrIntent, "%d calls of %d actions", len(calls), len(p.Actions))
	}
	for n, a := range p.Actions {
		if k := calls[n]; k.To != a.To || k.Value != a.Value || k.DataHash != a.Calldata.Hash() {
			return refuse(ErrIntent, "call %d is not the decoded action %d", n, n)
		}
	}
	return nil
}

// holder demands that the case is decided for a holder whose policy speaks at this governor.
func (v *voter) holder(c gov.Case, g Governor) error {
	for _, h := range v.Policies.HoldersOf(g.Name) {
		if h.Holder == c.Holder && h.Chain == g.Chain {
			return nil
		}
	}
	return refuse(ErrIntent, "holder %s (%s) has no policy at %s", c.Holder.Name, c.Holder.Account, g.Name)
}

// byPolicy decides again and compares.
func (v *voter) byPolicy(i gov.Intent, now time.Time, bound bool) error {
	verdict := v.Policies.Decide(i.Case)
	d := i.Ballot.Support.Direction()
	if i.Standing && (d != gov.Against || verdict.Direction != gov.Against) {
		return refuse(ErrIntent, "only an against stands, this is %s on facts that say %s", d, verdict.Direction)
	}
	if i.Ballot.Reason.Rule != verdict.Rule {
		return refuse(ErrStale, "the ballot names rule %q, deciding was %q", i.Ballot.Reason.Rule, verdict.Rule)
	}
	switch {
	case d == gov.Hold:
		return refuse(ErrIntent, "support %d is no vote", i.Ballot.Support)
	case d == gov.For && verdict.Direction == gov.For && i.Gate.Result != gov.GatePass:
		return refuse(ErrIntent, "the gate did not let this for pass")
	case d == verdict.Direction:
		return nil
	case d != gov.For && verdict.Timely():
		return v.timedOut(i, d, now, bound)
	}
	return refuse(ErrStale, "the ballot says %s, the policy %s", d, verdict.Direction)
}

// timedOut demands that the policy casts this vote for a hold that nobody answered, and that its time came.
func (v *voter) timedOut(i gov.Intent, d gov.Direction, now time.Time, bound bool) error {
	p, ok := v.Policies.Policy(i.Case.Holder.Name)
	if !ok {
		return refuse(ErrIntent, "holder %s has no policy", i.Case.Holder.Name)
	}
	if on, votes := p.OnTimeout.Direction(); !votes || on != d {
		return refuse(ErrStale, "the policy holds, and on a time-out says %s", p.OnTimeout)
	}
	ends := i.Case.Proposal.EndsAt
	if ends == 0 {
		return refuse(ErrIntent, "a time-out vote on a proposal without an end")
	}
	if latest := ends.Time().Add(-p.Timing.Latest); now.Before(latest) && !bound {
		return refuse(ErrLater, "the hold may be answered until %s, now is %s", gov.UnixTime(latest.Unix()), gov.UnixTime(now.Unix()))
	}
	return nil
}

// onContent verifies an answer over the content hash alone: nothing is computed for it, since nothing was shown to the
// holder but what he was to vote on. Its freshness is its own: it expires.
func (v *voter) onContent(i gov.Intent, now time.Time, bound bool) error {
	switch b := i.Ballot; {
	case b.Reason.By != gov.ByHolder || i.Standing:
		return refuse(ErrIntent, "an answer over the content alone is the holder's own, not %q's, and does not stand", b.Reason.By)
	case b.Reason.Record != gov.Digest{} || b.Reason.Rule != "":
		return refuse(ErrIntent, "the ballot names facts %s or rule %q, the answer is over the content alone", b.Reason.Record, b.Reason.Rule)
	}
	return v.answered(i, gov.Digest{}, now, bound)
}

// byHolder verifies the answer over the basis as computed here.
func (v *voter) byHolder(i gov.Intent, now time.Time, bound bool) error {
	if i.Standing {
		return refuse(ErrIntent, "only an against by policy stands")
	}
	c := i.Case
	basis, err := gov.Basis(c.Proposal, c.Facts, checks.Run(c.Proposal, c.Facts))
	if err != nil {
		return refuse(ErrIntent, "%w", err)
	}
	return v.answered(i, basis, now, bound)
}

// answered demands that a listed approver signed this vote, on this content and basis, and that the answer is good yet.
func (v *voter) answered(i gov.Intent, basis gov.Digest, now time.Time, bound bool) error {
	a, c := *i.Approval, i.Case
	if a.Support != i.Ballot.Support {
		return refuse(ErrIntent, "the ballot says %s, the holder %s", i.Ballot.Support, a.Support)
	}
	at := gov.UnixTime(now.Unix())
	if bound {
		at = min(at, a.Expires) // it had not expired when the vote was bound
	}
	err := approval.Verify(a, v.Approvers, c.Proposal, basis, at)
	switch {
	case errors.Is(err, approval.ErrStale), errors.Is(err, approval.ErrExpired), errors.Is(err, approval.ErrContent):
		return refuse(ErrStale, "%w", err)
	case err != nil:
		return refuse(ErrIntent, "%w", err)
	}
	return nil
}

// clock is now by the signer's own clock; where the chain's may run ahead, at least the facts' moment.
func (v *voter) clock(c gov.Case, g Governor) time.Time {
	now := v.Now()
	if at := c.Facts.At.Time.Time(); g.LooseClock && at.After(now) {
		return at
	}
	return now
}

// fresh demands facts that are neither too old nor from the future. An against that stands may be old.
func (v *voter) fresh(i gov.Intent, g Governor, bound bool) error {
	if i.Case.Facts.At.Time <= 0 {
		return refuse(ErrIntent, "the facts have no time")
	}
	age := v.Now().Sub(i.Case.Facts.At.Time.Time())
	switch {
	case age < -maxAhead && !g.LooseClock:
		return refuse(ErrStale, "the facts are %s ahead of the clock", -age)
	case age > v.MaxAge && !i.Standing && !bound:
		return refuse(ErrStale, "the facts are %s old, at most %s", age.Truncate(time.Second), v.MaxAge)
	}
	return nil
}

// fees bounds what the vote may cost, whatever the sender was told by its endpoints.
func (v *voter) fees(i gov.Intent) error {
	t := i.Tx
	switch {
	case t.Gas == 0 || t.Gas > v.MaxGas:
		return refuse(ErrIntent, "gas %d, at most %d", t.Gas, v.MaxGas)
	case t.FeeCap.IsZero() || t.FeeCap.Cmp(v.MaxFee) > 0:
		return refuse(ErrIntent, "fee cap %s wei per gas, at most %s", t.FeeCap, v.MaxFee)
	case t.TipCap.Cmp(t.FeeCap) > 0:
		return refuse(ErrIntent, "tip %s above fee cap %s", t.TipCap, t.FeeCap)
	}
	if i.Ballot.Reason.By != gov.ByPolicy {
		return nil // the holder's limits bind the policy, not the holder
	}
	p, ok := v.Policies.Policy(i.Case.Holder.Name)
	if !ok {
		return refuse(ErrIntent, "holder %s has no policy", i.Case.Holder.Name)
	}
	cost := t.FeeCap.Int()
	gas := gov.NewAmount(t.Gas).Int()
	if _, over := cost.MulOverflow(cost, gas); over || gov.AmountOf(cost).Cmp(p.Limits.FeePerVote) > 0 {
		return refuse(ErrIntent, "it may cost %s wei, the policy allows %s", cost.Dec(), p.Limits.FeePerVote)
	}
	return nil
}
