package main

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"github.com/spf13/cobra"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains"
	"github.com/legate-dao/legate/chains/governor"
	"github.com/legate-dao/legate/chains/rpc"
	"github.com/legate-dao/legate/simulators"
	"github.com/legate-dao/legate/simulators/fit"
	"github.com/legate-dao/legate/simulators/mc"
)

// newForecast says how a vote may end.
func newForecast() *cobra.Command {
	var config string
	var asJSON bool
	var paths int64
	c := &cobra.Command{
		Use: "forecast PROPOSAL", Short: "How the vote on a proposal may end, from the governor's own past votes",
		Long: "Reads all votes of the governor from the chain, learns its voters' habits (who comes, when, and says what),\n" +
			"and computes the chances that the proposal passes and that the quorum is reached. Intervals are 95 %, of the\n" +
			"computation alone: voters may leave their habits. A forecast is context: no rule votes by it.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if paths < 1000 || paths > mc.MaxPaths {
				return usageError{fmt.Errorf("--paths %d is not between 1000 and %d", paths, int64(mc.MaxPaths))}
			}
			out, err := forecastProposal(cmd.Context(), config, args[0], paths, slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: slog.LevelWarn})))
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), out)
			}
			return printText(cmd.OutOrStdout(), out.text())
		},
	}
	configFlag(c, &config)
	jsonFlag(c, &asJSON)
	c.Flags().Int64Var(&paths, "paths", fit.Paths, "how many outcomes are drawn")
	c.AddCommand(newBacktest())
	return c
}

// forecastDocument is that of `forecast P --json`.
type forecastDocument struct {
	Version  int            `json:"version"`
	ID       gov.ProposalID `json:"id"`
	Handle   string         `json:"handle"`
	At       gov.Block      `json:"at"`
	Votings  int            `json:"votings"` // of the past that it learnt from
	Forecast gov.Forecast   `json:"forecast"`
}

// forecastProposal reads the chain at its newest block: a forecast is for people, and signs nothing.
func forecastProposal(ctx context.Context, config, name string, paths int64, log *slog.Logger) (forecastDocument, error) {
	conf, db, err := openStore(ctx, config)
	if err != nil {
		return forecastDocument{}, err
	}
	defer db.Close()
	id, err := db.Resolve(ctx, name)
	if err != nil {
		return forecastDocument{}, err
	}
	d, handle, err := newShelf(db).load(ctx, id)
	if err != nil {
		return forecastDocument{}, err
	}
	w, err := openWorld(ctx, conf, log)
	if err != nil {
		return forecastDocument{}, err
	}
	defer w.close()
	g, err := w.of(id)
	if err != nil {
		return forecastDocument{}, err
	}
	head, err := g.client.Latest(ctx)
	if err != nil {
		return forecastDocument{}, err
	}
	at := gov.Block{Number: head.Number, Hash: head.Hash, Time: gov.UnixTime(head.Time)}
	f, h, err := forecastAt(ctx, g.client, g.governor, g.conf.FromBlock, d.Proposal, at, paths)
	return forecastDocument{Version: 1, ID: id, Handle: handle, At: at, Votings: len(h.Ended), Forecast: f}, err
}

// forecastAt is the forecast of a proposal at a block, with what it was learnt from.
func forecastAt(ctx context.Context, c rpc.Caller, g governor.Governor, from uint64, p gov.Proposal, at gov.Block, paths int64) (gov.Forecast, gov.History, error) {
	h, err := chains.History(ctx, c, g, from, p, at)
	if err != nil {
		return gov.Forecast{}, h, fmt.Errorf("read the past votes: %w", err)
	}
	f, err := forecastOn(ctx, h, p, at, paths)
	return f, h, err
}

// forecastOn computes how a vote may end from a past that is known.
func forecastOn(ctx context.Context, h gov.History, p gov.Proposal, at gov.Block, paths int64) (gov.Forecast, error) {
	return fit.Forecast(ctx, h, fit.Options{Engine: mc.Engine{Seed: simulators.Seed(p.ID, at), Paths: paths}, Cells: fit.Cells})
}

func (d forecastDocument) text() string {
	var r renderer
	f := d.Forecast
	percent := func(c gov.Chance) string {
		return fmt.Sprintf("%.1f %% (%.1f to %.1f)", 100*c.P, 100*c.Low, 100*c.High)
	}
	amounts := func(s gov.Spread) string {
		return fmt.Sprintf("%s (%s to %s)", tokensText(s.P50), tokensText(s.P05), tokensText(s.P95))
	}
	r.line("%s", heading.Render("Forecast of "+d.Handle))
	r.line("  passes     %s", percent(f.Pass))
	r.line("  quorum     %s", percent(f.Quorum))
	r.line("  for        %s", amounts(f.For))
	r.line("  against    %s", amounts(f.Against))
	r.line("  all votes  %s", amounts(f.Turnout))
	r.line("%s", faint.Render(fmt.Sprintf("  At block %d, from %s of this governor; votes in whole tokens of 18 decimals, the middle nine of ten\n  in brackets. %d paths, seed %s, %s. Voters may leave their habits: that is in no interval.",
		d.At.Number, count(d.Votings, "past voting"), f.Engine.Paths, f.Engine.Seed, f.Engine.Version)))
	return r.String()
}

// tokensText is an amount of 18 decimals in whole tokens.
func tokensText(a gov.Amount) string { return grouped(fmt.Sprintf("%.0f", a.Float()/1e18)) }

// grouped puts spaces between groups of three digits of a whole number.
func grouped(digits string) string {
	sign := ""
	if strings.HasPrefix(digits, "-") {
		sign, digits = "-", digits[1:]
	}
	var groups []string
	for len(digits) > 3 {
		groups = append([]string{digits[len(digits)-3:]}, groups...)
		digits = digits[:len(digits)-3]
	}
	return sign + strings.Join(append([]string{digits}, groups...), " ")
}
