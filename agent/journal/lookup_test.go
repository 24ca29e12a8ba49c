package journal_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/journal"
)

func hexID(t *testing.T, digits string) gov.ProposalID {
	t.Helper()
	a := gov.NewAmount(0)
	n := a.Int()
	if err := n.SetFromHex("0x" + digits + strings.Repeat("0", 64-len(digits))); err != nil {
		t.Fatal(err)
	}
	return gov.ProposalID{Chain: 1, Governor: gov.Address{7}, Number: gov.AmountOf(n)}
}

func TestHandlesAndResolve(t *testing.T) {
	db := open(t, t.TempDir(), journal.Daemon)
	ids := map[string]gov.ProposalID{
		"ens/289":       id(289),
		"ens/7f3a2c":    hexID(t, "7f3a2c0000001"),
		"ens/abcdef123": hexID(t, "abcdef123"),
		"ens/abcdef125": hexID(t, "abcdef125"),
		"ens/abcdee":    hexID(t, "abcdee"),
	}
	for _, x := range ids {
		add(t, db, x, seen(x))
	}
	list, err := db.Proposals(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	handles := journal.Handles(list)
	for want, x := range ids {
		if handles[x] != want {
			t.Errorf("handle of %s is %s, want %s", x, handles[x], want)
		}
		for _, name := range []string{want, strings.ToUpper(want[:4]) + want[4:], x.String(), want[:4] + x.Number.String()} {
			if name[:4] == "ENS/" {
				name = "ens/" + strings.ToUpper(want[4:])
			}
			got, err := db.Resolve(t.Context(), name)
			if err != nil || got != x {
				t.Errorf("%s finds %s, want %s (%v)", name, got, x, err)
			}
		}
	}
	if _, err := db.Resolve(t.Context(), "ens/abcdef"); err == nil || !strings.Contains(err.Error(), "write more digits") {
		t.Errorf("an ambiguous handle: %v", err)
	}
	for _, name := range []string{"ens/7f3a2", "ens/1", "other/289"} {
		if _, err := db.Resolve(t.Context(), name); !errors.Is(err, journal.ErrUnknown) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"", "289", "ens/", "/289", "eip155:1:0x/1"} {
		if _, err := db.Resolve(t.Context(), name); err == nil || errors.Is(err, journal.ErrUnknown) {
			t.Errorf("%q is no name: %v", name, err)
		}
	}
}
