package screen

import (
	"math"
	"strings"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
)

// move is value that the calls send or allow: from a decoded leaf, or from what the dry run showed.
type move struct {
	token  gov.Asset
	to     gov.Address
	amount gov.Amount
	leaf   int // index of the leaf, -1 when only the dry run shows it
	whole  bool
}

// deeds is what the calls do, in the form in which claims are held against it.
type deeds struct {
	leaves    []gov.Leaf
	moves     []move
	numbers   []argument
	addresses map[gov.Address]int // to the leaf that has it first
	functions map[string]int      // in lower case
	labels    map[string]int      // in lower case
	kinds     map[gov.Kind]int    // to the first leaf of the kind
	names     map[gov.Asset][]string
	decimals  map[gov.Asset]int
	complete  bool // every leaf is decoded in full
}

// argument is a number in a call.
type argument struct {
	value float64
	leaf  int
}

// maxArguments bounds the numbers of the calls that claims are compared with.
const maxArguments = 4096

// deedsOf reads the calls and the movements; ok is false when the calls are not known.
func deedsOf(f gov.Facts, shown dossier.Shown) (d deeds, ok bool) {
	calls, ok := f.Calls.Get()
	if !ok {
		return d, false
	}
	d = deeds{
		leaves: gov.Leaves(calls), addresses: map[gov.Address]int{}, functions: map[string]int{}, labels: map[string]int{},
		kinds: map[gov.Kind]int{}, names: map[gov.Asset][]string{gov.Native: {"eth", "ether", "native"}},
		decimals: map[gov.Asset]int{gov.Native: 18}, complete: true,
	}
	for i, l := range d.leaves {
		d.leaf(i, l.Call)
	}
	outflows, _ := f.Treasury.Outflows.Get()
	for _, o := range outflows {
		if !d.moved(o) {
			d.moves = append(d.moves, move{o.Token, o.To, o.Amount, -1, o.Amount.Float() < math.MaxInt64*1e40})
		}
		first(d.addresses, o.To, -1)
	}
	for _, h := range f.Treasury.Holdings {
		d.decimals[h.Token] = int(h.Decimals)
	}
	for _, a := range sortedKeys(shown.Symbols) {
		if address, err := gov.ParseAddress(a); err == nil {
			d.names[gov.Asset(address)] = append(d.names[gov.Asset(address)], strings.ToLower(string(shown.Symbols[a])))
		}
	}
	return d, true
}

func (d *deeds) leaf(i int, c gov.Call) {
	first(d.kinds, c.Kind, i)
	first(d.addresses, c.To, i)
	if fn := c.Signature.Function(); fn != "" {
		first(d.functions, strings.ToLower(fn), i)
	}
	if c.Label != "" {
		first(d.labels, strings.ToLower(string(c.Label)), i)
		d.names[gov.Asset(c.To)] = append(d.names[gov.Asset(c.To)], strings.ToLower(string(c.Label)))
	}
	if c.Decoded != gov.DecodedFull && c.Selector != nil {
		d.complete = false
	}
	if !c.Value.IsZero() {
		d.moves = append(d.moves, move{gov.Native, c.To, c.Value, i, true})
		d.number(c.Value.Float(), i)
	}
	for _, a := range c.Args {
		d.argument(i, a.Type, a.Value, 0)
	}
	if to, amount, ok := transfers(c); ok {
		d.moves = append(d.moves, move{gov.Asset(c.To), to, amount, i, amount.Float() < 1e60})
	}
}

// transfers reads recipient and amount of the token calls that move or allow value.
func transfers(c gov.Call) (to gov.Address, amount gov.Amount, ok bool) {
	at := 0
	switch c.Signature {
	case "transfer(address,uint256)", "approve(address,uint256)", "increaseAllowance(address,uint256)", "mint(address,uint256)", "safeTransfer(address,uint256)":
	case "transferFrom(address,address,uint256)", "transfer(address,address,uint256)", "approve(address,address,uint256)":
		at = 1
	default:
		return to, amount, false
	}
	if len(c.Args) < at+2 {
		return to, amount, false
	}
	return c.Args[at].Value.Address(), c.Args[at+1].Value.Amount(), true
}

func (d *deeds) argument(leaf int, t gov.ABIType, v gov.Value, depth int) {
	if depth > maxValueDepth {
		return
	}
	if parts, ok := gov.Components(t); ok {
		for i, item := range v.List {
			if i < len(parts) {
				d.argument(leaf, parts[i], item, depth+1)
			}
		}
		return
	}
	if strings.HasSuffix(string(t), "]") {
		for _, item := range v.List {
			d.argument(leaf, t[:strings.LastIndexByte(string(t), '[')], item, depth+1)
		}
		return
	}
	switch {
	case t == "address":
		first(d.addresses, v.Address(), leaf)
	case strings.HasPrefix(string(t), "uint"):
		d.number(v.Amount().Float(), leaf)
	}
}

func (d *deeds) number(v float64, leaf int) {
	if len(d.numbers) < maxArguments {
		d.numbers = append(d.numbers, argument{v, leaf})
	}
}

// moved says whether a leaf already shows an outflow.
func (d *deeds) moved(o gov.Outflow) bool {
	for _, m := range d.moves {
		if m.token == o.Token && m.to == o.To && m.leaf >= 0 {
			return true
		}
	}
	return false
}

func first[K comparable](m map[K]int, k K, i int) {
	if _, had := m[k]; !had {
		m[k] = i
	}
}

// called says whether a token goes by a symbol: it is one of the words of the operator's label or of what
// the token calls itself. A dollar is any token of the dollar.
func (d *deeds) called(token gov.Asset, symbol string) bool {
	symbol = strings.ToLower(symbol)
	dollar := symbol == "$" || symbol == "usd"
	for _, name := range d.names[token] {
		if name == symbol || dollar && (strings.Contains(name, "usd") || name == "dai") {
			return true
		}
		for w := range strings.FieldsFuncSeq(name, func(r rune) bool { return r < 0x80 && !isWordByte(byte(r)) || r == '_' }) {
			if w == symbol {
				return true
			}
		}
	}
	return false
}

// scalings are the powers of ten between a stated number and an argument: whole units, the decimals in
// use, percents as basis points, mantissas and rays.
func (d *deeds) scalings(token gov.Asset, unit string) []int {
	switch unit {
	case "wei":
		return []int{0}
	case "gwei":
		return []int{9}
	case "%":
		return []int{-2, 0, 2, 16, 25}
	}
	if n, ok := d.decimals[token]; ok {
		return []int{n, 0} // a text may also state the smallest unit
	}
	return []int{0, 6, 8, 18}
}

// equals says whether a stated number, scaled, is v.
func (n number) equals(v float64, scalings []int) bool {
	if v == 0 {
		return n.value == 0
	}
	for _, s := range scalings {
		if math.Abs(n.value*math.Pow10(s)/v-1) <= max(n.slack, 1e-9) {
			return true
		}
	}
	return false
}
