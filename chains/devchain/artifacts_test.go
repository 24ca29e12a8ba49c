package devchain

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var localImport = regexp.MustCompile(`from "\./([A-Za-z0-9]+\.sol)"`)

// sourceHash repeats what contracts/build.mjs computes.
func sourceHash(t *testing.T, name string) string {
	t.Helper()
	seen := map[string][]byte{}
	var visit func(string)
	visit = func(file string) {
		if _, done := seen[file]; done {
			return
		}
		raw, err := os.ReadFile(filepath.Join("contracts", file))
		if err != nil {
			t.Fatal(err)
		}
		seen[file] = raw
		for _, m := range localImport.FindAllStringSubmatch(string(raw), -1) {
			visit(m[1])
		}
	}
	visit("package.json")
	visit("settings.json")
	if !strings.Contains(name, "/") {
		visit(name)
	}
	files := []string{}
	for file := range seen {
		files = append(files, file)
	}
	slices.Sort(files)
	var all strings.Builder
	for _, file := range files {
		fmt.Fprintf(&all, "%s %x\n", file, sha256.Sum256(seen[file]))
	}
	return fmt.Sprintf("%x", sha256.Sum256([]byte(all.String())))
}

func TestArtifactsAreMadeFromTheSourcesHere(t *testing.T) {
	names, err := Names()
	if err != nil {
		t.Fatal(err)
	}
	compiled := map[string]bool{}
	for _, name := range names {
		c, err := Load(name)
		if err != nil {
			t.Fatal(err)
		}
		if len(c.Bytecode) == 0 || c.License == "" || c.Compiler == "" {
			t.Errorf("%s lacks bytecode, licence or compiler", name)
		}
		compiled[c.SourceName] = true
		if !strings.HasPrefix(c.SourceName, "npm:") && c.SourceHash != sourceHash(t, c.SourceName) {
			t.Errorf("%s is stale: run node build.mjs in contracts/", name)
		}
	}
	sources, err := filepath.Glob("contracts/*.sol")
	if err != nil || len(sources) == 0 {
		t.Fatalf("%d sources, error %v", len(sources), err)
	}
	for _, source := range sources {
		file := filepath.Base(source)
		if !compiled[file] && !strings.HasPrefix(file, "Imports") {
			t.Errorf("%s has no artifact", file)
		}
	}
}
