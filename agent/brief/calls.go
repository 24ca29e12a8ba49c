package brief

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
)

// Bounds of what is said of the calls.
const (
	maxCalls = 200 // leaves that are sources
	maxArgs  = 8   // arguments of a call that are written out
	maxItems = 6   // elements of a list that are written out
)

// teller renders calls: what it knows of the proposal's tokens and chain.
type teller struct {
	shown      dossier.Shown
	decimals   map[gov.Asset]int
	coin       string
	suspicious func(dossier.Untrusted) bool
}

// coins are the names of the native coins of the chains that we know.
var coins = map[gov.ChainID]string{
	1: "ETH", 10: "ETH", 130: "ETH", 324: "ETH", 8453: "ETH", 42161: "ETH", 59144: "ETH", 534352: "ETH", 11155111: "ETH", 31337: "ETH", 1337: "ETH",
	56: "BNB", 100: "xDAI", 137: "POL", 43114: "AVAX",
}

func newTeller(d dossier.Dossier, f gov.Facts, shown dossier.Shown, suspicious func(dossier.Untrusted) bool) teller {
	t := teller{shown: shown, decimals: map[gov.Asset]int{gov.Native: 18}, coin: coins[d.Proposal.ID.Chain], suspicious: suspicious}
	if t.coin == "" {
		t.coin = "of the native coin"
	}
	for _, h := range f.Treasury.Holdings {
		t.decimals[h.Token] = int(h.Decimals)
	}
	return t
}

// leaf is a call without children and where it stands in the tree.
type leaf struct {
	call gov.Call
	path string
}

func leavesOf(calls []gov.Call, path string, out []leaf) []leaf {
	for i, c := range calls {
		at := strings.TrimPrefix(path+"."+strconv.Itoa(i), ".")
		if len(c.Children) > 0 {
			out = leavesOf(c.Children, at, out)
			continue
		}
		out = append(out, leaf{c, at})
	}
	return out
}

// callSource renders one leaf, and says by which powers of ten its amounts may be scaled.
func (t teller) callSource(n int, l leaf) source {
	c := l.call
	x := source{id: id('c', n), shifts: []int{0, 6, 8, 18, 27}}
	if d, ok := t.decimals[gov.Asset(c.To)]; ok {
		x.shifts = []int{0, d, 18}
	}
	x.text = t.say(c, l.path) + "."
	if c.Delegatecall {
		x.text = strings.TrimSuffix(x.text, ".") + ", by delegatecall: its code runs as the caller itself."
	}
	return x
}

// say is what a call does in words, with its addresses in full.
func (t teller) say(c gov.Call, path string) string {
	if s, ok := t.moves(c); ok {
		return s
	}
	if c.Selector == nil {
		if c.Value.IsZero() {
			return "Calls " + t.name(c) + " without data"
		}
		return "Sends " + t.money(gov.Native, c.Value) + " to " + t.name(c)
	}
	s := ""
	switch {
	case c.Signature != "":
		s = "Calls " + c.Signature.Function() + " of " + t.name(c)
		if args := t.args(c.Args, t.shown.Calls[path].Args); args != "" {
			s += ": " + args
		}
	default:
		s = "Calls the unknown function " + c.Selector.String() + " of " + t.name(c)
		if k := t.shown.Calls[path].Candidates; len(k) > 0 && isSignature(string(k[0])) && !t.suspicious(k[0]) {
			s += ", perhaps " + gov.Signature(k[0]).Function()
		}
	}
	if !c.Value.IsZero() {
		s += ", with " + t.money(gov.Native, c.Value)
	}
	return s
}

// moves renders the token calls that move or allow value.
func (t teller) moves(c gov.Call) (string, bool) {
	at, verb, link := 0, "", "to"
	switch c.Signature {
	case "transfer(address,uint256)", "safeTransfer(address,uint256)":
		verb = "Transfers"
	case "mint(address,uint256)":
		verb = "Mints"
	case "approve(address,uint256)":
		verb, link = "Allows spending of", "by"
	case "increaseAllowance(address,uint256)":
		verb, link = "Raises the allowance by", "of"
	case "transferFrom(address,address,uint256)":
		verb, at = "Transfers", 1
	default:
		return "", false
	}
	if len(c.Args) < at+2 || !c.Value.IsZero() {
		return "", false
	}
	what := t.money(gov.Asset(c.To), c.Args[at+1].Value.Amount()) + " " + t.token(c)
	if c.Args[at+1].Value.Word[0] >= 0x80 { // half of what 256 bits hold: nobody has so much, it means all there will ever be
		what = "an unlimited amount of " + t.name(c)
	}
	s := verb + " " + what + " " + link + " " + c.Args[at].Value.Address().Hex()
	if at == 1 {
		s += ", out of " + c.Args[0].Value.Address().Hex()
	}
	return s, true
}

// token is a token call's target after an amount.
func (t teller) token(c gov.Call) string {
	if _, known := t.decimals[gov.Asset(c.To)]; !known {
		return "base units of " + t.name(c)
	}
	if c.Label != "" {
		return string(c.Label)
	}
	return "of " + t.name(c)
}

// name is a target: the operator's label and its address.
func (t teller) name(c gov.Call) string {
	if c.Label == "" {
		return c.To.Hex()
	}
	return string(c.Label) + " (" + c.To.Hex() + ")"
}

// money is an amount scaled by the decimals of its token, where they are known.
func (t teller) money(token gov.Asset, a gov.Amount) string {
	s := a.String()
	if d, ok := t.decimals[token]; ok {
		s = scaled(s, d)
	}
	if token == gov.Native {
		s += " " + t.coin
	}
	return s
}

// scaled writes a decimal integer divided by 10^d, in groups of three.
func scaled(s string, d int) string {
	if len(s) <= d {
		s = strings.Repeat("0", d-len(s)+1) + s
	}
	whole, part := s[:len(s)-d], strings.TrimRight(s[len(s)-d:], "0")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if part == "" {
		return whole
	}
	return whole + "." + part
}

// args are the arguments by name and value; short strings in quotation marks, bytes and long ones not at all.
func (t teller) args(args []gov.Arg, shown []dossier.ShownArg) string {
	var out []string
	for i, a := range args {
		if i == maxArgs {
			out = append(out, "and more")
			break
		}
		b, err := json.Marshal(a)
		if err != nil {
			continue // a value that does not fit its type is not told
		}
		var v struct{ Value any }
		dec := json.NewDecoder(strings.NewReader(string(b)))
		dec.UseNumber()
		if dec.Decode(&v) != nil {
			continue
		}
		text := t.value(v.Value)
		if i < len(shown) && a.Type == "string" {
			text = t.quoted(shown[i].Value, text)
		}
		if strings.HasSuffix(string(a.Name), "Mantissa") && strings.HasPrefix(string(a.Type), "uint") {
			text += " (" + scaled(a.Value.Amount().String(), 18) + ")" // a share of 1e18, by Compound's convention
		}
		if a.Name != "" {
			text = string(a.Name) + " " + text
		}
		out = append(out, text)
	}
	return strings.Join(out, ", ")
}

// quoted is a string argument in quotation marks, or otherwise where it is long or the screens see something.
func (t teller) quoted(v any, otherwise string) string {
	s, ok := v.(string)
	if u, untrusted := v.(dossier.Untrusted); untrusted {
		s, ok = string(u), true
	}
	if !ok || len(s) > maxString || strings.ContainsAny(s, "“”\"\n") || dossier.Untrusted(s).Line(maxString) != s || t.suspicious(dossier.Untrusted(s)) {
		return otherwise
	}
	return "“" + s + "”"
}

// maxString is the longest string argument that is written out, in bytes.
const maxString = 64

// allOf is the largest number of 256 bits: by the convention of tokens, as much as there will ever be.
const allOf = "115792089237316195423570985008687907853269984665640564039457584007913129639935"

func (t teller) value(v any) string {
	switch v := v.(type) {
	case string:
		if len(v) == 66 && strings.HasPrefix(v, "0x") { // a hash or a node: nobody compares all of it
			return "(a hash)"
		}
		if v == allOf {
			return "unlimited"
		}
		return v
	case []any:
		var items []string
		for i, item := range v {
			if i == maxItems {
				items = append(items, "…")
				break
			}
			items = append(items, t.value(item))
		}
		return "(" + strings.Join(items, ", ") + ")"
	case map[string]any: // a string or bytes value, of which facts keep length and hash
		return "(not shown)"
	}
	return fmt.Sprint(v)
}

// isSignature says whether a 4-byte candidate has the form name(types): it is a stranger's.
func isSignature(s string) bool {
	name, rest, ok := strings.Cut(s, "(")
	if !ok || name == "" || len(s) > 120 || !strings.HasSuffix(rest, ")") {
		return false
	}
	return strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_$(),[]") == ""
}
