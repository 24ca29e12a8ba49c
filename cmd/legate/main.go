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
	"regexp"
	"strings"
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
	cmd, err := root.ExecuteContextC(ctx)
	var usage usageError
	var problems strict.Problems
	switch {
	case err == nil:
		return exitFine
	case errors.Is(err, errNo):
		return exitNo
	case ctx.Err() != nil:
		fmt.Fprintf(stderr, "legate: interrupted (%s)\n", inert(err))
		if staysUp(cmd) {
			return exitFine
		}
		return exitFail // what was asked for is not there
	case errors.As(err, &problems):
		fmt.Fprintln(stderr, problems.Detail())
		return exitFail
	case errors.As(err, &usage):
		fmt.Fprintf(stderr, "legate: %s\nSee `%s --help`.\n", inert(err), cmd.CommandPath())
		return exitUsage
	}
	fmt.Fprintf(stderr, "legate: %s\n", inert(err))
	return exitFail
}

// staysUp says whether a command is one that runs until it is interrupted.
func staysUp(cmd *cobra.Command) bool {
	headless, err := cmd.Flags().GetBool("headless")
	return cmd.Name() == "run" || cmd.Name() == "demo" && err == nil && !headless
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
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError{unknownCommand(cmd, "command", args[0])}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return usageError{nearFlag(cmd, err)} })
	root.AddCommand(commands()...)
	completions(root)
	for _, c := range root.Commands() {
		strictArgs(c)
	}
	return root
}

// strictArgs makes wrong numbers of arguments usage errors that say what is right, and unknown sub-commands too.
func strictArgs(c *cobra.Command) {
	if check := c.Args; check != nil {
		c.Args = func(cmd *cobra.Command, args []string) error {
			err := check(cmd, args)
			if err == nil {
				return nil
			}
			var group groupError
			if errors.As(err, &group) {
				return usageError{fmt.Errorf("%s: %w", cmd.CommandPath(), err)}
			}
			if strings.HasPrefix(err.Error(), "unknown command") { // cobra's words for an argument where none is taken
				err = fmt.Errorf("an argument too many, %q", args[0])
			}
			return usageError{fmt.Errorf("%s: %w; it is `%s`", cmd.CommandPath(), err, strings.TrimSuffix(cmd.UseLine(), " [flags]"))}
		}
	}
	for _, sub := range c.Commands() {
		strictArgs(sub)
	}
}

// groupError is a word that is no command of a group.
type groupError struct{ error }

// unknownCommand says which command may have been meant by one that is not there.
func unknownCommand(cmd *cobra.Command, kind, name string) error {
	var names []string
	for _, sub := range cmd.Commands() {
		names = append(names, sub.Name())
	}
	if near := strict.Suggest(name, names); near != "" {
		return groupError{fmt.Errorf("unknown %s %q, did you mean %q?", kind, name, near)}
	}
	return groupError{fmt.Errorf("unknown %s %q", kind, name)}
}

// flagName finds the names in a command's list of flags.
var flagName = regexp.MustCompile(`(?m)^ +(?:-\w, )?--([a-z-]+)`)

// nearFlag says which flag may have been meant by one that is not there.
func nearFlag(cmd *cobra.Command, err error) error {
	var unknown interface {
		error
		GetSpecifiedName() string // of pflag's error for a flag that is not there
	}
	if !errors.As(err, &unknown) {
		return err
	}
	var names []string
	for _, m := range flagName.FindAllStringSubmatch(cmd.Flags().FlagUsages(), -1) {
		names = append(names, m[1])
	}
	if near := strict.Suggest(unknown.GetSpecifiedName(), names); near != "" {
		return fmt.Errorf("%w, did you mean --%s?", err, near)
	}
	return err
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
