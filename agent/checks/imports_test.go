package checks_test

import (
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// G23: the checks read gov and nothing else of ours, no file, no clock, no network.
func TestG23ChecksImportOnlyFacts(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range tree.Imports {
			switch path, _ := strconv.Unquote(i.Path.Value); path {
			case "github.com/legate-dao/legate/agent/gov", "github.com/legate-dao/legate/agent/impact", "github.com/ethereum/go-ethereum/crypto", "fmt", "slices", "strconv", "time": // strconv: numbers in titles
			default:
				t.Errorf("%s imports %s", file, path)
			}
		}
	}
}
