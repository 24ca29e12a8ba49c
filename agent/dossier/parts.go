package dossier

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"strings"

	"github.com/legate-dao/legate/agent/gov"
)

// A proposal that is held is gathered again every hour, and mostly the same comes back. So the lists of a gathering are
// cut out of the body of its record and stored once, under their digests: the body that is stored names them. Its digest
// covers them all the same, and what is joined again is byte for byte what was cut.

// Part is a piece of a body, stored under its digest.
type Part struct {
	Digest gov.Digest
	Body   []byte
	// In is the part that lists this one; zero for one that the body itself names. A part is stored with all that it lists.
	In gov.Digest
}

// gap says what belongs at one place of a body.
type gap struct {
	At   int        `json:"at"` // offset in the body without its cuts
	Part gov.Digest `json:"part"`
	// List: the part is a list of the digests of the parts, in order.
	List bool `json:"list,omitempty"`
}

// cutsOpen is how a body begins from which parts were cut. No event has a field of this name.
const cutsOpen = `{"parts":`

// Sizes in bytes. A piece below the least stays where it is. A long list is cut where its elements say so, so that one
// that is put in or changed moves no other piece.
const (
	leastCut  = 512
	leastPart = 8 << 10
	mostPart  = 64 << 10
)

// ErrPart says that a part of a record is gone, or is another one.
var ErrPart = errors.New("a part of the record is not what was stored")

// Split cuts the lists out of the body of a gathering, and returns the record as it is stored with what was cut.
// Other records, and small ones, stay whole.
func (r Record) Split() (Record, []Part) {
	if !gathering(r.Type) {
		return r, nil
	}
	rest, cuts, parts := split(r.Body, true)
	if len(cuts) == 0 {
		return r, nil
	}
	index, err := json.Marshal(cuts)
	if err != nil { // of numbers and digests: it cannot fail
		return r, nil
	}
	r.Body = bytes.Join([][]byte{[]byte(cutsOpen), index, []byte(","), rest[1:]}, nil)
	return r, parts
}

// gathering reports whether records of a type hold a gathering.
func gathering(kind string) bool {
	return kind == "WasGathered" || kind == "WasPreviewed"
}

// split walks a body that [json.Marshal] wrote, and takes the elements out of every outermost list of the gathering, and
// what is inside its object shown where shown says so. What is left is JSON with empty ones in their place.
func split(body []byte, shown bool) (rest []byte, cuts []gap, parts []Part) {
	rest = make([]byte, 0, min(len(body), 16<<10))
	depth, inside := 0, false // inside the gathering, which is a field of the event

	for i := 0; i < len(body); {
		c, end := body[i], i+1
		shows := c == '{' && depth == 2 && inside && bytes.HasSuffix(rest, []byte(`"shown":`))
		switch {
		case c == '"':
			end = stringEnd(body, i)
		case inside && (c == '[' || shows):
			var ends []int
			end, ends = elements(body, i)
			if inner := body[i+1 : end-1]; len(inner) >= leastCut && (shown || !shows) {
				k, more := pieces(body, i+1, ends)
				k.At = len(rest) + 1
				cuts, parts = append(cuts, k), append(parts, more...)
				rest = append(rest, c, body[end-1])
				i = end
				continue
			}
		case c == '{':
			inside = inside || depth == 1 && bytes.HasSuffix(rest, []byte(`"gathered":`))
			depth++
		case c == '}':
			depth--
			inside = inside && depth > 1
		}
		rest = append(rest, body[i:end]...)
		i = end
	}
	return rest, cuts, parts
}

// stringEnd is the place after the string that begins at i.
func stringEnd(body []byte, i int) int {
	for i++; i < len(body); i++ {
		switch body[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(body)
}

// elements is the place after the list or object that begins at i, and where each of its elements ends.
func elements(body []byte, i int) (end int, ends []int) {
	depth := 0
	for i < len(body) {
		switch body[i] {
		case '"':
			i = stringEnd(body, i)
			continue
		case '[', '{':
			depth++
		case ']', '}':
			if depth--; depth == 0 {
				return i + 1, append(ends, i)
			}
		case ',':
			if depth == 1 {
				ends = append(ends, i)
			}
		}
		i++
	}
	return i, append(ends, i)
}

// pieces cuts the elements that end at the places given into parts.
func pieces(body []byte, from int, ends []int) (gap, []Part) {
	var parts []Part
	first, start := from, from
	for i, end := range ends {
		size := end - first
		// each piece but the first begins with the comma before it, so that pieces need nothing between them
		if last := i == len(ends)-1; last || size >= mostPart || size >= leastPart && crc32.ChecksumIEEE(body[start:end])%32 == 0 {
			parts = append(parts, partOf(body[first:end]))
			first = end
		}
		start = end + 1
	}
	if len(parts) == 1 {
		return gap{Part: parts[0].Digest}, parts
	}
	var list strings.Builder
	for _, p := range parts {
		list.WriteString(p.Digest.String() + "\n")
	}
	index := partOf([]byte(list.String()))
	for i := range parts {
		parts[i].In = index.Digest
	}
	return gap{Part: index.Digest, List: true}, append(parts, index)
}

// partOf shares the bytes of body.
func partOf(body []byte) Part { return Part{Digest: sha256.Sum256(body), Body: body} }

// Fresh decodes a stored record with those of its parts that are new: what was stored before was read before. An error
// says that the record could not be read.
func (r Record) Fresh(fresh []Part) error {
	of := map[gov.Digest][]byte{}
	for _, p := range fresh {
		of[p.Digest] = p.Body
	}
	rest, cuts, err := stored(r.Body)
	if err != nil {
		return err
	}
	var body []byte
	from := 0
	for _, c := range cuts {
		body, from = append(body, rest[from:c.At]...), c.At
		digests := []gov.Digest{c.Part}
		if c.List {
			if digests, err = listed(of[c.Part]); err != nil {
				return err
			}
		}
		first := true
		for _, d := range digests {
			piece, new := of[d]
			if !new {
				continue
			}
			if first { // the comma before it has nothing before it
				piece = bytes.TrimPrefix(piece, []byte(","))
			}
			body, first = append(body, piece...), false
		}
	}
	_, err = decode(r.Type, append(body, rest[from:]...))
	return err
}

// stored reads a stored body: what is left of it, and what was cut. A whole one has no cuts.
func stored(body []byte) (rest []byte, cuts []gap, err error) {
	after, ok := bytes.CutPrefix(body, []byte(cutsOpen))
	if !ok {
		return body, nil, nil
	}
	dec := json.NewDecoder(bytes.NewReader(after))
	if err := dec.Decode(&cuts); err != nil {
		return nil, nil, fmt.Errorf("read which parts a record has: %w", err)
	}
	if rest, ok = bytes.CutPrefix(after[dec.InputOffset():], []byte(",")); !ok {
		return nil, nil, errors.New("read which parts a record has: nothing follows them")
	}
	return append([]byte("{"), rest...), cuts, nil
}

// Join returns the whole body of a stored one. get returns a part by its digest, which is checked here. The error wraps
// [ErrPart] where one is not what it was.
func Join(body []byte, get func(gov.Digest) ([]byte, error)) ([]byte, error) {
	rest, cuts, err := stored(body)
	if err != nil || len(cuts) == 0 {
		return rest, err
	}
	out, from := make([]byte, 0, 4*len(body)), 0
	for _, c := range cuts {
		if c.At < from || c.At > len(rest) {
			return nil, fmt.Errorf("%w: it belongs at %d of %d", ErrPart, c.At, len(rest))
		}
		out = append(out, rest[from:c.At]...)
		from = c.At
		if out, err = c.join(out, get); err != nil {
			return nil, err
		}
	}
	return append(out, rest[from:]...), nil
}

// join appends what was cut.
func (c gap) join(out []byte, get func(gov.Digest) ([]byte, error)) ([]byte, error) {
	part, err := checked(c.Part, get)
	if err != nil {
		return nil, err
	}
	if !c.List {
		return append(out, part...), nil
	}
	digests, err := listed(part)
	if err != nil {
		return nil, err
	}
	for _, d := range digests {
		piece, err := checked(d, get)
		if err != nil {
			return nil, err
		}
		out = append(out, piece...)
	}
	return out, nil
}

// listed are the digests in a part that lists others.
func listed(part []byte) (out []gov.Digest, err error) {
	for line := range strings.Lines(string(part)) {
		var d gov.Digest
		if err := d.UnmarshalText([]byte(strings.TrimSuffix(line, "\n"))); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrPart, err)
		}
		out = append(out, d)
	}
	return out, nil
}

func checked(digest gov.Digest, get func(gov.Digest) ([]byte, error)) ([]byte, error) {
	part, err := get(digest)
	if err == nil && sha256.Sum256(part) != digest {
		err = fmt.Errorf("%s: %w", digest, ErrPart)
	}
	return part, err
}

// Gist is a gathering as far as the fold needs one that a later one replaces: without its lists. Shown is the digest of
// what it shows, which every gathering adds to; zero where the event has that.
type Gist struct {
	Event Event
	Shown gov.Digest
	shown *gap
}

// DecodeGist reads a stored event without its parts. ok is false where it has to be read whole: it is no gathering, or it
// is small. seq is that of its record: [Dossier.Gists] lists it while the dossier holds it.
func DecodeGist(kind string, body []byte, seq int64) (g Gist, ok bool, err error) {
	if !gathering(kind) {
		return g, false, nil
	}
	rest, cuts, err := stored(body)
	if err != nil {
		return g, false, err
	}
	if len(cuts) == 0 { // of before parts were cut
		if rest, cuts, _ = split(body, false); len(cuts) == 0 {
			return g, false, nil
		}
	}
	for i, c := range cuts {
		if c.At <= len(rest) && bytes.HasSuffix(rest[:c.At], []byte(`"shown":{`)) {
			g.shown, g.Shown = &cuts[i], c.Part
		}
	}
	if g.Event, err = decode(kind, rest); err != nil {
		return g, false, err
	}
	switch e := g.Event.(type) {
	case WasGathered:
		e.Gathered.gist = seq
		g.Event = e
	case WasPreviewed:
		e.Gathered.gist = seq
		g.Event = e
	}
	return g, true, nil
}

// Show puts what the gathering shows into its event. get is that of [Join].
func (g *Gist) Show(get func(gov.Digest) ([]byte, error)) error {
	if g.shown == nil {
		return nil
	}
	text, err := g.shown.join([]byte("{"), get)
	if err != nil {
		return err
	}
	var s Shown
	if err := json.Unmarshal(append(text, '}'), &s); err != nil {
		return fmt.Errorf("read what a gathering shows: %w", err)
	}
	switch e := g.Event.(type) {
	case WasGathered:
		e.Gathered.Shown = s
		g.Event = e
	case WasPreviewed:
		e.Gathered.Shown = s
		g.Event = e
	}
	return nil
}

// Gists lists the records whose gatherings the dossier holds without their lists.
func (d Dossier) Gists() (seqs []int64) {
	if d.Gathered != nil && d.Gathered.gist != 0 {
		seqs = append(seqs, d.Gathered.gist)
	}
	if d.Standing != nil && d.Standing.Gathered.gist != 0 && (len(seqs) == 0 || seqs[0] != d.Standing.Gathered.gist) {
		seqs = append(seqs, d.Standing.Gathered.gist)
	}
	return seqs
}

// Complete puts the whole gathering of a record in place of its gist.
func (d Dossier) Complete(seq int64, e Event) (Dossier, error) {
	var whole Gathered
	switch e := e.(type) {
	case WasGathered:
		whole = e.Gathered
	case WasPreviewed:
		whole = e.Gathered
	default:
		return d, fmt.Errorf("record %d of %s is no gathering", seq, d.ID())
	}
	if d.Gathered != nil && d.Gathered.gist == seq {
		g := whole
		d.Gathered = &g
	}
	if d.Standing != nil && d.Standing.Gathered.gist == seq {
		s := *d.Standing
		s.Gathered = whole
		d.Standing = &s
	}
	return d, nil
}
