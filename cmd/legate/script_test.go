package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite golden files; read the diff as you would read code")

// TestScripts runs the command lines of testdata/script and compares what they print and their exit status.
//
// A script begins with files (-- NAME -- and their text) and goes on with commands: a line `$ legate …`
// and under it what it prints, lines of stderr after "2> ", a status other than 0 as "exit N". `$ fixture`
// makes a daemon's folder, `$ cat FILE` shows a file, `> FILE` keeps stdout in a file.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/script/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			path, err := filepath.Abs(file)
			if err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			t.Chdir(t.TempDir())
			got := runScript(t, string(text))
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(text), got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", file, diff)
			}
		})
	}
}

// sha256Text are digests, which every new field of a fact changes.
var sha256Text = regexp.MustCompile(`sha256:[0-9a-f]{64}`)

var fileHeader = regexp.MustCompile(`^-- (\S+) --$`)

func runScript(t *testing.T, text string) string {
	var out, current strings.Builder
	name, inFile, started := "", false, false
	flush := func() {
		if inFile {
			if err := os.WriteFile(name, []byte(current.String()), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		current.Reset()
	}
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if command, ok := strings.CutPrefix(line, "$ "); ok {
			if !started {
				flush()
				started, inFile = true, false
			}
			fmt.Fprintf(&out, "%s\n%s", line, runLine(t, command))
			continue
		}
		switch m := fileHeader.FindStringSubmatch(line); {
		case started:
			if strings.HasPrefix(line, "# ") {
				fmt.Fprintln(&out, line)
			}
			continue // what a command printed before
		case m != nil:
			flush()
			name, inFile = m[1], true
		case inFile:
			current.WriteString(line + "\n")
		}
		fmt.Fprintln(&out, line)
	}
	return out.String()
}

func runLine(t *testing.T, command string) string {
	args := words(command)
	file := ""
	if n := len(args); n > 2 && args[n-2] == ">" {
		file, args = args[n-1], args[:n-2]
	}
	var stdout, stderr bytes.Buffer
	status := 0
	switch args[0] {
	case "fixture":
		writeFixture(t, ".")
	case "cat":
		text, err := os.ReadFile(args[1])
		if err != nil {
			t.Fatal(err)
		}
		stdout.Write(text)
	case "legate":
		status = run(context.Background(), args[1:], &stdout, &stderr)
	default:
		t.Fatalf("%q is no command of scripts", args[0])
	}
	if file != "" {
		if err := os.WriteFile(file, stdout.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		stdout.Reset()
	}
	out := sha256Text.ReplaceAllString(stdout.String(), "sha256:…")
	if out != "" && !strings.HasSuffix(out, "\n") {
		out += "\n(no line break at the end)\n"
	}
	for line := range strings.Lines(stderr.String()) {
		out += strings.TrimRight("2> "+line, " \n") + "\n"
	}
	if status != 0 {
		out += fmt.Sprintf("exit %d\n", status)
	}
	return out
}

// words splits a line at spaces outside single quotes.
func words(line string) (out []string) {
	for i, part := range strings.Split(line, "'") {
		if i%2 == 1 {
			out = append(out, part)
			continue
		}
		out = append(out, strings.Fields(part)...)
	}
	return out
}
