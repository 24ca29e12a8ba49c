package chaintest

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestMissingAnvilSaysHowToInstall(t *testing.T) {
	t.Setenv(anvilEnv, "")
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	if _, err := anvilPath(); err == nil || !strings.Contains(err.Error(), "run .ci/install.sh anvil") {
		t.Errorf("got %v, want how to install", err)
	}
	t.Setenv(anvilEnv, filepath.Join(t.TempDir(), "none"))
	if _, err := anvilPath(); err == nil || !strings.Contains(err.Error(), anvilEnv) {
		t.Errorf("got %v, want the variable named", err)
	}
}

func TestConversationFormatErrors(t *testing.T) {
	for text, want := range map[string]string{
		"< 1":                      "line 1: want a question",
		"> eth_x":                  "line 1: a question is",
		"> eth_x {}":               "line 1: params",
		"> eth_x []\n< {":          "line 2: the answer is not JSON",
		"> eth_x []\n! 1":          "line 2: the error",
		"> eth_x []\n> eth_y []":   "line 2: want a question",
		"# note\n\n> eth_x []\n":   "the last question, eth_x, has no answer",
		"> eth_x []\n< 1\nrubbish": "line 3: want a question",
	} {
		if _, err := parseConversation(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
}
