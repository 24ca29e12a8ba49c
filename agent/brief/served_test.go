package brief_test

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/legate-dao/legate/agent/brief"
	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/llm"
)

// llmFolder is LEGATE_LLM, else where .ci/install.sh puts the model server and its weights.
func llmFolder(t testing.TB, root string) string {
	t.Helper()
	dir := os.Getenv("LEGATE_LLM")
	if dir == "" {
		var pins []byte
		for _, name := range []string{"server.txt", "weights.txt"} {
			b, err := os.ReadFile(filepath.Join(root, ".ci", "llm", name))
			if err != nil {
				t.Fatal(err)
			}
			pins = append(pins, b...)
		}
		cache, err := os.UserCacheDir()
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(pins)
		dir = filepath.Join(cache, "legate", "llm-"+hex.EncodeToString(sum[:])[:16])
	}
	for _, name := range []string{"bin/python", "model.gguf"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Fatalf("the model server is missing; run .ci/install.sh llm in the repository, or set LEGATE_LLM: %v", err)
		}
	}
	return dir
}

// server is the real llama.cpp server with real small weights.
type server struct {
	url, key string
	cmd      *exec.Cmd
}

// serveModel starts it on a free port, under a key of its own so that no other server can answer in its place.
func serveModel(t testing.TB) *server {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	dir := llmFolder(t, root)
	key := rand.Text()
	keyFile := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(keyFile, []byte(key), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(dir, "bin", "python"), filepath.Join(root, ".ci", "llm", "serve.py"), filepath.Join(dir, "model.gguf"), keyFile)
	var log bytes.Buffer
	cmd.Stderr = &log
	if _, err := cmd.StdinPipe(); err != nil { // it ends when this process does
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the model server ended before it listened: %v\n%s", err, &log)
	}
	s := &server{url: strings.TrimSpace(line), key: key, cmd: cmd}
	c, err := llm.New(llm.Config{URL: s.url, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		info, err := c.Identify(t.Context())
		if err == nil && info.Server == llm.LlamaServer && info.Context >= 4000 {
			return s
		}
		if time.Now().After(end) {
			t.Fatalf("the model server is not ready: %v %+v\n%s", err, info, &log)
		}
	}
}

func (s *server) model(t testing.TB, change ...func(*llm.Config)) served {
	t.Helper()
	conf := llm.Config{URL: s.url, Key: s.key}
	for _, c := range change {
		c(&conf)
	}
	c, err := llm.New(conf)
	if err != nil {
		t.Fatal(err)
	}
	return served{c}
}

// The real server and real weights write briefs of real proposals: what they invent is cut, the briefs obey
// every rule and are not wholly cut. A model this small repeats and invents; nothing is claimed of its prose.
// It is then asked with a wrong key, asked too much, given too little time, and killed in the middle of an
// answer.
func TestServedModelWritesRealBriefs(t *testing.T) {
	s := serveModel(t)
	start := time.Now()
	used, cut, asked := 0, 0, 0
	all := slices.DeleteFunc(rows[real](t, "testdata/proposals.jsonl"), func(r real) bool { return len(r.Description) < 600 })
	slices.SortStableFunc(all, func(a, b real) int { return len(a.Description) - len(b.Description) })
	for _, r := range all[:8] {
		if used > 1 || used == 1 && time.Since(start) > 30*time.Second {
			break // a busy machine needs a minute for what takes ten seconds elsewhere
		}
		d := r.dossier(t)
		b := write(t, s.model(t, func(c *llm.Config) { c.Timeout = time.Minute }), d)
		asked++
		obeys(t, r.name(), d, b)
		if len(b.Sentences) < 2 {
			t.Errorf("%s: wholly cut:\n%s", r.name(), printed(b))
		}
		m := b.Model
		if m.Server != "llama-server" || m.URL != s.url || m.Name == "" || m.Prompt != brief.PromptDigest || m.Asked < 1 {
			t.Errorf("%s: %+v", r.name(), m)
		}
		switch m.Outcome {
		case dossier.ModelUsed:
			used++
			if m.Tokens.Prompt < 300 || m.Tokens.Answer < 20 || b.Kind != gov.BriefModel {
				t.Errorf("%s: %+v", r.name(), m)
			}
		case dossier.ModelUnfounded, dossier.ModelTruncated, dossier.ModelGarbage, dossier.ModelSlow:
		default:
			t.Errorf("%s: %s: %s", r.name(), m.Outcome, m.Why)
		}
		cut += len(b.Cut)
		t.Logf("%s: %s after %s, asked %d, %d + %d tokens\n%s", r.name(), m.Outcome, time.Since(start).Round(time.Second/10), m.Asked, m.Tokens.Prompt, m.Tokens.Answer, printed(b))
	}
	if used == 0 {
		t.Errorf("of %d briefs the model wrote %d", asked, used)
	}
	t.Logf("%d of %d briefs by the model, %d of its sentences cut", used, asked, cut)

	d := sample(t)
	if b := write(t, s.model(t, func(c *llm.Config) { c.Key = "wrong" }), d); b.Model.Outcome != dossier.ModelRefused || b.Kind != gov.BriefExtractive {
		t.Errorf("with a wrong key: %+v", b.Model)
	}
	_, err := s.model(t).Ask(t.Context(), brief.Question{System: "x", User: strings.Repeat("the bridge and the treasury ", 3000), Name: "x", Schema: []byte(brief.AnswerSchema), MaxTokens: 10, Seed: 1})
	if fmt.Sprint(outcome(err)) != "truncated" {
		t.Errorf("a question that does not fit: %v", err)
	}
	if b := write(t, s.model(t, func(c *llm.Config) { c.Timeout = 200 * time.Millisecond }), d); b.Model.Outcome != dossier.ModelSlow || b.Kind != gov.BriefExtractive {
		t.Errorf("with too little time: %+v", b.Model)
	}
	time.AfterFunc(time.Second, func() { _ = s.cmd.Process.Kill() })
	b := write(t, s.model(t), d)
	if o := b.Model.Outcome; o != dossier.ModelKilled && o != dossier.ModelAbsent || b.Kind != gov.BriefExtractive || len(b.Sentences) < 2 {
		t.Errorf("killed in the middle of an answer: %+v", b.Model)
	}
	obeys(t, "killed", d, b)
}

func outcome(err error) string {
	if e, ok := err.(interface{ Outcome() string }); ok {
		return e.Outcome()
	}
	return ""
}
