package policies_test

import (
	"strings"
	"testing"

	"github.com/legate-dao/legate/policies"
	"github.com/legate-dao/legate/policies/strict"
)

// The schema for editors comes from the same struct that is read.
func TestSchema(t *testing.T) {
	text, err := strict.Schema(policies.File{}, "https://example.invalid/policies.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{`"otherwise"`, `"hold_if"`, `"within"`, `"if_too_short"`, `"fee_per_vote"`, `"emergency"`, `"no_vote"`} {
		if !strings.Contains(string(text), key) {
			t.Errorf("%s is not in the schema", key)
		}
	}
}
