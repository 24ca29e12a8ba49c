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
	"github.com/legate-dao/legate/chains/signer"
	"github.com/legate-dao/legate/policies/strict"
)

// voteFlags are the arguments of `vote`.
type voteFlags struct {
	config, key, pass, expires string
	yes, json                  bool
}

// newVote is the holder's hand.
func newVote() *cobra.Command {
	var f voteFlags
	c := &cobra.Command{
		Use: "vote P for|against|abstain", Short: "Answer a hold: a signed approval that the daemon's signer checks",
		Long: "Shows what the proposal does, signs your answer with a key that voter.approvers lists, and leaves it in the\n" +
			"store, where a running daemon finds it. The answer is bound to what the proposal does now: when that\n" +
			"changes, it no longer counts. It works while voting is open, also after a time-out.",
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args[0], args[1]) },
	}
	configFlag(c, &f.config)
	jsonFlag(c, &f.json)
	c.Flags().StringVar(&f.key, "key", "", "your key, keystore:FILE (required)")
	c.Flags().StringVar(&f.pass, "passphrase", "", "env:NAME, file:PATH or credential:NAME; asked for on a terminal")
	c.Flags().StringVar(&f.expires, "expires", "24h", "how long the answer counts, in chain time")
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
	a, err := castByHand(ctx, c, db, hand, d, s, expires.Std())
	if err != nil {
		return err
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

// castByHand signs the holder's answer to what is known of a proposal now, and stores it.
func castByHand(ctx context.Context, c Config, db *journal.DB, hand *signer.Approver, d dossier.Dossier, s gov.Support, expires time.Duration) (gov.Approval, error) {
	if d.Stage == dossier.AtClosed {
		return gov.Approval{}, fmt.Errorf("%s is closed (%s): there is no vote to decide", d.ID(), cmp.Or(string(d.Proposal.State), "its vote is over"))
	}
	if d.Gathered == nil || d.Provisional {
		return gov.Approval{}, fmt.Errorf("%s has no final facts yet: wait for its block to be final", d.ID())
	}
	if d.Proposal.TooLarge {
		return gov.Approval{}, fmt.Errorf("%s has more actions or text than is read, so nobody can be shown what it does, and the signer signs no vote on it; the holder can vote from another wallet", d.ID())
	}
	if d.Vote.Status.Bound() {
		return gov.Approval{}, fmt.Errorf("the vote on %s is %s already", d.ID(), d.Vote.Status)
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
		Proposal: d.ID(), ContentHash: d.Proposal.ContentHash, Basis: d.Gathered.Basis, Support: s,
		Expires: now + gov.UnixTime(expires.Seconds()),
	})
	if err != nil {
		return a, err
	}
	if err := approval.Verify(a, approvers, d.Proposal, d.Gathered.Basis, now); err != nil {
		return a, fmt.Errorf("check the answer before it is stored: %w", err)
	}
	_, err = jobs.Tell(ctx, db, d.ID(), time.Now(), dossier.WasApproved{Approval: a})
	if errors.Is(err, dossier.ErrNotNow) {
		err = fmt.Errorf("%s is at stage %s: there is no vote to decide", d.ID(), d.Stage)
	}
	return a, err
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
