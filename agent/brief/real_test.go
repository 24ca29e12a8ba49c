package brief_test

import (
	"bufio"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/legate-dao/legate/agent/brief"
	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/screen"
	"github.com/legate-dao/legate/chains/facts"
)

// real is a row of a file of real proposals.
type real struct {
	DAO         string
	ID          string
	ProposalID  string `json:"proposal_id"`
	Title       string
	Description string
	Actions     []struct {
		Target, Signature, Calldata string
		Value                       *string
	}
}

func (r real) name() string { return r.DAO + " " + r.ID + r.ProposalID }

// rows reads a file of one JSON object a line.
func rows[T any](t testing.TB, file string) []T {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<26)
	var out []T
	for lines.Scan() {
		var row T
		if err := json.Unmarshal(lines.Bytes(), &row); err != nil {
			t.Fatalf("%s: row %d: %v", file, len(out)+1, err)
		}
		out = append(out, row)
	}
	if lines.Err() != nil || len(out) == 0 {
		t.Fatalf("%s: %d rows: %v", file, len(out), lines.Err())
	}
	return out
}

// tokens are those of the real proposals, as an operator's book and a treasury's holdings would have them.
var tokens = []struct {
	address  string
	label    gov.Label
	decimals uint8
}{
	{"0xc00e94cb662c3520282e6f5717214004a7f26888", "COMP", 18}, {"0x1f9840a85d5af5bf1d1762f925bdaddc4201f984", "UNI", 18},
	{"0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48", "USDC", 6}, {"0x6b175474e89094c44da98b954eedeac495271d0f", "DAI", 18},
	{"0xc18360217d8f7ab5e7c516566761ea12ce7f9d72", "ENS", 18}, {"0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2", "WETH", 18},
}

// dossier decodes the actions as `decode` does without an endpoint.
func (r real) dossier(t testing.TB) dossier.Dossier {
	t.Helper()
	docs := []map[string]string{}
	for _, a := range r.Actions {
		value := "0"
		if a.Value != nil {
			value = *a.Value
		}
		docs = append(docs, map[string]string{"to": a.Target, "value": value, "signature": a.Signature, "calldata": a.Calldata})
	}
	b, err := json.Marshal(docs)
	if err != nil {
		t.Fatal(err)
	}
	actions, signatures, err := dossier.ReadActions(b)
	if err != nil {
		t.Fatalf("%s: %v", r.name(), err)
	}
	decoded, err := facts.Decode(actions, facts.Options{})
	if err != nil {
		t.Fatalf("%s: %v", r.name(), err)
	}
	f := gov.Facts{}
	for _, k := range tokens {
		address, err := gov.ParseAddress(k.address)
		if err != nil {
			t.Fatal(err)
		}
		f.Treasury.Holdings = append(f.Treasury.Holdings, gov.Holding{Token: gov.Asset(address), Decimals: k.decimals})
		label(decoded.Calls, address, k.label)
	}
	if r.Actions != nil { // null: not in the source
		f.Calls = gov.Known(decoded.Calls)
	}
	return dossier.Dossier{
		Proposal: gov.Proposal{ID: gov.ProposalID{Chain: 1}, Actions: actions},
		Text:     dossier.Text{Title: dossier.Untrusted(r.Title), Description: dossier.Untrusted(r.Description)},
		Gathered: &dossier.Gathered{Facts: f, Shown: dossier.Shown{Calls: decoded.Shown, Signatures: signatures}},
	}
}

func label(calls []gov.Call, a gov.Address, l gov.Label) {
	for i := range calls {
		if calls[i].To == a {
			calls[i].Label = l
		}
		label(calls[i].Children, a, l)
	}
}

func suspicious(u dossier.Untrusted) bool {
	return len(screen.Flags(dossier.Text{Description: u})) > 0
}

func config() brief.Config {
	return brief.Config{
		Suspicious: suspicious,
		Claims: func(t dossier.Text, f gov.Facts, s dossier.Shown) ([]dossier.Claim, gov.Maybe[bool]) {
			m := screen.Claims(t, f, s)
			return m.Claims, m.Contradicts
		},
	}
}

// printed is a brief as a person reads it.
func printed(b dossier.Brief) string {
	var s strings.Builder
	s.WriteString("# " + string(b.Headline) + "\n")
	for _, x := range b.Sentences {
		s.WriteString("- " + string(x.Text) + " [" + strings.Join(x.Sources, " ") + "]\n")
	}
	for _, c := range b.Cut {
		s.WriteString("  cut: " + string(c.Text) + " (" + c.Why + ")\n")
	}
	return s.String()
}

func write(t testing.TB, m brief.Model, d dossier.Dossier) dossier.Brief {
	t.Helper()
	b, err := brief.New(m, config()).Brief(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
