package screen_test

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
)

// attack is a row of an injection corpus.
type attack struct{ ID, Corpus, Text, Licence string }

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

func (r real) text() dossier.Text {
	return dossier.Text{Title: dossier.Untrusted(r.Title), Description: dossier.Untrusted(r.Description)}
}

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

// counts says whether a text is of the half that only counts: the sha256 of the text begins with a 1 bit.
func counts(text string) bool { return sha256.Sum256([]byte(text))[0]>>7 == 1 }

// labels are the symbols of the tokens in the real proposals, as an operator's book would have them.
var labels = map[string]gov.Label{
	"0xc00e94cb662c3520282e6f5717214004a7f26888": "COMP", "0x1f9840a85d5af5bf1d1762f925bdaddc4201f984": "UNI",
	"0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48": "USDC", "0x6b175474e89094c44da98b954eedeac495271d0f": "DAI",
	"0xc18360217d8f7ab5e7c516566761ea12ce7f9d72": "ENS", "0xdac17f958d2ee523a2206206994597c13d831ec7": "USDT",
	"0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2": "WETH",
}

// selectors are those of the token calls that these tests decode by themselves.
var selectors = map[string]gov.Signature{
	"a9059cbb": "transfer(address,uint256)", "095ea7b3": "approve(address,uint256)", "23b872dd": "transferFrom(address,address,uint256)",
}

// facts decodes the actions as far as their signature is known here.
func (r real) facts() gov.Facts {
	calls := []gov.Call{}
	for _, a := range r.Actions {
		to, err := gov.ParseAddress(a.Target)
		if err != nil {
			continue
		}
		c := gov.Call{To: to, Kind: gov.KindUnknown, Decoded: gov.DecodedNone, Label: labels[strings.ToLower(a.Target)], Signature: gov.Signature(a.Signature)}
		if a.Value != nil {
			c.Value, _ = gov.ParseAmount(*a.Value)
		}
		data, _ := hex.DecodeString(strings.TrimPrefix(a.Calldata, "0x"))
		if c.Signature == "" && len(data) >= 4 {
			c.Selector = &gov.Selector{data[0], data[1], data[2], data[3]}
			c.Signature, data = selectors[hex.EncodeToString(data[:4])], data[4:]
		} else if c.Signature != "" {
			c.Selector = &gov.Selector{1}
		} else if !c.Value.IsZero() {
			c.Kind = gov.KindNative
		}
		decode(&c, data)
		calls = append(calls, c)
	}
	f := gov.Facts{Calls: gov.Known(calls)}
	for _, address := range keys(labels) {
		token, _ := gov.ParseAddress(address)
		decimals := uint8(18)
		if l := labels[address]; l == "USDC" || l == "USDT" {
			decimals = 6
		}
		f.Treasury.Holdings = append(f.Treasury.Holdings, gov.Holding{Token: gov.Asset(token), Decimals: decimals})
	}
	return f
}

func decode(c *gov.Call, data []byte) {
	fn := c.Signature.Function()
	switch {
	case fn == "transfer" || fn == "transferFrom":
		c.Kind = gov.KindTransfer
	case fn == "approve":
		c.Kind = gov.KindApproval
	case strings.Contains(fn, "mplementation") || strings.HasPrefix(fn, "upgrade"):
		c.Kind = gov.KindUpgrade
	case strings.HasPrefix(fn, "_set") || strings.HasPrefix(fn, "set"):
		c.Kind = gov.KindParameter
	}
	i := strings.IndexByte(string(c.Signature), '(')
	if i < 0 {
		return
	}
	parts, _ := gov.Components(gov.ABIType(c.Signature[i:]))
	c.Decoded = gov.DecodedFull
	for k, p := range parts {
		if len(data) < 32*(k+1) || strings.ContainsAny(string(p), "[(") || p == "bytes" || p == "string" {
			c.Decoded = gov.DecodedPartial
			return
		}
		v := gov.Value{}
		copy(v.Word[:], data[32*k:])
		c.Args = append(c.Args, gov.Arg{Type: p, Value: v})
	}
}
