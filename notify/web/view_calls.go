package web

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
)

// callView is one call of the tree.
type callView struct {
	Anchor       string
	Number       string // 1.2
	Open         bool
	To           account
	Value        string // of the native coin, empty for none
	Function     string
	Signature    string
	Selector     string
	Kind         string
	Known        bool
	Read         string // how much of its data was understood, empty for all
	Delegatecall bool
	Args         []argView
	Guesses      []string // candidates of a directory that anybody can write into
	GuessArgs    []argView
	Code         string
	Implements   *account
	Children     []callView
	Inner        int
	Hidden       string // how many of them are not shown
}

type argView struct {
	Name    string
	Type    string
	Account *account
	Word    string // 32 bytes, shown by both ends
	Lines   []string
	Hint    string // an amount in whole units
}

// Bounds of a tree on a page; the JSON document has all of it.
const (
	shownCalls   = 200 // at one level
	shownList    = 50
	shownNesting = 24
)

func (s *seen) calls(list []dossier.CallDoc, path string, open bool) []callView {
	var out []callView
	if strings.Count(path, ".") >= shownNesting {
		return nil
	}
	for i, c := range list {
		if i == shownCalls {
			break
		}
		at := strings.TrimPrefix(path+"."+strconv.Itoa(i), ".")
		out = append(out, s.call(c, at, open))
	}
	return out
}

// hidden says how many of a list are not shown, empty for none.
func hidden(all, shown int) string {
	if all <= shown {
		return ""
	}
	return group(strconv.Itoa(all - shown))
}

func (s *seen) call(c dossier.CallDoc, path string, open bool) callView {
	v := callView{
		Anchor: "call-" + path, Number: numberOf(path), Open: open, To: s.account(c.To), Function: c.Signature.Function(), Signature: string(c.Signature),
		Kind: string(c.Kind), Known: c.Known, Delegatecall: c.Delegatecall, Children: s.calls(c.Children, path, false), Inner: len(c.Children),
	}
	v.Hidden = hidden(len(c.Children), len(v.Children))
	if !c.Value.IsZero() {
		v.Value = s.amount(gov.Native, c.Value)
	}
	if c.Selector != nil {
		v.Selector = c.Selector.String()
	}
	switch {
	case c.Signature != "":
	case c.Selector != nil:
		v.Function = "unknown function"
	case !c.Value.IsZero():
		v.Function = "plain payment"
	default:
		v.Function = "empty call"
	}
	switch c.Decoded {
	case gov.DecodedPartial:
		v.Read = "read in part"
	case gov.DecodedNone:
		v.Read = "not readable"
	}
	if c.CodeHash != (gov.Hash{}) {
		v.Code = c.CodeHash.Hex()
	}
	if !c.Implementation.IsZero() {
		a := s.account(c.Implementation)
		v.Implements = &a
	}
	for _, a := range c.Args {
		v.Args = append(v.Args, s.arg(c, string(a.Name), string(a.Type), a.Value))
	}
	for _, g := range c.Candidates {
		v.Guesses = append(v.Guesses, g.Line(shownValue))
	}
	for _, a := range c.CandidateArgs {
		v.GuessArgs = append(v.GuessArgs, s.arg(c, a.Name.Line(60), string(a.Type), a.Value))
	}
	return v
}

func numberOf(path string) string {
	parts := strings.Split(path, ".")
	for i, p := range parts {
		if n, err := strconv.Atoi(p); err == nil {
			parts[i] = strconv.Itoa(n + 1)
		}
	}
	return strings.Join(parts, ".")
}

func (s *seen) arg(c dossier.CallDoc, name, kind string, value any) argView {
	v := argView{Name: dossier.Untrusted(name).Line(60), Type: dossier.Untrusted(kind).Line(120)}
	if text, ok := value.(string); ok {
		if kind == "address" {
			if a, err := gov.ParseAddress(text); err == nil {
				at := s.account(a)
				v.Account = &at
				return v
			}
		}
		if kind == "bytes32" && longHex.MatchString(text) && len(text) == 66 {
			v.Word = text
			return v
		}
		if n, err := gov.ParseAmount(text); err == nil && strings.HasPrefix(kind, "uint") {
			v.Lines = []string{group(text)}
			d, known := s.digits[gov.Asset(c.To)]
			switch {
			case unlimited(n):
				v.Hint = "unlimited"
			case known && movesTokens(c.Kind):
				v.Hint = units(n, d) + " in whole units"
			}
			return v
		}
	}
	v.Lines = lines(value, 0)
	return v
}

func movesTokens(k gov.Kind) bool {
	return k == gov.KindTransfer || k == gov.KindApproval || k == gov.KindMint || k == gov.KindBurn
}

// lines writes an argument's value, a list with one element a line. Strings of it may be a stranger's words.
func lines(value any, depth int) []string {
	list, ok := value.([]any)
	if !ok || depth > 3 {
		return []string{oneLine(value)}
	}
	out := []string{}
	for i, item := range list {
		if i == shownList {
			return append(out, fmt.Sprintf("… and %d more", len(list)-i))
		}
		out = append(out, strings.Join(lines(item, depth+2), ", "))
	}
	if len(out) == 0 {
		return []string{"empty list"}
	}
	return out
}

func oneLine(value any) string {
	switch v := value.(type) {
	case map[string]any:
		if size, ok := v["size"].(float64); ok {
			return fmt.Sprintf("%.0f bytes, keccak256 %s", size, dossier.Untrusted(fmt.Sprint(v["keccak256"])).Line(80))
		}
	case string:
		if v == "" {
			return "empty"
		}
		return dossier.Untrusted(v).Line(shownValue)
	case nil:
		return "not known"
	}
	return dossier.Untrusted(flat(value)).Line(shownValue)
}
