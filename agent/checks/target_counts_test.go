package checks_test

import (
	"testing"

	"github.com/legate-dao/legate/agent/checks"
	"github.com/legate-dao/legate/agent/gov"
)

// A dossier may hold the counts of targets without the list of them: then the calls say whether there is anybody to
// speak of, and a count of fresh targets is found.
func TestTargetCodeOnCountsAlone(t *testing.T) {
	own, stranger := gov.Address{1}, gov.Address{2}
	for _, c := range []struct {
		name  string
		calls gov.Maybe[[]gov.Call]
		fresh gov.Maybe[int64]
		want  gov.Status
	}{
		{"a known call", gov.Known([]gov.Call{{To: stranger, Kind: gov.KindTransfer, Known: true}}), gov.Known(int64(0)), gov.Clean},
		{"the DAO's own", gov.Known([]gov.Call{{To: own, Kind: gov.KindCall}}), gov.Known(int64(0)), gov.Clean},
		{"a known payment", gov.Known([]gov.Call{{To: stranger, Kind: gov.KindNative, Known: true}}), gov.Known(int64(0)), gov.Clean},
		{"a stranger", gov.Known([]gov.Call{{To: stranger, Kind: gov.KindCall}}), gov.Known(int64(0)), gov.NotChecked},
		{"a stranger inside a known wrapper", gov.Known([]gov.Call{{To: own, Known: true, Children: []gov.Call{{To: stranger}}}}), gov.Known(int64(0)), gov.NotChecked},
		{"no counts either", gov.Known([]gov.Call{{To: stranger, Kind: gov.KindTransfer, Known: true}}), gov.Maybe[int64]{}, gov.NotChecked},
		{"calls not decoded", gov.Maybe[[]gov.Call]{}, gov.Known(int64(0)), gov.NotChecked},
		{"counted as fresh", gov.Known([]gov.Call{{To: stranger, Kind: gov.KindCall}}), gov.Known(int64(1)), gov.Found},
		{"counted as fresh among known", gov.Known([]gov.Call{{To: stranger, Known: true}}), gov.Known(int64(1)), gov.Found},
	} {
		f := gov.Facts{Calls: c.calls, Targets: gov.Targets{Fresh: c.fresh}, DAO: gov.DAO{Governor: own}}
		if got := checks.StatusOf("target-code", checks.TargetCode.Run(gov.Proposal{}, f)); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	// The list and the count: who adds one to the count alone is heard.
	listed := []gov.TargetCode{{Address: stranger, Known: true, Size: 1, Fresh: gov.Known(false)}}
	f := gov.Facts{Calls: gov.Known([]gov.Call{{To: stranger, Known: true}}), Targets: gov.Targets{Fresh: gov.Known(int64(1)), Code: gov.Known(listed)}}
	if got := checks.StatusOf("target-code", checks.TargetCode.Run(gov.Proposal{}, f)); got != gov.Found {
		t.Errorf("a count above the list: %s", got)
	}
}
