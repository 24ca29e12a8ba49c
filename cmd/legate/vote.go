package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/legate-dao/legate/agent/approval"
	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/jobs"
	"github.com/legate-dao/legate/agent/journal"
	"github.com/legate-dao/legate/chains/ledger"
	"github.com/legate-dao/legate/chains/signer"
	"github.com/legate-dao/legate/policies/strict"
)

// maxExpires bounds how long an answer counts: no vote is open for so long, and its end is a date that can be written.
const maxExpires = 10 * 365 * 24 * time.Hour

// voteFlags are the arguments of `vote`.
type voteFlags struct {
	config, key, pass, expires string
	yes, json, content         bool
}

// newVote is the holder's hand.
func newVote() *cobra.Command {
	var f voteFlags
	c := &cobra.Command{
		Use: "vote P for|against|abstain", Short: "Answer a hold: a signed approval that the daemon's signer checks",
		Long: "Shows what the proposal does, signs your answer with a key that voter.approvers lists, and leaves it in the\n" +
			"store, where a running daemon finds it. The answer is bound to what the proposal does now: when that\n" +
			"changes, it no longer counts. It works while voting is open, also after a time-out, and however large or\n" +
			"unreadable the proposal is. Where no facts could be gathered it is over the content hash alone, and says so.",
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args[0], args[1]) },
	}
	configFlag(c, &f.config)
	jsonFlag(c, &f.json)
	c.Flags().StringVar(&f.key, "key", "", "your key, keystore:FILE (required)")
	c.Flags().StringVar(&f.pass, "passphrase", "", "env:NAME, file:PATH or credential:NAME; asked for on a terminal")
	c.Flags().StringVar(&f.expires, "expires", "24h", "how long the answer counts, in chain time")
	c.Flags().BoolVar(&f.content, "content-only", false, "answer over the content hash alone, whatever the facts say: for when fresh facts cannot be had")
	c.Flags().BoolVar(&f.yes, "yes", false, "do not ask")
	return c
}

func (f voteFlags) run(cmd *cobra.Command, name, support string) error {
	direction, err := gov.ParseDirection(support)
	if err != nil || direction == gov.Hold {
		return usageError{fmt.Errorf("%q is none of for, against, abstain", support)}
	}
	expires, err := strict.ParseDuration(f.expires)
	if err != nil {
		return usageError{fmt.Errorf("--expires: %w", err)}
	}
	if expires.Std() > maxExpires {
		return usageError{fmt.Errorf("--expires: %s is more than ten years", f.expires)}
	}
	if f.key == "" {
		return usageError{errors.New("--key is missing: the holder's own key, keystore:FILE")}
	}
	ctx := cmd.Context()
	c, db, err := openStore(ctx, f.config)
	if err != nil {
		return err
	}
	defer db.Close()
	id, err := db.Resolve(ctx, name)
	if err != nil {
		return err
	}
	d, err := db.Load(ctx, id)
	if err != nil {
		return err
	}
	if !f.yes {
		if err := renderDossier(cmd.ErrOrStderr(), d, name); err != nil {
			return err
		}
		for _, line := range handNotes(c, d, f.content) {
			fmt.Fprintln(cmd.ErrOrStderr(), line)
		}
		if !confirmed(cmd.InOrStdin(), cmd.ErrOrStderr(), fmt.Sprintf("Vote %s on %s, by your own hand?", direction, name)) {
			fmt.Fprintln(cmd.ErrOrStderr(), "\nNothing is signed.")
			return errNo
		}
	}
	pass, err := passphraseOf(cmd, f.pass, "Passphrase of "+f.key, false)
	if err != nil {
		return err
	}
	hand, err := signer.OpenApprover(ctx, f.key, signer.PassphraseOf(pass), ".")
	if err != nil {
		return err
	}
	s, _ := direction.Support()
	a, err := castByHand(ctx, c, db, hand, d, s, expires.Std(), f.content)
	if err != nil {
		return err
	}
	for _, line := range handNotes(c, d, f.content) {
		if f.yes && !strings.HasPrefix(line, notKnown) { // what nobody was asked about is said all the same
			fmt.Fprintln(cmd.ErrOrStderr(), line)
		}
	}
	if f.json {
		return printJSON(cmd.OutOrStdout(), struct {
			Version  int          `json:"version"`
			Approval gov.Approval `json:"approval"`
		}{1, a})
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s on %s is signed by %s and counts until %s of chain time; `legate show %s` tells when it is cast.\n", direction, name, a.Approver, a.Expires, name)
	return err
}

// confirmed asks a person; anything but yes is no.
func confirmed(in io.Reader, out io.Writer, question string) bool {
	fmt.Fprintf(out, "%s [y/N] ", question)
	line, _ := bufio.NewReader(in).ReadString('\n')
	return slices.Contains([]string{"y", "yes"}, strings.ToLower(strings.TrimSpace(line)))
}

// castByHand signs the holder's answer to what is known of a proposal now, and stores it. Where no final facts are known,
// or onContent says so, it is over the content hash alone, which must be that of a final block.
func castByHand(ctx context.Context, c Config, db *journal.DB, hand *signer.Approver, d dossier.Dossier, s gov.Support, expires time.Duration, onContent bool) (gov.Approval, error) {
	if err := answerable(d); err != nil {
		return gov.Approval{}, err
	}
	var basis gov.Digest
	if onContent = onContent || !shown(d); !onContent {
		basis = d.Gathered.Basis
	} else if err := agreedContent(ctx, db, d); err != nil {
		return gov.Approval{}, err
	}
	var approvers []gov.Address
	if c.Voter != nil {
		for _, a := range c.Voter.Approvers {
			approvers = append(approvers, gov.Address(a.Address))
		}
	}
	if !slices.Contains(approvers, hand.Address()) {
		return gov.Approval{}, fmt.Errorf("%s is not among voter.approvers in %s, so its answer would not count", hand.Address(), c.path)
	}
	now, err := chainTime(ctx, db, d)
	if err != nil {
		return gov.Approval{}, err
	}
	a, err := hand.Answer(ctx, gov.Approval{
		Proposal: d.ID(), ContentHash: d.Proposal.ContentHash, Basis: basis, Support: s,
		Expires: now + gov.UnixTime(expires.Seconds()),
	})
	if err != nil {
		return a, err
	}
	if err := approval.Verify(a, approvers, d.Proposal, basis, now); err != nil {
		return a, fmt.Errorf("check the answer before it is stored: %w", err)
	}
	_, err = jobs.Tell(ctx, db, d.ID(), time.Now(), dossier.WasApproved{Approval: a})
	if errors.Is(err, dossier.ErrNotNow) {
		err = fmt.Errorf("%s is at stage %s: there is no vote to decide", d.ID(), d.Stage)
	}
	return a, err
}

// shown reports whether there are final facts that a holder can be shown.
func shown(d dossier.Dossier) bool { return d.Gathered != nil && !d.Provisional }

// answerable is an error that says why there is no vote to decide any more, and what could be done.
func answerable(d dossier.Dossier) error {
	switch {
	case d.Stage == dossier.AtClosed:
		return fmt.Errorf("%s is closed (%s): there is no vote to decide", d.ID(), cmp.Or(string(d.Proposal.State), "its vote is over"))
	case d.Vote.Status.Bound():
		return fmt.Errorf("the vote on %s is %s already", d.ID(), d.Vote.Status)
	case d.Stage == dossier.AtSeen, d.Stage == dossier.AtGathered, d.Stage == dossier.AtDecided:
		return nil
	}
	why, ok := noVote[d.NotVoted]
	if !ok {
		return fmt.Errorf("%s is at stage %s: there is no vote to decide", d.ID(), d.Stage)
	}
	return fmt.Errorf("%s is at stage %s: %s", d.ID(), d.Stage, why)
}

// noVote says of each reason why there is no vote what a person can do.
var noVote = map[dossier.NotVotedReason]string{
	dossier.NotOpen:       "voting is over",
	dossier.NotHeldOpen:   "it was held until voting was over",
	dossier.NotLive:       "the daemon does not vote; start it with --live before the next proposal, and vote on this one from the wallet",
	dossier.NoPower:       "the voting key had no votes at the proposal's snapshot, so nothing that it casts counts",
	dossier.NotDelegated:  "the holder's tokens are not delegated to the voting key; vote from the account that they are delegated to, and delegate before the next snapshot",
	dossier.VotedBefore:   "the voting key has voted on it by other means",
	dossier.StoppedByHand: "the vote was canceled and voting is over",
	dossier.LedgerRefused: "the ledger holds another vote of this key on it; `legate ledger show` tells which",
}

// agreedContent is an error unless a proposal's content is that of a final block, on which the endpoints agreed.
func agreedContent(ctx context.Context, db *journal.DB, d dossier.Dossier) error {
	cursor, _, _, err := db.Cursor(ctx, d.ID().Chain)
	if err != nil {
		return err
	}
	final := max(cursor.Final.Number, d.Head.Final.Number)
	if final < d.Proposal.Created.Number {
		return fmt.Errorf("%s has no final facts yet, and the block %d of its creation is not final (that is %d), so its content is not agreed: wait for it",
			d.ID(), d.Proposal.Created.Number, final)
	}
	if d.Proposal.ContentHash == (gov.Hash{}) {
		return fmt.Errorf("the content of %s could not be read at all, so there is nothing to sign; the holder can vote from another wallet", d.ID())
	}
	return nil
}

// notKnown begins the list of missing facts.
const notKnown = "Not known: "

// maxNotes is how many missing facts the hand is told by name.
const maxNotes = 12

// handNotes are what a holder should know of an answer before it is signed: what is not known of the proposal, by name,
// and what stands between the answer and the chain, with what to do about it.
func handNotes(c Config, d dossier.Dossier, onContent bool) (notes []string) {
	note := func(format string, args ...any) { notes = append(notes, fmt.Sprintf(format, args...)) }
	if onContent || !shown(d) {
		note("Warning: your answer is over the content hash %s alone. It counts whatever the proposal turns out to do.", d.Proposal.ContentHash)
	}
	if !shown(d) {
		note("Warning: nothing is known of what it does: no facts could be gathered yet.")
	} else {
		notes = append(notes, unknownOf(d.Gathered.Facts)...)
	}
	if d.Proposal.TooLarge {
		note("Warning: it has more actions, text or signature than is read; what is shown is not all of it.")
	}
	if d.Held != nil {
		note("The limits had no room for a vote by policy (%s). They do not bind your own hand.", d.Held.Reason)
	}
	if d.Stage == dossier.AtDecided && !d.Plan.Live {
		note("The daemon that decided this does not vote: the answer is stored, and nothing is sent until it runs with --live.")
	}
	if c.Voter != nil {
		if why, frozen := ledger.Frozen(c.file(c.Voter.Ledger)); frozen {
			note("Signing is frozen: %s. The vote is cast once `legate unfreeze` has lifted that.", why)
		}
	}
	if w := d.Window(d.Head); d.Proposal.State == gov.StatePending {
		note("Voting is not open yet: the vote is cast when it opens, about %s.", w.Opens)
	}
	return notes
}

// unknownOf names what is missing of facts.
func unknownOf(f gov.Facts) (notes []string) {
	switch f.Effects.Status.Or(gov.EffectsUnavailable) {
	case gov.EffectsExhausted:
		notes = append(notes, "Warning: the proposal does more than a dry run takes in, so not all that it does is known.")
	case gov.EffectsUnavailable:
		notes = append(notes, "Warning: there was no dry run, so what it does is known from its calls alone.")
	}
	var parts []string
	for _, m := range f.Unavailable {
		if part := fmt.Sprintf("%s (%s)", m.Part, m.Reason); m.Reason != gov.NotInRelease && !slices.Contains(parts, part) {
			parts = append(parts, part)
		}
	}
	if rest := len(parts) - maxNotes; rest > 0 {
		parts = append(parts[:maxNotes], fmt.Sprintf("and %d more", rest))
	}
	if len(parts) > 0 {
		notes = append(notes, notKnown+strings.Join(parts, ", ")+".")
	}
	return notes
}

// chainTime is the newest chain time that the store knows: a hold may be answered days after it was gathered, and
// an answer that counts for a day counts from now.
func chainTime(ctx context.Context, db *journal.DB, d dossier.Dossier) (gov.UnixTime, error) {
	cursor, _, _, err := db.Cursor(ctx, d.ID().Chain)
	return max(d.GatheredAt, d.Head.Latest.Time, cursor.Block.Time), err
}

// newCancel stops a waiting vote.
func newCancel() *cobra.Command {
	var config string
	var asJSON bool
	c := &cobra.Command{
		Use: "cancel P", Short: "Stop a waiting vote; `vote` can still decide it while voting is open",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			_, db, err := openStore(cmd.Context(), config)
			if err != nil {
				return err
			}
			defer db.Close()
			id, err := db.Resolve(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			d, err := jobs.Tell(cmd.Context(), db, id, time.Now(), dossier.WasCanceled{Why: "by hand"})
			if errors.Is(err, dossier.ErrNotNow) {
				return fmt.Errorf("%s is at stage %s, its vote %q: there is nothing waiting to cancel", args[0], d.Stage, d.Vote.Status)
			}
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), struct {
					Version int              `json:"version"`
					Vote    *dossier.VoteDoc `json:"vote"`
				}{1, d.VoteDoc()})
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "The vote on %s is canceled.\n", args[0])
			return err
		},
	}
	configFlag(c, &config)
	jsonFlag(c, &asJSON)
	return c
}
