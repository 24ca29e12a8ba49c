package ledger

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/legate-dao/legate/agent/fsfault"
	"github.com/legate-dao/legate/agent/gov"
)

// The files of a ledger folder.
const (
	votesFile  = "votes"
	markFile   = "mark"
	frozenFile = "frozen"
	lockFile   = "lock"
)

// How often the lock is tried while another process signs: a signature with an in-process key takes
// milliseconds, one from a hardware key seconds.
const lockPause = 10 * time.Millisecond

// Ledger is one key's record of what it may sign. It is safe for concurrent use, also by several
// processes on one host.
type Ledger struct {
	disk  disk
	path  string // of the folder, for people
	voter gov.Address

	mu   sync.Mutex
	seen *pages // the newest that this process has read
	bad  error  // what Expect found: nothing is signed any more
}

// Create makes the ledger of a key that has none, in a folder that is not there, or empty, or only frozen.
// The caller must know that the key never voted on these chains.
func Create(path string, voter gov.Address, chains ...gov.ChainID) (*Ledger, error) {
	if voter.IsZero() {
		return nil, errors.New("create a ledger: no voter")
	}
	if err := makeFolder(path); err != nil {
		return nil, fmt.Errorf("create ledger %s: %w", path, fsfault.Of(path, err))
	}
	l := &Ledger{disk: folder{path, os.Geteuid()}, path: path, voter: voter}
	if err := l.create(); err != nil {
		return nil, fmt.Errorf("create ledger %s: %w", path, fsfault.Of(path, err))
	}
	for _, c := range chains {
		if err := l.Cover(context.Background(), c); err != nil {
			return nil, fmt.Errorf("create ledger %s: %w", path, err)
		}
	}
	return l, nil
}

func makeFolder(path string) error {
	err := os.Mkdir(path, 0o700)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// create writes the mark first: a crash in between leaves a folder that says that it never held a line.
func (l *Ledger) create() (err error) {
	unlock, err := l.disk.lock()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	if _, err := l.load(); !errors.Is(err, ErrMissing) {
		return errors.Join(errors.New("there is one already"), err)
	}
	var id [16]byte
	if _, err := rand.Read(id[:]); err != nil {
		return fmt.Errorf("name the ledger: %w", err)
	}
	h := header{l.voter, hex.EncodeToString(id[:])}
	first := sum{}.next(h.text())
	if err := replace(l.disk, markFile, mark{h, 0, first}.encode()); err != nil {
		return err
	}
	return replace(l.disk, votesFile, encode(h.text(), first))
}

// Open reads and verifies the ledger of a key. [ErrMissing] says that there never was one; what else is
// wrong wraps [ErrDamaged], [ErrVersion] or [ErrVoter].
func Open(path string, voter gov.Address) (*Ledger, error) {
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open ledger %s: %w", path, ErrMissing)
	}
	l := &Ledger{disk: folder{path, os.Geteuid()}, path: path, voter: voter}
	if err := l.under(context.Background(), func() error {
		_, err := l.refresh()
		return l.onDisk(err)
	}); err != nil {
		return nil, fmt.Errorf("open ledger %s: %w", path, err)
	}
	return l, nil
}

// Voter is whose ledger it is.
func (l *Ledger) Voter() gov.Address { return l.voter }

// Covers says whether votes on a chain are recorded here.
func (l *Ledger) Covers(chain gov.ChainID) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.seen != nil && l.seen.chains[chain]
}

// Cover begins to record votes on a chain. The caller must know that the key never voted there.
func (l *Ledger) Cover(ctx context.Context, chain gov.ChainID) error {
	return l.under(ctx, func() error {
		p, err := l.refresh()
		if err != nil || p.chains[chain] {
			return err
		}
		return l.onDisk(l.append(p, Entry{Kind: Chain, Chain: chain}))
	})
}

// Find returns what the ledger holds of a proposal, as last read.
func (l *Ledger) Find(id gov.ProposalID) (e Entry, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.seen != nil {
		e, ok = l.seen.votes[id]
	}
	return e, ok
}

// Holds says whether the very decision is on record here: same vote, same grounds, made by this ledger's
// own [Ledger.Sign]. Such a ballot was fresh when it was bound.
func (l *Ledger) Holds(b gov.Ballot) bool {
	e, ok := l.Find(b.Proposal)
	return ok && e.Kind == Voted && !e.Imported && e.Support == b.Support && e.Reason == b.Reason && b.Voter == l.voter
}

// Expect compares the ledger with ballots that are known to have been bound (the journal's): each must be
// here with the same support. One that is not says that the ledger is an older copy: [ErrRolledBack], and
// nothing is signed until it is opened again.
func (l *Ledger) Expect(ballots []gov.Ballot) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.seen == nil {
		return fmt.Errorf("compare with the ledger: %w: it was not read", ErrDamaged)
	}
	for _, b := range ballots {
		if b.Voter != l.voter {
			continue
		}
		e, ok := l.seen.votes[b.Proposal]
		if !ok || e.Kind == Voted && e.Support != b.Support {
			l.bad = fmt.Errorf("%w: it lacks the vote %s on %s that was bound", ErrRolledBack, b.Support, b.Proposal)
			return l.bad
		}
	}
	return nil
}

// Lock records a ballot, durably. Again the same vote on the same proposal is fine and changes nothing;
// another one is [ErrDifferent].
func (l *Ledger) Lock(ctx context.Context, b gov.Ballot) error {
	return l.Sign(ctx, b, func() error { return nil })
}

// Sign records a ballot, durably, and then calls sign while it still holds the lock. sign is not called
// when anything at all went wrong before. An error may wrap [ErrFrozen], [ErrLater], [ErrDifferent],
// [ErrChain], [ErrVoter] or [ErrDamaged]; one of the disk is a [fsfault.Fault]. After such an error the
// line may be there all the same: the same ballot can be signed later, another one may not.
func (l *Ledger) Sign(ctx context.Context, b gov.Ballot, sign func() error) error {
	if b.Voter != l.voter {
		return fmt.Errorf("ledger line for %s: voter %s: %w", b.Proposal, b.Voter, ErrVoter)
	}
	if b.Support > gov.SupportAbstain {
		return fmt.Errorf("ledger line for %s: support %d is no vote", b.Proposal, b.Support)
	}
	return l.under(ctx, func() error {
		if err := l.frozen(); err != nil {
			return err
		}
		if err := l.onDisk(l.bind(b)); err != nil {
			return fmt.Errorf("ledger line for %s: %w", b.Proposal, err)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		return sign()
	})
}

// bind makes sure that the line is there.
func (l *Ledger) bind(b gov.Ballot) error {
	p, err := l.refresh()
	if err != nil {
		return err
	}
	if !p.chains[b.Proposal.Chain] {
		return fmt.Errorf("%s: %w", b.Proposal.Chain, ErrChain)
	}
	if e, ok := p.votes[b.Proposal]; ok {
		if e.Kind != Voted {
			return fmt.Errorf("%w: it bars any", ErrDifferent)
		}
		if e.Support != b.Support {
			return fmt.Errorf("%w: %s, asked for %s", ErrDifferent, e.Support, b.Support)
		}
		return nil
	}
	return l.append(p, Entry{Kind: Voted, Proposal: b.Proposal, Support: b.Support, Reason: b.Reason})
}

// under holds both barriers: other goroutines of this process, other processes of this host.
func (l *Ledger) under(ctx context.Context, do func() error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.bad != nil {
		return l.bad
	}
	for {
		unlock, err := l.disk.lock()
		if errors.Is(err, ErrLater) {
			select {
			case <-ctx.Done():
				return fmt.Errorf("%w: %w", ErrLater, ctx.Err())
			case <-time.After(lockPause):
				continue
			}
		}
		if err != nil {
			return l.onDisk(err)
		}
		return errors.Join(do(), unlock())
	}
}

// onDisk says of an error that the disk is full, read-only or failing, where that is what it says.
func (l *Ledger) onDisk(err error) error { return fsfault.Of(l.path, err) }

// refresh reads everything again and repairs what a stop of the machine leaves behind: a last line that the
// mark does not know yet, or the torn beginning of one that was never finished (so nothing was signed).
func (l *Ledger) refresh() (*pages, error) {
	p, err := l.load()
	if err == nil {
		err = l.follows(p)
	}
	if err != nil {
		return nil, err
	}
	l.seen = p
	return p, nil
}

// load reads the folder and repairs it.
func (l *Ledger) load() (*pages, error) {
	p, m, err := read(l.disk)
	if err != nil {
		return nil, err
	}
	if p.header.Voter != l.voter {
		return nil, fmt.Errorf("%w: %s, not %s", ErrVoter, p.header.Voter, l.voter)
	}
	if p.count() > m.count { // rewritten: what a failed fsync left in memory must not pass for durable
		if err := replace(l.disk, votesFile, p.encode()); err != nil {
			return nil, err
		}
		if err := replace(l.disk, markFile, mark{p.header, p.count(), p.last()}.encode()); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// read reads and verifies both files.
func read(d disk) (*pages, mark, error) {
	rawMark, markErr := d.read(markFile)
	rawVotes, err := d.read(votesFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, mark{}, missing(rawMark, markErr)
	}
	if err != nil {
		return nil, mark{}, damage("votes", err)
	}
	if errors.Is(markErr, fs.ErrNotExist) {
		return nil, mark{}, fmt.Errorf("%w: there are votes but no mark", ErrDamaged)
	}
	if markErr != nil {
		return nil, mark{}, damage("mark", markErr)
	}
	p, err := parsePages(rawVotes)
	if err != nil {
		return nil, mark{}, err
	}
	m, err := parseMark(rawMark)
	if err != nil {
		return nil, mark{}, err
	}
	return p, m, m.covers(p)
}

// missing tells a ledger that never was from one that was taken away.
func missing(rawMark []byte, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return ErrMissing
	}
	if err != nil {
		return damage("mark", err)
	}
	m, err := parseMark(rawMark)
	if err != nil {
		return err
	}
	if m.count > 0 {
		return fmt.Errorf("%w: votes is gone; the mark knows of %d lines", ErrDamaged, m.count)
	}
	return ErrMissing
}

func damage(name string, err error) error {
	if errors.Is(err, ErrDamaged) || errors.Is(err, ErrVersion) {
		return err
	}
	return fmt.Errorf("%w: read %s: %w", ErrDamaged, name, err)
}

// follows demands that what is read now goes on from what this process has read before.
func (l *Ledger) follows(p *pages) error {
	if l.seen == nil {
		return nil
	}
	n := l.seen.count()
	if p.header != l.seen.header {
		return fmt.Errorf("%w: it is another ledger than a moment ago", ErrDamaged)
	}
	if p.count() < n || p.sums[n] != l.seen.last() {
		return fmt.Errorf("%w: line %d of a moment ago is not there", ErrRolledBack, n)
	}
	return nil
}

// append makes one more line durable: first the line, then the mark.
func (l *Ledger) append(p *pages, e Entry) error {
	text := e.text(p.count() + 1)
	s := p.last().next(text)
	line := encode(text, s)
	if len(line) > maxLine {
		return fmt.Errorf("the line has %d bytes, more than %d", len(line), maxLine)
	}
	if again, err := parseEntry(text, p.count()+1); err != nil || again != e {
		return fmt.Errorf("the line cannot be read back: %q", text)
	}
	if err := l.write(p, line, s); err != nil {
		return err
	}
	if err := p.admit(e); err != nil {
		return err
	}
	p.sums, p.size, p.tail = append(p.sums, s), p.size+int64(len(line)), 0
	l.seen = p
	return nil
}

func (l *Ledger) write(p *pages, line []byte, s sum) error {
	h, err := l.disk.extend(votesFile, p.size)
	if err != nil {
		return fmt.Errorf("open votes: %w", err)
	}
	if err := finish(h, line); err != nil {
		return fmt.Errorf("write votes: %w", err)
	}
	if err := l.disk.syncDir(); err != nil {
		return fmt.Errorf("sync the ledger folder: %w", err)
	}
	return replace(l.disk, markFile, mark{p.header, p.count() + 1, s}.encode())
}

// encode is the whole file.
func (p *pages) encode() []byte {
	out := encode(p.header.text(), p.sums[0])
	for i, e := range p.entries {
		out = append(out, encode(e.text(i+1), p.sums[i+1])...)
	}
	return out
}
