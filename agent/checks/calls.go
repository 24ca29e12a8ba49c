package checks

import (
	"slices"

	"github.com/ethereum/go-ethereum/crypto"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/impact"
)

// node is one call of the tree, wrappers included, with its path.
type node struct {
	call *gov.Call
	path []int
	leaf bool
}

// nodes lists all calls in order; ok is false when the calls are not known, and then they are those of the excerpt.
// Wrappers are listed too: an upgradeToAndCall that carries a decoded call inside is an upgrade all the same.
func nodes(f gov.Facts) (out []node, ok bool) {
	calls, ok := tree(f)
	return appendNodes(nil, calls, nil), ok
}

// tree is the same calls as [nodes], without their paths.
func tree(f gov.Facts) (calls []gov.Call, ok bool) {
	if calls, ok = f.Calls.Get(); ok {
		return calls, true
	}
	return f.Excerpt, false
}

// declared is what those calls declare. Of an excerpt it is evidence of what a proposal does, and never that it does no
// more.
func declared(f gov.Facts) []gov.Impact {
	calls, _ := tree(f)
	return impact.Declared(calls, f.DAO.Executor)
}

func appendNodes(out []node, calls []gov.Call, path []int) []node {
	for i := range calls {
		at := append(path[:len(path):len(path)], i)
		out = append(out, node{&calls[i], at, len(calls[i].Children) == 0})
		out = appendNodes(out, calls[i].Children, at)
	}
	return out
}

// isKnownNative says whether the call is the known leaf `native`: plain value, of whose recipient the
// checks D1 to D7 do not speak.
func (n node) isKnownNative() bool { return n.leaf && n.call.Kind == gov.KindNative && n.call.Known }

// kind says whether the call is a leaf of kind k, or has one of the selectors.
func (n node) is(k gov.Kind, s selectors) bool {
	return n.leaf && n.call.Kind == k || s.has(n.call)
}

// says reports whether the call's function declares something of one of the kinds.
func (n node) says(kinds ...gov.ImpactKind) bool {
	return slices.ContainsFunc(impact.Kinds(n.call), func(k gov.ImpactKind) bool { return slices.Contains(kinds, k) })
}

func (n node) evidence(what string) gov.Evidence {
	return gov.Evidence{What: what, Account: n.call.To, Call: n.path}
}

// selectors are 4-byte selectors of functions whose meaning this program knows by itself.
type selectors map[gov.Selector]bool

// selectorsOf computes the selectors of canonical signatures.
func selectorsOf(signatures ...string) selectors {
	out := selectors{}
	for _, s := range signatures {
		out[gov.Selector(crypto.Keccak256([]byte(s))[:4])] = true
	}
	return out
}

func (s selectors) has(c *gov.Call) bool { return c.Selector != nil && s[*c.Selector] }

// arg is the i-th argument if it was decoded and has type t.
func arg(c *gov.Call, i int, t gov.ABIType) (gov.Value, bool) {
	if i >= len(c.Args) || c.Args[i].Type != t {
		return gov.Value{}, false
	}
	return c.Args[i].Value, true
}
