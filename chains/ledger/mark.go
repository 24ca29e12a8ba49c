package ledger

import (
	"encoding/hex"
	"fmt"
	"strings"
)

// mark says how far the ledger has come. It is replaced as a whole after each line, so a machine that stops
// leaves it equal to `votes` or one line behind.
type mark struct {
	header header
	count  int
	last   sum
}

func (m mark) encode() []byte {
	text := fmt.Sprintf("legate-mark %d %s %s %d %s", version, m.header.Voter, m.header.ID, m.count, m.last)
	return encode(text, sum{}.next(text))
}

func parseMark(raw []byte) (m mark, err error) {
	line, ok := strings.CutSuffix(string(raw), "\n")
	damaged := func(what string) (mark, error) {
		return mark{}, fmt.Errorf("%w: mark: %s", ErrDamaged, what)
	}
	if v, ok := newer(line, "legate-mark"); ok {
		return mark{}, fmt.Errorf("mark: %w: format %d, this program knows %d", ErrVersion, v, version)
	}
	cut := strings.LastIndexByte(line, ' ')
	if !ok || cut < 0 || line[cut+1:] != (sum{}).next(line[:cut]).String() {
		return damaged("its checksum does not fit")
	}
	var v int
	var voter, last string
	if _, err := fmt.Sscanf(line[:cut], "legate-mark %d %s %s %d %s", &v, &voter, &m.header.ID, &m.count, &last); err != nil {
		return damaged("it is no mark")
	}
	if err := m.header.Voter.UnmarshalText([]byte(voter)); err != nil {
		return damaged(err.Error())
	}
	if raw, err := hex.DecodeString(last); err != nil || len(raw) != len(m.last) || copy(m.last[:], raw) == 0 {
		return damaged("its last hash is none")
	}
	if string(m.encode()) != string(raw) {
		return damaged("it is not spelled as it was written")
	}
	return m, nil
}

// covers says whether `votes` is what the mark speaks of, at most one line further.
func (m mark) covers(p *pages) error {
	switch {
	case m.header != p.header:
		return fmt.Errorf("%w: votes and mark are of different ledgers (%s of %s, %s of %s)", ErrDamaged, p.header.ID, p.header.Voter, m.header.ID, m.header.Voter)
	case p.count() < m.count:
		return fmt.Errorf("%w: votes has %d lines, the mark knows of %d", ErrRolledBack, p.count(), m.count)
	case p.sums[m.count] != m.last:
		return fmt.Errorf("%w: line %d is not the one the mark knows", ErrRolledBack, m.count)
	case p.count() > m.count+1:
		return fmt.Errorf("%w: votes has %d lines, the mark only %d: the mark is an older one", ErrDamaged, p.count(), m.count)
	case p.count() > m.count && p.tail > 0:
		return fmt.Errorf("%w: votes: bytes after line %d, which the mark does not know yet", ErrDamaged, p.count())
	}
	return nil
}
