package main

import (
	"os"
	"strings"
	"testing"

	"github.com/legate-dao/legate/agent/gov"
)

// An entry can be accepted into every book that a person or `init` may have begun.
func TestAddToBook(t *testing.T) {
	t.Chdir(t.TempDir())
	first, second := "0xc0Da02939E1441F497fd74F78cE7Decb17B66529", "0x6d903f6003cca6255D85CcA4D3B5E5146dC33925"
	item := func(a string) string { return "  - address: \"" + a + "\"\n    label: it\n    kind: contract\n" }
	for name, text := range map[string]string{
		"none yet":       "",
		"of init":        "version: 1\nentries: []\n",
		"with a remark":  "version: 1\nentries: [ ]  # nobody yet\n# and that is all\n",
		"no line break":  "version: 1\nentries: []",
		"with one entry": "version: 1\nentries:\n" + strings.ReplaceAll(item(second), second, "0x3d9819210A31b4961b30EF54bE2aeD79B9c9Cd3B"),
	} {
		os.Remove("book.yaml")
		if text != "" {
			must(t, os.WriteFile("book.yaml", []byte(text), 0o600))
		}
		for _, a := range []string{first, second} {
			if err := addToBook("book.yaml", may(gov.ParseAddress(a))(t), item(a)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		b, err := readBook("book.yaml")
		must(t, err)
		if _, ok := b.Entry(may(gov.ParseAddress(second))(t)); !ok {
			t.Errorf("%s: the second entry is not in the book", name)
		}
		if info, err := os.Stat("book.yaml"); err != nil || text != "" && info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", name, info, err)
		}
	}
	// Where it does not fit, the file stays as it is, and the entry is said.
	odd := "version: 1\nentries: [{address: \"" + first + "\", label: it}]\n"
	must(t, os.WriteFile("book.yaml", []byte(odd), 0o600))
	err := addToBook("book.yaml", may(gov.ParseAddress(second))(t), item(second))
	if err == nil || !strings.Contains(err.Error(), "put it in by hand:\n  - address: \""+second) {
		t.Errorf("into a list on one line: %v", err)
	}
	if got, _ := os.ReadFile("book.yaml"); string(got) != odd {
		t.Errorf("the book was changed to %s", got)
	}
}
