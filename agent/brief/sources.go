package brief

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/legate-dao/legate/agent/dossier"
)

// source is one thing that a brief may stand on.
type source struct {
	id     string
	text   string
	shifts []int // powers of ten by which its numbers may be scaled; of a call only
	// notable facts stand in every brief.
	notable bool

	read     bool // the rest is filled
	entities []entity
	low      string
}

// Sources are all sources of one proposal, by id.
type Sources struct {
	byID map[string]*source
	// order is s…, c…, f…, each by number.
	order []*source
	long  bool // the text has more than 500 characters
}

func id(kind byte, index int) string { return string(kind) + strconv.Itoa(index+1) }

func newSources() *Sources { return &Sources{byID: map[string]*source{}} }

func (s *Sources) add(x source) {
	s.order = append(s.order, &x)
	s.byID[x.id] = &x
}

// of lists the sources of one kind.
func (s *Sources) of(kind byte) []*source {
	var out []*source
	for _, x := range s.order {
		if x.id[0] == kind {
			out = append(out, x)
		}
	}
	return out
}

// Text is a source's own text; empty for an unknown id.
func (s *Sources) Text(id string) dossier.Untrusted {
	if x := s.byID[id]; x != nil {
		return dossier.Untrusted(x.text)
	}
	return ""
}

func (x *source) entity() []entity {
	if !x.read {
		x.read, x.entities, x.low = true, entitiesOf(x.text), strings.ToLower(x.text)
	}
	return x.entities
}

// Check says why a sentence does not stand on the named sources, empty when it does: every number, address,
// function, symbol and name with digits in it must occur in one of them. Amounts of a call may be scaled by
// decimals. Without ids any source counts, as for a headline.
func (s *Sources) Check(text string, ids []string) string {
	cited := s.order
	if len(ids) > 0 {
		cited = nil
		for _, id := range ids {
			x := s.byID[id]
			if x == nil {
				return fmt.Sprintf("there is no source %.20q", id)
			}
			cited = append(cited, x)
		}
	}
	for _, e := range entitiesOf(text) {
		if !slices.ContainsFunc(cited, e.in) {
			return fmt.Sprintf("%s %.80s not in its sources", e.kind.noun(), e.text)
		}
	}
	return ""
}

func (k entityKind) noun() string {
	switch k {
	case aNumber, aCompound:
		return "number"
	case aHex:
		return "address"
	}
	return "name"
}

// in says whether a source has the entity.
func (e entity) in(x *source) bool {
	for _, o := range x.entity() {
		switch {
		case e.kind == aNumber && o.kind == aNumber && e.num.foundAs(o.num, x):
			return true
		case e.kind == aHex && o.kind == aHex && sameHex(e.low, o.low):
			return true
		case e.kind == aCompound && o.kind == aCompound && e.low == o.low:
			return true
		case e.kind == aName && o.kind == aName && e.low == o.low:
			return true
		}
	}
	// a name may stand in a source as a plain word, such as transfer without its parenthesis
	return e.kind == aName && hasWord(x.low, e.low)
}

// foundAs says whether n is the number o of a source.
func (n number) foundAs(o number, x *source) bool {
	same := o.equal(n, 0)
	if !same && x.shifts != nil && o.unit == "" {
		shifts := x.shifts
		if n.unit == "%" {
			shifts = percentShifts
		}
		same = slices.ContainsFunc(shifts, func(shift int) bool { return o.equal(n, shift) })
		if same && n.unit == "%" {
			return true
		}
	}
	if !same {
		return false
	}
	switch n.unit {
	case "", o.unit:
		return true
	case "%":
		return false
	case "$":
		return o.unit == "USD" || o.unit == "" && (hasWord(x.low, "usd") || strings.Contains(x.low, "$"))
	}
	return o.unit == "" && hasWord(x.low, strings.ToLower(n.unit)) || o.unit == "$" && n.unit == "USD"
}

// percentShifts are how contracts write a share: in basis points, or of 1e18 or 1e27.
var percentShifts = []int{2, 16, 25}

// sameHex compares two hex strings; one of them may be shortened in the middle.
func sameHex(a, b string) bool {
	if a == b {
		return true
	}
	m, long := shortened.FindStringSubmatch(a), b
	if m == nil {
		return false
	}
	return len(m[1]) >= 5 && len(m[2]) >= 3 && len(long) == 42 && strings.HasPrefix(long, m[1]) && strings.HasSuffix(long, m[2])
}

// hasWord says whether low has word between what is no letter or digit.
func hasWord(low, word string) bool {
	for at := 0; word != ""; {
		i := strings.Index(low[at:], word)
		if i < 0 {
			return false
		}
		from, to := at+i, at+i+len(word)
		if (from == 0 || !wordByte(low[from-1])) && (to == len(low) || !wordByte(low[to])) {
			return true
		}
		at = from + 1
	}
	return false
}

func wordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '_' || c >= 0x80
}
