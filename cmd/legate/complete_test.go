package main

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// offered is what the shell would offer for a line that ends in its last word.
func offered(t *testing.T, words ...string) []string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if status := run(t.Context(), append([]string{"__completeNoDesc"}, words...), &stdout, &stderr); status != exitFine {
		t.Fatalf("completing %q: status %d, %s", words, status, stderr.String())
	}
	if s := stderr.String(); strings.Contains(s, "legate:") || strings.Contains(s, "error") {
		t.Errorf("completing %q says %s", words, s)
	}
	out := strings.Split(strings.TrimSpace(stdout.String()), "\n")
	return out[:len(out)-1] // the last line is cobra's directive
}

func TestCompletionOffersHandlesAndFiles(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, words := range [][]string{{"show", ""}, {"vote", ""}, {"show", "-c", "missing.yaml", ""}} {
		if got := offered(t, words...); len(got) != 0 {
			t.Errorf("without a store %q offers %q", words, got)
		}
	}
	writeFixture(t, ".")
	for _, c := range []struct {
		words []string
		want  string
	}{
		{[]string{"show", ""}, "compound/289 compound/290 compound/800000"},
		{[]string{"show", "compound/29"}, "compound/290"},
		{[]string{"show", "compound/289", ""}, ""},
		{[]string{"vote", ""}, "compound/290 compound/800000"}, // the other one is cast
		{[]string{"cancel", "compound/2"}, "compound/290"},
		{[]string{"forecast", "-c", "legate.yaml", "compound/8"}, "compound/800000"},
		{[]string{"brief", "compound/289"}, "compound/289"},
		{[]string{"vote", "compound/290", ""}, "for against abstain"},
		{[]string{"vote", "--key", ""}, "keystore:"},
		{[]string{"vote", "--key", "keystore:legate.y"}, "keystore:legate.yaml"},
		{[]string{"vote", "--passphrase", "env:"}, ""},
		{[]string{"vote", "--key", "keystore:missing/"}, ""},
		{[]string{"run", "--config", ""}, "yaml yml"}, // file endings, for the shell
		{[]string{"policy", "l"}, "lint"},
		{[]string{"schema", ""}, "legate policies dossier"},
	} {
		if got := strings.Join(offered(t, c.words...), " "); got != c.want {
			t.Errorf("%q offers %q, want %q", c.words, got, c.want)
		}
	}
	if err := os.WriteFile("legate.db", []byte("no database"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := offered(t, "show", ""); len(got) != 0 {
		t.Errorf("a broken store offers %q", got)
	}
}

// TestCompletionInBash sources what `legate completion bash` prints and asks it as bash does. The function that
// stands first is of the bash-completion package, in short, so that the test needs bash alone.
func TestCompletionInBash(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Fatalf("the Makefile needs bash too: %v", err)
	}
	bin := may(program())(t)
	t.Chdir(t.TempDir())
	writeFixture(t, ".")
	const script = `
_get_comp_words_by_ref() { words=("${COMP_WORDS[@]}"); cword=$COMP_CWORD; cur=${words[cword]}; prev=${words[cword-1]}; }
compopt() { :; }
legate() { "$BIN" "$@"; }
source <(legate completion bash)
try() {
	COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE="$*" COMPREPLY=()
	COMP_POINT=${#COMP_LINE}
	__start_legate
	echo "${COMPREPLY[*]%% *}"
}
try legate sh
try legate show compound/29
try legate vote compound/290 ag
try legate vote --key keystore:leg
try legate policy ''
try legate dry-run --pol
try legate show -c nothing.yaml ''
`
	cmd := exec.CommandContext(t.Context(), bash, "--norc", "-c", script)
	cmd.Env = append(os.Environ(), "BIN="+bin)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	// Behind a colon bash wants the rest alone.
	want := strings.Join([]string{"show", "compound/290", "against", "legate.db legate.db.lock legate.yaml", "explain facts lint try", "--policy", "", ""}, "\n")
	if string(out) != want {
		t.Errorf("bash is offered\n%swant\n%s", out, want)
	}
}
