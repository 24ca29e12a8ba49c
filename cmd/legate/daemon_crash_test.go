package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common/hexutil"

	"github.com/legate-dao/legate/chains/chaintest"
	"github.com/legate-dao/legate/chains/devchain"
)

// crash is one moment at which the daemon is killed, found from outside: by what it asks of the node, by the
// records that it stores and by the ledger that it writes.
type crash struct {
	step int
	name string
	// how says for people what the kill is triggered by.
	how string
	// reach makes blocks until the moment is there. The daemon then stands still at it, or has just passed it.
	reach func(k *killing)
	// last is the last record that the store must have then; empty where the step itself is a record.
	last string
}

// crashes are the 14 steps of GUARANTEES.md; in odd rounds at a second moment of the same step.
func crashes(round int) []crash {
	odd := round%2 == 1
	either := func(even, other crash) crash {
		if odd {
			return other
		}
		return even
	}
	again := 1 + round%2 // facts are gathered and decided on twice: when seen, and right before signing
	return []crash{
		{1, "block seen", "next call after the answer to eth_getBlockByNumber with the proposal's block", (*killing).blockSeen, "none"},
		{2, "block verified", "all calls of the poll with the proposal's log are answered; another process holds the store's write lock", (*killing).blockVerified, "none"},
		record(3, "proposal stored", "WasSeen", 1),
		{4, "facts gathered", "the last read of the gathering is answered; another process holds the store's write lock", (*killing).factsGathered, "WasPreviewed"},
		record(5, "facts frozen with digest", "WasGathered", again),
		record(6, "direction computed", "WasDecided", again),
		record(7, "gate and judge done", "WasGated", again),
		record(8, "decision logged", "WasLocked", 1),
		{9, "ledger line durable", "the vote's line is in the ledger; the store takes no WasSigned", func(k *killing) { k.signed(0) }, "WasLocked"},
		{10, "signed", "0.2 s after the vote's line is in the ledger; the store takes no WasSigned", func(k *killing) { k.signed(200 * time.Millisecond) }, "WasLocked"},
		either(record(11, "raw bytes stored", "WasSigned", 1),
			crash{11, "raw bytes stored", "eth_sendRawTransaction arrives and is not passed on", func(k *killing) { k.call("eth_sendRawTransaction") }, "WasSigned"}),
		either(crash{12, "broadcast", "the node took eth_sendRawTransaction, the answer is kept back", func(k *killing) { k.answer("eth_sendRawTransaction") }, "WasSigned"},
			record(12, "broadcast", "WasSent", 1)),
		either(crash{13, "mined", "the answer to eth_getTransactionReceipt with the receipt is kept back", func(k *killing) { k.answer("eth_getTransactionReceipt") }, "WasSent"},
			record(13, "mined", "WasMined", 1)),
		either(record(14, "final", "WasFinal", 1),
			crash{14, "final", "the answer to eth_getTransactionReceipt of a final block is kept back", (*killing).finalReceipt, "WasMined"}),
	}
}

func record(step int, name, kind string, nth int) crash {
	how := "record " + kind
	if nth > 1 {
		how += ", the second"
	}
	return crash{step, name, how, func(k *killing) { k.record(kind, nth) }, ""}
}

// TestG01NoDoubleVoteAtEachStep kills the daemon with SIGKILL at each of the 14 steps, starts it again, and reads
// from the chain that the vote counts once with the support that was decided.
func TestG01NoDoubleVoteAtEachStep(t *testing.T) {
	from, to := 0, 2
	if soak := os.Getenv("LEGATE_SOAK"); soak != "" {
		if _, err := fmt.Sscanf(soak, "%d:%d", &from, &to); err != nil {
			t.Fatalf("LEGATE_SOAK=%q, want FROM:TO: %v", soak, err)
		}
	}
	kills := 0
	for round := from; round < to; {
		s := newSite(t, "harbor") // a new chain every second round: anvil gets slow with height
		proxy := chaintest.NewProxy(t, s.url)
		h := newHome(t, s, setup{rpc: []string{proxy.URL()}})
		h.start("--live")
		votes := 0
		for end := min(round+2, to); round < end; round++ {
			list := crashes(round)
			first := 9 + round/2 // the first vote of a key makes its ledger: begin with step 10, then with others
			for i := range list {
				c := list[(first+i)%len(list)]
				k := &killing{home: h, proxy: proxy, crash: c, round: round}
				k.run()
				votes++
				kills++
			}
		}
		if sent := s.sent(); sent != uint64(votes) {
			t.Fatalf("the key made %d transactions for %d votes", sent, votes)
		}
		h.interrupt()
	}
	t.Logf("n=%d kills, rounds %d to %d: each vote counted once with the right support, none lost", kills, from, to-1)
}

// killing is one kill and what comes after it.
type killing struct {
	*home
	proxy  *chaintest.Proxy
	crash  crash
	round  int
	motion motion
	want   devchain.Support
	lock   *sql.Tx
	open   []*sql.DB
}

func (k *killing) run() {
	k.t.Helper()
	k.want = devchain.Support((k.crash.step + k.round) % 2) // against, for
	if k.crash.name == "gate and judge done" {
		k.want = devchain.For // only a For asks the gate
	}
	began := time.Now()
	k.crash.reach(k)
	k.kill()
	k.release()
	k.proxy.Set(chaintest.Faults{})
	before := k.records(k.motion)
	k.hasPassed(before)
	k.fsck()
	k.start("--live")
	k.final(k.motion, k.want)
	k.fsck()
	if n := howMany(k.records(k.motion), "WasLocked"); n != 1 {
		k.t.Fatalf("%s was locked %d times", k.motion.id, n)
	}
	k.t.Logf("round %d step %2d %s: killed at: %s (records: %s); then support %d once, %.1f s",
		k.round, k.crash.step, k.crash.name, k.crash.how, strings.Join(before, " "), k.want, time.Since(began).Seconds())
}

func howMany(list []string, kind string) (n int) {
	for _, s := range list {
		if s == kind {
			n++
		}
	}
	return n
}

// hasPassed demands that the kill came where it should. Records that may come at any time do not count.
func (k *killing) hasPassed(records []string) {
	k.t.Helper()
	last := "none"
	for _, r := range records {
		if r != "WasBriefed" && r != "WasChanged" && r != "WasReminded" {
			last = r
		}
	}
	if want := k.crash.last; want != "" && last != want {
		k.t.Fatalf("step %d: the last record is %s, want %s: the kill came at another moment", k.crash.step, last, want)
	}
}

// propose makes the proposal of this kill.
func (k *killing) propose() {
	k.t.Helper()
	action, text := k.site.grant("harbor"), "A grant"
	if k.want == devchain.Against {
		action, text = k.site.drain("harbor"), "Maintenance"
	}
	k.motion = k.site.propose("harbor", text, action)
}

// mineUntil makes blocks, one when nothing moves for a while, until something is true. It looks every
// millisecond, so that the daemon is killed before its next step.
func (k *killing) mineUntil(ok func() bool) {
	k.t.Helper()
	moved, mined := time.Now(), 0
	for end := time.Now().Add(time.Minute); !ok(); pause(k.t.Context(), time.Millisecond) {
		if time.Now().After(end) {
			k.t.Fatalf("step %d %s was not reached: %s; records %v", k.crash.step, k.crash.name, k.crash.how, k.records(k.motion))
		}
		// ever slower, so that a busy machine does not see the window close
		if k.lock == nil && time.Since(moved) > 250*time.Millisecond+time.Duration(mined)*10*time.Millisecond {
			k.site.mine(1)
			moved = time.Now()
			mined++
		}
	}
}

// record waits for the nth record of a kind.
func (k *killing) record(kind string, nth int) {
	k.t.Helper()
	k.propose()
	k.mineUntil(k.stored(kind, nth))
}

// stored says whether the nth record of a kind is in the store.
func (k *killing) stored(kind string, nth int) func() bool {
	db := k.sql("ro")
	k.open = append(k.open, db)
	return func() bool {
		var n int
		must(k.t, db.QueryRowContext(k.t.Context(), "SELECT COUNT(*) FROM records WHERE proposal = ? AND type = ?", k.motion.id.String(), kind).Scan(&n))
		return n >= nth
	}
}

// mark is raised once.
type mark struct {
	mu     sync.Mutex
	raised bool
}

// once raises the mark after f, the first time.
func (f *mark) once(first func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.raised {
		first()
		f.raised = true
	}
}

func (f *mark) is() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.raised
}

// held stops the proxy's calls or answers for which a test says so, until the daemon is gone.
type held struct {
	mark
	dead <-chan struct{}
}

// stop keeps the caller until the daemon is gone; then the connection is cut.
func (h *held) stop() {
	h.once(func() {})
	<-h.dead
	panic(http.ErrAbortHandler)
}

// call waits for a call that arrives at the node, and keeps it from the node.
func (k *killing) call(method string) {
	k.t.Helper()
	h := &held{dead: k.exited}
	k.proxy.Set(chaintest.Faults{BeforeCall: func(m string) {
		if m == method {
			h.stop()
		}
	}})
	k.propose()
	k.mineUntil(h.is)
}

// answer waits for an answer that is not null, and keeps it back.
func (k *killing) answer(method string) {
	k.t.Helper()
	h := &held{dead: k.exited}
	k.proxy.Set(chaintest.Faults{Rewrite: func(m string, _ []json.RawMessage, result json.RawMessage) json.RawMessage {
		if m == method && string(result) != "null" {
			h.stop()
		}
		return result
	}})
	k.propose()
	k.mineUntil(h.is)
}

// after waits for an answer of which ok says so, lets it pass, and keeps the next call.
func (k *killing) after(ok func(method string, result json.RawMessage) bool) {
	k.t.Helper()
	h, passed := &held{dead: k.exited}, &mark{}
	k.proxy.Set(chaintest.Faults{
		BeforeCall: func(string) {
			if passed.is() {
				h.stop()
			}
		},
		Rewrite: func(m string, _ []json.RawMessage, result json.RawMessage) json.RawMessage {
			if ok(m, result) {
				passed.once(func() {})
			}
			return result
		},
	})
	k.propose()
	k.mineUntil(h.is)
}

func (k *killing) blockSeen() {
	block := k.site.height() + 1
	k.after(func(method string, result json.RawMessage) bool {
		var head struct{ Number hexutil.Uint64 }
		return method == "eth_getBlockByNumber" && json.Unmarshal(result, &head) == nil && uint64(head.Number) >= block
	})
}

func (k *killing) blockVerified() {
	k.t.Helper()
	block, taken := k.site.height()+1, &mark{}
	k.proxy.Set(chaintest.Faults{Rewrite: func(m string, _ []json.RawMessage, result json.RawMessage) json.RawMessage {
		var logs []struct{ BlockNumber hexutil.Uint64 }
		if m == "eth_getLogs" && json.Unmarshal(result, &logs) == nil && len(logs) > 0 && uint64(logs[0].BlockNumber) >= block {
			taken.once(k.takeLock)
		}
		return result
	}})
	k.propose()
	k.mineUntil(taken.is)
	k.silence()
}

// finalReceipt waits until the vote is mined, makes it final and keeps back the receipt that says so.
func (k *killing) finalReceipt() {
	k.t.Helper()
	k.record("WasMined", 1)
	h := &held{dead: k.exited}
	k.proxy.Set(chaintest.Faults{Rewrite: func(m string, _ []json.RawMessage, result json.RawMessage) json.RawMessage {
		var receipt *struct{ BlockNumber hexutil.Uint64 }
		if m == "eth_getTransactionReceipt" && json.Unmarshal(result, &receipt) == nil && receipt != nil {
			if head, err := k.site.deployer.Client.BlockNumber(context.Background()); err == nil && head >= uint64(receipt.BlockNumber)+2 {
				h.stop()
			}
		}
		return result
	}})
	k.mineUntil(h.is)
}

// takeLock takes the store's write lock, as any other process could for a while: the daemon goes on, and
// what it did is not stored.
func (k *killing) takeLock() {
	db, err := sql.Open("sqlite3", "file:"+k.path("legate.db")+"?_busy_timeout=10000&_txlock=immediate")
	if err != nil {
		panic(err)
	}
	k.open = append(k.open, db)
	if k.lock, err = db.Begin(); err != nil {
		panic(err)
	}
}

// store changes the store from outside, as any other process could.
func (k *killing) store(statement string) {
	db, err := sql.Open("sqlite3", "file:"+k.path("legate.db")+"?_busy_timeout=10000&_txlock=immediate")
	if err != nil {
		panic(err)
	}
	defer db.Close()
	if _, err := db.Exec(statement); err != nil {
		panic(err)
	}
}

func (k *killing) release() {
	k.t.Helper()
	if k.lock != nil {
		must(k.t, k.lock.Rollback())
		k.lock = nil
	}
	for _, db := range k.open {
		must(k.t, db.Close())
	}
	k.open = nil
	k.store("DROP TRIGGER IF EXISTS held")
}

// lockAt takes the write lock at the first call of a method after a record, before the node gets the call.
func (k *killing) lockAt(method, kind string) (locked func() bool) {
	stored, taken := k.stored(kind, 1), &mark{}
	k.proxy.Set(chaintest.Faults{BeforeCall: func(m string) {
		if m == method && stored() {
			taken.once(k.takeLock)
		}
	}})
	return taken.is
}

// silence waits until the daemon has asked nothing for a while.
func (k *killing) silence() {
	k.t.Helper()
	quiet, seen := time.Now(), k.proxy.Calls("")
	k.mineUntil(func() bool {
		if n := k.proxy.Calls(""); n != seen {
			quiet, seen = time.Now(), n
		}
		return time.Since(quiet) > 300*time.Millisecond
	})
}

// factsGathered waits until the gathering at a final block has read all that it reads.
func (k *killing) factsGathered() {
	k.t.Helper()
	k.propose() // its block is not final yet: only a preview is made
	preview := k.stored("WasPreviewed", 1)
	for end := time.Now().Add(10 * time.Second); !preview() && time.Now().Before(end); {
		pause(k.t.Context(), time.Millisecond)
	}
	locked := k.lockAt("eth_createAccessList", "WasPreviewed")
	k.site.mine(2)
	k.mineUntil(locked)
	k.silence()
}

// signed waits until the ledger has the vote, and a while. The signature exists then, or is about to, and is
// not stored.
func (k *killing) signed(wait time.Duration) {
	k.t.Helper()
	lines := func() int {
		text, err := os.ReadFile(k.path("ledger/votes"))
		if err != nil && !os.IsNotExist(err) {
			k.t.Fatal(err)
		}
		return strings.Count(string(text), " vote ")
	}
	k.propose()
	before := lines()
	stored, refused := k.stored("WasLocked", 1), &mark{}
	k.proxy.Set(chaintest.Faults{BeforeCall: func(m string) {
		if m == "eth_estimateGas" && stored() {
			refused.once(func() {
				k.store("CREATE TRIGGER held BEFORE INSERT ON records WHEN NEW.type = 'WasSigned' BEGIN SELECT RAISE(ABORT, 'held'); END")
			})
		}
	}})
	k.mineUntil(refused.is)
	k.mineUntil(func() bool { return lines() > before })
	pause(k.t.Context(), wait)
	if !slices.Contains(k.records(k.motion), "WasLocked") {
		k.t.Fatal("signed before it was locked")
	}
}
