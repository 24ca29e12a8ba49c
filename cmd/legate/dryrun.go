package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/legate-dao/legate/agent/checks"
	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/book"
	"github.com/legate-dao/legate/chains/governor"
	"github.com/legate-dao/legate/chains/rpc"
	"github.com/legate-dao/legate/policies"
	"github.com/legate-dao/legate/policies/strict"
)

// dryRunFlags are the arguments of `dry-run`.
type dryRunFlags struct {
	rpc, governor, proposal, actions, from, block, policy, holder, config string
	json                                                                  bool
}

// newDryRun says what calls do, with no daemon, key, ledger or store.
func newDryRun() *cobra.Command {
	var f dryRunFlags
	c := &cobra.Command{
		Use:   "dry-run --rpc URL (--governor A --proposal N | --actions FILE --from A)",
		Short: "What a proposal, or a draft of one, would do",
		Long: "Executes the actions on a throw-away fork of one block and prints the dossier: decoded calls, effects,\n" +
			"facts and findings, with --policy also the verdict. A proposal goes through its governor's queue and\n" +
			"execute with a forced tally; a draft (--actions) is called from --from directly, and is never voted for.\n" +
			"Where --from executes the proposals of a governor (of --config, or --governor), its book and facts count.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	c.Flags().StringVar(&f.rpc, "rpc", "", "endpoint of the chain: a URL, or env:NAME, file:PATH, credential:NAME; else those of --config")
	c.Flags().StringVar(&f.governor, "governor", "", "address of the governor; of a draft, whose executor --from is")
	c.Flags().StringVar(&f.proposal, "proposal", "", "number of the proposal, decimal or 0x")
	c.Flags().StringVar(&f.actions, "actions", "", "JSON list of {to, value, signature, calldata}")
	c.Flags().StringVar(&f.from, "from", "", "account that makes the calls of a draft")
	c.Flags().StringVar(&f.block, "block", "", "block to read at: decimal, 0x, or a tag")
	c.Flags().StringVar(&f.policy, "policy", "", "policies.yaml to decide by")
	c.Flags().StringVar(&f.holder, "holder", "", "holder whose policy decides, if there are several")
	c.Flags().StringVar(&f.config, "config", "", "legate.yaml with chains, governors, book, prices, caps")
	c.Flags().BoolVar(&f.json, "json", false, "print the dossier as JSON")
	return c
}

func (f dryRunFlags) run(ctx context.Context, stdout, stderr io.Writer) error {
	if err := f.check(); err != nil {
		return usageError{err}
	}
	set, err := f.policies()
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	d, err := f.dossier(ctx, log, set)
	if err != nil {
		return err
	}
	if f.json {
		doc, err := d.Document(d.ID().Handle(d.Proposal.Name, 6))
		if err != nil {
			return err
		}
		doc.Vote = nil
		return printJSON(stdout, doc)
	}
	return renderDossier(stdout, d, d.ID().Handle(d.Proposal.Name, 6))
}

func (f dryRunFlags) check() error {
	onChain := f.governor != "" && f.proposal != ""
	draft := f.actions != "" && f.from != ""
	switch {
	case onChain == draft:
		return errors.New("give either --governor and --proposal, or --actions and --from")
	case f.rpc == "" && f.config == "":
		return errors.New("give --rpc URL, or --config with the chain's endpoints")
	case f.holder != "" && f.policy == "":
		return errors.New("--holder needs --policy")
	}
	return nil
}

func (f dryRunFlags) policies() (*policies.Set, error) {
	if f.policy == "" {
		return nil, nil
	}
	text, err := readBounded(f.policy, strict.MaxBytes)
	if err != nil {
		return nil, fmt.Errorf("read the policies: %w", err)
	}
	set, problems := policies.Parse(f.policy, text)
	if problems.HasErrors() {
		return nil, problems
	}
	return set, nil
}

// dossier gathers at one block and decides.
func (f dryRunFlags) dossier(ctx context.Context, log *slog.Logger, set *policies.Set) (dossier.Dossier, error) {
	w, client, err := f.open(ctx, log)
	if err != nil {
		return dossier.Dossier{}, err
	}
	defer w.close()
	defer client.Close()
	at, err := f.header(ctx, client, w.conf)
	if err != nil {
		return dossier.Dossier{}, err
	}
	block := gov.Block{Number: at.Number, Hash: at.Hash, Time: gov.UnixTime(at.Time)}
	seen, g, err := f.subject(ctx, w, client, at, block)
	if err != nil {
		return dossier.Dossier{}, err
	}
	d := dossier.Dossier{Proposal: seen.Proposal, Text: seen.Text, Shown: seen.Shown, Stage: dossier.AtSeen}
	deps := w.deps(g, client)
	if seen.Proposal.Draft {
		from, _ := gov.ParseAddress(f.from)
		deps.Executor = from
	}
	got, err := gatherWith(ctx, deps, seen.Proposal, block)
	if err != nil {
		return d, err
	}
	got.Findings = checks.Run(seen.Proposal, got.Facts)
	if got.Basis, err = gov.Basis(seen.Proposal, got.Facts, got.Findings); err != nil {
		return d, err
	}
	d.Gathered = &got
	d.Shown.Merge(got.Shown)
	if set != nil {
		holder, err := chooseHolder(set, f.holder)
		if err != nil {
			return d, usageError{err}
		}
		if p, ok := set.Policy(holder.Name); ok && p.ReadsOutlook() {
			outlook, err := g.conf.Outlook.scenario().Outlooks(ctx, seen.Proposal, got.Facts)
			if err != nil {
				return d, err
			}
			got.Outlook = &outlook
		}
		v := set.Decide(got.Case(seen.Proposal, holder))
		d.Verdict, d.Holder = &v, holder
	}
	return d, nil
}

// chooseHolder is the named holder, or the only one.
func chooseHolder(set *policies.Set, name string) (gov.Holder, error) {
	all := set.Holders()
	if name == "" && len(all) == 1 {
		return all[0].Holder, nil
	}
	var names []string
	for _, h := range all {
		if string(h.Name) == name {
			return h.Holder, nil
		}
		names = append(names, string(h.Name))
	}
	if name == "" {
		return gov.Holder{}, fmt.Errorf("the policies have %d holders, choose one with --holder: %s", len(all), strings.Join(names, ", "))
	}
	if near := strict.Suggest(name, names); near != "" {
		return gov.Holder{}, fmt.Errorf("there is no holder %q, did you mean %q?", name, near)
	}
	return gov.Holder{}, fmt.Errorf("there is no holder %q among %s", name, strings.Join(names, ", "))
}

// open reads the configuration, if there is one, without key, ledger and store.
func (f dryRunFlags) open(ctx context.Context, log *slog.Logger) (*world, *rpc.Client, error) {
	w := &world{log: log, clients: map[gov.ChainID]*rpc.Client{}, watched: map[gov.ProposalID]*watched{}, holder: func(gov.Label) gov.Holder { return gov.Holder{} }}
	if f.config != "" {
		c, err := readConfig(f.config)
		if err != nil {
			return nil, nil, err
		}
		w.conf = c
	}
	conf, err := f.endpoints(w.conf)
	if err != nil {
		return nil, nil, err
	}
	conf.Log = log
	client, err := rpc.Dial(ctx, conf)
	return w, client, err
}

// endpoints are the one that --rpc names, or those of the configuration.
func (f dryRunFlags) endpoints(c Config) (rpc.Config, error) {
	if f.rpc != "" {
		url, err := urlOf(f.rpc)
		return rpc.Config{Endpoints: []rpc.Endpoint{{HTTP: url}}, Finality: rpc.LatestTag}, err
	}
	name, err := f.chain(c)
	if err != nil {
		return rpc.Config{}, err
	}
	return c.rpcConfig(name)
}

// chain is the configured chain that the governor is on, or the only one.
func (f dryRunFlags) chain(c Config) (string, error) {
	for _, g := range c.Governors {
		if strings.EqualFold(g.Address.Address.Hex(), f.governor) {
			return string(g.Address.Chain), nil
		}
	}
	var names []string
	for name := range c.Chains {
		names = append(names, name)
	}
	if len(names) == 1 {
		return names[0], nil
	}
	slices.Sort(names)
	return "", usageError{fmt.Errorf("%s has several chains (%s): choose an endpoint with --rpc", c.path, strings.Join(names, ", "))}
}

// header is the block to read at: --block, else the configured finality, else the newest.
func (f dryRunFlags) header(ctx context.Context, c *rpc.Client, conf Config) (rpc.Header, error) {
	switch f.block {
	case "":
		if f.config != "" && f.rpc == "" {
			return c.Final(ctx)
		}
		if chain, ok := conf.Chains[gov.ChainID(c.ChainID()).String()]; ok { // --rpc is another endpoint of this chain
			return rpc.FinalBy(ctx, c, chain.Finality.Finality)
		}
		return c.Latest(ctx)
	case "latest", "safe", "finalized", "earliest":
		return rpc.HeaderByTag(ctx, c, f.block)
	}
	n, err := strconv.ParseUint(f.block, 0, 64)
	if err != nil {
		return rpc.Header{}, usageError{fmt.Errorf("--block %q is neither a number nor a tag", f.block)}
	}
	return rpc.HeaderByNumber(ctx, c, n)
}

// subject is what is run: a proposal found on the chain, or a draft.
func (f dryRunFlags) subject(ctx context.Context, w *world, client *rpc.Client, at rpc.Header, block gov.Block) (dossier.Seen, *watched, error) {
	if f.actions != "" {
		return f.draft(ctx, w, client, block)
	}
	address, err := gov.ParseAddress(f.governor)
	if err != nil {
		return dossier.Seen{}, nil, usageError{fmt.Errorf("--governor: %w", err)}
	}
	n, err := parseNumber(f.proposal)
	if err != nil {
		return dossier.Seen{}, nil, usageError{fmt.Errorf("--proposal: %w", err)}
	}
	g, err := f.tables(w, gov.ProposalID{Chain: gov.ChainID(client.ChainID()), Governor: address})
	if err != nil {
		return dossier.Seen{}, nil, err
	}
	g.client = client
	if g.governor, err = governor.Detect(ctx, client, address, block.Hash); err != nil {
		return dossier.Seen{}, nil, err
	}
	g.governor.Chain, g.governor.Name = gov.ChainID(client.ChainID()), gov.Label(g.conf.Name)
	seen, err := findProposal(ctx, client, g.governor, n, at)
	if err == nil {
		seen.Proposal.EndsAt = w.endsAt(ctx, client, g.governor, seen.Proposal, at)
	}
	if err != nil {
		return seen, nil, err
	}
	if seen.Proposal.State, err = g.governor.State(ctx, client, n, block.Hash); err != nil {
		return seen, nil, err
	}
	return seen, g, nil
}

// parseNumber reads a proposal number, decimal or hex.
func parseNumber(s string) (gov.Amount, error) {
	if digits, ok := strings.CutPrefix(s, "0x"); ok {
		var h gov.Hash
		if err := h.UnmarshalText([]byte("0x" + strings.Repeat("0", max(0, 64-len(digits))) + digits)); err != nil {
			return gov.Amount{}, fmt.Errorf("%.80q is not a number", s)
		}
		return gov.Value{Word: h}.Amount(), nil
	}
	return gov.ParseAmount(s)
}

// tables are the operator's tables for a governor; without a configuration they are empty.
func (f dryRunFlags) tables(w *world, id gov.ProposalID) (*watched, error) {
	g := &watched{book: book.Of(), caps: w.conf.caps()}
	if f.config == "" {
		g.caps = newConfig().caps()
		g.conf.Name = "governor"
		return g, nil
	}
	conf, ok := w.conf.governor(id)
	if !ok {
		g.conf.Name = "governor"
		return g, nil
	}
	g.conf = conf
	var err error
	if g.book, err = readBook(w.conf.file(conf.Book)); err != nil {
		return nil, err
	}
	g.prices, err = readPrices(w.conf.file(conf.Prices))
	return g, err
}

// draft reads actions that are on no governor yet.
func (f dryRunFlags) draft(ctx context.Context, w *world, client *rpc.Client, block gov.Block) (dossier.Seen, *watched, error) {
	from, err := gov.ParseAddress(f.from)
	if err != nil {
		return dossier.Seen{}, nil, usageError{fmt.Errorf("--from: %w", err)}
	}
	text, err := readBounded(f.actions, maxActions)
	if err != nil {
		return dossier.Seen{}, nil, fmt.Errorf("read the actions: %w", err)
	}
	actions, signatures, err := dossier.ReadActions(text)
	if err != nil {
		return dossier.Seen{}, nil, fmt.Errorf("%s: %w", f.actions, err)
	}
	g, err := f.draftGovernor(ctx, w, client, from, block)
	if err != nil {
		return dossier.Seen{}, nil, err
	}
	g.client = client
	p := gov.Proposal{
		ID: gov.ProposalID{Chain: gov.ChainID(client.ChainID()), Governor: from}, Name: "draft", Proposer: from, Created: block,
		Actions: actions, Draft: true, Clock: gov.ClockBlock,
	}
	if !g.governor.Address.IsZero() {
		p.ID.Governor, p.Flavour, p.Clock = g.governor.Address, g.governor.Flavour, g.governor.Clock
	}
	p.ContentHash = gov.ContentHash(actions, p.DescriptionHash)
	return dossier.Seen{Proposal: p, Shown: dossier.Shown{Signatures: signatures}}, g, nil
}

// draftGovernor is the governor whose proposals are executed from an account: the one that --governor names, else one
// of the configuration. Where there is none, what a governor would say of the draft's facts stays unknown.
func (f dryRunFlags) draftGovernor(ctx context.Context, w *world, client *rpc.Client, from gov.Address, block gov.Block) (*watched, error) {
	chain := gov.ChainID(client.ChainID())
	var candidates []gov.Address
	if f.governor != "" {
		a, err := gov.ParseAddress(f.governor)
		if err != nil {
			return nil, usageError{fmt.Errorf("--governor: %w", err)}
		}
		candidates = append(candidates, a)
	} else {
		for _, g := range w.conf.Governors {
			if gov.ChainID(g.Address.Chain.ID()) == chain {
				candidates = append(candidates, gov.Address(g.Address.Address.Address))
			}
		}
	}
	for _, a := range candidates {
		found, err := governor.Detect(ctx, client, a, block.Hash)
		if err != nil {
			return nil, err
		}
		if found.Executor != from {
			if f.governor != "" {
				return nil, usageError{fmt.Errorf("--from %s: the proposals of %s are executed by %s", from, a, found.Executor)}
			}
			continue
		}
		g, err := f.tables(w, gov.ProposalID{Chain: chain, Governor: a})
		if err != nil {
			return nil, err
		}
		found.Chain, found.Name = chain, gov.Label(g.conf.Name)
		g.governor = found
		return g, nil
	}
	return f.tables(w, gov.ProposalID{Chain: chain, Governor: from})
}
