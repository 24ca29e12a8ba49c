package facts

import (
	"errors"
	"fmt"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/book"
)

// MaxValues bounds the values decoded of one call. A call of honest size has a few hundred.
const MaxValues = 20_000

// errABI says that data do not follow the types at all.
var errABI = errors.New("the data do not follow the types")

// errMany says that data go beyond a bound of ours: a contract may take them all the same.
var errMany = fmt.Errorf("%w: their arguments are more than is read", ErrTooLarge)

// node is a decoded value with its bytes.
type node struct {
	value gov.Value
	text  []byte // of a string or bytes value
	list  []node
}

// reading decodes one call's arguments with bounds. strict turns false when an encoder would have written other bytes:
// padding, dirty words, offsets out of order, gaps, overlaps, trailing bytes.
type reading struct {
	data   []byte
	strict bool
	left   int // values
	budget int // bytes of strings that may still be taken: overlapping offsets must not multiply them
}

// decodeArguments reads arguments of the given types. canonical says that the bytes are exactly what an encoder writes.
func decodeArguments(types []book.Type, data []byte) (nodes []node, canonical bool, err error) {
	return (&reading{data: data, left: MaxValues, budget: len(data)}).arguments(types)
}

func (r *reading) arguments(types []book.Type) (nodes []node, canonical bool, err error) {
	r.strict = true
	nodes, end, err := r.sequence(types, 0)
	if err != nil {
		return nil, false, err
	}
	return nodes, r.strict && end == len(r.data), nil
}

// sequence reads values whose heads lie one after another from base; end is where the encoder would have stopped.
func (r *reading) sequence(types []book.Type, base int) (out []node, end int, err error) {
	head := base
	end = base
	for _, t := range types {
		end += t.HeadSize()
	}
	out = make([]node, 0, min(len(types), MaxValues))
	for _, t := range types {
		n, after, err := r.placed(t, base, head, end)
		if err != nil {
			return nil, 0, err
		}
		out = append(out, n)
		head += t.HeadSize()
		end = after
	}
	return out, end, nil
}

// placed reads one value: in its head, or where its head's offset from base points. next is where the tail of a
// canonical encoding continues.
func (r *reading) placed(t book.Type, base, head, next int) (n node, end int, err error) {
	if !t.Dynamic() {
		n, _, err = r.value(t, head)
		return n, next, err
	}
	offset, err := r.size(head)
	if err != nil {
		return n, 0, err
	}
	at := base + offset
	if at > len(r.data) {
		return n, 0, fmt.Errorf("%w: an offset of %d points beyond the data", errABI, offset)
	}
	if at != next {
		r.strict = false
	}
	return r.value(t, at)
}

// value reads a value that begins at a position; end is where it ends.
func (r *reading) value(t book.Type, at int) (n node, end int, err error) {
	if r.left--; r.left < 0 {
		return n, 0, fmt.Errorf("%w: too many values", errMany)
	}
	switch t.Sort {
	case book.Text:
		return r.text(at)
	case book.Array:
		return r.array(t, at)
	case book.Tuple:
		return r.many(t.Part, at)
	}
	word, err := r.word(at)
	if err != nil {
		return n, 0, err
	}
	n.value.Word = r.clean(t, word)
	return n, at + 32, nil
}

func (r *reading) many(types []book.Type, at int) (n node, end int, err error) {
	list, end, err := r.sequence(types, at)
	if err != nil {
		return n, 0, err
	}
	n.list = list
	n.value.List = values(list)
	return n, end, nil
}

func values(list []node) []gov.Value {
	out := make([]gov.Value, len(list))
	for i, n := range list {
		out[i] = n.value
	}
	return out
}

func (r *reading) array(t book.Type, at int) (n node, end int, err error) {
	size := t.Size
	if size < 0 {
		if size, err = r.size(at); err != nil {
			return n, 0, err
		}
		at += 32
	}
	// Every element takes at least its head, so a length that does not fit is refused before anything is made of it.
	if head := t.Elem.HeadSize(); size > 0 && head*size > len(r.data)-at {
		return n, 0, fmt.Errorf("%w: a length of %d does not fit", errABI, size)
	}
	if size > r.left {
		return n, 0, fmt.Errorf("%w: a list of %d", errMany, size)
	}
	types := make([]book.Type, size)
	for i := range types {
		types[i] = *t.Elem
	}
	return r.many(types, at)
}

func (r *reading) text(at int) (n node, end int, err error) {
	size, err := r.size(at)
	if err != nil {
		return n, 0, err
	}
	from := at + 32
	if size > len(r.data)-from {
		return n, 0, fmt.Errorf("%w: a length of %d does not fit", errABI, size)
	}
	if r.budget -= size; r.budget < 0 {
		return n, 0, fmt.Errorf("%w: strings overlap", errMany)
	}
	n.text = r.data[from : from+size]
	n.value = gov.TextValue(n.text)
	end = from + (size+31)/32*32
	if end > len(r.data) {
		r.strict = false
		return n, len(r.data), nil
	}
	for _, b := range r.data[from+size : end] {
		r.strict = r.strict && b == 0
	}
	return n, end, nil
}

func (r *reading) word(at int) (w [32]byte, err error) {
	if at < 0 || at > len(r.data)-32 {
		return w, fmt.Errorf("%w: they end early", errABI)
	}
	return [32]byte(r.data[at : at+32]), nil
}

// size reads a word that must be an offset or a length within the data.
func (r *reading) size(at int) (int, error) {
	w, err := r.word(at)
	if err != nil {
		return 0, err
	}
	n := 0
	for i, b := range w {
		if i < 28 && b != 0 || n > len(r.data) {
			return 0, fmt.Errorf("%w: an offset or length beyond the data", errABI)
		}
		n = n<<8 | int(b)
	}
	if n > len(r.data) {
		return 0, fmt.Errorf("%w: an offset or length of %d beyond the data", errABI, n)
	}
	return n, nil
}

// clean gives the value that a contract would take of a word, and notes when other bits were set.
func (r *reading) clean(t book.Type, w [32]byte) [32]byte {
	pad := 32 - (t.Bits+7)/8
	out := w
	switch {
	case t.Left:
		for i := 32 - pad; i < 32; i++ {
			out[i] = 0
		}
	case t.Sign:
		fill := byte(0)
		if pad < 32 && w[pad]&0x80 != 0 {
			fill = 0xff
		}
		for i := 0; i < pad; i++ {
			out[i] = fill
		}
	default:
		for i := 0; i < pad; i++ {
			out[i] = 0
		}
		if t.Bits == 1 && out[31] > 1 {
			out[31] = 1
		}
	}
	if out != w {
		r.strict = false
	}
	return out
}
