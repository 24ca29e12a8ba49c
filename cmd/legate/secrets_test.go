package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/legate-dao/legate/chains/chaintest"
	"github.com/legate-dao/legate/chains/devchain"
)

// The canaries: an API key inside an endpoint's address, a passphrase and a token.
const (
	canaryKey   = "c4n4ry-4p1-k3y-0f-4n-3ndp01nt"
	canaryPass  = "c4n4ry p4ssphr4s3 0f th3 v0t3r"
	canaryToken = "c4n4ry-t0k3n-0f-th3-4p1-which-is-long"
)

// TestG07NothingShowsASecret: API key, passphrase, token and private key are in no output of any command, no log
// at debug, no file but the key's own, and no crash.
func TestG07NothingShowsASecret(t *testing.T) {
	binary, err := program() // before the folder is left
	if err != nil {
		t.Fatal(err)
	}
	w, proposals := demoFolder(t)
	proxy := chaintest.NewProxy(t, w.chain.HTTP())
	t.Setenv("LEGATE_CANARY_RPC", proxy.URL()+"/v2/"+canaryKey+"?apikey="+canaryKey)
	t.Setenv("LEGATE_CANARY_PASS", canaryPass)
	t.Setenv("LEGATE_CANARY_TOKEN", canaryToken)
	if err := os.Remove("voter.json"); err != nil {
		t.Fatal(err)
	}
	voter := devchain.Account(accountVoter)
	if err := writeKey("voter.json", voter, canaryPass, true); err != nil {
		t.Fatal(err)
	}
	edit(t, "legate.yaml", fmt.Sprintf("[{http: %q, ws: %q}]", w.chain.HTTP(), w.chain.WS()),
		fmt.Sprintf(`["env:LEGATE_CANARY_RPC", "http://me:%s@127.0.0.1:1/v2/%s"]`, canaryKey, canaryKey)+"\n    agree: 1")
	edit(t, "legate.yaml", "file:passphrase", "env:LEGATE_CANARY_PASS")
	edit(t, "legate.yaml", `web: {listen: "127.0.0.1:0"}`, `web: {listen: "127.0.0.1:0", token: "env:LEGATE_CANARY_TOKEN"}`)
	edit(t, "legate.yaml", "log: {level: warn}", "log: {level: debug, format: json}")

	secrets := []string{canaryKey, canaryPass, canaryToken, fmt.Sprintf("%x", voter.D), fmt.Sprintf("%X", voter.D), voter.D.String()}
	n := 0
	look := func(what, text string) {
		t.Helper()
		n++
		for _, s := range secrets {
			if i := strings.Index(text, s); i >= 0 {
				t.Errorf("%s shows %.10s…: …%s", what, s, text[max(0, i-80):i])
			}
		}
	}
	command := func(args ...string) {
		t.Helper()
		var out, errs bytes.Buffer
		run(t.Context(), args, &out, &errs)
		if out.Len()+errs.Len() == 0 {
			t.Errorf("%v says nothing", args)
		}
		look(strings.Join(args, " "), out.String()+errs.String())
	}

	id := demoID(t, w, proposals, 0)
	dryRun := []string{"dry-run", "--governor", id.Governor.Hex(), "--proposal", id.Number.String()}
	broken := func() {
		command("doctor")
		command("doctor", "--json")
		command("run", "--live")
		command("run")
		command(append(dryRun, "--config", "legate.yaml")...)
		command(append(dryRun, "--rpc", "env:LEGATE_CANARY_RPC")...)
		command(append(dryRun, "--rpc", proxy.URL()+"/"+canaryKey)...)
		command("book", "diff")
	}
	for _, f := range []chaintest.Faults{{Status: 401, Page: "your key {path} is not known"}, {HTML: true, Page: "<p>{path}</p>"}, {Down: true}, {ChainID: 5}, {Pruned: true}} {
		if f.Pruned { // this one starts; a wrong passphrase stops it
			t.Setenv("LEGATE_CANARY_PASS", canaryPass+" not")
		}
		proxy.Set(f)
		broken()
	}
	t.Setenv("LEGATE_CANARY_PASS", canaryPass)
	proxy.Set(chaintest.Faults{})
	text, err := os.ReadFile("legate.yaml")
	if err != nil {
		t.Fatal(err)
	}
	write(t, "mistaken.yaml", strings.Replace(string(text), "env:LEGATE_CANARY_PASS", canaryPass, 1))
	command("run", "-c", "mistaken.yaml")
	command("doctor", "-c", "mistaken.yaml")
	if err := os.Remove("mistaken.yaml"); err != nil {
		t.Fatal(err)
	}

	// a daemon that has the key open, until it crashes
	command("freeze", "so that nothing is signed on the shared chain")
	look("a crash of the daemon", crashOfDaemon(t, binary))
	command("doctor")
	command("proposals")
	for i := range proposals {
		command("show", demoID(t, w, proposals, i).String())
	}
	command("show", id.String(), "--json")
	command("vote", id.String(), "for", "--key", "keystore:voter.json", "--passphrase", "env:LEGATE_CANARY_PASS", "--yes")
	command("vote", id.String(), "for", "--key", "keystore:voter.json", "--passphrase", canaryPass, "--yes")
	command("keys", "list")
	command("journal", "fsck")
	command("ledger", "fsck")
	conf, err := readConfig("legate.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		look("the configuration by "+verb, fmt.Sprintf(verb, conf)+fmt.Sprintf(verb, *conf.Voter)+fmt.Sprintf(verb, conf.Chains))
	}

	err = filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path == "legate.yaml" {
			return err // the configuration has what we wrote into it
		}
		text, err := os.ReadFile(path)
		look("file "+path, string(text))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("n=%d texts and files, %d canaries", n, len(secrets))
}

// crashOfDaemon starts `legate run --live`, waits until it has decided something, and has it dump all that it does.
func crashOfDaemon(t *testing.T, path string) string {
	t.Helper()
	out := &output{}
	cmd := exec.Command(path, "run", "--live")
	cmd.Env = append(os.Environ(), "GOTRACEBACK=system")
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = out, out, time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	defer cmd.Process.Kill()
	for end := time.Now().Add(60 * time.Second); ; time.Sleep(200 * time.Millisecond) {
		var list, errs bytes.Buffer
		if run(t.Context(), []string{"proposals"}, &list, &errs) == 0 && strings.Contains(list.String(), "decided") {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("the daemon has not decided:\n%s\n%s%s", tail(out.String(), 4000), &list, &errs)
		}
	}
	if err := cmd.Process.Signal(syscall.SIGQUIT); err != nil {
		t.Fatal(err)
	}
	<-done
	if text := out.String(); !strings.Contains(text, "SIGQUIT") || !strings.Contains(text, `"msg":"started"`) {
		t.Errorf("this is no log with a crash at its end:\n%s", tail(text, 2000))
	}
	return out.String()
}
