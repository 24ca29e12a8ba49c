package policies_test

import (
	"fmt"
	"go/parser"
	gotoken "go/token"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/legate-dao/legate/agent/gov"
)

// closedWords are the string types that deciding code may carry: enums, the operator's labels, and names from a
// bound ABI or an own table. Calldata is opaque bytes whose sinks are listed in gov.
var closedWords = []reflect.Type{
	reflect.TypeFor[gov.Label](), reflect.TypeFor[gov.Kind](), reflect.TypeFor[gov.Flavour](), reflect.TypeFor[gov.Clock](), reflect.TypeFor[gov.State](), reflect.TypeFor[gov.Reason](),
	reflect.TypeFor[gov.Part](), reflect.TypeFor[gov.EffectsStatus](), reflect.TypeFor[gov.EffectsMode](), reflect.TypeFor[gov.Tightness](), reflect.TypeFor[gov.Decoded](),
	reflect.TypeFor[gov.FrameType](), reflect.TypeFor[gov.OutflowKind](), reflect.TypeFor[gov.RoleChangeKind](), reflect.TypeFor[gov.Signature](), reflect.TypeFor[gov.Ident](),
	reflect.TypeFor[gov.ABIType](), reflect.TypeFor[gov.Answer](), reflect.TypeFor[gov.ImpactKind](), reflect.TypeFor[gov.When](), reflect.TypeFor[gov.CallPath](),
	reflect.TypeFor[gov.GateResult](), reflect.TypeFor[gov.HoldReason](), reflect.TypeFor[gov.By](),
}

// foreign lists the places under t where a foreign string could hide.
func foreign(t reflect.Type) (out []string) {
	seen := map[reflect.Type]bool{}
	var walk func(t reflect.Type, path string)
	walk = func(t reflect.Type, path string) {
		if seen[t] || t == reflect.TypeFor[gov.Calldata]() || slices.Contains(closedWords, t) {
			return
		}
		seen[t] = true
		switch t.Kind() {
		case reflect.String, reflect.Interface, reflect.Chan, reflect.Func, reflect.UnsafePointer:
			out = append(out, fmt.Sprintf("%s: %s", path, t))
		case reflect.Struct:
			for i := range t.NumField() {
				walk(t.Field(i).Type, path+"."+t.Field(i).Name)
			}
		case reflect.Map:
			walk(t.Key(), path+"[key]")
			walk(t.Elem(), path+"[]")
		case reflect.Slice, reflect.Array, reflect.Pointer:
			walk(t.Elem(), path+"[]")
		}
	}
	walk(t, t.String())
	return out
}

// G23: from the values that a direction, a signature and an emergency follow from, no string of another party can be
// reached.
func TestG23TaintWallTypeGraph(t *testing.T) {
	for _, root := range []reflect.Type{reflect.TypeFor[gov.Case](), reflect.TypeFor[gov.Intent](), reflect.TypeFor[gov.Metrics](), reflect.TypeFor[gov.Finding]()} {
		for _, place := range foreign(root) {
			// What a check composes from facts and labels, for people.
			if root == reflect.TypeFor[gov.Finding]() && (slices.Contains([]string{"gov.Finding.Title: string", "gov.Finding.Remedy: string", "gov.Finding.Evidence[].What: string"}, place) ||
				strings.HasSuffix(place, "gov.CheckID") || strings.HasSuffix(place, "gov.CheckName") || strings.HasSuffix(place, "gov.Severity") || strings.HasSuffix(place, "gov.Class") || strings.HasSuffix(place, "gov.Status")) {
				continue
			}
			t.Error(place)
		}
	}
	// Planted leaks must be caught.
	type described struct {
		gov.Case
		Title string
	}
	type annotated struct {
		Facts struct{ Notes map[string]int }
	}
	type open struct{ Extra []any }
	type named struct {
		Symbol gov.Maybe[struct{ S interface{ String() string } }]
	}
	for _, leak := range []reflect.Type{reflect.TypeFor[described](), reflect.TypeFor[annotated](), reflect.TypeFor[open](), reflect.TypeFor[named]()} {
		if len(foreign(leak)) == 0 {
			t.Errorf("the leak in %s was not seen", leak)
		}
	}
}

// G23: what decides imports gov, the checks and the reader of its files, and nothing that can do I/O.
func TestG23TaintWallImports(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	std := []string{"cmp", "crypto/sha256", "encoding/json", "errors", "fmt", "math", "math/big", "reflect", "regexp", "slices", "strconv", "strings", "sync", "time"}
	ours := []string{"github.com/legate-dao/legate/agent/gov", "github.com/legate-dao/legate/agent/checks", "github.com/legate-dao/legate/agent/impact", "github.com/legate-dao/legate/policies/strict", "github.com/legate-dao/legate/policies/trial"}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		tree, err := parser.ParseFile(gotoken.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range tree.Imports {
			path, _ := strconv.Unquote(i.Path.Value)
			if !slices.Contains(std, path) && !slices.Contains(ours, path) && !strings.HasPrefix(path, "cel.dev/cel-go/") {
				t.Errorf("%s imports %s", file, path)
			}
		}
	}
}
