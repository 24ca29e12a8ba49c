package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/book"
	"github.com/legate-dao/legate/chains/facts"
	"github.com/legate-dao/legate/chains/rpc"
	"github.com/legate-dao/legate/policies/strict"
)

// maxActions bounds a file of actions: hex of the largest calldata that is decoded, and some.
const maxActions = 16 << 20

// decodeFlags are the arguments of `decode`.
type decodeFlags struct{ actions, to, rpc, book string }

// callsDocument is that of `decode --json`.
type callsDocument struct {
	Version int               `json:"version"`
	Calls   []dossier.CallDoc `json:"calls"`
}

// newDecode says what calls are.
func newDecode() *cobra.Command {
	var f decodeFlags
	var asJSON bool
	c := &cobra.Command{
		Use: "decode (0xCALLDATA | --actions FILE)", Short: "What calls are, wrappers opened",
		Long: "Decodes calldata by the operator's book and the program's own tables. A call is known only where code on\n" +
			"the chain is as the book records it, so offline (without --rpc) none is: names and types are the book's all\n" +
			"the same. What public tables say of a selector is shown beside it, and anyone can have put it there.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			actions, signatures, err := f.read(args)
			if err != nil {
				return err
			}
			docs, err := f.decode(cmd.Context(), actions, signatures)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), callsDocument{1, docs})
			}
			r := renderer{width: width(cmd.OutOrStdout())}
			renderCalls(&r, docs, "")
			return printText(cmd.OutOrStdout(), r.String())
		},
	}
	c.Flags().StringVar(&f.actions, "actions", "", "JSON list of {to, value, signature, calldata}")
	c.Flags().StringVar(&f.to, "to", "", "target of the calldata")
	c.Flags().StringVar(&f.rpc, "rpc", "", "endpoint to read the targets' code from: a URL, or env:NAME, file:PATH, credential:NAME")
	c.Flags().StringVar(&f.book, "book", "", "book.yaml with what is known")
	jsonFlag(c, &asJSON)
	return c
}

// read gives the actions to decode.
func (f decodeFlags) read(args []string) ([]gov.Action, []dossier.Untrusted, error) {
	if (len(args) == 1) == (f.actions != "") {
		return nil, nil, usageError{errors.New("give either calldata or --actions FILE")}
	}
	if f.actions != "" {
		if f.to != "" {
			return nil, nil, usageError{errors.New("--to belongs to calldata; in a file each action has its own")}
		}
		text, err := readBounded(f.actions, maxActions)
		if err != nil {
			return nil, nil, fmt.Errorf("read the actions: %w", err)
		}
		actions, signatures, err := dossier.ReadActions(text)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", f.actions, err)
		}
		return actions, signatures, nil
	}
	var a gov.Action
	if err := a.Calldata.UnmarshalText([]byte(args[0])); err != nil {
		return nil, nil, usageError{err}
	}
	if f.to != "" {
		to, err := gov.ParseAddress(f.to)
		if err != nil {
			return nil, nil, usageError{fmt.Errorf("--to: %w", err)}
		}
		a.To = to
	}
	return []gov.Action{a}, nil, nil
}

func (f decodeFlags) decode(ctx context.Context, actions []gov.Action, signatures []dossier.Untrusted) ([]dossier.CallDoc, error) {
	b, err := readBook(f.book)
	if err != nil {
		return nil, err
	}
	o := facts.Options{Book: b, Unread: f.rpc == ""}
	var codes *codeReader
	if f.rpc != "" {
		client, err := dialURL(ctx, f.rpc)
		if err != nil {
			return nil, err
		}
		defer client.Close()
		head, err := client.Latest(ctx)
		if err != nil {
			return nil, err
		}
		codes = &codeReader{ctx: ctx, state: book.At(client, head.Hash), seen: map[gov.Address]book.Code{}}
		o.Code = codes.code
	}
	decoded, err := facts.Decode(actions, o)
	if err != nil {
		return nil, err
	}
	if codes != nil && codes.err != nil {
		return nil, codes.err
	}
	return dossier.CallDocs(decoded.Calls, dossier.Shown{Signatures: signatures, Calls: decoded.Shown}, ""), nil
}

// codeReader reads the code of targets as decoding meets them. The first read that fails ends the command:
// what could not be read is not shown as unknown.
type codeReader struct {
	ctx   context.Context
	state book.State
	seen  map[gov.Address]book.Code
	err   error
}

func (c *codeReader) code(a gov.Address) (book.Code, bool) {
	if code, ok := c.seen[a]; ok || c.err != nil {
		return code, ok
	}
	contract, err := book.ReadContract(c.ctx, c.state, a)
	if err != nil {
		c.err = fmt.Errorf("read the code of %s: %w", a, err)
		return book.Code{}, false
	}
	c.seen[a] = contract.Code
	return contract.Code, true
}

// dialURL connects to one endpoint, whatever its chain. ref is a URL or a reference to one.
func dialURL(ctx context.Context, ref string) (*rpc.Client, error) {
	url, err := urlOf(ref)
	if err != nil {
		return nil, err
	}
	return rpc.Dial(ctx, rpc.Config{Endpoints: []rpc.Endpoint{{HTTP: url}}, Finality: rpc.LatestTag})
}

// urlOf is the address that --rpc means.
func urlOf(ref string) (string, error) {
	private, err := strict.ParsePrivate(ref)
	if err != nil {
		return "", usageError{fmt.Errorf("--rpc: %w", err)}
	}
	url, err := private.Resolve(".")
	if err != nil {
		return "", fmt.Errorf("--rpc: %w", err)
	}
	return url, nil
}
