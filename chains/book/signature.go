package book

import (
	"fmt"
	"slices"
	"strings"

	"github.com/legate-dao/legate/agent/gov"
)

// maxSignature bounds a written signature in bytes.
const maxSignature = 4096

// ParseSignature reads a function as people write it: `function transfer(address to,uint256 amount) returns (bool)`.
// The word function, argument names, visibility and returns may be left out; a tuple is (address to,uint256 amount)
// with or without the word tuple before it.
func ParseSignature(text string) (Method, error) {
	if len(text) > maxSignature {
		return Method{}, fmt.Errorf("a signature of %d bytes; at most %d", len(text), maxSignature)
	}
	p := &signatureParser{rest: strings.TrimSpace(text)}
	p.word("function")
	name := p.identifier()
	if name == "" {
		return Method{}, fmt.Errorf("%.80q is not a function such as `function transfer(address to,uint256 amount)`", text)
	}
	m := Method{}
	var err error
	if m.Inputs, err = p.arguments(0); err != nil {
		return Method{}, fmt.Errorf("%.80q: %w", text, err)
	}
	if err := p.tail(&m); err != nil {
		return Method{}, fmt.Errorf("%.80q: %w", text, err)
	}
	m.Signature = gov.Signature(name + "(" + joinTypes(m.Inputs) + ")")
	return m, nil
}

func joinTypes(list []Argument) string {
	types := make([]string, len(list))
	for i, a := range list {
		types[i] = string(a.Type)
	}
	return strings.Join(types, ",")
}

type signatureParser struct{ rest string }

func (p *signatureParser) space() { p.rest = strings.TrimLeft(p.rest, " \t\n") }

// word takes a word if it stands next, and nothing otherwise.
func (p *signatureParser) word(w string) bool {
	p.space()
	rest, ok := strings.CutPrefix(p.rest, w)
	if !ok || rest != "" && identifier("x"+rest[:1]) {
		return false
	}
	p.rest = rest
	return true
}

func (p *signatureParser) symbol(s string) bool {
	p.space()
	rest, ok := strings.CutPrefix(p.rest, s)
	if ok {
		p.rest = rest
	}
	return ok
}

func (p *signatureParser) identifier() string {
	p.space()
	n := 0
	for n < len(p.rest) && identifier("x"+p.rest[n:n+1]) {
		n++
	}
	word := p.rest[:n]
	if !identifier(word) {
		return ""
	}
	p.rest = p.rest[n:]
	return word
}

// arguments reads a list in parentheses.
func (p *signatureParser) arguments(depth int) ([]Argument, error) {
	if depth > maxTypeDepth {
		return nil, fmt.Errorf("tuples nested deeper than %d", maxTypeDepth)
	}
	if !p.symbol("(") {
		return nil, fmt.Errorf("expected ( at %.20q", p.rest)
	}
	out := []Argument{}
	if p.symbol(")") {
		return out, nil
	}
	for {
		a, err := p.argument(depth)
		if err != nil {
			return nil, err
		}
		out = append(out, a)
		if p.symbol(")") {
			return out, nil
		}
		if !p.symbol(",") {
			return nil, fmt.Errorf("expected , or ) at %.20q", p.rest)
		}
	}
}

func (p *signatureParser) argument(depth int) (Argument, error) {
	base, err := p.base(depth)
	if err != nil {
		return Argument{}, err
	}
	for p.symbol("[") {
		n := 0
		for n < len(p.rest) && p.rest[n] >= '0' && p.rest[n] <= '9' {
			n++
		}
		base += "[" + p.rest[:n] + "]"
		p.rest = p.rest[n:]
		if !p.symbol("]") {
			return Argument{}, fmt.Errorf("expected ] at %.20q", p.rest)
		}
	}
	if _, err := ParseType(gov.ABIType(base)); err != nil {
		return Argument{}, err
	}
	for p.word("payable") || p.word("calldata") || p.word("memory") || p.word("storage") {
	}
	return Argument{gov.Ident(p.identifier()), gov.ABIType(base)}, nil
}

// base reads a type without its brackets.
func (p *signatureParser) base(depth int) (string, error) {
	p.space()
	rest, ok := strings.CutPrefix(p.rest, "tuple")
	if ok && strings.HasPrefix(strings.TrimLeft(rest, " "), "(") {
		p.rest = rest
	}
	p.space()
	if strings.HasPrefix(p.rest, "(") {
		parts, err := p.arguments(depth + 1)
		return "(" + joinTypes(parts) + ")", err
	}
	switch name := p.identifier(); name {
	case "":
		return "", fmt.Errorf("expected a type at %.20q", p.rest)
	case "uint", "int":
		return name + "256", nil
	default:
		return name, nil
	}
}

var modifiers = []string{"public", "external", "internal", "private", "view", "pure", "payable", "nonpayable", "virtual", "override"}

func (p *signatureParser) tail(m *Method) (err error) {
	for {
		p.space()
		if p.rest == "" || p.rest == ";" {
			return nil
		}
		if p.word("returns") {
			if m.Outputs, err = p.arguments(0); err != nil {
				return err
			}
			continue
		}
		w := p.identifier()
		if !slices.Contains(modifiers, w) {
			return fmt.Errorf("%.20q is not expected after the arguments", w+p.rest)
		}
		m.View = m.View || w == "view" || w == "pure"
	}
}
