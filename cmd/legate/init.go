package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ethereum/go-ethereum/crypto"
	"github.com/spf13/cobra"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/llm"
	"github.com/legate-dao/legate/chains"
	"github.com/legate-dao/legate/chains/book"
	"github.com/legate-dao/legate/chains/governor"
	"github.com/legate-dao/legate/chains/rpc"
	"github.com/legate-dao/legate/policies"
	"github.com/legate-dao/legate/policies/strict"
)

// initFlags are the arguments of `init`.
type initFlags struct {
	rpc, governor, dir, holder, name string
	yes                              bool
}

// newInit writes a holder's first files.
func newInit() *cobra.Command {
	var f initFlags
	c := &cobra.Command{
		Use: "init --rpc URL --governor eip155:1:0x…", Short: "Find out what a governor is and write legate.yaml, policies.yaml, book and key",
		Long: "Asks the chain for the rest: flavour, clock, timelock, token, the block of deployment, what executed proposals\n" +
			"called. Proposes a book of those contracts, which you accept entry by entry (--yes accepts all), makes a voting\n" +
			"key, and writes files that do not vote until you run `legate run --live`. Nothing that exists is overwritten.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.run(cmd.Context(), cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
	c.Flags().StringVar(&f.rpc, "rpc", "", "endpoint of the chain: a URL, or env:NAME, file:PATH, credential:NAME (required)")
	c.Flags().StringVar(&f.governor, "governor", "", "the governor, eip155:1:0x… (required)")
	c.Flags().StringVar(&f.dir, "dir", ".", "folder for the files")
	c.Flags().StringVar(&f.holder, "holder", "", "account that holds the tokens; default the new voting key itself")
	c.Flags().StringVar(&f.name, "name", "", "your name for the governor; default from its address")
	c.Flags().BoolVar(&f.yes, "yes", false, "accept every proposed entry of the book without asking")
	return c
}

// found is what init learned of a governor.
type found struct {
	account  strict.Account
	governor governor.Governor
	client   *rpc.Client
	head     gov.Block
	from     uint64 // 0 when the endpoint has pruned the state that would say it
	entries  []string
	notes    []string
	model    *llm.Info // a model server of this machine; nil for none
}

func (f initFlags) run(ctx context.Context, in io.Reader, out io.Writer) error {
	if f.rpc == "" || f.governor == "" {
		return usageError{errors.New("--rpc and --governor are needed, such as --rpc http://127.0.0.1:8545 --governor eip155:1:0xc0Da02939E1441F497fd74F78cE7Decb17B66529")}
	}
	account, err := strict.ParseAccount(f.governor)
	if err != nil {
		return usageError{fmt.Errorf("--governor: %w", err)}
	}
	if f.name == "" {
		f.name = "dao-" + strings.ToLower(account.Address.Hex()[2:8])
	}
	if !plainName(f.name) {
		return usageError{fmt.Errorf("--name %q: letters, digits, - and _, at most 40", f.name)}
	}
	if f.holder != "" {
		a, err := strict.ParseAddress(f.holder)
		if err != nil {
			return usageError{fmt.Errorf("--holder: %w", err)}
		}
		f.holder = a.Hex()
	}
	if err := f.free(); err != nil {
		return err
	}
	x, err := f.look(ctx, account, out)
	if err != nil {
		return err
	}
	defer x.client.Close()
	x.findModel(ctx, out)
	if err := f.propose(ctx, x, in, out); err != nil {
		return err
	}
	return f.write(x, out)
}

// files are what init writes, in its folder.
var initFiles = []string{"legate.yaml", "policies.yaml", "book.yaml", "prices.csv", "voter.json", "passphrase"}

// free says whether nothing would be overwritten.
func (f initFlags) free() error {
	for _, name := range initFiles {
		if _, err := os.Lstat(filepath.Join(f.dir, name)); err == nil {
			return fmt.Errorf("%s is there already; init overwrites nothing: choose another folder with --dir", filepath.Join(f.dir, name))
		}
	}
	return nil
}

// look asks the chain what the governor is.
func (f initFlags) look(ctx context.Context, account strict.Account, out io.Writer) (*found, error) {
	secret, err := strict.ParsePrivate(f.rpc)
	if err != nil {
		return nil, usageError{fmt.Errorf("--rpc: %w", err)}
	}
	url, err := secret.Resolve(f.dir)
	if err != nil {
		return nil, fmt.Errorf("--rpc: %w", err)
	}
	client, err := rpc.Dial(ctx, rpc.Config{ChainID: account.Chain.ID(), Endpoints: []rpc.Endpoint{{HTTP: url}}, Finality: rpc.LatestTag, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	x := &found{account: account, client: client}
	head, err := client.Latest(ctx)
	if err == nil {
		x.head = gov.Block{Number: head.Number, Hash: head.Hash, Time: gov.UnixTime(head.Time)}
		x.governor, err = governor.Detect(ctx, client, gov.Address(account.Address.Address), x.head.Hash)
	}
	if err != nil {
		client.Close()
		return nil, err
	}
	x.governor.Chain, x.governor.Name = gov.ChainID(account.Chain.ID()), gov.Label(f.name)
	if x.from, err = chains.Deployed(ctx, client, x.governor.Address, head); err != nil {
		x.notes = append(x.notes, fmt.Sprintf("the block of deployment could not be found (%v): give from_block in legate.yaml", err))
	}
	fmt.Fprintf(out, "Governor  %s, %s clock\n", x.governor.Flavour, x.governor.Clock)
	for _, line := range []struct {
		what string
		a    gov.Address
	}{{"Timelock", x.governor.Timelock}, {"Token", x.governor.Token}} {
		if !line.a.IsZero() {
			fmt.Fprintf(out, "%-9s %s\n", line.what, line.a)
		}
	}
	if x.from > 0 {
		fmt.Fprintf(out, "Deployed  in block %d\n", x.from)
	}
	return x, nil
}

// findModel looks for a model server on this machine.
func (x *found) findModel(ctx context.Context, out io.Writer) {
	found := llm.Find(ctx, llm.Places)
	if len(found) == 0 {
		x.notes = append(x.notes, "no model server listens on this machine: briefs are sentences of the proposals, until one does (`legate doctor` says what is found)")
		return
	}
	x.model = &found[0]
	fmt.Fprintf(out, "Model     %s, %s at %s\n", dossier.Untrusted(shortName(x.model.Model)).Line(60), x.model.Server, x.model.URL)
}

// propose proposes a book of what executed proposals called, and lets a person accept each entry.
func (f initFlags) propose(ctx context.Context, x *found, in io.Reader, out io.Writer) error {
	targets, err := executedTargets(ctx, x.client, x.governor, x.from)
	if err != nil {
		x.notes = append(x.notes, fmt.Sprintf("the executed proposals could not be read (%v): propose the book later with `legate book add --from-history`", err))
		return nil
	}
	answers := bufio.NewReader(in)
	for i, a := range targets {
		p, err := book.Propose(ctx, x.client, a, x.head)
		if err != nil {
			x.notes = append(x.notes, fmt.Sprintf("%s was called by executed proposals, and no entry can be proposed: %v", a, err))
			continue
		}
		if p.ABIName == "" {
			x.notes = append(x.notes, fmt.Sprintf("%s was called by executed proposals; its ABI is not among the shipped ones: `legate book add %[1]s -c %[2]s --write %[3]s`, then write its ABI into the entry", a, filepath.Join(f.dir, "legate.yaml"), filepath.Join(f.dir, "book.yaml")))
			continue
		}
		text, err := p.YAML(gov.Label(fmt.Sprintf("%s-%d", p.ABIName, i+1)))
		if err != nil {
			return err
		}
		if !f.yes {
			fmt.Fprintf(out, "\nExecuted proposals called this contract:\n%sIs it what you think it is, and known from now on? [y/N] ", text)
			line, _ := answers.ReadString('\n')
			if !slices.Contains([]string{"y", "yes"}, strings.ToLower(strings.TrimSpace(line))) {
				continue
			}
		}
		x.entries = append(x.entries, text)
	}
	return nil
}

// executedTargets lists, sorted, the contracts beside the DAO's own that executed proposals called.
func executedTargets(ctx context.Context, client *rpc.Client, g governor.Governor, from uint64) ([]gov.Address, error) {
	w, err := chains.New(chains.Config{Client: chains.Over(client, nil), Governors: []chains.Watched{{Governor: g, FromBlock: from}}})
	if err != nil {
		return nil, err
	}
	var recent []gov.Block
	seen, executed := map[gov.ProposalID]gov.Proposal{}, map[gov.ProposalID]bool{}
	for cursor, behind := (gov.Cursor{Chain: g.Chain}), true; behind; {
		b, err := w.Poll(ctx, cursor, recent)
		if err != nil {
			return nil, err
		}
		for _, s := range b.Seen {
			seen[s.Proposal.ID] = s.Proposal
		}
		for _, c := range b.Changes {
			executed[c.ID] = executed[c.ID] || c.State == gov.StateExecuted
		}
		cursor, recent, behind = b.To, b.Recent, b.Behind
	}
	var out []gov.Address
	for id, ok := range executed {
		if !ok {
			continue
		}
		for _, a := range seen[id].Actions {
			own := a.To == g.Address || a.To == g.Timelock || a.To == g.Token
			if a.Calldata.Len() > 0 && !own && !slices.Contains(out, a.To) {
				out = append(out, a.To)
			}
		}
	}
	slices.SortFunc(out, gov.Address.Cmp)
	return out, nil
}

// write makes the voting key and writes the files.
func (f initFlags) write(x *found, out io.Writer) error {
	secret := make([]byte, 24)
	if _, err := rand.Read(secret); err != nil {
		return err
	}
	key, err := crypto.GenerateKey()
	if err != nil {
		return fmt.Errorf("make the voting key: %w", err)
	}
	voter := crypto.PubkeyToAddress(key.PublicKey).Hex()
	holder := voter
	if f.holder != "" {
		holder = f.holder
	}
	pass := hex.EncodeToString(secret)
	texts := map[string]string{
		"legate.yaml": f.config(x), "policies.yaml": f.policies(x, holder), "prices.csv": "token,usd\n",
		"book.yaml": "version: 1\nentries:\n" + strings.Join(x.entries, ""), "passphrase": pass + "\n",
	}
	if len(x.entries) == 0 {
		texts["book.yaml"] = "version: 1\nentries: []\n"
	}
	if err := check(texts); err != nil {
		return err
	}
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		return fmt.Errorf("make the folder: %w", err)
	}
	if err := writeKey(filepath.Join(f.dir, "voter.json"), key, pass, false); err != nil {
		return err
	}
	for name, text := range texts {
		if err := writeNew(filepath.Join(f.dir, name), []byte(text)); err != nil {
			return err
		}
	}
	f.explain(x, voter, holder, out)
	return nil
}

// check reads the files as the daemon would: init writes nothing that it would refuse.
func check(texts map[string]string) error {
	if _, problems := parseConfig("legate.yaml", []byte(texts["legate.yaml"])); problems.HasErrors() {
		return problems
	}
	if _, problems := policies.Parse("policies.yaml", []byte(texts["policies.yaml"])); problems.HasErrors() {
		return problems
	}
	_, problems := book.Parse("book.yaml", []byte(texts["book.yaml"]), os.ReadFile)
	return problems.Err()
}

func (f initFlags) config(x *found) string {
	from := ""
	if x.from > 0 {
		from = fmt.Sprintf("\n    from_block: %d", x.from)
	}
	return fmt.Sprintf(`# What Legate watches; docs/legate.example.yaml explains every key, `+"`legate doctor`"+` checks it.
version: 1
store: sqlite:legate.db
chains:
  %s:
    rpc: [%q]            # a second one, of another operator, makes "unverified source" go away
    finality: finalized
governors:
  - name: %s
    address: %s%s
    prices: prices.csv
    book: book.yaml
voter:
  key: keystore:voter.json
  passphrase: file:passphrase
  ledger: ledger/
  approvers: []          # your own address: whose signature answers a hold (legate vote)
  live: false
policies: policies.yaml
%s`, x.account.Chain, f.rpc, f.name, x.account, from, x.modelText())
}

// modelText is the part of the configuration for the server that was found; auto, the same without the key, where there
// is none.
func (x *found) modelText() string {
	if x.model == nil {
		return ""
	}
	return fmt.Sprintf("model: {endpoint: %q}    # writes briefs for people; it decides nothing\n", x.model.URL)
}

// policies is the example with this holder and governor, and a For that is careful: small payments only.
func (f initFlags) policies(x *found, holder string) string {
	text := string(demoPolicies)
	for _, swap := range [][2]string{
		{"account: eip155:31337:0x1811957E997c7B19D0d00bBcD0c793BFdC5Ec99A", "account: " + string(x.account.Chain) + ":" + holder},
		{"governors: [harbor, meadow]", "governors: [" + f.name + "]"},
		{"; here those of `legate demo`", ""},
		{"treasury.outflow_usd <= 50000", "treasury.outflow_usd <= 10000"},
		{"name: alice", "name: me"},
		{"# yaml-language-server: $schema=./docs/policies.schema.json\n", ""}, // `legate schema policies` prints it
	} {
		if !strings.Contains(text, swap[0]) {
			panic("policies.example.yaml has no " + swap[0]) // a test runs this
		}
		text = strings.Replace(text, swap[0], swap[1], 1)
	}
	return text
}

func (f initFlags) explain(x *found, voter, holder string, out io.Writer) {
	fmt.Fprintf(out, "\nWrote %s in %s.\n", strings.Join(initFiles, ", "), f.dir)
	for _, n := range x.notes {
		fmt.Fprintf(out, "- %s\n", n)
	}
	fmt.Fprintf(out, "\nNext:\n  1. Read policies.yaml; fill in voter.approvers (else nobody can answer a hold), and prices.csv, a line for each:\n"+
		"       native,USD    the chain's coin\n")
	if !x.governor.Token.IsZero() {
		fmt.Fprintf(out, "       %s,USD    the governance token\n", x.governor.Token)
	}
	fmt.Fprintf(out, "     Without prices whatever is in USD is unknown, and rules that read it hold.\n")
	if holder == voter {
		fmt.Fprintf(out, "  2. Delegate your tokens to the voting key %s, and put your account into policies.yaml.\n", voter)
	} else {
		fmt.Fprintf(out, "  2. Delegate the tokens of %s to the voting key %s.\n", holder, voter)
	}
	fmt.Fprintf(out, "  3. Send it a little of the native coin for gas.\n  4. legate doctor -c %s\n  5. legate run -c %[1]s, and once you like what it says, with --live\n", filepath.Join(f.dir, "legate.yaml"))
}
