package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// spoken is what a command says, read while it runs.
type spoken struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *spoken) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *spoken) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// TestDemoStage: files that a daemon reads, not live; a shell file that works; ten proposals on a chain that answers.
func TestDemoStage(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "it's a stage")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var says spoken
	done := make(chan int, 1)
	go func() { done <- run(ctx, []string{"demo", "--stage", "--llm", "none", "--dir", dir}, &says, &says) }()
	for end := time.Now().Add(60 * time.Second); !strings.Contains(says.String(), "The stage is set"); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not set in time: %s", says.String())
		}
	}
	conf, err := readConfig(filepath.Join(dir, "legate.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if conf.Voter.Live || conf.Web.Listen != "127.0.0.1:8645" {
		t.Errorf("live %t, listens on %s", conf.Voter.Live, conf.Web.Listen)
	}
	out, err := exec.CommandContext(ctx, "bash", "-euc", `. "$0"; rpc eth_blockNumber '[]'; word 0xAb; echo; word 255; echo; echo "$DIR"; rpc eth_getLogs "[{\"address\":\"${GOVERNOR##*:}\",\"fromBlock\":\"0x400\"}]"`,
		filepath.Join(dir, stageName)).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	zeros := strings.Repeat("0", 62)
	for _, want := range []string{`"result":"0x`, "\n" + zeros + "Ab\n", "\n" + zeros + "ff\n", "\n" + dir + "\n"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %q in %.600s", want, out)
		}
	}
	if n := strings.Count(string(out), `"logIndex"`); n != 6 { // of the ten, those of this governor
		t.Errorf("%d proposals on harbor", n)
	}
	legate(t, 0, "policy", "lint", "-c", filepath.Join(dir, "legate.yaml"), filepath.Join(dir, "policies.yaml"))
	cancel()
	if code := <-done; code != 0 {
		t.Errorf("status %d: %s", code, says.String())
	}
	if _, err := os.Stat(filepath.Join(dir, "legate.db")); err == nil {
		t.Error("a store was made, though no daemon ran")
	}
}
