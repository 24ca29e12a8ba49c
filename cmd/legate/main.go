// Command legate represents token holders in DAOs: it watches Governor contracts, works out what each
// proposal really does, applies the holder's policy and casts the signed vote, or holds.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/policies/strict"
)

// Exit statuses (DESIGN §2).
const (
	exitFine  = 0
	exitNo    = 1 // the answer is no: a check failed, a lint error, a mismatch
	exitUsage = 2
	exitFail  = 3 // could not be done: RPC down, file unreadable
)

// errNo is an answer that is "no"; what was wrong is printed already.
var errNo = errors.New("no")

// usageError is a command line that makes no sense.
type usageError struct{ error }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the program without its process: arguments in, exit status out.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	var usage usageError
	var problems strict.Problems
	switch {
	case err == nil:
		return exitFine
	case errors.Is(err, errNo):
		return exitNo
	case errors.As(err, &problems):
		fmt.Fprintln(stderr, problems.Detail())
		return exitFail
	case errors.As(err, &usage):
		fmt.Fprintf(stderr, "legate: %s\nSee `legate --help`.\n", inert(err))
		return exitUsage
	}
	fmt.Fprintf(stderr, "legate: %s\n", inert(err))
	return exitFail
}

// inert is an error for a terminal: it may quote a node, a file or a stranger (G30).
func inert(err error) string { return dossier.Untrusted(err.Error()).Block(8000) }

// newRoot puts the commands together.
func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "legate",
		Short: "Reads DAO proposals for what they do, and votes by your policy",
		Long: "Legate watches Governor contracts, works out what each proposal really does, applies the holder's\n" +
			"policy and casts the signed vote, or holds and says why. No text of a proposal can turn a vote.",
		SilenceErrors: true, SilenceUsage: true,
		Version: version(),
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError{fmt.Errorf("unknown command %q", args[0])}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(commands()...)
	for _, c := range root.Commands() {
		strictArgs(c)
	}
	return root
}

// strictArgs makes wrong numbers of arguments usage errors, and unknown sub-commands too.
func strictArgs(c *cobra.Command) {
	if check := c.Args; check != nil {
		c.Args = func(cmd *cobra.Command, args []string) error {
			if err := check(cmd, args); err != nil {
				return usageError{fmt.Errorf("%s: %w", cmd.CommandPath(), err)}
			}
			return nil
		}
	}
	for _, sub := range c.Commands() {
		strictArgs(sub)
	}
}

// printJSON writes one document. What a terminal would obey is in it as escapes (G30).
func printJSON(w io.Writer, v any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	_, err := w.Write(dossier.InertJSON(b.Bytes()))
	return err
}
