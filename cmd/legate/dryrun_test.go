package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/big"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/chaintest"
	"github.com/legate-dao/legate/chains/devchain"
)

// dryRun runs the command and reads its dossier; doc keeps what the types do not.
func dryRun(t *testing.T, args ...string) (dossier.Document, map[string]any) {
	t.Helper()
	out, _ := legate(t, 0, append([]string{"dry-run", "--json"}, args...)...)
	var d dossier.Document
	var doc map[string]any
	if err := json.Unmarshal([]byte(out), &doc); err != nil {
		t.Fatal(err)
	}
	d, _, err := dossier.ReadDocument([]byte(out))
	if err != nil {
		t.Fatal(err)
	}
	return d, doc
}

// at reads a value of a JSON document by a dotted path.
func at(doc any, path string) any {
	for key := range strings.SplitSeq(path, ".") {
		m, ok := doc.(map[string]any)
		if !ok {
			return nil
		}
		doc = m[key]
	}
	return doc
}

// untouched fails where a command left something behind that only a daemon may make.
func untouched(t *testing.T, want []string) {
	t.Helper()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("the folder has changed (-before +after):\n%s", diff)
	}
}

func TestDryRunOfAProposal(t *testing.T) {
	w, proposals := demoFolder(t)
	for _, secret := range []string{"voter.json", "hand.json", "passphrase"} { // a key that is not there cannot be opened
		if err := os.Remove(secret); err != nil {
			t.Fatal(err)
		}
	}
	files := []string{"harbor-book.yaml", "harbor-prices.csv", "legate.yaml", "meadow-book.yaml", "meadow-prices.csv", "policies.yaml"}
	rpc := "--rpc=" + w.chain.HTTP()
	const grant, mint = 0, 3
	id := demoID(t, w, proposals, grant)
	whole := []string{"--governor", id.Governor.Hex(), "--proposal", id.Number.String()}

	// alone, without anything of the operator's
	_, doc := dryRun(t, append(whole, rpc)...)
	if at(doc, "facts.effects.status") != "executed" || at(doc, "facts.effects.mode") != "lifecycle" || at(doc, "verdict") != nil || at(doc, "vote") != nil {
		t.Errorf("effects %v, verdict %v, vote %v", at(doc, "facts.effects.status"), at(doc, "verdict"), at(doc, "vote"))
	}
	if got := at(doc, "proposal.number"); got != id.Number.String() {
		t.Errorf("proposal %v", got)
	}
	ends, err := time.Parse(time.RFC3339, fmt.Sprint(at(doc, "proposal.ends_at")))
	if created := fmt.Sprint(at(doc, "proposal.created.time")); err != nil || !ends.After(may(time.Parse(time.RFC3339, created))(t)) {
		t.Errorf("the vote on what was made at %s ends at %v (%v)", created, at(doc, "proposal.ends_at"), err)
	}
	if at(doc, "facts.treasury.outflow_usd") != nil {
		t.Errorf("a value in USD without a price: %v", at(doc, "facts.treasury.outflow_usd"))
	}

	// with the operator's tables and the holder's policy
	d, doc := dryRun(t, append(whole, "--config", "legate.yaml", "--policy", "policies.yaml")...)
	if at(doc, "verdict.direction") != "for" || at(doc, "verdict.rule") != "small-grant" || at(doc, "facts.treasury.outflow_usd") != 15000.0 || d.Handle != id.Handle("harbor", 6) {
		t.Errorf("verdict %v by %v on %v USD, handle %s", at(doc, "verdict.direction"), at(doc, "verdict.rule"), at(doc, "facts.treasury.outflow_usd"), d.Handle)
	}
	// the number in hex, and an endpoint beside the configuration
	n, ok := newBig(id.Number.String())
	if !ok {
		t.Fatal(id.Number)
	}
	_, hex := dryRun(t, rpc, "--governor", id.Governor.Hex(), "--proposal", fmt.Sprintf("0x%x", n), "--config", "legate.yaml", "--policy", "policies.yaml", "--holder", "alice")
	if at(hex, "proposal.number") != id.Number.String() || at(hex, "verdict.rule") != "small-grant" {
		t.Errorf("in hex: %v, %v", at(hex, "proposal.number"), at(hex, "verdict.rule"))
	}
	text, _ := legate(t, 0, append(append([]string{"dry-run"}, whole...), "--config", "legate.yaml", "--policy", "policies.yaml")...)
	for _, want := range []string{"harbor/", "small-grant", "15000", "(block clock) ends about 20"} {
		if !strings.Contains(strings.ReplaceAll(text, ",", ""), want) {
			t.Errorf("the human form lacks %q:\n%s", want, text)
		}
	}
	// an exit status of 0 whatever the verdict
	id = demoID(t, w, proposals, mint)
	_, doc = dryRun(t, "--governor", id.Governor.Hex(), "--proposal", id.Number.String(), "--config", "legate.yaml", "--policy", "policies.yaml")
	if at(doc, "verdict.direction") != "against" || at(doc, "verdict.rule") != "no-dilution" {
		t.Errorf("a mint: %v by %v", at(doc, "verdict.direction"), at(doc, "verdict.rule"))
	}
	untouched(t, files)
}

// TestDryRunBlock: --block is decimal, hex or a tag; without it the configuration's finality or, without one,
// the newest block.
func TestDryRunBlock(t *testing.T) {
	w, proposals := demoFolder(t)
	id := demoID(t, w, proposals, 0)
	args := []string{"--governor", id.Governor.Hex(), "--proposal", id.Number.String()}
	head, err := w.chain.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	newest := head.Number.Uint64()
	t.Setenv("LEGATE_TEST_RPC", w.chain.HTTP())
	for _, c := range []struct {
		name string
		args []string
		want uint64
	}{
		{"newest", []string{"--rpc", w.chain.HTTP()}, newest},
		{"final", []string{"--config", "legate.yaml"}, newest - 3},
		{"an endpoint of one's own", []string{"--config", "legate.yaml", "--rpc", w.chain.HTTP()}, newest - 3},
		{"decimal", []string{"--config", "legate.yaml", "--block", fmt.Sprint(newest - 1)}, newest - 1},
		{"hex", []string{"--rpc", w.chain.HTTP(), "--block", fmt.Sprintf("%#x", newest-2)}, newest - 2},
		{"an endpoint by reference", []string{"--rpc", "env:LEGATE_TEST_RPC"}, newest},
		{"latest", []string{"--config", "legate.yaml", "--block", "latest"}, newest},
	} {
		_, doc := dryRun(t, append(c.args, args...)...)
		if got := at(doc, "facts.at.block"); got != float64(c.want) {
			t.Errorf("%s: block %v, want %d", c.name, got, c.want)
		}
	}
	if _, errs := legate(t, 3, append([]string{"dry-run", "--rpc", w.chain.HTTP(), "--block", "safe"}, args...)...); !strings.Contains(errs, "knows no proposal") {
		t.Errorf("before it was made: %s", errs)
	}
}

// TestDryRunListsEveryNull: what is null among the facts that decide is listed as unavailable, also inside lists; here
// without a configuration, so without prices, and for a draft that nobody can run.
func TestDryRunListsEveryNull(t *testing.T) {
	w, proposals := demoFolder(t)
	id := demoID(t, w, proposals, 0)
	write(t, "none.json", "[]")
	for name, args := range map[string][]string{
		"no prices": {"--governor", id.Governor.Hex(), "--proposal", id.Number.String()},
		"no run":    {"--actions", "none.json", "--from", id.Governor.Hex()},
	} {
		_, doc := dryRun(t, append([]string{"--rpc", w.chain.HTTP()}, args...)...)
		facts := at(doc, "facts").(map[string]any)
		listed := map[string]bool{}
		for _, m := range facts["unavailable"].([]any) {
			listed[m.(map[string]any)["part"].(string)] = true
		}
		var walk func(path string, v any)
		walk = func(path string, v any) {
			switch v := v.(type) {
			case map[string]any:
				for key, inner := range v {
					walk(strings.TrimPrefix(path+"."+key, "."), inner)
				}
			case []any:
				for _, inner := range v {
					walk(path, inner)
				}
			case nil:
				covered := false
				for p := path; p != ""; p = p[:max(strings.LastIndexByte(p, '.'), 0)] {
					covered = covered || listed[p]
				}
				if !covered {
					t.Errorf("%s: %s is null and not listed", name, path)
				}
			}
		}
		for _, part := range []string{"treasury", "supply", "roles", "timelock", "governor", "upgrades", "params", "bridge", "kinds", "unknown_calls"} {
			walk(part, facts[part])
		}
		walk("effects.gas", at(doc, "facts.effects.gas"))
	}
}

// TestDryRunDraft: actions that are on no governor run directly, and are never voted for.
func TestDryRunDraft(t *testing.T) {
	w, _ := demoFolder(t)
	dao := w.daos["harbor"]
	write(t, "grant.json", fmt.Sprintf(`[{"to":%q,"value":"5000000000000000000","signature":"","calldata":"0x"}]`, devchain.Address(accountGrantee).Hex()))
	args := []string{"--actions", "grant.json", "--from", dao.Timelock.Hex(), "--rpc", w.chain.HTTP(), "--config", "legate.yaml"}
	_, doc := dryRun(t, append(args, "--policy", "policies.yaml")...)
	if at(doc, "facts.effects.mode") != "direct" || at(doc, "facts.effects.status") != "executed" {
		t.Errorf("effects %v %v", at(doc, "facts.effects.mode"), at(doc, "facts.effects.status"))
	}
	if d := at(doc, "verdict.direction"); d == "for" || d == nil {
		t.Errorf("a draft is decided %v", d)
	}
	// not even by a policy that is for everything
	write(t, "yes.yaml", fmt.Sprintf("version: 1\nholders: [{name: a, account: \"eip155:31337:%s\", governors: [harbor], policy: p}]\npolicies:\n  p:\n    rules: [{name: yes, vote: for, when: \"true\"}]\n", devchain.Address(2).Hex()))
	if _, doc = dryRun(t, append(args, "--policy", "yes.yaml")...); at(doc, "verdict.direction") != "hold" {
		t.Errorf("a draft under a policy that is for everything: %v", at(doc, "verdict.direction"))
	}
	// the signature of an action goes in front of its data
	write(t, "signed.json", fmt.Sprintf(`[{"to":%q,"value":"0","signature":"transfer(address,uint256)","calldata":"0x%064x%064x"}]`, dao.Token.Hex(), devchain.Address(5).Big(), 1000))
	_, doc = dryRun(t, "--actions", "signed.json", "--from", dao.Timelock.Hex(), "--rpc", w.chain.HTTP())
	if calls, _ := at(doc, "facts.calls").([]any); len(calls) != 1 || at(calls[0], "selector") != "0xa9059cbb" {
		t.Errorf("calls %v", at(doc, "facts.calls"))
	}
	if at(doc, "facts.effects.status") != "executed" {
		t.Errorf("effects %v", at(doc, "facts.effects"))
	}
	// one that reverts is no error of the command
	write(t, "reverts.json", strings.Replace(fmt.Sprintf(`[{"to":%q,"value":"5","signature":"","calldata":"0x"}]`, devchain.Address(5).Hex()), `"5"`, `"5`+strings.Repeat("0", 30)+`"`, 1))
	if _, doc = dryRun(t, "--actions", "reverts.json", "--from", dao.Timelock.Hex(), "--rpc", w.chain.HTTP()); at(doc, "facts.effects.status") != "reverted" {
		t.Errorf("more than there is: %v", at(doc, "facts.effects.status"))
	}
}

// TestDryRunDraftOfAGovernor: what the executor of a governor would do is told with that governor's facts and book.
func TestDryRunDraftOfAGovernor(t *testing.T) {
	w, _ := demoFolder(t)
	dao := w.daos["harbor"]
	lower := may(devchain.ActionOn(dao.Market, "Market", "setCollateralFactor", dao.Stable, percent(70)))(t)
	write(t, "lower.json", fmt.Sprintf(`[{"to":%q,"value":"0","signature":"","calldata":"0x%x"}]`, lower.Target.Hex(), lower.Calldata))
	rpc := "--rpc=" + w.chain.HTTP()
	for name, c := range map[string]struct {
		args          []string
		facts, booked bool
	}{
		"of the configuration": {[]string{"--from", dao.Timelock.Hex(), "--config", "legate.yaml"}, true, true},
		"that is named":        {[]string{"--from", dao.Timelock.Hex(), rpc, "--governor", dao.Governor.Hex()}, true, false},
		"unknown":              {[]string{"--from", dao.Timelock.Hex(), rpc}, false, false},
		"of another account":   {[]string{"--from", dao.Treasury.Hex(), rpc, "--config", "legate.yaml"}, false, false},
	} {
		_, doc := dryRun(t, append(c.args, "--actions", "lower.json")...)
		for _, path := range []string{"facts.governor.quorum.before", "facts.timelock.delay_before", "facts.supply.minted_bps"} {
			if got := at(doc, path) != nil; got && !c.facts || !got && c.facts && at(doc, "facts.effects.status") == "executed" {
				t.Errorf("a governor %s: %s is %v", name, path, at(doc, path))
			}
		}
		calls, _ := at(doc, "facts.calls").([]any)
		if len(calls) != 1 || at(calls[0], "known") != c.booked {
			t.Errorf("a governor %s: calls %v", name, calls)
		}
		if want := map[bool]string{true: "executed", false: "reverted"}[name != "of another account"]; at(doc, "facts.effects.status") != want {
			t.Errorf("a governor %s: %v, want %s", name, at(doc, "facts.effects.status"), want)
		}
	}
	_, errs := legate(t, 2, "dry-run", rpc, "--actions", "lower.json", "--from", dao.Treasury.Hex(), "--governor", dao.Governor.Hex())
	if !strings.Contains(errs, "are executed by "+dao.Timelock.Hex()) {
		t.Errorf("another account than the executor: %s", errs)
	}
}

func TestDryRunRefuses(t *testing.T) {
	w, proposals := demoFolder(t)
	id := demoID(t, w, proposals, 0)
	write(t, "two.yaml", strings.Replace(string(demoPolicies), "holders:\n", "holders:\n  - {name: bob, account: \"eip155:31337:0x1811957E997c7B19D0d00bBcD0c793BFdC5Ec99A\", governors: [harbor], policy: careful}\n", 1))
	write(t, "bad.yaml", strings.Replace(string(demoPolicies), "minted_bps", "mintet_bps", 1))
	write(t, "actions.json", "[")
	pruned := chaintest.NewProxy(t, w.chain.HTTP())
	pruned.Set(chaintest.Faults{Pruned: true})
	html := chaintest.NewProxy(t, w.chain.HTTP())
	html.Set(chaintest.Faults{HTML: true})
	rpc, governor, number := "--rpc="+w.chain.HTTP(), "--governor="+id.Governor.Hex(), "--proposal="+id.Number.String()
	for _, c := range []struct {
		name   string
		status int
		args   []string
		want   string
	}{
		{"nothing", 2, nil, "--governor and --proposal"},
		{"half a proposal", 2, []string{rpc, governor}, "--governor and --proposal"},
		{"both", 2, []string{rpc, governor, number, "--actions=a.json", "--from=" + id.Governor.Hex()}, "either"},
		{"no endpoint", 2, []string{governor, number}, "--rpc URL"},
		{"a holder without policies", 2, []string{rpc, governor, number, "--holder=alice"}, "--policy"},
		{"no address", 2, []string{rpc, "--governor=harbor", number}, "--governor"},
		{"no number", 2, []string{rpc, governor, "--proposal=seven"}, "--proposal"},
		{"a number over 256 bits", 2, []string{rpc, governor, "--proposal=0x1" + strings.Repeat("0", 64)}, "--proposal"},
		{"no block", 2, []string{rpc, governor, number, "--block=yesterday"}, "neither a number nor a tag"},
		{"a block ahead", 3, []string{rpc, governor, number, "--block=99999999"}, "99999999"},
		{"two holders", 2, []string{rpc, governor, number, "--policy=two.yaml"}, "choose one with --holder: "},
		{"an unknown holder", 2, []string{rpc, governor, number, "--policy=two.yaml", "--holder=alise"}, `did you mean "alice"`},
		{"an unknown proposal", 3, []string{rpc, governor, "--proposal=7"}, "proposal 7"},
		{"no governor there", 3, []string{rpc, "--governor=" + w.daos["harbor"].Token.Hex(), number}, "governor"},
		{"an account without code", 3, []string{rpc, "--governor=" + devchain.Address(9).Hex(), number}, "no contract"},
		{"policies with an error", 3, []string{rpc, governor, number, "--policy=bad.yaml"}, "did you mean"},
		{"no policies", 3, []string{rpc, governor, number, "--policy=lost.yaml"}, "lost.yaml"},
		{"no configuration", 3, []string{governor, number, "--config=lost.yaml"}, "lost.yaml"},
		{"no actions", 3, []string{rpc, "--actions=lost.json", "--from=" + id.Governor.Hex()}, "lost.json"},
		{"actions that are none", 3, []string{rpc, "--actions=actions.json", "--from=" + id.Governor.Hex()}, "actions.json"},
		{"no sender", 2, []string{rpc, "--actions=actions.json", "--from=me"}, "--from"},
		{"nobody there", 3, []string{"--rpc=http://127.0.0.1:1", governor, number}, "127.0.0.1:1"},
		{"HTML", 3, []string{"--rpc=" + html.URL(), governor, number}, "not JSON"},
		{"pruned state", 3, []string{"--rpc=" + pruned.URL(), governor, number}, "state"},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, errs := legate(t, c.status, append([]string{"dry-run"}, c.args...)...)
			if out != "" || !strings.Contains(errs, c.want) {
				t.Errorf("%q, want %q\n%s", errs, c.want, out)
			}
		})
	}
}

// TestDryRunIsWhatTheDaemonGathers: the same facts at the same block, but for whom earlier proposals paid, which
// only the daemon's records tell.
func TestDryRunIsWhatTheDaemonGathers(t *testing.T) {
	demoFolder(t)
	dossiers := gatherAll(t)
	set, err := readPolicyFile("policies.yaml")
	if err != nil {
		t.Fatal(err)
	}
	same := 0
	for id, d := range dossiers {
		f := dryRunFlags{config: "legate.yaml", governor: id.Governor.Hex(), proposal: id.Number.String(), block: fmt.Sprint(d.Gathered.Facts.At.Number), policy: "policies.yaml"}
		got, err := f.dossier(t.Context(), slog.New(slog.DiscardHandler), set)
		if err != nil {
			t.Fatal(err)
		}
		if got.Gathered.Digest == d.Gathered.Digest {
			same++
		}
		want, have := withoutHistory(d.Gathered.Facts), withoutHistory(got.Gathered.Facts)
		a, err := want.Digest()
		if err != nil {
			t.Fatal(err)
		}
		if b, err := have.Digest(); err != nil || a != b {
			x, _ := json.MarshalIndent(want, "", " ")
			y, _ := json.MarshalIndent(have, "", " ")
			t.Errorf("%s: other facts (-daemon +dry run), %v:\n%s", id, err, cmp.Diff(string(x), string(y)))
		}
		if got.Verdict.Direction != d.Verdict.Direction || got.Verdict.Rule != d.Verdict.Rule {
			t.Errorf("%s: %s by %s, the daemon says %s by %s", id, got.Verdict.Direction, got.Verdict.Rule, d.Verdict.Direction, d.Verdict.Rule)
		}
		if got.Proposal.ContentHash != d.Proposal.ContentHash || got.Text.Title != d.Text.Title || got.Text.Description != d.Text.Description {
			t.Errorf("%s: another content or text", id)
		}
	}
	if same < 5 {
		t.Errorf("%d of %d have the very same digest; those that pay nobody must", same, len(dossiers))
	}
}

func withoutHistory(f gov.Facts) gov.Facts {
	f.Treasury.RecipientsNew = gov.Maybe[int64]{}
	f.Unavailable = slices.DeleteFunc(slices.Clone(f.Unavailable), func(m gov.Missing) bool { return m.Part == "treasury.recipients_new" })
	return f
}

// gatherAll runs a daemon that is not live until every proposal of the demo is decided.
func gatherAll(t *testing.T) map[gov.ProposalID]dossier.Dossier {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	conf, err := readConfig("legate.yaml")
	if err != nil {
		t.Fatal(err)
	}
	e, err := openEngine(ctx, conf, engineConfig{log: slog.New(slog.DiscardHandler), fetch: 40 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer e.close()
	running, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- e.run(running) }()
	out := map[gov.ProposalID]dossier.Dossier{}
	for len(out) < len(demoCases) {
		list, err := e.db.Proposals(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range list {
			d, err := e.db.Load(ctx, p.ID)
			if err != nil {
				t.Fatal(err)
			}
			if d.Verdict != nil && !d.Provisional {
				out[p.ID] = d
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	return out
}

func newBig(s string) (*big.Int, bool) { return new(big.Int).SetString(s, 10) }
