package ledger

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/legate-dao/legate/agent/gov"
)

var voter = gov.Address{0x11, 0x22}

func ballot(n uint64, s gov.Support) gov.Ballot {
	return gov.Ballot{
		Proposal: gov.ProposalID{Chain: 1, Governor: gov.Address{0xaa}, Number: gov.NewAmount(n)},
		Flavour:  gov.OpenZeppelin5, Voter: voter, Support: s,
		Reason: gov.BallotReason{By: gov.ByPolicy, Rule: "no-dilution", Record: gov.Digest{byte(n), 1}},
	}
}

// made is a ledger of chain 1 in a folder of its own.
func made(t testing.TB) (*Ledger, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ledger")
	l, err := Create(path, voter, 1)
	if err != nil {
		t.Fatal(err)
	}
	return l, path
}

// signs tries to sign and says whether the signature was made.
func signs(t testing.TB, l *Ledger, b gov.Ballot) (signed bool, err error) {
	t.Helper()
	err = l.Sign(t.Context(), b, func() error { signed = true; return nil })
	if signed != (err == nil) {
		t.Fatalf("signed %v, error %v", signed, err)
	}
	return signed, err
}

func mustSign(t testing.TB, l *Ledger, b gov.Ballot) {
	t.Helper()
	if _, err := signs(t, l, b); err != nil {
		t.Fatal(err)
	}
}

func TestLock(t *testing.T) {
	l, path := made(t)
	mustSign(t, l, ballot(1, gov.SupportFor))
	mustSign(t, l, ballot(2, gov.SupportAgainst))
	mustSign(t, l, ballot(1, gov.SupportFor))
	if _, err := signs(t, l, ballot(1, gov.SupportAgainst)); !errors.Is(err, ErrDifferent) {
		t.Errorf("another vote: %v, want ErrDifferent", err)
	}
	other := ballot(3, gov.SupportFor)
	other.Proposal.Chain = 10
	if _, err := signs(t, l, other); !errors.Is(err, ErrChain) {
		t.Errorf("a chain that is not covered: %v, want ErrChain", err)
	}
	foreign := ballot(3, gov.SupportFor)
	foreign.Voter = gov.Address{9}
	if _, err := signs(t, l, foreign); !errors.Is(err, ErrVoter) {
		t.Errorf("another voter: %v, want ErrVoter", err)
	}
	if err := l.Cover(t.Context(), 10); err != nil {
		t.Fatal(err)
	}
	mustSign(t, l, other)
	again, err := Open(path, voter)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := signs(t, again, ballot(2, gov.SupportAbstain)); !errors.Is(err, ErrDifferent) {
		t.Errorf("another vote after a restart: %v, want ErrDifferent", err)
	}
	if !again.Covers(10) || !again.Holds(other) || again.Holds(ballot(9, 0)) {
		t.Error("the reopened ledger knows less or more")
	}
	changed := other
	changed.Reason.Record = gov.Digest{0xee}
	if again.Holds(changed) {
		t.Error("a vote on other grounds is not the one on record")
	}
	r, err := Fsck(path)
	if err != nil || r.Votes != 3 || r.Lines != 5 || !slices.Equal(r.Chains, []gov.ChainID{1, 10}) || r.Voter != voter {
		t.Errorf("fsck %+v, %v", r, err)
	}
	if _, err := Create(path, voter, 1); err == nil {
		t.Error("a second ledger was created over the first")
	}
}

func TestMissing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger")
	if _, err := Open(path, voter); !errors.Is(err, ErrMissing) {
		t.Errorf("no folder: %v", err)
	}
	if err := Freeze(path, "before the first run"); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path, voter); !errors.Is(err, ErrMissing) {
		t.Errorf("an empty, frozen folder: %v", err)
	}
	l, err := Create(path, voter, 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := signs(t, l, ballot(1, 1)); !errors.Is(err, ErrFrozen) {
		t.Errorf("created while frozen: %v", err)
	}
}

func TestG40FreezeStopsTheNextSignature(t *testing.T) {
	l, path := made(t)
	mustSign(t, l, ballot(1, 1))
	if err := Freeze(path, "a bad\nfeeling"); err != nil {
		t.Fatal(err)
	}
	for _, b := range []gov.Ballot{ballot(1, 1), ballot(2, 0)} {
		if _, err := signs(t, l, b); !errors.Is(err, ErrFrozen) {
			t.Errorf("%s: %v, want ErrFrozen", b.Proposal, err)
		}
	}
	again, err := Open(path, voter)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := signs(t, again, ballot(3, 0)); !errors.Is(err, ErrFrozen) {
		t.Errorf("after a restart: %v, want ErrFrozen", err)
	}
	if why, ok := Frozen(path); !ok || why != "a bad feeling" {
		t.Errorf("frozen %v, %q", ok, why)
	}
	if err := Unfreeze(path); err != nil {
		t.Fatal(err)
	}
	mustSign(t, l, ballot(2, 0))
	// what cannot be read as a freeze file is one all the same
	if err := os.Mkdir(filepath.Join(path, frozenFile), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := signs(t, l, ballot(4, 0)); !errors.Is(err, ErrFrozen) {
		t.Errorf("a folder named frozen: %v, want ErrFrozen", err)
	}
}

// TestG03LedgerBeforeSignature fails every single operation between decision and signature, in every way:
// no signature is made, the ledger opens again, and what it bound it keeps.
func TestG03LedgerBeforeSignature(t *testing.T) {
	covered := map[string]bool{}
	runs := 0
	for _, mode := range []string{ioError, noSpace, halfThenNo, halfSilent, doneFailed} {
		for at := 1; ; at++ {
			l, path := made(t)
			mustSign(t, l, ballot(1, gov.SupportFor))
			f := &faulty{disk: l.disk, at: at, mode: mode}
			l.disk = f
			signed, err := signs(t, l, ballot(2, gov.SupportFor))
			if f.n < at { // every operation has been failed once
				if !signed {
					t.Fatalf("no fault and no signature: %v", err)
				}
				break
			}
			op := f.ops[at-1]
			covered[strings.Fields(op)[0]] = true
			runs++
			write := strings.HasPrefix(op, "write")
			if !write && (mode == halfThenNo || mode == halfSilent) {
				continue // counts as EIO, which another round does
			}
			if signed {
				t.Fatalf("%s at %s: signed without a durable line", mode, op)
			}
			if full := "the disk that holds " + path + " is full: nothing is signed until there is room; free some space"; mode == noSpace && !strings.HasSuffix(err.Error(), full) {
				t.Fatalf("%s at %s: %v", mode, op, err)
			}
			l.disk = f.disk
			again, err := Open(path, voter)
			if err != nil {
				t.Fatalf("%s at %s: the ledger does not open again: %v", mode, op, err)
			}
			_, bound := again.Find(ballot(2, 0).Proposal)
			if ok, err := signs(t, again, ballot(2, gov.SupportAgainst)); ok == bound {
				t.Fatalf("%s at %s: bound %v, another vote signed %v (%v)", mode, op, bound, ok, err)
			}
			if !bound {
				continue
			}
			mustSign(t, again, ballot(2, gov.SupportFor))
			mustSign(t, l, ballot(2, gov.SupportFor)) // the process that met the fault goes on as well
		}
	}
	for _, op := range []string{"read", "open", "write", "fsync", "create", "rename", "sync"} {
		if !covered[op] {
			t.Errorf("no fault was put at %q", op)
		}
	}
	t.Logf("n=%d faults, 0 signatures", runs)
}

// TestG04LedgerLossFailsClosed damages a ledger in 20 ways. Neither a fresh opening nor the process that
// had it open signs anything new or anything different.
func TestG04LedgerLossFailsClosed(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Log("not root: the wrong owner is shown by asking for another user id")
	}
	type world struct {
		path               string
		yesterday, now     map[string][]byte // whole folders
		otherKey, otherOne map[string][]byte
		owner              int
	}
	lines := func(w *world) []string { return strings.SplitAfter(string(w.now[votesFile]), "\n") }
	put := func(t *testing.T, w *world, name string, b []byte) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(w.path, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	votes := func(t *testing.T, w *world, s ...string) { put(t, w, votesFile, []byte(strings.Join(s, ""))) }
	cut := func(from int) func(*testing.T, *world) {
		return func(t *testing.T, w *world) {
			whole := w.now[votesFile]
			at := from
			if from < 0 {
				at = len(whole) + from
			}
			put(t, w, votesFile, whole[:at])
		}
	}
	modes := []struct {
		name string
		do   func(t *testing.T, w *world)
	}{
		{"removed", func(t *testing.T, w *world) { must(t, os.Remove(filepath.Join(w.path, votesFile))) }},
		{"empty", func(t *testing.T, w *world) { votes(t, w) }},
		{"cut in the header", cut(20)},
		{"cut after the header", func(t *testing.T, w *world) { votes(t, w, lines(w)[0]) }},
		{"cut in the last line", cut(-30)},
		{"cut before the last line", func(t *testing.T, w *world) { votes(t, w, lines(w)[:4]...) }},
		{"last line break gone", cut(-1)},
		{"lines swapped", func(t *testing.T, w *world) {
			l := lines(w)
			l[2], l[3] = l[3], l[2]
			votes(t, w, l...)
		}},
		{"line doubled", func(t *testing.T, w *world) { votes(t, w, slices.Insert(lines(w), 3, lines(w)[3])...) }},
		{"line dropped", func(t *testing.T, w *world) { votes(t, w, slices.Delete(lines(w), 3, 4)...) }},
		{"another key's ledger", func(t *testing.T, w *world) {
			for name, b := range w.otherKey {
				put(t, w, name, b)
			}
		}},
		{"another chain's ledger", func(t *testing.T, w *world) {
			for name, b := range w.otherOne {
				put(t, w, name, b)
			}
		}},
		{"yesterday's votes", func(t *testing.T, w *world) { put(t, w, votesFile, w.yesterday[votesFile]) }},
		{"yesterday's mark", func(t *testing.T, w *world) { put(t, w, markFile, w.yesterday[markFile]) }},
		{"yesterday's folder", func(t *testing.T, w *world) {
			for name, b := range w.yesterday {
				put(t, w, name, b)
			}
		}},
		{"no mark", func(t *testing.T, w *world) { must(t, os.Remove(filepath.Join(w.path, markFile))) }},
		{"read-only", func(t *testing.T, w *world) { must(t, os.Chmod(filepath.Join(w.path, votesFile), 0o400)) }},
		{"a symbolic link", func(t *testing.T, w *world) {
			must(t, os.Rename(filepath.Join(w.path, votesFile), filepath.Join(w.path, "elsewhere")))
			must(t, os.Symlink("elsewhere", filepath.Join(w.path, votesFile)))
		}},
		{"the wrong owner", func(t *testing.T, w *world) {
			if os.Geteuid() == 0 {
				must(t, os.Chown(filepath.Join(w.path, votesFile), 12345, -1))
				return
			}
			w.owner = os.Geteuid() + 1
		}},
		{"a newer version", func(t *testing.T, w *world) {
			l := lines(w)
			l[0] = strings.Replace(l[0], "legate-ledger 1", "legate-ledger 2", 1)
			votes(t, w, l...)
		}},
	}
	if len(modes) != 20 {
		t.Fatalf("%d modes, want 20", len(modes))
	}
	for _, m := range modes {
		t.Run(m.name, func(t *testing.T) {
			live, path := made(t)
			bound := []gov.Ballot{ballot(1, 1), ballot(2, 0)}
			mustSign(t, live, bound[0])
			mustSign(t, live, bound[1])
			w := &world{path: path, yesterday: contents(t, path), owner: os.Geteuid()}
			for n := uint64(3); n <= 4; n++ {
				bound = append(bound, ballot(n, 1))
				mustSign(t, live, ballot(n, 1))
			}
			w.now = contents(t, path)
			key := filepath.Join(t.TempDir(), "key")
			if _, err := Create(key, gov.Address{0x77}, 1); err != nil {
				t.Fatal(err)
			}
			chain := filepath.Join(t.TempDir(), "chain")
			if _, err := Create(chain, voter, 10); err != nil {
				t.Fatal(err)
			}
			w.otherKey, w.otherOne = contents(t, key), contents(t, chain)
			m.do(t, w)
			setOwner(live, w.owner)
			tries := []gov.Ballot{ballot(9, 1), ballot(1, 0), ballot(4, 0)}
			for _, b := range tries {
				if signed, err := signs(t, live, b); signed {
					t.Errorf("the process that had it open signed %s", b.Proposal)
				} else if errors.Is(err, ErrMissing) {
					t.Errorf("it says that there never was one: %v", err)
				}
			}
			again, err := openAs(path, w.owner)
			if err == nil {
				err = again.Expect(bound)
			}
			if err == nil {
				t.Fatal("it opened")
			}
			if errors.Is(err, ErrMissing) {
				t.Fatalf("it may be created again: %v", err)
			}
			t.Log(err)
			if again == nil {
				return
			}
			for _, b := range tries {
				if signed, _ := signs(t, again, b); signed {
					t.Errorf("after a restart it signed %s", b.Proposal)
				}
			}
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func setOwner(l *Ledger, owner int) { l.disk = folder{l.disk.(folder).path, owner} }

// openAs is Open as another user id.
func openAs(path string, owner int) (*Ledger, error) {
	l := &Ledger{disk: folder{path, owner}, voter: voter}
	err := l.under(context.Background(), func() error {
		_, err := l.refresh()
		return err
	})
	if err != nil {
		return nil, err
	}
	return l, nil
}

func contents(t *testing.T, path string) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	for _, name := range []string{votesFile, markFile} {
		b, err := os.ReadFile(filepath.Join(path, name))
		if err != nil {
			t.Fatal(err)
		}
		out[name] = b
	}
	return out
}

// TestG04EveryBit flips one bit of each byte of both files, and cuts them after each byte: nothing opens.
func TestG04EveryBit(t *testing.T) {
	l, path := made(t)
	for n := uint64(1); n <= 3; n++ {
		mustSign(t, l, ballot(n, 1))
	}
	tried := 0
	for name, whole := range contents(t, path) {
		at := filepath.Join(path, name)
		refuse := func(b []byte, what string, i int) {
			t.Helper()
			tried++
			if err := os.WriteFile(at, b, 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := Open(path, voter); err == nil || errors.Is(err, ErrMissing) {
				t.Errorf("%s, byte %d %s: %v", name, i, what, err)
			}
		}
		for i := range whole {
			changed := bytes.Clone(whole)
			changed[i] ^= 1 << (i % 8)
			refuse(changed, "flipped", i)
			refuse(whole[:i], "cut", i)
		}
		if err := os.WriteFile(at, whole, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Open(path, voter); err != nil {
		t.Fatalf("whole again: %v", err)
	}
	t.Logf("n=%d damages, 0 opened", tried)
}

// TestTornLine: what the machine leaves when it stops in the middle of a line was never signed, and is
// written over.
func TestTornLine(t *testing.T) {
	l, path := made(t)
	mustSign(t, l, ballot(1, 1))
	at := filepath.Join(path, votesFile)
	whole, err := os.ReadFile(at)
	must(t, err)
	must(t, os.WriteFile(at, append(bytes.Clone(whole), "3 vote eip155:1:0x"...), 0o600))
	if r, err := Fsck(path); err != nil || r.Torn != 18 {
		t.Errorf("fsck: %+v, %v", r, err)
	}
	again, err := Open(path, voter)
	must(t, err)
	mustSign(t, again, ballot(2, 0))
	if r, err := Fsck(path); err != nil || r.Torn != 0 || r.Votes != 2 {
		t.Errorf("fsck: %+v, %v", r, err)
	}
}

// checks sets how often rapid tries, for this test.
func checks(t *testing.T, n int) {
	t.Helper()
	before := flag.Lookup("rapid.checks").Value.String()
	must(t, flag.Set("rapid.checks", fmt.Sprint(n)))
	t.Cleanup(func() { must(t, flag.Set("rapid.checks", before)) })
}

// TestG02NeverDifferently: whatever is asked in whatever order, through restarts, freezes and imports, what
// is signed for a proposal is the first thing that was.
func TestG02NeverDifferently(t *testing.T) {
	const n = 10_000
	checks(t, n)
	rapid.Check(t, func(rt *rapid.T) {
		m := &memory{files: map[string][]byte{}}
		l := &Ledger{disk: m, voter: voter}
		if err := errors.Join(l.create(), l.Cover(t.Context(), 1)); err != nil {
			rt.Fatal(err)
		}
		model := map[uint64]gov.Support{} // what may be signed
		barred := map[uint64]bool{}
		frozen := false
		proposals, supports := rapid.Uint64Range(1, 4), rapid.Uint8Range(0, 2)
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			switch rapid.SampledFrom([]string{"sign", "sign", "sign", "sign", "restart", "freeze", "import"}).Draw(rt, "do") {
			case "sign":
				id, s := proposals.Draw(rt, "proposal"), gov.Support(supports.Draw(rt, "support"))
				signed := false
				err := l.Sign(t.Context(), ballot(id, s), func() error { signed = true; return nil })
				held, known := model[id]
				may := !frozen && !barred[id] && (!known || held == s)
				if signed != may || (err == nil) != may {
					rt.Fatalf("proposal %d support %d: signed %v, want %v (%v)", id, s, signed, may, err)
				}
				if may {
					model[id] = s
				}
			case "restart":
				l = &Ledger{disk: m, voter: voter}
				if err := l.under(t.Context(), func() error { _, err := l.refresh(); return err }); err != nil {
					rt.Fatal(err)
				}
			case "freeze":
				frozen = !frozen
				if delete(m.files, frozenFile); frozen {
					m.files[frozenFile] = []byte("stop")
				}
			case "import":
				id, s := proposals.Draw(rt, "proposal"), gov.Support(supports.Draw(rt, "support"))
				v := Exchanged{Proposal: ballot(id, s).Proposal, Support: s.Direction()}
				if err := l.under(t.Context(), func() error { _, err := l.importOne(v); return err }); err != nil {
					rt.Fatal(err)
				}
				if held, known := model[id]; known && held != s {
					barred[id] = true
				} else {
					model[id] = s
				}
			}
		}
	})
	t.Logf("n=%d sequences", n)
}

// TestG02Barriers: 64 callers; with the process's own barrier alone, and with the lock between processes
// alone, no proposal is ever signed two ways.
func TestG02Barriers(t *testing.T) {
	const callers, proposals = 64, 6
	shared, path := made(t)
	each := make([]*Ledger, callers)
	for _, c := range []struct {
		name string
		of   func(i int) *Ledger
	}{
		{"both", func(int) *Ledger { return shared }},
		{"the lock between processes alone", func(i int) *Ledger { return each[i] }},
		{"the barrier in the process alone", func(int) *Ledger { return shared }},
	} {
		t.Run(c.name, func(t *testing.T) {
			shared, path = made(t)
			if strings.HasSuffix(c.name, "process alone") {
				shared.disk = unlocked{shared.disk}
			}
			for i := range each {
				l, err := Open(path, voter)
				must(t, err)
				each[i] = l
			}
			signed := make([]map[string]bool, callers)
			var wg sync.WaitGroup
			for i := range callers {
				wg.Go(func() {
					signed[i] = map[string]bool{}
					for n := range uint64(proposals) {
						b := ballot(n, gov.Support((uint64(i)+n)%3))
						if c.of(i).Sign(t.Context(), b, func() error { return nil }) == nil {
							signed[i][fmt.Sprintf("%d:%d", n, b.Support)] = true
						}
					}
				})
			}
			wg.Wait()
			agreed(t, signed, proposals)
		})
	}
}

// agreed demands exactly one way for each proposal over all callers.
func agreed(t *testing.T, signed []map[string]bool, proposals int) {
	t.Helper()
	all := map[string]bool{}
	for _, s := range signed {
		maps.Copy(all, s)
	}
	if len(all) != proposals {
		t.Errorf("signed %v: want one way for each of %d proposals", slices.Sorted(maps.Keys(all)), proposals)
	}
}

// unlocked is a disk whose lock holds nobody back.
type unlocked struct{ disk }

func (unlocked) lock() (func() error, error) { return func() error { return nil }, nil }

// TestG02Processes: the same with processes, the way two daemons of one key meet on a host.
func TestG02Processes(t *testing.T) {
	const proposals = 8
	if path := os.Getenv("LEGATE_LEDGER_TEST"); path != "" {
		l, err := Open(path, voter)
		must(t, err)
		var seed uint64
		fmt.Sscan(os.Getenv("LEGATE_LEDGER_SEED"), &seed)
		for n := range uint64(proposals) {
			b := ballot(n, gov.Support((seed+n)%3))
			if _, err := signs(t, l, b); err == nil {
				fmt.Printf("signed %d:%d\n", n, b.Support)
			} else if !errors.Is(err, ErrDifferent) {
				t.Fatal(err)
			}
		}
		return
	}
	_, path := made(t)
	signed := make([]map[string]bool, 6)
	var wg sync.WaitGroup
	for i := range signed {
		wg.Go(func() {
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestG02Processes$")
			cmd.Env = append(os.Environ(), "LEGATE_LEDGER_TEST="+path, fmt.Sprintf("LEGATE_LEDGER_SEED=%d", i))
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Errorf("process %d: %v\n%s", i, err, out)
			}
			signed[i] = map[string]bool{}
			for _, line := range strings.Split(string(out), "\n") {
				if s, ok := strings.CutPrefix(line, "signed "); ok {
					signed[i][s] = true
				}
			}
		})
	}
	wg.Wait()
	agreed(t, signed, proposals)
}

func TestExchange(t *testing.T) {
	from, path := made(t)
	mustSign(t, from, ballot(1, 1))
	mustSign(t, from, ballot(2, 0))
	var out bytes.Buffer
	must(t, Export(path, &out))
	text := out.String()

	to, toPath := made(t)
	mustSign(t, to, ballot(2, 1))
	added, err := to.Import(t.Context(), strings.NewReader(text))
	if err != nil || added != 2 {
		t.Fatalf("added %d, %v", added, err)
	}
	if to.Holds(ballot(1, 1)) {
		t.Error("an imported vote passes for one that was fresh here")
	}
	mustSign(t, to, ballot(1, 1))
	for _, b := range []gov.Ballot{ballot(1, 0), ballot(2, 0), ballot(2, 1)} {
		if _, err := signs(t, to, b); !errors.Is(err, ErrDifferent) {
			t.Errorf("%s %s: %v, want ErrDifferent", b.Proposal, b.Support, err)
		}
	}
	if added, err := to.Import(t.Context(), strings.NewReader(text)); err != nil || added != 0 {
		t.Errorf("again: added %d, %v", added, err)
	}
	if _, err := Open(toPath, voter); err != nil {
		t.Errorf("after the import: %v", err)
	}
	for name, bad := range map[string]string{
		"another voter": strings.Replace(text, voter.Hex(), gov.Address{5}.Hex(), 1),
		"version":       strings.Replace(text, `"version": 1`, `"version": 2`, 1),
		"unknown key":   strings.Replace(text, `"version": 1`, `"version": 1, "x": 2`, 1),
		"two documents": text + text,
		"hold":          strings.Replace(text, `"support": "for"`, `"support": "hold"`, 1),
		"cut":           text[:len(text)/2],
	} {
		if _, err := to.Import(t.Context(), strings.NewReader(bad)); err == nil {
			t.Errorf("%s: imported", name)
		}
	}
}

// FuzzPages: whatever the file holds, it is read or refused, and what is read is written the same.
func FuzzPages(f *testing.F) {
	l, path := made(f)
	if err := l.Lock(context.Background(), ballot(1, 1)); err != nil {
		f.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(path, votesFile))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add([]byte("legate-ledger 1 \n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		p, err := parsePages(raw)
		if err != nil {
			return
		}
		if got := p.encode(); !bytes.Equal(got, raw[:len(raw)-p.tail]) || int64(len(got)) != p.size {
			t.Errorf("read %q, written %q", raw, got)
		}
	})
}

// clutching is a disk whose lock cannot be let go.
type clutching struct{ disk }

var errClutch = errors.New("input/output error")

func (c clutching) lock() (func() error, error) {
	unlock, err := c.disk.lock()
	return func() error { return errors.Join(unlock(), errClutch) }, err
}

// A ledger is not created while its lock may still be held.
func TestG03CreateTellsOfItsLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger")
	must(t, makeFolder(path))
	l := &Ledger{disk: clutching{folder{path, os.Geteuid()}}, voter: voter}
	if err := l.create(); !errors.Is(err, errClutch) {
		t.Errorf("created with: %v", err)
	}
}

// full is a disk that takes names and no bytes.
type full struct{ disk }

func (f full) create(name string) (file, error) {
	h, err := f.disk.create(name)
	return faultyFile{h, &faulty{disk: f.disk, at: 1, mode: halfThenNo}, name}, err
}

// The stop switch works on a full disk, also where it was used before.
func TestG40FreezeOnAFullDisk(t *testing.T) {
	m := &memory{files: map[string][]byte{}}
	if _, frozen := isFrozen(m); frozen {
		t.Fatal("frozen before")
	}
	for range 2 {
		if err := freeze(full{m}, "I want to look first"); err != nil {
			t.Fatal(err)
		}
		if _, frozen := isFrozen(m); !frozen {
			t.Fatal("not frozen")
		}
	}
	if err := freeze(m, "there is room"); err != nil {
		t.Fatal(err)
	}
	if why, frozen := isFrozen(m); !frozen || why != "there is room" {
		t.Errorf("%v %q", frozen, why)
	}
}
