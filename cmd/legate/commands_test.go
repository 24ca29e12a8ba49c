package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/ethereum/go-ethereum/accounts/keystore"
	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/devchain"
	"github.com/legate-dao/legate/chains/ledger"
)

// legate runs a command line in the current folder and wants an exit status.
func legate(t *testing.T, status int, args ...string) (stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	if got := run(context.Background(), args, &out, &errs); got != status {
		t.Fatalf("legate %s: status %d, want %d\n%s%s", strings.Join(args, " "), got, status, &out, &errs)
	}
	return out.String(), errs.String()
}

// fixture makes a daemon's folder and goes there.
func fixture(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	writeFixture(t, ".")
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestG30TerminalOutputIsInert: nothing that a stranger wrote moves a cursor, hides or reorders what is shown.
func TestG30TerminalOutputIsInert(t *testing.T) {
	fixture(t)
	n := 0
	for _, args := range [][]string{
		{"proposals"}, {"proposals", "--json"}, {"show", "compound/800000"}, {"show", "compound/800000", "--json"},
		{"journal", "fsck"}, {"show", evilText}, {evilText}, {"policy", "lint", evilText}, {"schema", evilText}, {"decode", evilText},
	} {
		var out, errs bytes.Buffer
		run(t.Context(), args, &out, &errs)
		for _, text := range []string{out.String(), errs.String()} {
			n++
			if i := strings.IndexFunc(text, active); i >= 0 {
				t.Errorf("legate %.40q: %q is active in %.80q", args, []rune(text[i:])[0], text[i:])
			}
		}
	}
	t.Logf("n=%d outputs of 10 command lines with one hostile text in every place that has text", n)
}

func active(r rune) bool {
	return r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029' || r == unicode.ReplacementChar)
}

// TestDossierSchema: what `show --json` prints is what `schema dossier` says.
func TestDossierSchema(t *testing.T) {
	fixture(t)
	text, _ := legate(t, 0, "schema", "dossier")
	schema := compile(t, text)
	for _, p := range []string{"compound/289", "compound/290", "compound/800000"} {
		doc, _ := legate(t, 0, "show", p, "--json")
		if err := schema.Validate(parse(t, doc)); err != nil {
			t.Errorf("%s: %v", p, err)
		}
	}
	doc, _ := legate(t, 0, "show", "compound/289", "--json")
	if schema.Validate(parse(t, strings.Replace(doc, `"direction": "for"`, `"direction": "maybe"`, 1))) == nil {
		t.Error("the schema takes any direction")
	}
	var got struct {
		ID       string
		Proposal struct{ Governor, Number string }
		Facts    struct {
			Calls   []struct{ Signature string }
			Effects struct {
				Allowances []any
				Reason     *string
			}
		}
		Verdict struct{ Final string }
		Vote    struct {
			Status, Support string
			Code, Block     int
		}
		Records []struct{ Type string }
	}
	if err := json.Unmarshal([]byte(doc), &got); err != nil {
		t.Fatal(err)
	}
	if got.ID != "eip155:1:0xc001000000000000000000000000000000000000/289" || got.Proposal.Number != "289" || got.Facts.Calls[0].Signature != "transfer(address,uint256)" ||
		got.Facts.Effects.Allowances == nil || got.Facts.Effects.Reason == nil || got.Verdict.Final != "for" ||
		got.Vote.Status != "final" || got.Vote.Support != "for" || got.Vote.Code != 1 || got.Vote.Block != 170 || got.Records[0].Type != "WasSeen" || len(got.Records) != 9 {
		t.Errorf("show says %+v", got)
	}
}

func compile(t *testing.T, text string) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	if err := c.AddResource("x.json", parse(t, text)); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("x.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func parse(t *testing.T, text string) any {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestFileSchemas(t *testing.T) {
	for name, text := range map[string]string{"legate": fixtureConfig, "policies": fixturePolicies} {
		schema, _ := legate(t, 0, "schema", name)
		s := compile(t, schema)
		for wrong, text := range map[bool]string{false: text, true: text + "nonsense: 1\n"} {
			doc, err := yaml.YAMLToJSON([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Validate(parse(t, string(doc))); (err != nil) != wrong {
				t.Errorf("schema %s, file with an unknown key: %v: %v", name, wrong, err)
			}
		}
	}
}

// TestG22DecideIgnoresWhatIsNoFact: findings, verdict, vote, text, context and all that is joined in for
// display may say what they like.
func TestG22DecideIgnoresWhatIsNoFact(t *testing.T) {
	fixture(t)
	for _, p := range []string{"compound/289", "compound/800000"} {
		doc, _ := legate(t, 0, "show", p, "--json")
		write(t, "plain.json", doc)
		want, _ := legate(t, 0, "decide", "--dossier", "plain.json", "--policy", "policies.yaml", "--json")
		var m map[string]any
		if err := json.Unmarshal([]byte(doc), &m); err != nil {
			t.Fatal(err)
		}
		facts := m["facts"].(map[string]any)
		facts["digest"], facts["basis"], facts["sources"] = "", "", 99
		facts["kinds"], facts["unknown_calls"] = []string{}, 0 // less than the calls say
		facts["context"] = map[string]any{"tally": map[string]string{"for": "0", "against": "9", "abstain": "0"}}
		facts["effects"].(map[string]any)["reason"] = evilText
		call := facts["calls"].([]any)[0].(map[string]any)
		call["candidates"] = []string{evilText}
		m["findings"] = []any{map[string]any{"id": "D2", "name": "roles", "severity": "critical", "class": "content", "status": "found"}}
		m["verdict"], m["vote"], m["text"] = nil, nil, map[string]any{"title": evilText, "description": evilText, "flags": []string{"bidi"}}
		m["handle"], m["brief"], m["forecast"], m["records"] = evilText, nil, nil, nil
		changed, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		write(t, "changed.json", string(changed))
		got, _ := legate(t, 0, "decide", "--dossier", "changed.json", "--policy", "policies.yaml", "--json")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", p, diff)
		}
	}
	doc, _ := legate(t, 0, "show", "compound/289", "--json")
	for _, c := range []struct{ old, new string }{
		{`"outflow_usd": 20000`, `"outflow_usd": 60000`}, {`"unknown_calls": 0`, `"unknown_calls": 1`}, {`"kinds": [`, `"kinds": ["mint", `},
	} {
		if !strings.Contains(doc, c.old) {
			t.Fatalf("the fixture does not hold %s", c.old)
		}
		write(t, "fact.json", strings.Replace(doc, c.old, c.new, 1))
		out, _ := legate(t, 0, "decide", "--dossier", "fact.json", "--policy", "policies.yaml")
		if !strings.HasPrefix(out, "hold\n") {
			t.Errorf("%s changes nothing: %s", c.new, out)
		}
	}
}

// TestG44HostileFilesAreRefused: bombs of every kind end in an error, quickly and with a status.
func TestG44HostileFilesAreRefused(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "policies.yaml", fixturePolicies)
	bomb := "a: &a [x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c < 'j'; c++ {
		bomb += fmt.Sprintf("%c: &%c [*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c]\n", c, c, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1)
	}
	deep := strings.Repeat("[", 200_000)
	nested := strings.Repeat(`{"children":[`, 20_000)
	for _, c := range []struct {
		name, text string
		status     int
		args       []string
	}{
		{"anchors", bomb, 1, []string{"policy", "lint", "FILE"}},
		{"unknown key", fixturePolicies + "polices: {}\n", 1, []string{"policy", "lint", "FILE"}},
		{"duplicate key", fixturePolicies + "version: 1\n", 1, []string{"policy", "lint", "FILE"}},
		{"too long", fixturePolicies + strings.Repeat("# x\n", 100_000), 1, []string{"policy", "lint", "FILE"}},
		{"far too long", strings.Repeat("# x\n", 1_000_000), 3, []string{"policy", "lint", "FILE"}},
		{"deep YAML", deep, 1, []string{"policy", "lint", "FILE"}},
		{"not UTF-8", "\xff\xfe\x00", 1, []string{"policy", "lint", "FILE"}},
		{"anchors in the policy", bomb, 3, []string{"policy", "explain", "FILE"}},
		{"anchors in the book", bomb, 3, []string{"decode", "0x", "--book", "FILE"}},
		{"anchors in the configuration", bomb, 3, []string{"proposals", "-c", "FILE"}},
		{"deep JSON", deep, 3, []string{"decide", "--policy", "policies.yaml", "--dossier", "FILE"}},
		{"deep calls", `{"version":1,"facts":{"calls":[` + nested, 3, []string{"decide", "--policy", "policies.yaml", "--dossier", "FILE"}},
		{"a huge dossier", strings.Repeat(" ", maxDossier+1), 3, []string{"decide", "--policy", "policies.yaml", "--dossier", "FILE"}},
		{"deep actions", deep, 3, []string{"decode", "--actions", "FILE"}},
		{"many actions", "[" + strings.Repeat(`{"to":"0x0000000000000000000000000000000000000001","value":"0","signature":"","calldata":"0x"},`, 3000) +
			`{"to":"0x0000000000000000000000000000000000000001","value":"0","signature":"","calldata":"0x"}]`, 3, []string{"decode", "--actions", "FILE"}},
		{"an array that claims 2^255 elements", `[{"to":"0x0000000000000000000000000000000000000001","value":"0","signature":"","calldata":"0x8d80ff0a` +
			strings.Repeat("f", 64*8) + `"}]`, 0, []string{"decode", "--actions", "FILE"}},
		{"deep key file", deep, 3, []string{"keys", "list", "FILE"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			write(t, "hostile", c.text)
			args := make([]string, len(c.args))
			for i, a := range c.args {
				args[i] = strings.Replace(a, "FILE", "hostile", 1)
			}
			out, errs := legate(t, c.status, args...)
			if c.status != 0 && len(out)+len(errs) == 0 || len(out)+len(errs) > 100_000 {
				t.Errorf("%d bytes of output", len(out)+len(errs))
			}
		})
	}
}

func TestKeysNew(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "passphrase", "correct horse\n")
	out, errs := legate(t, 0, "keys", "new", "voter.json", "--passphrase", "file:passphrase", "--light", "--json")
	var doc keyDoc
	if err := json.Unmarshal([]byte(out), &doc); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("voter.json")
	if err != nil {
		t.Fatal(err)
	}
	key, err := keystore.DecryptKey(text, "correct horse")
	if err != nil || gov.Address(key.Address) != doc.Address {
		t.Fatalf("the file holds %v, %v; printed was %s", key, err, doc.Address)
	}
	secret := fmt.Sprintf("%064x", key.PrivateKey.D)
	if all := out + errs + string(text); strings.Contains(all, secret) || strings.Contains(out+errs, "horse") {
		t.Error("a secret is printed or written")
	}
	if info, err := os.Stat("voter.json"); err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	list, _ := legate(t, 0, "keys", "list")
	if list != doc.Address.Hex()+" voter.json\n" {
		t.Errorf("list: %q", list)
	}
}

func TestFreezeCommands(t *testing.T) {
	fixture(t)
	legate(t, 0, "unfreeze")
	out, _ := legate(t, 0, "freeze", "key may be stolen", "--json")
	var doc frozenDocument
	if err := json.Unmarshal([]byte(out), &doc); err != nil || !doc.Frozen || doc.Why != "key may be stolen" {
		t.Fatalf("%s: %v", out, err)
	}
	if why, frozen := ledger.Frozen("ledger"); !frozen || why != "key may be stolen" {
		t.Errorf("the ledger says %v %q", frozen, why)
	}
	if out, _ := legate(t, 0, "unfreeze"); !strings.Contains(out, "not frozen") {
		t.Error(out)
	}
	if _, frozen := ledger.Frozen("ledger"); frozen {
		t.Error("still frozen")
	}
	// it works before there is a ledger, and without a configuration
	legate(t, 0, "freeze", "--ledger", "elsewhere")
	if _, frozen := ledger.Frozen("elsewhere"); !frozen {
		t.Error("a folder without a ledger is not frozen")
	}
	write(t, "novoter.yaml", strings.Replace(fixtureConfig, "voter:", "#", 1))
	if _, errs := legate(t, 3, "freeze", "-c", "novoter.yaml"); !strings.Contains(errs, "no voter") {
		t.Error(errs)
	}
}

func TestLedgerCommands(t *testing.T) {
	fixture(t)
	var doc ledgerReport
	fsck := func(status int, args ...string) {
		t.Helper()
		doc = ledgerReport{}
		out, _ := legate(t, status, append([]string{"ledger", "fsck", "--json"}, args...)...)
		if err := json.Unmarshal([]byte(out), &doc); err != nil {
			t.Fatal(err)
		}
	}
	fsck(0)
	if !doc.OK || doc.Votes != 1 || doc.Compared != 1 || *doc.Voter != fixtureVoter {
		t.Errorf("%+v", doc)
	}
	export, _ := legate(t, 0, "ledger", "export")
	write(t, "export.json", export)

	// another machine
	if _, errs := legate(t, 3, "ledger", "import", "export.json", "--ledger", "moved"); !strings.Contains(errs, "--create") {
		t.Error(errs)
	}
	legate(t, 0, "ledger", "import", "export.json", "--ledger", "moved", "--create")
	if again, _ := legate(t, 0, "ledger", "import", "export.json", "--ledger", "moved", "--json"); !strings.Contains(again, `"added": 0`) {
		t.Error(again)
	}
	fsck(0, "--ledger", "moved")
	if doc.Votes != 1 {
		t.Errorf("moved: %+v", doc)
	}
	l, err := ledger.Open("moved", fixtureVoter)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Lock(t.Context(), gov.Ballot{Proposal: fixtureID("289"), Voter: fixtureVoter, Support: gov.SupportAgainst}); err == nil {
		t.Error("the moved ledger lets another vote through")
	}

	// an older copy is whole, but lacks what the journal knows
	if err := os.Rename("ledger", "kept"); err != nil {
		t.Fatal(err)
	}
	if _, err := ledger.Create("ledger", fixtureVoter, 1); err != nil {
		t.Fatal(err)
	}
	fsck(0, "--ledger", "ledger")
	fsck(1)
	if doc.OK || len(doc.Problems) != 1 || !strings.Contains(doc.Problems[0], "not in the ledger") {
		t.Errorf("an older copy: %+v", doc)
	}

	// damage
	votes, err := os.ReadFile(filepath.Join("kept", "votes"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join("kept", "votes"), strings.Replace(string(votes), "/289", "/288", 1))
	fsck(1, "--ledger", "kept")
	if doc.OK || len(doc.Problems) != 1 {
		t.Errorf("a changed line: %+v", doc)
	}
	legate(t, 3, "ledger", "fsck", "--ledger", "missing")
	write(t, "foreign.json", strings.Replace(export, fixtureVoter.Hex(), fixtureStranger.Hex(), 1))
	legate(t, 3, "ledger", "import", "foreign.json", "--ledger", "moved")
	legate(t, 3, "ledger", "import", "policies.yaml", "--ledger", "moved")
}

// TestBookAgainstAChain proposes an entry, accepts it, decodes by it, and finds that it moved.
func TestBookAgainstAChain(t *testing.T) {
	t.Chdir(t.TempDir())
	chain, err := devchain.Start(devchain.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer chain.Close()
	s, err := chain.Session(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	dao, err := devchain.DeployDAO(t.Context(), s, devchain.DAOConfig{})
	if err != nil {
		t.Fatal(err)
	}
	token, rpc := dao.Token.Hex(), "--rpc="+chain.HTTP()
	write(t, "book.yaml", "version: 1\nentries: []\n") // as init leaves it
	out, _ := legate(t, 0, "book", "add", token, rpc, "--label", "COMP", "--write", "book.yaml", "--json")
	var doc addDocument
	if err := json.Unmarshal([]byte(out), &doc); err != nil {
		t.Fatal(err)
	}
	if doc.Entry.ABI != "erc20" || doc.Entry.Kind != "token" || doc.Entry.Decimal.Or(0) != 18 || doc.Entry.CodeHash == (gov.Hash{}) {
		t.Errorf("%s", out)
	}
	// With an ABI of its own the functions without a known meaning are listed, for a person to say what they do.
	write(t, "own.json", `[{"type":"function","name":"frob","stateMutability":"nonpayable","inputs":[{"name":"x","type":"uint256"}],"outputs":[]}]`)
	write(t, "other.yaml", "version: 1\nentries: []\n")
	out, _ = legate(t, 0, "book", "add", token, rpc, "--label", "own", "--abi", "own.json", "--write", "other.yaml")
	if b, err := readBook("other.yaml"); err != nil || !strings.Contains(out, "frob(uint256): opaque") || !strings.Contains(out, "1 function without a known meaning") || len(b.Entries()) != 1 {
		t.Errorf("%v:\n%s", err, out)
	}
	if _, errs := legate(t, 3, "book", "add", token, rpc, "--abi", "nothing"); !strings.Contains(errs, "no ABI \"nothing\" is shipped") {
		t.Error(errs)
	}
	if _, errs := legate(t, 3, "book", "add", token, rpc, "--write", "book.yaml"); !strings.Contains(errs, "has "+token+" already, as COMP") {
		t.Error(errs)
	}
	legate(t, 0, "book", "add", dao.Governor.Hex(), rpc, "--label", "Governor", "--write", "book.yaml")
	if _, errs := legate(t, 3, "book", "add", devchain.Address(5).Hex(), rpc); !strings.Contains(errs, "no code") {
		t.Error(errs)
	}
	legate(t, 2, "book", "add", "COMP", rpc)

	out, _ = legate(t, 0, "decode", transferData, "--to", token, rpc, "--book", "book.yaml")
	if !strings.HasPrefix(out, "1. COMP.transfer(to 0x5701") || !strings.Contains(out, "transfer known") {
		t.Errorf("decode: %s", out)
	}
	legate(t, 0, "book", "diff", rpc, "--book", "book.yaml")
	text, err := os.ReadFile("book.yaml")
	if err != nil {
		t.Fatal(err)
	}
	write(t, "book.yaml", strings.Replace(string(text), doc.Entry.CodeHash.Hex(), gov.Hash{1}.Hex(), 1))
	out, _ = legate(t, 1, "book", "diff", rpc, "--book", "book.yaml", "--json")
	var moved diffDocument
	if err := json.Unmarshal([]byte(out), &moved); err != nil || moved.OK || len(moved.Moved) != 1 || moved.Moved[0].Label != "COMP" || moved.Moved[0].Now.CodeHash != doc.Entry.CodeHash {
		t.Errorf("%s: %v", out, err)
	}
	out, _ = legate(t, 0, "decode", transferData, "--to", token, rpc, "--book", "book.yaml")
	if !strings.Contains(out, "transfer unknown") {
		t.Errorf("what moved is known still: %s", out)
	}
	legate(t, 3, "book", "diff", "--rpc=http://127.0.0.1:1", "--book", "book.yaml")
	legate(t, 2, "book", "diff", rpc)
}

// TestHumanFormsAreStable: the same dossier twice gives the same bytes, whatever maps are in it.
func TestHumanFormsAreStable(t *testing.T) {
	for _, story := range []func() (dossier.Seen, dossier.Gathered){grantStory, evilStory} {
		var first string
		for range 20 {
			seen, g := story()
			d := dossier.Dossier{Proposal: seen.Proposal, Text: seen.Text, Gathered: &g, Shown: g.Shown}
			var b bytes.Buffer
			if err := renderDossier(&b, d, "x/1"); err != nil {
				t.Fatal(err)
			}
			if first == "" {
				first = b.String()
			}
			if first != b.String() {
				t.Fatal(cmp.Diff(first, b.String()))
			}
		}
	}
}
