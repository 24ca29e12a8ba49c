package facts

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/ethereum/go-ethereum/crypto"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/impact"
	"github.com/legate-dao/legate/chains/book"
)

// Limits of decoding. Beyond them the calls are missing with reason too-large; nothing is ever cut in silence.
const (
	// MaxDepth is how many wrappers may stand around a call. Real proposals have up to four.
	MaxDepth = 8
	// MaxCalls bounds the calls of a proposal, wrappers included. The largest real one at hand has 108.
	MaxCalls = 2000
	// MaxCalldata bounds the bytes of all actions together. A block of 60 M gas holds 3.75 MB of non-zero calldata.
	MaxCalldata = 4 << 20
)

// ErrTooLarge is returned by Decode when the actions go beyond one of the limits.
var ErrTooLarge = errors.New("the calls are too large to decode")

// Options say what is known while decoding. The zero value is offline: nothing is known, all is displayed.
type Options struct {
	DAO     gov.DAO
	Flavour gov.Flavour
	Book    *book.Book
	// Code gives what stands at an address at the facts' block; ok is false when that is not known. Nil knows none.
	Code func(gov.Address) (code book.Code, ok bool)
	// Unread takes names and types from the book where no code can be read: for people, nothing is known by it.
	Unread bool
}

// Decoded is a tree of calls, and what may be shown of them beside it, by path such as "0.1".
type Decoded struct {
	Calls []gov.Call
	Shown map[string]dossier.ShownCall
}

// Decode turns actions into calls, with the calls inside wrappers as their children. A call is known only as
// GUARANTEES says: target and selector together, the code as recorded, the arguments encoded as an encoder would; and
// inside a wrapper only when the wrapper is known too. Calls that a wrapper merely schedules are not known: a dry
// run does not show what they do.
func Decode(actions []gov.Action, o Options) (Decoded, error) {
	total := 0
	for _, a := range actions {
		total += a.Calldata.Len()
	}
	if total > MaxCalldata || len(actions) > MaxCalls {
		return Decoded{}, fmt.Errorf("%w: %d actions with %d bytes, at most %d with %d", ErrTooLarge, len(actions), total, MaxCalls, MaxCalldata)
	}
	d := &decoder{Options: o, shown: map[string]dossier.ShownCall{}}
	calls := make([]gov.Call, 0, len(actions))
	for i, a := range actions {
		c, err := d.call(inner{to: a.To, value: a.Value, data: a.Calldata.Bytes()}, strconv.Itoa(i), 0, true)
		if err != nil {
			return Decoded{}, fmt.Errorf("decode action %d: %w", i, err)
		}
		calls = append(calls, c)
	}
	return Decoded{calls, d.shown}, nil
}

type decoder struct {
	Options
	calls int
	loose *loose // nil: to go beyond a limit is an error
	quiet bool   // nothing is shown
	shown map[string]dossier.ShownCall
}

// loose is decoding for a survey: the limits are those of the survey, and a wrapper that goes beyond
// them is left closed, or open as far as it was decoded.
type loose struct {
	values, bytes int  // of wrappers' arguments, that may still be read
	cut           bool // something was left closed
}

// inner is a call before it is decoded.
type inner struct {
	to       gov.Address
	value    gov.Amount
	data     []byte
	delegate bool
	setup    bool // the initialisation of an upgrade
	deferred bool
}

func (d *decoder) call(in inner, path string, depth int, parentKnown bool) (gov.Call, error) {
	if d.calls++; d.loose == nil && d.calls > MaxCalls {
		return gov.Call{}, fmt.Errorf("%w: more than %d calls", ErrTooLarge, MaxCalls)
	}
	if d.loose == nil && depth > MaxDepth {
		return gov.Call{}, fmt.Errorf("%w: more than %d wrappers around a call", ErrTooLarge, MaxDepth)
	}
	code, hasCode := d.code(in.to)
	c := gov.Call{
		To: in.to, Label: d.Book.Label(in.to), Value: in.value, Delegatecall: in.delegate, Decoded: gov.DecodedNone,
		Args: []gov.Arg{}, Children: []gov.Call{}, CodeHash: code.Hash, Implementation: code.Implementation,
		ImplCodeHash: code.ImplHash, DataHash: crypto.Keccak256Hash(in.data),
	}
	allowed := parentKnown && !in.deferred
	switch {
	case len(in.data) == 0:
		c.Kind, c.Decoded = gov.KindNative, gov.DecodedFull
		c.Known = allowed && !in.delegate && hasCode && (code == book.Code{} || d.account(in.to, code))
	case len(in.data) < 4:
		c.Kind = gov.KindUnknown
	default:
		s := gov.Selector(in.data[:4])
		c.Selector = &s
		if err := d.method(&c, in.data, path, depth, allowed, code); err != nil {
			return c, err
		}
	}
	if in.setup {
		c.Kind = gov.KindUpgrade
	}
	return c, nil
}

func (d *decoder) code(a gov.Address) (book.Code, bool) {
	if d.Code == nil {
		return book.Code{}, false
	}
	return d.Code(a)
}

// account says whether an account as such is known: one of the DAO's own contracts, or booked with this code.
func (d *decoder) account(a gov.Address, code book.Code) bool {
	if _, own := book.OwnABI(d.DAO, d.Flavour, a); own {
		return true
	}
	e, ok := d.Book.Entry(a)
	return ok && e.Matches(code)
}

// bound is what is known of a target's method.
type bound struct {
	method book.Method
	abi    book.ABI // the target's bound ABI; empty for a method of the own table
	known  bool
	said   impact.Booked // what the operator's book says of the method
	booked bool          // the book says something of it
}

func (d *decoder) resolve(to gov.Address, s gov.Selector, code book.Code) (bound, bool) {
	if abi, ok := book.OwnABI(d.DAO, d.Flavour, to); ok && d.Code != nil {
		if m, ok := abi.Method(s); ok {
			return bound{method: m, abi: abi, known: true}, true
		}
	}
	if m, ok := d.Book.Known(to, s, code); ok {
		e, _ := d.Book.Entry(to)
		said, booked := e.Means[m.Signature]
		return bound{m, e.ABI, true, said, booked}, true
	}
	if e, ok := d.Book.Entry(to); ok && d.Unread && d.Code == nil && e.CodeHash != (gov.Hash{}) {
		if m, ok := e.ABI.Method(s); ok {
			said, booked := e.Means[m.Signature]
			return bound{method: m, abi: e.ABI, said: said, booked: booked}, true
		}
	}
	if m, _, ok := book.Own(s); ok {
		return bound{method: m}, true
	}
	return bound{}, false
}

func (d *decoder) method(c *gov.Call, data []byte, path string, depth int, allowed bool, code book.Code) error {
	b, ok := d.resolve(c.To, *c.Selector, code)
	if !ok {
		c.Kind = gov.KindUnknown
		if e, there := d.Book.Entry(c.To); there && e.Kind == book.Bridge {
			c.Kind = gov.KindBridge
		}
		if !d.quiet {
			d.show(path, dossier.ShownCall{Candidates: candidates(*c.Selector), Args: guess(*c.Selector, data[4:])})
		}
		return nil
	}
	c.Signature = b.method.Signature
	c.Kind = d.kind(c.To, b)
	if b.booked {
		c.Means = &b.said.Meaning
	}
	_, wraps := book.Wraps(b.method, b.said)
	nodes, canonical, err := d.arguments(b.method, data[4:], wraps)
	if wraps && errors.Is(err, ErrTooLarge) {
		return d.over(c, err)
	}
	if err != nil {
		return nil // the bytes are not what the signature says: no arguments, not known
	}
	c.Known = b.known && canonical && allowed
	c.Decoded = gov.DecodedPartial
	if canonical {
		c.Decoded = gov.DecodedFull
	}
	for i, n := range nodes {
		c.Args = append(c.Args, gov.Arg{Name: b.method.Inputs[i].Name, Type: b.method.Inputs[i].Type, Value: n.value})
	}
	if !d.quiet {
		d.show(path, dossier.ShownCall{Candidates: []dossier.Untrusted{}, Args: shownArgs(b.method, nodes)})
	}
	return d.children(c, b, nodes, path, depth)
}

// over is what becomes of a wrapper that holds more than a limit allows.
func (d *decoder) over(c *gov.Call, err error) error {
	if d.loose == nil {
		return err
	}
	c.Known, c.Decoded, d.loose.cut = false, gov.DecodedPartial, true
	return nil
}

// arguments decodes those of a call. A survey's wrappers may hold more than other calls: all of them together.
func (d *decoder) arguments(m book.Method, data []byte, wraps bool) ([]node, bool, error) {
	if d.loose == nil || !wraps {
		return arguments(m, data)
	}
	types, err := typesOf(m)
	if err != nil {
		return nil, false, err
	}
	r := &reading{data: data, left: d.loose.values, budget: d.loose.bytes}
	nodes, canonical, err := r.arguments(types)
	d.loose.values, d.loose.bytes = max(r.left, 0), max(r.budget, 0)
	return nodes, canonical, err
}

func arguments(m book.Method, data []byte) ([]node, bool, error) {
	types, err := typesOf(m)
	if err != nil {
		return nil, false, err
	}
	return decodeArguments(types, data)
}

func typesOf(m book.Method) ([]book.Type, error) {
	types := make([]book.Type, len(m.Inputs))
	for i, a := range m.Inputs {
		t, err := book.ParseType(a.Type)
		if err != nil {
			return nil, err
		}
		types[i] = t
	}
	return types, nil
}

func (d *decoder) show(path string, s dossier.ShownCall) {
	if len(s.Candidates) > 0 || len(s.Args) > 0 {
		d.shown[path] = s
	}
}

// children decodes the calls inside a wrapper. Where they cannot be taken apart the wrapper is a leaf that is not known.
func (d *decoder) children(c *gov.Call, b bound, nodes []node, path string, depth int) error {
	w, ok := book.Wraps(b.method, b.said)
	if !ok {
		return nil
	}
	list, ok := unwrap(w, c.To, nodes)
	if !ok {
		c.Known, c.Decoded = false, gov.DecodedPartial
		return nil
	}
	for i, in := range list {
		in.deferred = w.Deferred
		if d.loose != nil && (d.calls >= MaxSurveyed || depth >= MaxSurveyDepth) {
			return d.over(c, nil)
		}
		child, err := d.call(in, path+"."+strconv.Itoa(i), depth+1, c.Known)
		if err != nil {
			return err
		}
		if child.Decoded != gov.DecodedFull {
			c.Decoded = gov.DecodedPartial
		}
		c.Children = append(c.Children, child)
	}
	return nil
}

// kind is the first kind in the order of FORMATS that fits.
func (d *decoder) kind(to gov.Address, b bound) gov.Kind {
	var fits []gov.Kind
	if !to.IsZero() && to == d.DAO.Timelock {
		fits = append(fits, gov.KindTimelock)
	}
	if !to.IsZero() && to == d.DAO.Governor {
		fits = append(fits, gov.KindGovernor)
	}
	if m, kind, ok := book.Own(b.method.Selector()); ok && kind != "" && m.Signature == b.method.Signature {
		fits = append(fits, kind)
	}
	if kind := book.KindOf(b.said); kind != "" {
		fits = append(fits, kind)
	}
	if e, ok := d.Book.Entry(to); ok && e.Kind == book.Bridge {
		fits = append(fits, gov.KindBridge)
	}
	if isParameter(b) {
		fits = append(fits, gov.KindParameter)
	}
	for _, k := range gov.Kinds {
		if slices.Contains(fits, k) {
			return k
		}
	}
	return gov.KindCall
}
