package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"github.com/legate-dao/legate/agent/supervise"
	"github.com/legate-dao/legate/chains/ledger"
)

// newRun is the daemon.
func newRun() *cobra.Command {
	var config string
	var live bool
	c := &cobra.Command{
		Use: "run", Short: "Follow the governors and vote by the policy; without --live nothing is signed or sent",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := readConfig(config)
			if err != nil {
				return err
			}
			log := newLogger(cmd.ErrOrStderr(), c.Log)
			live := live || (c.Voter != nil && c.Voter.Live)
			e, err := openEngine(cmd.Context(), c, engineConfig{log: log, live: live, observe: logRecords(log), out: cmd.ErrOrStderr()})
			if err != nil && cmd.Context().Err() != nil {
				log.Info("stopped before all was open; nothing is lost", "at", err)
				return nil
			}
			if err != nil {
				return err
			}
			mode := "not live: nothing is signed or sent"
			if live {
				mode = "live"
			}
			log.Info("started", "version", version(), "mode", mode, "api", e.address(), "store", e.db.Path)
			if c.Voter != nil {
				go e.parts.Run(cmd.Context(), "the watch over the freeze", func(ctx context.Context, _ *supervise.Part) error {
					tellFreezes(ctx, c.file(c.Voter.Ledger), log)
					return nil
				})
			}
			err = e.run(cmd.Context())
			if closing := e.close(); err == nil {
				err = closing
			}
			if err == nil {
				log.Info("stopped; everything is on disk")
			}
			return err
		},
	}
	configFlag(c, &config)
	c.Flags().BoolVar(&live, "live", false, "sign and send votes; the same as voter.live")
	return c
}

// freezeEvery is how often a daemon looks whether signing is frozen, to say so.
const freezeEvery = 2 * time.Second

// tellFreezes logs that signing is frozen, at the start too, and that it goes on. The freeze itself works without
// it: the signer looks by itself before each signature.
func tellFreezes(ctx context.Context, folder string, log *slog.Logger) {
	tick := time.NewTicker(freezeEvery)
	defer tick.Stop()
	for was := false; ; {
		why, frozen := ledger.Frozen(folder)
		switch {
		case frozen && !was:
			log.Warn("signing is frozen: votes wait until `legate unfreeze`", "why", why, "ledger", folder)
		case was && !frozen:
			log.Info("signing goes on: no longer frozen", "ledger", folder)
		}
		was = frozen
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// newLogger writes the log as the configuration says.
func newLogger(w io.Writer, c LogConfig) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.Level)); err != nil {
		panic(fmt.Sprintf("log.level %q passed the reader: %v", c.Level, err))
	}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level}))
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level}))
}
