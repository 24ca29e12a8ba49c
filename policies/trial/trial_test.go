package trial_test

import (
	"testing"

	"github.com/legate-dao/legate/agent/checks"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/policies/trial"
)

// The proposals are sound: named once, of both sorts, and of facts that have a digest. Those that do harm and are no mere
// change of a number are found by a required check, or are of calls that are not known.
func TestCasesAreSound(t *testing.T) {
	names, evil, n := map[gov.Label]bool{}, 0, 0
	for _, c := range trial.Cases() {
		n++
		if names[c.Name] || c.Words == "" || c.Name == "" {
			t.Errorf("%q: %q", c.Name, c.Words)
		}
		names[c.Name] = true
		if _, err := c.Facts.Digest(); err != nil {
			t.Errorf("%s: %v", c.Name, err)
		}
		if c.Good() {
			continue
		}
		evil++
		seen := false
		findings := checks.Run(c.Proposal, c.Facts)
		for _, check := range checks.All {
			seen = seen || check.Required && checks.StatusOf(check.Name, findings) == gov.Found
		}
		params, _ := c.Facts.Params.Get()
		if !seen && len(params) == 0 && c.Facts.UnknownCalls.Or(0) == 0 {
			t.Errorf("%s: no check sees it", c.Name)
		}
	}
	if n < 40 || evil < 20 || n-evil < 15 {
		t.Errorf("%d proposals, %d of them evil", n, evil)
	}
	t.Logf("n=%d proposals, %d of them do harm", n, evil)
}
