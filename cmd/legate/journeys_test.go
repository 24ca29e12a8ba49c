package main

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// journeyFiles are the texts that a person follows with their own hands.
func journeyFiles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../../docs/journeys/*.md")
	if err != nil || len(files) < 3 {
		t.Fatalf("%d journeys, %v", len(files), err)
	}
	return files
}

// fenced is one block of a text, with the line that it begins at.
type fenced struct {
	kind string
	line int
	text []string
}

func fences(t *testing.T, file string) (out []fenced) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	open := false
	for i, l := range strings.Split(string(text), "\n") {
		bare := strings.TrimSpace(l)
		switch {
		case strings.HasPrefix(bare, "```") && !open:
			open = true
			out = append(out, fenced{kind: strings.TrimPrefix(bare, "```"), line: i + 1})
		case strings.HasPrefix(bare, "```"):
			open = false
		case open:
			out[len(out)-1].text = append(out[len(out)-1].text, l)
		}
	}
	if open {
		t.Fatalf("%s: a block does not end", file)
	}
	return out
}

var (
	inlineLegate = regexp.MustCompile("`(legate [^`\n]+)`")
	// where a command of the shell begins
	shellStart = regexp.MustCompile(`(?:^|[|&;(]|\$\(|\bdo |\bthen )\s*(?:[A-Z_]+=\S+ )*(?:timeout \S+ )?legate\s`)
	shellEnd   = regexp.MustCompile(`\s(?:[|&;>#]|2>)|[)|;]$|\)\s`)
)

// commandLines are the command lines of a text: in its shell blocks, and in `legate …` within sentences.
func commandLines(t *testing.T, file string) map[string]int {
	t.Helper()
	out := map[string]int{}
	for _, b := range fences(t, file) {
		if b.kind != "sh" && b.kind != "" {
			continue
		}
		for i, l := range b.text {
			l = strings.ReplaceAll(l, "go run ./cmd/legate", "legate")
			for _, at := range shellStart.FindAllStringIndex(l, -1) {
				command := "legate " + strings.TrimSpace(l[at[1]:])
				if end := shellEnd.FindStringIndex(command); end != nil {
					command = command[:end[0]]
				}
				out[command] = b.line + 1 + i
			}
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for i, l := range strings.Split(string(text), "\n") {
		for _, m := range inlineLegate.FindAllStringSubmatch(l, -1) {
			out[m[1]] = i + 1
		}
	}
	return out
}

// TestJourneyCommandsExist: every `legate …` of README and journeys is a command of this program, with flags that it has.
func TestJourneyCommandsExist(t *testing.T) {
	seen := 0
	for _, file := range append(journeyFiles(t), "../../README.md") {
		for command, line := range commandLines(t, file) {
			seen++
			if err := exists(command); err != nil {
				t.Errorf("%s:%d: %s: %v", filepath.Base(file), line, command, err)
			}
		}
	}
	if seen < 40 {
		t.Errorf("only %d command lines were found", seen)
	}
	for _, bad := range []string{"legate vot P", "legate show --jsn P", "legate policy lnt x", "legate run --live=maybe --fast"} {
		if exists(bad) == nil {
			t.Errorf("%q passes", bad)
		}
	}
}

// exists says what of a command line this program does not have.
func exists(line string) error {
	words := strings.Fields(line)[1:]
	var command *cobra.Command
	command = newRoot()
	command.InitDefaultCompletionCmd()
	i := 0
	for ; i < len(words); i++ {
		next := slices.IndexFunc(command.Commands(), func(c *cobra.Command) bool { return c.Name() == words[i] })
		if next < 0 {
			break
		}
		command = command.Commands()[next]
	}
	if command.HasSubCommands() && i < len(words) && regexp.MustCompile(`^[a-z]+$`).MatchString(words[i]) {
		return fmt.Errorf("%s has no command %q", command.CommandPath(), words[i])
	}
	for _, w := range words[i:] {
		name, _, _ := strings.Cut(w, "=")
		var flag *pflag.Flag
		switch {
		case strings.HasPrefix(name, "--") && len(name) > 2:
			flag = command.Flags().Lookup(name[2:])
			if name == "--help" {
				continue
			}
		case strings.HasPrefix(name, "-") && len(name) == 2:
			flag = command.Flags().ShorthandLookup(name[1:])
		default:
			continue
		}
		if flag == nil {
			return fmt.Errorf("%s has no flag %s", command.CommandPath(), name)
		}
	}
	return nil
}

// TestJourneysAreWalked runs the shell blocks of each journey in one shell, and looks for every line that the text shows
// under a block in what that block printed; numbers that differ from run to run are taken out of both. It takes minutes
// of waiting, so `make journeys` says when: LEGATE_WALK is all, or the name of one journey.
func TestJourneysAreWalked(t *testing.T) {
	which := os.Getenv("LEGATE_WALK")
	if which == "" {
		t.Skip("walks the journeys for minutes; `make journeys` does")
	}
	for _, file := range journeyFiles(t) {
		name := strings.TrimSuffix(filepath.Base(file), ".md")
		if which == "all" || which == name {
			t.Run(name, func(t *testing.T) { walk(t, file) })
		}
	}
}

const blockMark = "=====block "

func walk(t *testing.T, file string) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	blocks := fences(t, file)
	var script strings.Builder
	fmt.Fprintf(&script, "trap 'kill $(jobs -p) 2>/dev/null || true' EXIT\nset -e\ncd %s\n", root)
	for i, b := range blocks {
		if b.kind == "sh" {
			text := strings.ReplaceAll(strings.Join(b.text, "\n"), "mkdir -p walk && cd walk", "cd "+dir)
			text = strings.ReplaceAll(text, "go build -o bin/legate ./cmd/legate && PATH=$PWD/bin:$PATH", fmt.Sprintf("go build -o %s/bin/legate ./cmd/legate && PATH=%[1]s/bin:$PATH", dir))
			fmt.Fprintf(&script, "echo '%s%d'\n%s\n", blockMark, i, text)
		}
	}
	out := filepath.Join(dir, "walk.out")
	f, err := os.Create(out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	shell := exec.CommandContext(t.Context(), "bash")
	shell.Stdin, shell.Stdout, shell.Stderr, shell.WaitDelay = strings.NewReader(script.String()), f, f, 20*time.Second
	walked := shell.Run()
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	if keep := os.Getenv("LEGATE_WALK_OUT"); keep != "" {
		if err := os.WriteFile(filepath.Join(keep, filepath.Base(file)+".out"), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if walked != nil {
		t.Fatalf("%v\n%s\n%s", walked, text[max(0, len(text)-4000):], endsOfLogs(dir))
	}
	printed := map[int]string{}
	for _, part := range strings.Split(string(text), blockMark)[1:] {
		var n int
		if _, err := fmt.Sscan(part, &n); err != nil {
			t.Fatal(err)
		}
		printed[n] = steady(part)
	}
	for i, b := range blocks {
		if b.kind != "text" || i == 0 || blocks[i-1].kind != "sh" {
			continue
		}
		for k, l := range b.text {
			if l = steady(l); l != "" && !strings.HasPrefix(l, "…") && !strings.Contains(printed[i-1], l) {
				t.Errorf("%s:%d is not printed any more: %s", filepath.Base(file), b.line+1+k, l)
			}
		}
	}
}

// endsOfLogs is what the programs of a walk said last.
func endsOfLogs(dir string) string {
	var b strings.Builder
	_ = filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err == nil && filepath.Ext(path) == ".log" {
			if text, err := os.ReadFile(path); err == nil {
				fmt.Fprintf(&b, "%s: …%s\n", filepath.Base(path), text[max(0, len(text)-800):])
			}
		}
		return nil
	})
	return b.String()
}

var notTheSame = regexp.MustCompile(`0x[0-9a-fA-F]+…?|(?:sha256:)?\b[0-9a-f]{8,64}\b|\d{4}-\d\d-\d\d[T ][0-9:.]+ ?(?:Z|UTC)?|127\.0\.0\.1:\d+|/\S*/|\d+[hms]\d\S*|[0-9.]+ GiB|[0-9][0-9.]+`)

// steady is a text without what differs from run to run: addresses of keys, hashes, times, ports, folders, numbers.
func steady(s string) string {
	return strings.Join(strings.Fields(notTheSame.ReplaceAllString(s, "#")), " ")
}
