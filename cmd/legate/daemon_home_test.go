package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/journal"
	"github.com/legate-dao/legate/chains/devchain"
)

// program is the path of the built binary, made once a run.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "legate-test-")
	if err != nil {
		return "", err
	}
	programDir = dir
	path := filepath.Join(dir, "legate")
	out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build legate: %w\n%s", err, out)
	}
	return path, nil
})

var programDir string

func TestMain(m *testing.M) {
	code := m.Run()
	if programDir != "" {
		os.RemoveAll(programDir)
	}
	os.Exit(code)
}

// home is a folder as an operator makes it, and the daemon that runs in it.
type home struct {
	t    *testing.T
	site *site
	dir  string
	*daemon
	runs int // daemons so far
}

// setup is what an operator chose. Zero values take what is usual.
type setup struct {
	rpc       []string // addresses for calls; the site's own
	agree     int
	finality  int      // blocks; 2
	governors []string // the site's
	approver  int      // account of voter.approvers; accountHand
	live      bool
	edit      func(files map[string]string) // last, over all files
}

// testPassphrase encrypts all keystores of these tests. It is no secret, but no output may repeat it (G07).
var testPassphrase = hex.EncodeToString([]byte("legate test passphrase"))

// newHome writes the files of an operator.
func newHome(t *testing.T, s *site, c setup) *home {
	t.Helper()
	h := &home{t: t, site: s, dir: t.TempDir()}
	if len(c.rpc) == 0 {
		c.rpc = []string{s.url}
	}
	if c.governors == nil {
		c.governors = s.names
	}
	if c.approver == 0 {
		c.approver = accountHand
	}
	files := map[string]string{
		"legate.yaml":   configText(s, c),
		"policies.yaml": policyText(t, s, c),
		"passphrase":    testPassphrase + "\n",
	}
	w := &demoWorld{deployer: s.deployer}
	for _, name := range c.governors {
		dao := s.daos[name]
		files[name+"-book.yaml"] = may(w.bookText(t.Context(), dao))(t)
		files[name+"-prices.csv"] = fmt.Sprintf("token,usd\nnative,3000\n%s,4\n%s,1\n", dao.Token, dao.Stable)
	}
	if c.edit != nil {
		c.edit(files)
	}
	for name, text := range files {
		h.write(name, text)
	}
	for name, account := range map[string]int{"voter.json": accountVoter, "hand.json": c.approver, "stranger.json": accountAttacker} {
		must(t, writeKey(filepath.Join(h.dir, name), devchain.Account(account), testPassphrase, true))
	}
	return h
}

func (h *home) write(name, text string) {
	h.t.Helper()
	must(h.t, os.WriteFile(filepath.Join(h.dir, name), []byte(text), 0o600))
}

func (h *home) path(name string) string { return filepath.Join(h.dir, name) }

// configText is legate.yaml. Finality is a number of blocks: anvil has none of its own.
func configText(s *site, c setup) string {
	var b strings.Builder
	fmt.Fprintf(&b, "version: 1\nstore: sqlite:legate.db\nchains:\n  %s:\n    rpc:\n", s.chain)
	for i, url := range c.rpc {
		if i == 0 {
			fmt.Fprintf(&b, "      - {http: %q, ws: %q}\n", url, s.ws())
			continue
		}
		fmt.Fprintf(&b, "      - %q\n", url)
	}
	if c.agree > 0 {
		fmt.Fprintf(&b, "    agree: %d\n", c.agree)
	}
	if c.finality == 0 {
		c.finality = 2
	}
	fmt.Fprintf(&b, "    finality: %d\n    poll: 1s\ngovernors:\n", c.finality)
	for _, name := range c.governors {
		dao := s.daos[name]
		fmt.Fprintf(&b, "  - name: %s\n    address: %s:%s\n    from_block: 1\n    treasury: [%q]\n    tokens: [%q]\n    prices: %s-prices.csv\n    book: %s-book.yaml\n",
			name, s.chain, dao.Governor, dao.Treasury, dao.Stable, name, name)
	}
	fmt.Fprintf(&b, "voter:\n  key: keystore:voter.json\n  passphrase: file:passphrase\n  ledger: ledger/\n  approvers: [%q]\n  live: %t\n",
		devchain.Address(c.approver), c.live)
	fmt.Fprint(&b, "policies: policies.yaml\nmodel: {endpoint: none}\nweb: {listen: \"127.0.0.1:0\"}\nlog: {format: json}\n")
	return b.String()
}

// policyText is policies.example.yaml with this site's names, no wait, room for many votes, and a rule that
// abstains.
func policyText(t *testing.T, s *site, c setup) string {
	t.Helper()
	text := string(may(os.ReadFile("../../policies.example.yaml"))(t))
	for _, r := range []struct{ old, new string }{
		{"eip155:31337:0x1811957E997c7B19D0d00bBcD0c793BFdC5Ec99A", fmt.Sprintf("%s:%s", s.chain, devchain.Address(accountHolder))},
		{"[harbor, meadow]", "[" + strings.Join(c.governors, ", ") + "]"},
		{"{wait: 6h, latest: 12h, if_too_short: hold}", "{wait: 0s, latest: 2m, if_too_short: hold}"},
		{"{fee_per_vote: 0.01 ETH, fee_per_day: 0.05 ETH, votes_per_day: 20}", "{fee_per_vote: 0.01 ETH, fee_per_day: 100 ETH, votes_per_day: 10000}"},
		{"      - name: small-grant\n", "      - name: looser-parameters\n        vote: abstain\n        when: only(\"parameter\") && params.exists(p, p.direction == \"looser\")\n        because: the holder does not judge market risk\n      - name: small-grant\n"},
	} {
		if !strings.Contains(text, r.old) {
			t.Fatalf("policies.example.yaml has no %q any more: adapt the tests", r.old)
		}
		text = strings.ReplaceAll(text, r.old, r.new)
	}
	return text
}

// daemon is one process of `legate run`.
type daemon struct {
	cmd    *exec.Cmd
	api    string
	out    *output
	exited chan struct{}
	err    error // after exited
}

// output is what a process has printed so far; it may be read while the process writes.
type output struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.all.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.all.String()
}

// logLine is one line of the JSON log.
type logLine struct {
	Level, Msg, API, Mode, Proposal, Why, Error string
}

func (o *output) lines() (out []logLine) {
	for line := range strings.Lines(o.String()) {
		var l logLine
		if json.Unmarshal([]byte(line), &l) == nil {
			out = append(out, l)
		}
	}
	return out
}

// start starts `legate run` and waits until it says so.
func (h *home) start(args ...string) {
	h.t.Helper()
	h.launch(args...)
	if !h.await(20*time.Second, func() bool { return h.started() || h.ended() }) || !h.started() {
		h.t.Fatalf("legate run did not start:\n%s", h.out)
	}
}

// launch starts `legate run`, whatever comes of it.
func (h *home) launch(args ...string) {
	h.t.Helper()
	d := &daemon{out: &output{}, exited: make(chan struct{})}
	d.cmd = exec.Command(may(program())(h.t), append([]string{"run", "-c", h.path("legate.yaml")}, args...)...)
	d.cmd.Stdout, d.cmd.Stderr, d.cmd.WaitDelay = d.out, d.out, time.Second
	must(h.t, d.cmd.Start())
	go func() { d.err = d.cmd.Wait(); close(d.exited) }()
	h.daemon = d
	h.runs++
	run := h.runs
	h.t.Cleanup(func() {
		d.kill()
		if h.t.Failed() && run > h.runs-2 {
			h.t.Logf("log of daemon %d of this home:\n%s", run, tail(d.out.String(), 12_000))
		}
		if strings.Contains(d.out.String(), testPassphrase) {
			h.t.Error("G07: the log of the daemon has the passphrase in it")
		}
	})
}

func tail(s string, n int) string {
	if len(s) > n {
		return "…" + s[len(s)-n:]
	}
	return s
}

func (d *daemon) started() bool {
	for _, l := range d.out.lines() {
		if l.Msg == "started" {
			d.api = l.API
			return true
		}
	}
	return false
}

func (d *daemon) ended() bool {
	select {
	case <-d.exited:
		return true
	default:
		return false
	}
}

// kill ends the process with SIGKILL: no handler of it runs.
func (d *daemon) kill() {
	_ = d.cmd.Process.Signal(syscall.SIGKILL) // it may have ended
	<-d.exited
}

// status is the exit status, -1 where a signal ended it.
func (d *daemon) status() int {
	<-d.exited
	var exit *exec.ExitError
	if errors.As(d.err, &exit) {
		return exit.ExitCode()
	}
	return 0
}

// interrupt ends the daemon as Ctrl-C does and demands status 0 within ten seconds.
func (h *home) interrupt() {
	h.t.Helper()
	must(h.t, h.cmd.Process.Signal(os.Interrupt))
	select {
	case <-h.exited:
	case <-time.After(10 * time.Second):
		h.t.Fatalf("the daemon did not end within 10 s of SIGINT")
	}
	if got := h.status(); got != 0 {
		h.t.Fatalf("status %d after SIGINT, want 0", got)
	}
}

// await waits until something is true.
func (h *home) await(limit time.Duration, ok func() bool) bool {
	for end := time.Now().Add(limit); time.Now().Before(end); pause(h.t.Context(), 5*time.Millisecond) {
		if ok() {
			return true
		}
	}
	return ok()
}

// legate runs another command beside the daemon, in the folder of the home.
func (h *home) legate(status int, args ...string) (stdout, stderr string) {
	h.t.Helper()
	var out, errs bytes.Buffer
	cmd := exec.Command(may(program())(h.t), args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = h.dir, &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		h.t.Fatal(err)
	}
	if got := cmd.ProcessState.ExitCode(); got != status {
		h.t.Fatalf("legate %s: status %d, want %d\n%s%s", strings.Join(args, " "), got, status, &out, &errs)
	}
	return out.String(), errs.String()
}

// fsck demands that ledger and journal are whole.
func (h *home) fsck() {
	h.t.Helper()
	h.legate(0, "journal", "fsck")
	if _, err := os.Stat(h.path("ledger")); err == nil {
		h.legate(0, "ledger", "fsck")
	}
}

// refuses demands that `legate run` ends with status 3 and says all of this.
func (h *home) refuses(args []string, want ...string) string {
	h.t.Helper()
	h.launch(args...)
	select {
	case <-h.exited:
	case <-time.After(30 * time.Second):
		h.t.Fatalf("legate run goes on, but should refuse with %q", want)
	}
	text := h.out.String()
	if got := h.status(); got != exitFail {
		h.t.Fatalf("status %d, want %d:\n%s", got, exitFail, text)
	}
	for _, w := range want {
		if !strings.Contains(text, w) {
			h.t.Fatalf("the error does not say %q:\n%s", w, text)
		}
	}
	if strings.Contains(text, "panic") || strings.Contains(text, "goroutine ") {
		h.t.Fatalf("it crashed:\n%s", text)
	}
	return text
}

// dossier is what the store has of a proposal; false before the first record.
func (h *home) dossier(m motion) (dossier.Dossier, bool) {
	h.t.Helper()
	db, err := journal.Open(h.t.Context(), "sqlite:legate.db", h.dir, journal.Command)
	must(h.t, err)
	defer db.Close()
	d, err := db.Load(h.t.Context(), m.id)
	if errors.Is(err, journal.ErrUnknown) {
		return d, false
	}
	must(h.t, err)
	return d, true
}

// records are the types of a proposal's records, in order.
func (h *home) records(m motion) (out []string) {
	h.t.Helper()
	db := h.sql("ro")
	defer db.Close()
	rows, err := db.QueryContext(h.t.Context(), "SELECT type FROM records WHERE proposal = ? ORDER BY seq", m.id.String())
	must(h.t, err)
	defer rows.Close()
	for rows.Next() {
		var kind string
		must(h.t, rows.Scan(&kind))
		out = append(out, kind)
	}
	must(h.t, rows.Err())
	return out
}

// sql opens the store beside the daemon, as any other process could.
func (h *home) sql(mode string) *sql.DB {
	h.t.Helper()
	db, err := sql.Open("sqlite3", "file:"+h.path("legate.db")+"?_busy_timeout=10000&mode="+mode)
	must(h.t, err)
	db.SetMaxOpenConns(1)
	return db
}

// until mines block after block until the store says that a vote has a status.
func (h *home) until(m motion, want ...gov.VoteStatus) dossier.Dossier {
	h.t.Helper()
	var d dossier.Dossier
	for end := time.Now().Add(60 * time.Second); time.Now().Before(end); {
		d, _ = h.dossier(m)
		if slices.Contains(want, d.Vote.Status) {
			return d
		}
		if h.ended() {
			h.t.Fatalf("the daemon ended:\n%s", h.out)
		}
		before := d.Seq
		h.site.mine(1)
		h.await(400*time.Millisecond, func() bool { d, _ = h.dossier(m); return d.Seq > before })
	}
	h.t.Fatalf("%s: the vote is %q at stage %s, want one of %q; records %v", m.id, d.Vote.Status, d.Stage, want, h.records(m))
	return d
}

// final mines until a vote is final, and demands that the store and the chain agree about it.
func (h *home) final(m motion, want devchain.Support) dossier.Dossier {
	h.t.Helper()
	d := h.until(m, gov.VoteFinal)
	c := h.site.counted(m, want)
	if d.Vote.Tx != c.tx || d.Vote.Block.Number != c.block {
		h.t.Fatalf("%s: the store says transaction %s in block %d, the chain %s in block %d", m.id, d.Vote.Tx, d.Vote.Block.Number, c.tx, c.block)
	}
	return d
}

// get reads a path of the API.
func (h *home) get(path string) (int, string) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, h.api+path, nil)
	must(h.t, err)
	resp, err := http.DefaultClient.Do(req)
	must(h.t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	must(h.t, err)
	return resp.StatusCode, string(body)
}
