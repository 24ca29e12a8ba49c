package book

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/impact"
	"github.com/legate-dao/legate/policies/strict"
)

// Kind says what sort of account an entry is.
type Kind string

// The kinds of entries. Every call to a booked bridge is of kind bridge; the others are for people.
const (
	Token    Kind = "token"
	Bridge   Kind = "bridge"
	Market   Kind = "market"
	Safe     Kind = "safe"
	Treasury Kind = "treasury"
	Account  Kind = "account"
	Deployed Kind = "contract"
)

// Entry is one account that the operator knows.
type Entry struct {
	Address  gov.Address
	Label    gov.Label
	Kind     Kind
	Decimals gov.Maybe[uint8]
	ABI      ABI
	// CodeHash, Implementation and ImplCodeHash are what a person accepted. An entry without code hash is a label.
	CodeHash       gov.Hash
	Implementation gov.Address
	ImplCodeHash   gov.Hash
	// Means is what the operator says of the entry's functions, beside or beyond the program's own table.
	Means map[gov.Signature]impact.Booked
}

// Code is what stands at an address now. Implementation is that of an EIP-1967 slot, of a beacon, of a Safe's first slot or of a 7702
// designator, zero for a contract that is no proxy.
type Code struct {
	Hash           gov.Hash
	Implementation gov.Address
	ImplHash       gov.Hash
}

// Matches says whether the code now is the code that was recorded. An entry without code hash matches nothing, and
// neither does one without implementation at what is a proxy by now.
func (e Entry) Matches(now Code) bool {
	if e.CodeHash == (gov.Hash{}) || e.CodeHash != now.Hash || e.Implementation != now.Implementation {
		return false
	}
	return e.ImplCodeHash == (gov.Hash{}) || e.ImplCodeHash == now.ImplHash
}

// Book is the operator's entries by address. The zero Book is empty. It does not change after Parse.
type Book struct{ entries map[gov.Address]Entry }

// Of is a book of these entries; of two with one address the last stays.
func Of(entries ...Entry) *Book {
	b := &Book{map[gov.Address]Entry{}}
	for _, e := range entries {
		b.entries[e.Address] = e
	}
	return b
}

// Entry finds an address, whatever its code.
func (b *Book) Entry(a gov.Address) (Entry, bool) {
	if b == nil {
		return Entry{}, false
	}
	e, ok := b.entries[a]
	return e, ok
}

// Known finds the method of a known call: the entry's code is the recorded one and its ABI has the selector.
func (b *Book) Known(a gov.Address, s gov.Selector, now Code) (Method, bool) {
	e, ok := b.Entry(a)
	if !ok || !e.Matches(now) {
		return Method{}, false
	}
	return e.ABI.Method(s)
}

// Label is the operator's name of an address, empty if it has none.
func (b *Book) Label(a gov.Address) gov.Label {
	e, _ := b.Entry(a)
	return e.Label
}

// Entries lists the entries by address.
func (b *Book) Entries() []Entry {
	if b == nil {
		return nil
	}
	out := make([]Entry, 0, len(b.entries))
	for _, e := range b.entries {
		out = append(out, e)
	}
	slices.SortFunc(out, func(x, y Entry) int { return x.Address.Cmp(y.Address) })
	return out
}

// file is book.yaml.
type file struct {
	Version int         `yaml:"version,required" strict:"min=1,max=1"`
	Entries []fileEntry `yaml:"entries"`
}

type fileEntry struct {
	Address        strict.Address `yaml:"address,required"`
	Label          string         `yaml:"label,required"`
	Kind           string         `yaml:"kind" strict:"enum=token|bridge|market|safe|treasury|account|contract"`
	Decimals       int            `yaml:"decimals" strict:"min=0,max=77"`
	ABI            abiField       `yaml:"abi"`
	CodeHash       hashField      `yaml:"code_hash"`
	Implementation strict.Address `yaml:"implementation"`
	ImplCodeHash   hashField      `yaml:"implementation_code_hash"`
	// Means is what the functions mean that the program does not know.
	Means map[string]meaningField `yaml:"means"`
}

// hashField is 32 bytes of hex.
type hashField struct{ gov.Hash }

// ParseStrict reads 0x and 64 hex digits.
func (h *hashField) ParseStrict(text string) error {
	if err := h.Hash.UnmarshalText([]byte(text)); err != nil || len(text) != 66 {
		return strict.Mistake{Message: fmt.Sprintf("%.80q is not 0x and 64 hex digits", text), Hint: "`legate book add ADDRESS` prints the entry with its hashes"}
	}
	return nil
}

// abiField is a name, a path, or a list of signatures.
type abiField struct {
	word string
	list []string
}

// ParseNode reads either shape.
func (a *abiField) ParseNode(n strict.Node) {
	if n.Kind() == strict.List {
		n.Decode(&a.list)
		return
	}
	if text, ok := n.Text(); ok {
		a.word = text
	}
}

// maxLabel bounds a label in bytes.
const maxLabel = 80

// Parse reads book.yaml. read gives the bytes of an ABI file; a relative path is relative to the folder of name. The
// book is nil when there are errors.
func Parse(name string, text []byte, read func(path string) ([]byte, error)) (*Book, strict.Problems) {
	var f file
	doc, problems := strict.ReadAt(name, text, &f)
	if problems.HasErrors() {
		return nil, problems
	}
	b := &Book{make(map[gov.Address]Entry, len(f.Entries))}
	for i, fe := range f.Entries {
		at := func(key string) string { return strict.Path("entries", i, key) }
		e := Entry{
			Address: gov.Address(fe.Address.Address), Label: gov.Label(fe.Label), Kind: Kind(fe.Kind),
			CodeHash: fe.CodeHash.Hash, Implementation: gov.Address(fe.Implementation.Address), ImplCodeHash: fe.ImplCodeHash.Hash,
		}
		if doc.Has(at("decimals")) {
			e.Decimals = gov.Known(uint8(fe.Decimals))
		}
		if fe.Label == "" || len(fe.Label) > maxLabel || strings.ContainsFunc(fe.Label, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			problems = append(problems, doc.Problem(at("label"), fmt.Sprintf("a label is 1 to %d printable bytes", maxLabel), ""))
		}
		if _, twice := b.entries[e.Address]; twice {
			problems = append(problems, doc.Problem(at("address"), e.Address.Hex()+" is in this file already", ""))
		}
		if e.CodeHash == (gov.Hash{}) && (!e.Implementation.IsZero() || e.ImplCodeHash != (gov.Hash{})) {
			problems = append(problems, doc.Problem(strict.Path("entries", i), "an implementation is recorded without code_hash, so the entry is a label only", "add code_hash, or take the implementation away"))
		}
		var err error
		if e.ABI, err = fe.ABI.resolve(name, read); err != nil {
			problems = append(problems, doc.Problem(at("abi"), err.Error(), fe.ABI.hint()))
		} else {
			problems = append(problems, means(doc, at("means"), fe.Means, &e)...)
		}
		b.entries[e.Address] = e
	}
	if problems.HasErrors() {
		problems.Sort()
		return nil, problems
	}
	return b, problems
}

func (a abiField) resolve(name string, read func(string) ([]byte, error)) (ABI, error) {
	if len(a.list) > 0 {
		var methods []Method
		for _, line := range a.list {
			m, err := ParseSignature(line)
			if err != nil {
				return ABI{}, err
			}
			methods = append(methods, m)
		}
		return abiOf(methods), nil
	}
	if a.word == "" {
		return ABI{}, nil
	}
	if shipped, ok := Shipped(a.word); ok {
		return shipped, nil
	}
	if !strings.ContainsAny(a.word, "./") {
		return ABI{}, fmt.Errorf("no ABI %q is shipped", a.word)
	}
	path := a.word
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(name), path)
	}
	if read == nil {
		return ABI{}, fmt.Errorf("the ABI %s is a file, and files cannot be read here", a.word)
	}
	text, err := read(path)
	if err != nil {
		return ABI{}, fmt.Errorf("read the ABI: %w", err)
	}
	return ParseJSON(text)
}

func (a abiField) hint() string {
	names := make([]string, len(groups))
	for i, g := range groups {
		names[i] = g.name
	}
	if near := strict.Suggest(a.word, names); near != "" {
		return "did you mean " + near + "?"
	}
	return "shipped are " + strings.Join(names, ", ") + "; a file ends in .json; a list holds signatures"
}
