package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/legate-dao/legate/agent/journal"
	"github.com/legate-dao/legate/chains/chaintest"
	"github.com/legate-dao/legate/chains/devchain"
	"github.com/legate-dao/legate/chains/ledger"
)

// diagnose runs the doctor and gives its lines by part.
func diagnose(t *testing.T, status int) map[string]symptom {
	t.Helper()
	out, _ := legate(t, status, "doctor", "--json")
	var doc doctorDocument
	if err := json.Unmarshal([]byte(out), &doc); err != nil {
		t.Fatal(err)
	}
	if doc.Version != 1 || doc.OK != (status == 0) {
		t.Errorf("version %d, ok %v with status %d", doc.Version, doc.OK, status)
	}
	lines := map[string]symptom{}
	for _, l := range doc.Checks {
		if l.Status == isWrong && l.Do == "" {
			t.Errorf("%s is wrong, and nothing says what to do: %s", l.Part, l.What)
		}
		if lines[l.Part].Status != isWrong {
			lines[l.Part] = l
		}
	}
	return lines
}

// edit changes a file by replacing a text that must be in it.
func edit(t *testing.T, name, old, new string) {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), old) {
		t.Fatalf("%s does not hold %q:\n%s", name, old, text)
	}
	write(t, name, strings.Replace(string(text), old, new, 1))
}

func TestDoctorHealthy(t *testing.T) {
	w, _ := demoFolder(t)
	lines := diagnose(t, 0)
	for part, want := range map[string]string{
		"config": "1 chain, 2 governors", "store": "the first `legate run` makes it", "disk": "GiB free", "key": devchain.Address(accountVoter).Hex(),
		"ledger": "the first live run makes it", "rpc eip155:31337 1": "serves chain id 31337", "governor harbor": "openzeppelin-5, clock block, timelock " + w.daos["harbor"].Timelock.Hex(),
		"governor meadow": "clock timestamp", "from_block meadow": "deployed in block", "delegation alice at harbor": "delegates to the voting key",
		"power at harbor": "60000000000000000000000", "fees at harbor": "wei", "book harbor": "none moved", "prices harbor": "harbor-prices.csv", "web": "is free", "approvers": devchain.Address(accountHand).Hex(),
	} {
		if l := lines[part]; l.Status != isFine || !strings.Contains(l.What, want) {
			t.Errorf("%s: %+v, want fine with %q", part, l, want)
		}
	}
	for part, want := range map[string]string{"finality eip155:31337": "3 blocks behind", "agreement eip155:31337": "one source alone", "policies": "no judge"} {
		if l := lines[part]; l.Status != isDoubtful || !strings.Contains(l.What, want) || l.Do == "" {
			t.Errorf("%s: %+v, want a warning with %q", part, l, want)
		}
	}
	for _, name := range []string{"legate.db", "legate.db.lock", "ledger"} {
		if _, err := os.Stat(name); err == nil {
			t.Errorf("the doctor made %s", name)
		}
	}
	text, _ := legate(t, 0, "doctor")
	if !strings.Contains(text, "ok       config") || !strings.HasSuffix(text, " warnings, 0 wrong\n") {
		t.Error(text)
	}
}

// TestDoctorFindsWhatIsWrong breaks one part after the other.
func TestDoctorFindsWhatIsWrong(t *testing.T) {
	w, _ := demoFolder(t)
	html := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { fmt.Fprint(rw, "<html>down for maintenance</html>") }))
	defer html.Close()
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	pruned := chaintest.NewProxy(t, w.chain.HTTP())
	pruned.Set(chaintest.Faults{Pruned: true})
	rpcLine := fmt.Sprintf("{http: %q, ws: %q}", w.chain.HTTP(), w.chain.WS())
	market := w.daos["harbor"].Market.Hex()
	for _, c := range []struct {
		name string
		do   func(t *testing.T)
		part string
		is   condition
		want string
	}{
		{"a dead endpoint", func(t *testing.T) { edit(t, "legate.yaml", rpcLine, `"http://127.0.0.1:1"`) }, "rpc eip155:31337 1", isWrong, "127.0.0.1:1"},
		{"no endpoint at all", func(t *testing.T) { edit(t, "legate.yaml", rpcLine, `"http://127.0.0.1:1"`) }, "governor harbor", isUnknown, "cannot be read"},
		{"HTML", func(t *testing.T) { edit(t, "legate.yaml", rpcLine, fmt.Sprintf("%s, %q", rpcLine, html.URL)) }, "rpc eip155:31337 2", isWrong, "not JSON"},
		{"too few operators", func(t *testing.T) { edit(t, "legate.yaml", rpcLine, fmt.Sprintf("%s, %q", rpcLine, html.URL)) }, "chain eip155:31337", isWrong, "2 operators must agree"},
		{"pruned state", func(t *testing.T) {
			edit(t, "legate.yaml", rpcLine, fmt.Sprintf("%q", pruned.URL()))
		}, "rpc eip155:31337 1", isWrong, "no state at the final block"},
		{"another chain", func(t *testing.T) {
			text, err := os.ReadFile("legate.yaml")
			if err != nil {
				t.Fatal(err)
			}
			write(t, "legate.yaml", strings.ReplaceAll(string(text), "eip155:31337", "eip155:1"))
		}, "rpc eip155:1 1", isWrong, "chain id 31337"},
		{"finality latest", func(t *testing.T) { edit(t, "legate.yaml", "finality: 3", "finality: latest") }, "finality eip155:31337", isDoubtful, "take back"},
		{"no governor there", func(t *testing.T) {
			edit(t, "legate.yaml", w.daos["harbor"].Governor.Hex(), w.daos["harbor"].Token.Hex())
		}, "governor harbor", isWrong, "governor"},
		{"from_block ahead", func(t *testing.T) {
			edit(t, "legate.yaml", "  - name: harbor\n", "  - name: harbor\n    from_block: 99999999\n")
		}, "from_block harbor", isWrong, "ahead of the chain"},
		{"from_block late", func(t *testing.T) {
			edit(t, "legate.yaml", "  - name: harbor\n", "  - name: harbor\n    from_block: 900\n")
		}, "from_block harbor", isDoubtful, "after the deployment"},
		{"delegated elsewhere", func(t *testing.T) {
			edit(t, "policies.yaml", devchain.Address(accountHolder).Hex(), devchain.Address(accountProposer).Hex())
		}, "delegation alice at harbor", isWrong, "not to the voting key"},
		{"delegated to nobody", func(t *testing.T) {
			edit(t, "policies.yaml", devchain.Address(accountHolder).Hex(), devchain.Address(accountGrantee).Hex())
		}, "delegation alice at harbor", isWrong, "delegates to nobody"},
		{"a key without votes", func(t *testing.T) { edit(t, "legate.yaml", "keystore:voter.json", "keystore:hand.json") }, "power at harbor", isWrong, "has no votes"},
		{"wrong passphrase", func(t *testing.T) { write(t, "passphrase", "not this one\n") }, "key", isWrong, "wrong passphrase"},
		{"no passphrase", func(t *testing.T) { edit(t, "legate.yaml", "  passphrase: file:passphrase\n", "") }, "key", isWrong, "no voter.passphrase"},
		{"nobody to answer", func(t *testing.T) { edit(t, "legate.yaml", `"`+devchain.Address(accountHand).Hex()+`"`, "") }, "approvers", isDoubtful, "nobody can answer"},
		{"the voting key answers", func(t *testing.T) {
			edit(t, "legate.yaml", devchain.Address(accountHand).Hex(), devchain.Address(accountVoter).Hex())
		}, "approvers", isDoubtful, "the voting key itself"},
		{"no key", func(t *testing.T) { edit(t, "legate.yaml", "keystore:voter.json", "keystore:lost.json") }, "key", isWrong, "lost.json"},
		{"a key in a cloud", func(t *testing.T) { edit(t, "legate.yaml", "keystore:voter.json", "awskms:key") }, "config", isWrong, "not in this release"},
		{"a key file that all may read", func(t *testing.T) {
			if err := os.Chmod("voter.json", 0o644); err != nil {
				t.Fatal(err)
			}
		}, "key", isDoubtful, "644"},
		{"frozen", func(t *testing.T) {
			if _, err := ledger.Create("ledger", fixtureVoter, 31337); err != nil {
				t.Fatal(err)
			}
			if err := ledger.Freeze("ledger", "a drill"); err != nil {
				t.Fatal(err)
			}
			edit(t, "legate.yaml", "keystore:voter.json", "keystore:lost.json") // so that whose ledger it is cannot be told
		}, "ledger", isDoubtful, "a drill"},
		{"another key's ledger", func(t *testing.T) {
			if _, err := ledger.Create("ledger", fixtureVoter, 31337); err != nil {
				t.Fatal(err)
			}
		}, "ledger", isWrong, "belongs to"},
		{"a cut ledger", func(t *testing.T) {
			if _, err := ledger.Create("ledger", fixtureVoter, 31337); err != nil {
				t.Fatal(err)
			}
			write(t, "ledger/votes", "")
		}, "ledger", isWrong, "ledger"},
		{"policies with an error", func(t *testing.T) { edit(t, "policies.yaml", "supply.minted_bps", "supply.mintet_bps") }, "policies", isWrong, "did you mean"},
		{"no policies", func(t *testing.T) { edit(t, "legate.yaml", "policies: policies.yaml", "policies: lost.yaml") }, "policies", isWrong, "lost.yaml"},
		{"a governor that nobody speaks at", func(t *testing.T) { edit(t, "policies.yaml", "governors: [harbor, meadow]", "governors: [harbor]") }, "policies", isWrong, "no holder has meadow"},
		{"a book with an error", func(t *testing.T) { edit(t, "harbor-book.yaml", "code_hash: \"0x", "code_hash: \"0x1234567") }, "book harbor", isWrong, "64 hex digits"},
		{"a booked account that changed", func(t *testing.T) { edit(t, "harbor-book.yaml", market, w.daos["meadow"].Treasury.Hex()) }, "book harbor", isWrong, "no longer the code"},
		{"no book", func(t *testing.T) { edit(t, "legate.yaml", "    book: harbor-book.yaml\n", "") }, "book harbor", isDoubtful, "few calls are known"},
		{"prices with an error", func(t *testing.T) { write(t, "harbor-prices.csv", "token;usd\n") }, "prices harbor", isWrong, "harbor-prices.csv"},
		{"prices without a price", func(t *testing.T) { write(t, "harbor-prices.csv", "token,usd\n") }, "prices harbor", isDoubtful, "has no price"},
		{"old prices", func(t *testing.T) {
			old := time.Now().Add(-8 * 24 * time.Hour)
			if err := os.Chtimes("harbor-prices.csv", old, old); err != nil {
				t.Fatal(err)
			}
		}, "prices harbor", isDoubtful, "last written"},
		{"a busy port", func(t *testing.T) { edit(t, "legate.yaml", "127.0.0.1:0", busy.Addr().String()) }, "web", isWrong, "address already in use"},
		{"open to all", func(t *testing.T) { edit(t, "legate.yaml", "127.0.0.1:0", "0.0.0.0:0") }, "config", isWrong, "token"},
		{"a store in a missing folder", func(t *testing.T) { edit(t, "legate.yaml", "sqlite:legate.db", "sqlite:lost/legate.db") }, "store", isWrong, "lost"},
		{"a store that is none", func(t *testing.T) { write(t, "legate.db", strings.Repeat("not a database ", 1000)) }, "store", isWrong, "legate.db"},
		{"a store of a later release", func(t *testing.T) { edit(t, "legate.yaml", "sqlite:legate.db", "postgres://me:hunter2@db/legate") }, "config", isWrong, "sqlite:PATH only"},
		{"a configuration with an error", func(t *testing.T) { edit(t, "legate.yaml", "version: 1", "version: 1\nstoer: x") }, "config", isWrong, "stoer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			demoFolder(t)
			c.do(t)
			status := 0
			if c.is != isDoubtful {
				status = 1
			}
			if c.name == "frozen" {
				status = 1 // for the key, which the case takes away
			}
			if l := diagnose(t, status)[c.part]; l.Status != c.is || !strings.Contains(l.What, c.want) {
				t.Errorf("%s: %+v, want %s with %q", c.part, l, c.is, c.want)
			}
		})
	}
	t.Chdir(t.TempDir())
	if _, errs := legate(t, 3, "doctor"); !strings.Contains(errs, "legate.yaml") {
		t.Error(errs)
	}
}

// TestDoctorBesideTheDaemon: the doctor sees that a daemon runs, and that a ledger was lost.
func TestDoctorBesideTheDaemon(t *testing.T) {
	demoFolder(t)
	if err := os.Mkdir("fixture", 0o700); err != nil {
		t.Fatal(err)
	}
	writeFixture(t, "fixture")
	if err := os.Rename("fixture/legate.db", "legate.db"); err != nil {
		t.Fatal(err)
	}
	db, err := journal.Open(t.Context(), "sqlite:legate.db", ".", journal.Daemon)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if l := diagnose(t, 0)["store"]; !strings.Contains(l.What, "3 proposals, a daemon runs") {
		t.Errorf("%+v", l)
	}
	if running, err := journal.Running("sqlite:legate.db", "."); !running || err != nil {
		t.Errorf("running: %v, %v", running, err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if running, err := journal.Running("sqlite:legate.db", "."); running || err != nil {
		t.Errorf("running: %v, %v", running, err)
	}
	write(t, "voter.json", fmt.Sprintf(`{"address":%q,"crypto":{}}`, strings.TrimPrefix(fixtureVoter.Hex(), "0x")))
	if l := diagnose(t, 1)["ledger"]; l.Status != isWrong || !strings.Contains(l.What, "it was lost") {
		t.Errorf("a store with a vote and no ledger: %+v", l)
	}
}

func TestDoctorClock(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	for _, c := range []struct {
		name        string
		head, final time.Duration // before now
		maxAge      time.Duration
		weak        bool
		want        condition
	}{
		{"as on mainnet", 8 * time.Second, 15 * time.Minute, 30 * time.Minute, false, isFine},
		{"a chain ahead, finalized", -5 * time.Minute, -3 * time.Minute, 30 * time.Minute, false, isWrong},
		{"a chain ahead, by a number of blocks", -5 * time.Minute, -3 * time.Minute, 30 * time.Minute, true, isDoubtful},
		{"a little ahead", -90 * time.Second, 10 * time.Minute, 30 * time.Minute, false, isFine},
		{"finality beyond max_age", 8 * time.Second, 31 * time.Minute, 30 * time.Minute, false, isWrong},
		{"no voter", 8 * time.Second, 31 * time.Minute, 0, false, isFine},
		{"a chain that stands still", 20 * time.Minute, 25 * time.Minute, 30 * time.Minute, false, isDoubtful},
	} {
		if got, do, what := clockCondition(now, now.Add(-c.head), now.Add(-c.final), c.maxAge, c.weak); got != c.want || (do == "") != (got == isFine) {
			t.Errorf("%s: %s %q, want %s", c.name, got, what, c.want)
		}
	}
	if c, _ := diskCondition(minDisk - 1); c != isDoubtful {
		t.Error(c)
	}
	if c, _ := diskCondition(minDisk); c != isFine {
		t.Error(c)
	}
}
