package ledger

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/legate-dao/legate/agent/gov"
)

// pages is what `votes` says, read and verified.
type pages struct {
	header  header
	entries []Entry
	sums    []sum // sums[0] is the header's, sums[n] that of line n
	chains  map[gov.ChainID]bool
	votes   map[gov.ProposalID]Entry
	size    int64 // bytes of whole lines
	tail    int   // bytes after them: a line that was never finished
}

func (p *pages) count() int { return len(p.entries) }
func (p *pages) last() sum  { return p.sums[len(p.sums)-1] }

// encode is a line as it stands in the file.
func encode(text string, s sum) []byte { return []byte(text + " " + s.String() + "\n") }

// parsePages verifies every line. Bytes after the last line break are the tail of a line that was being
// written when the machine stopped; whether that can be is the mark's to say.
func parsePages(raw []byte) (*pages, error) {
	p := &pages{chains: map[gov.ChainID]bool{}, votes: map[gov.ProposalID]Entry{}}
	for n := 0; ; n++ {
		end := bytes.IndexByte(raw, '\n')
		if end < 0 {
			if n == 0 {
				return nil, fmt.Errorf("%w: votes: it has no header", ErrDamaged)
			}
			if len(raw) > maxLine {
				return nil, fmt.Errorf("%w: votes: %d bytes after line %d are no line", ErrDamaged, len(raw), n-1)
			}
			p.tail = len(raw)
			return p, nil
		}
		if err := p.read(string(raw[:end]), n); err != nil {
			return nil, err
		}
		p.size += int64(end) + 1
		raw = raw[end+1:]
	}
}

func (p *pages) read(line string, n int) error {
	damaged := func(err any) error { return fmt.Errorf("%w: votes: line %d: %v", ErrDamaged, n, err) }
	if n == 0 {
		if v, ok := newer(line, "legate-ledger"); ok {
			return fmt.Errorf("votes: %w: format %d, this program knows %d", ErrVersion, v, version)
		}
	}
	if len(line) > maxLine {
		return damaged("it is too long")
	}
	cut := strings.LastIndexByte(line, ' ')
	var got sum
	if cut < 0 || len(line)-cut-1 != 64 {
		return damaged("it does not end with a hash")
	}
	if _, err := hex.Decode(got[:], []byte(line[cut+1:])); err != nil || got.String() != line[cut+1:] {
		return damaged("it does not end with a hash")
	}
	text := line[:cut]
	var before sum
	if n > 0 {
		before = p.last()
	}
	if before.next(text) != got {
		return damaged("its hash does not fit: the line, or one before it, was changed, moved, doubled or taken out")
	}
	if n == 0 {
		h, err := parseHeader(text)
		if err != nil {
			return damaged(err)
		}
		p.header, p.sums = h, []sum{got}
		return nil
	}
	e, err := parseEntry(text, n)
	if err == nil {
		err = p.admit(e)
	}
	if err != nil {
		return damaged(err)
	}
	p.sums = append(p.sums, got)
	return nil
}

// admit adds a line that may follow what is there.
func (p *pages) admit(e Entry) error {
	if e.Kind == Chain {
		if p.chains[e.Chain] {
			return fmt.Errorf("%s is there already", e.Chain)
		}
		p.chains[e.Chain] = true
		p.entries = append(p.entries, e)
		return nil
	}
	if _, known := p.votes[e.Proposal]; known && e.Kind == Voted {
		return fmt.Errorf("a second vote on %s", e.Proposal)
	}
	p.votes[e.Proposal] = e
	p.entries = append(p.entries, e)
	return nil
}

// newer says whether a first line was written by a later format.
func newer(line, word string) (int, bool) {
	parts := strings.SplitN(line, " ", 3)
	if len(parts) < 3 || parts[0] != word {
		return 0, false
	}
	v, err := strconv.Atoi(parts[1])
	return v, err == nil && v > version
}

func parseHeader(text string) (h header, err error) {
	parts := strings.Split(text, " ")
	if len(parts) != 4 || parts[0] != "legate-ledger" || len(parts[3]) != 32 {
		return h, fmt.Errorf("it is no ledger header")
	}
	if h.Voter, err = gov.ParseAddress(parts[2]); err != nil {
		return h, err
	}
	h.ID = parts[3]
	if h.text() != text {
		return h, fmt.Errorf("it is not spelled as it was written")
	}
	return h, nil
}
