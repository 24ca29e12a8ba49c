package main

import (
	"cmp"
	"context"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/journal"
)

// completeWithin is how long a completion may ask the store: a person waits at the Tab key.
const completeWithin = 2 * time.Second

// completions says what the shell offers after Tab (`legate completion bash`): handles from the store, and files of
// the right kind. Whatever goes wrong offers nothing and says nothing.
func completions(root *cobra.Command) {
	for _, c := range root.Commands() {
		switch c.Name() {
		case "show", "brief", "forecast":
			c.ValidArgsFunction = firstArgument(handles(func(journal.Entry) bool { return true }))
		case "cancel":
			c.ValidArgsFunction = firstArgument(handles(undecided))
		case "vote":
			c.ValidArgsFunction = completeVote
		}
		completeFlags(c)
	}
}

// completeFlags gives the flags of a command, and of its sub-commands, their completions by name.
func completeFlags(c *cobra.Command) {
	for name, f := range map[string]cobra.CompletionFunc{
		"config": files("yaml", "yml"), "policy": files("yaml", "yml"), "book": files("yaml", "yml"), "write": files("yaml", "yml"),
		"dossier": files("json"), "actions": files("json"), "from": nil, "out": nil,
		"dir": folders, "ledger": folders, "data": folders, "train": folders,
		"key": references("keystore"), "passphrase": references("file", "env", "credential"), "from-passphrase": references("file", "env", "credential"),
		"secret": references("file", "env", "credential"), "rpc": references("file", "env", "credential"), "llm-key": references("file", "env", "credential"),
		"llm":    cobra.FixedCompletions([]cobra.Completion{"auto", "none"}, cobra.ShellCompDirectiveNoFileComp),
		"holder": cobra.NoFileCompletions, "label": cobra.NoFileCompletions, "name": cobra.NoFileCompletions, "chain": cobra.NoFileCompletions,
		"governor": cobra.NoFileCompletions, "proposal": cobra.NoFileCompletions, "block": cobra.NoFileCompletions, "expires": cobra.NoFileCompletions,
	} {
		if f == nil || c.Flags().Lookup(name) == nil {
			continue // a file of any kind, or no such flag
		}
		if err := c.RegisterFlagCompletionFunc(name, f); err != nil {
			panic(err) // a flag of the program with two completions
		}
	}
	for _, sub := range c.Commands() {
		completeFlags(sub)
	}
}

func files(extensions ...cobra.Completion) cobra.CompletionFunc {
	return cobra.FixedCompletions(extensions, cobra.ShellCompDirectiveFilterFileExt)
}

func folders(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveFilterDirs
}

// firstArgument completes the first argument and no other.
func firstArgument(f cobra.CompletionFunc) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return f(cmd, args, word)
	}
}

func completeVote(cmd *cobra.Command, args []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) == 1 {
		return []cobra.Completion{"for", "against", "abstain"}, cobra.ShellCompDirectiveNoFileComp
	}
	return firstArgument(handles(undecided))(cmd, args, word)
}

// undecided: a person can still have a say.
func undecided(e journal.Entry) bool { return e.Stage != dossier.AtClosed && !e.Vote.Bound() }

// handles offers the proposals of the store, with how far they are. No word of a stranger's is in that: neither
// title nor state text reaches the terminal.
func handles(wanted func(journal.Entry) bool) cobra.CompletionFunc {
	return func(cmd *cobra.Command, _ []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
		config := "legate.yaml"
		if f := cmd.Flags().Lookup("config"); f != nil {
			config = f.Value.String()
		}
		ctx := cmd.Context()
		if ctx == nil {
			ctx = context.Background()
		}
		ctx, stop := context.WithTimeout(ctx, completeWithin)
		defer stop()
		_, db, err := openStore(ctx, config)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		defer db.Close()
		list, err := db.Proposals(ctx)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var out []cobra.Completion
		names := journal.Handles(list)
		for _, e := range list {
			about := string(e.Stage)
			if e.Vote != "" {
				about += ", vote " + string(e.Vote)
			}
			if handle := names[e.ID]; wanted(e) && strings.HasPrefix(handle, word) {
				out = append(out, cobra.CompletionWithDesc(handle, about))
			}
		}
		return out, cobra.ShellCompDirectiveNoFileComp
	}
}

// references completes kind:NAME. Behind keystore: and file: stand files.
func references(kinds ...string) cobra.CompletionFunc {
	return func(_ *cobra.Command, _ []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
		kind, path, ok := strings.Cut(word, ":")
		var out []cobra.Completion
		if !ok {
			for _, k := range kinds {
				if strings.HasPrefix(k, word) {
					out = append(out, k+":")
				}
			}
			return out, cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
		}
		if kind != "keystore" && kind != "file" {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		dir, begin := filepath.Split(path)
		list, err := os.ReadDir(cmp.Or(dir, "."))
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		directive := cobra.ShellCompDirectiveNoFileComp
		for _, e := range list {
			switch {
			case !strings.HasPrefix(e.Name(), begin) || begin == "" && strings.HasPrefix(e.Name(), "."):
			case e.IsDir():
				out = append(out, kind+":"+dir+e.Name()+"/")
				directive |= cobra.ShellCompDirectiveNoSpace
			default:
				out = append(out, kind+":"+dir+e.Name())
			}
		}
		return out, directive
	}
}
