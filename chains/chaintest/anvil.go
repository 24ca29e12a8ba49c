package chaintest

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	anvilStart = 20 * time.Second // it takes 0.1 s; the rest is for a busy machine
	anvilEnv   = "LEGATE_ANVIL"
)

// Anvil starts the pinned anvil with these extra arguments on a free loopback port, waits until it answers, and
// returns its HTTP address (ws:// on the same port). It is killed when the test ends.
func Anvil(t testing.TB, args ...string) string {
	t.Helper()
	bin, err := anvilPath()
	if err != nil {
		t.Fatalf("anvil: %v", err)
	}
	cmd := exec.Command(bin, append([]string{"--host", "127.0.0.1", "--port", "0"}, args...)...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatalf("anvil: %v", err)
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatalf("start anvil: %v", err)
	}
	addr := make(chan string, 1)
	var reader sync.WaitGroup
	reader.Go(func() { scanListening(out, addr) })
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		reader.Wait()
		_ = cmd.Wait()
	})
	select {
	case a, ok := <-addr:
		if !ok {
			reader.Wait()
			t.Fatalf("anvil ended before it listened: %s", stderr.String())
		}
		url := "http://" + a
		if err := waitAnswer(url, anvilStart); err != nil {
			t.Fatalf("anvil at %s: %v", a, err)
		}
		return url
	case <-time.After(anvilStart):
		t.Fatalf("anvil did not listen within %s", anvilStart)
	}
	return ""
}

// scanListening sends the address that anvil prints, and keeps reading so that it never blocks on its output.
func scanListening(out io.Reader, addr chan<- string) {
	defer close(addr)
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	sent := false
	for lines.Scan() {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(lines.Text()), "Listening on "); ok && !sent {
			addr <- rest
			sent = true
		}
	}
	_, _ = io.Copy(io.Discard, out)
}

func waitAnswer(url string, within time.Duration) error {
	const ask = `{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}`
	for end := time.Now().Add(within); ; time.Sleep(20 * time.Millisecond) {
		resp, err := http.Post(url, "application/json", strings.NewReader(ask))
		if err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
			err = fmt.Errorf("HTTP status %d", resp.StatusCode)
		}
		if time.Now().After(end) {
			return err
		}
	}
}

// anvilPath is LEGATE_ANVIL, else where .ci/install.sh puts the binary.
func anvilPath() (string, error) {
	if bin := os.Getenv(anvilEnv); bin != "" {
		if _, err := os.Stat(bin); err != nil {
			return "", fmt.Errorf("%s: %w", anvilEnv, err)
		}
		return bin, nil
	}
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	lock, err := os.ReadFile(filepath.Join(root, ".ci", "npm", "package-lock.json"))
	if err != nil {
		return "", fmt.Errorf("read the lock file that names the version: %w", err)
	}
	cache := os.Getenv("XDG_CACHE_HOME")
	if cache == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", err
		}
		cache = filepath.Join(home, ".cache")
	}
	sum := sha256.Sum256(lock)
	bin := filepath.Join(cache, "legate", "anvil-"+hex.EncodeToString(sum[:])[:16], "node_modules", "@foundry-rs", "anvil-linux-amd64", "bin", "anvil")
	if _, err := os.Stat(bin); err != nil {
		return "", fmt.Errorf("the binary is missing; run .ci/install.sh anvil in the repository, or set %s", anvilEnv)
	}
	return bin, nil
}

func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", fmt.Errorf("no go.mod above the working directory")
		}
		dir = up
	}
}
