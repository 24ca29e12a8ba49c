package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/legate-dao/legate/simulators/fit"
)

// newBacktest says how good forecasts would have been.
func newBacktest() *cobra.Command {
	var data, train, at, out string
	var asJSON bool
	c := &cobra.Command{
		Use: "backtest --data DIR --out FILE", Short: "How good forecasts would have been, walking through recorded votes",
		Long: "Walks through a folder of recorded votings (proposals/*.jsonl, votes/*.jsonl, governors.json). Each is forecast\n" +
			"at shares of its time from what was known by then; what comes later changes no line. FILE gets a line for each\n" +
			"forecast, stdout the scores: Brier and log loss (smaller is better), the Brier score of the share that had\n" +
			"passed so far, and how often the for votes ended within the forecast's middle nine of ten.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			shares, err := parseShares(at)
			if err == nil && (data == "" || out == "") {
				err = errors.New("--data and --out are needed")
			}
			if err != nil {
				return usageError{err}
			}
			scores, err := backtest(cmd.Context(), data, train, out, shares)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), scoresDocument{1, scores})
			}
			return printText(cmd.OutOrStdout(), scoresText(width(cmd.OutOrStdout()), scores))
		},
	}
	c.Flags().StringVar(&data, "data", "", "folder of recorded votings to forecast")
	c.Flags().StringVar(&train, "train", "", "folder of earlier votings to learn from")
	c.Flags().StringVar(&at, "at", "0.1,0.25,0.5,0.75", "shares of a voting's time at which it is forecast")
	c.Flags().StringVar(&out, "out", "", "file for the forecasts, one JSON object a line")
	jsonFlag(c, &asJSON)
	return c
}

// scoresDocument is that of `forecast backtest --json`.
type scoresDocument struct {
	Version int         `json:"version"`
	Scores  []fit.Score `json:"scores"`
}

func parseShares(text string) (out []float64, err error) {
	for part := range strings.SplitSeq(text, ",") {
		x, err := strconv.ParseFloat(strings.TrimSpace(part), 64)
		if err != nil || !(x >= 0 && x <= 1) {
			return nil, fmt.Errorf("--at: %q is not a number from 0 to 1", part)
		}
		out = append(out, x)
	}
	return out, nil
}

// backtest writes the lines to a new file that takes the place of the old one when it is complete.
func backtest(ctx context.Context, data, train, out string, at []float64) ([]fit.Score, error) {
	recorded, err := fit.Load(os.DirFS(data))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", data, err)
	}
	var earlier *fit.Recorded
	if train != "" {
		if earlier, err = fit.Load(os.DirFS(train)); err != nil {
			return nil, fmt.Errorf("read %s: %w", train, err)
		}
	}
	f, err := os.CreateTemp(filepath.Dir(out), ".backtest-*")
	if err != nil {
		return nil, fmt.Errorf("write the forecasts: %w", err)
	}
	defer os.Remove(f.Name())
	defer f.Close()
	w := bufio.NewWriter(f)
	lines := json.NewEncoder(w)
	scores, err := fit.Backtest(ctx, recorded, earlier, at, func(l fit.Line) error { return lines.Encode(l) })
	if err != nil {
		return nil, err
	}
	if err := errors.Join(w.Flush(), f.Chmod(0o644), f.Close(), os.Rename(f.Name(), out)); err != nil {
		return nil, fmt.Errorf("write the forecasts: %w", err)
	}
	return scores, nil
}

func scoresText(width int, scores []fit.Score) string {
	if len(scores) == 0 {
		return "no voting with a known end was forecast\n"
	}
	rows := [][]string{}
	for _, s := range scores {
		dao := s.DAO
		if dao == "" {
			dao = "all"
		}
		rows = append(rows, []string{dao, fmt.Sprint(s.At), fmt.Sprint(s.N), fmt.Sprintf("%.4f", s.Brier), fmt.Sprintf("%.4f", s.BaseBrier), fmt.Sprintf("%.4f", s.LogLoss), fmt.Sprintf("%.0f %%", 100*s.Within)})
	}
	return tableOf(width, []string{"dao", "at", "votings", "brier", "brier of the base rate", "log loss", "for within 5-95 %"}, rows)
}
