package chaintest_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/legate-dao/legate/chains/chaintest"
	"github.com/legate-dao/legate/chains/rpc"
)

// TestLiesDiffer: every lie about a sample of each form is other than the truth, and the names are unique.
func TestLiesDiffer(t *testing.T) {
	word := `"0x00000000000000000000000000000000000000000000000000000000000000ff"`
	log := `[{"address":"0x01","blockHash":"0x02","logIndex":"0x0","topics":["0x03"],"data":` + word + `}]`
	samples := map[chaintest.Form]string{
		chaintest.Number: `"0xff"`, chaintest.Gas: `"0xff"`, chaintest.Truth: word, chaintest.Account: word, chaintest.Word: word, chaintest.Code: `"0x6001"`,
		chaintest.Values: word, chaintest.Logs: log, chaintest.Sent: word, chaintest.Access: `{"accessList":[1],"gasUsed":"0x1"}`,
		chaintest.Receipt: `{"status":"0x1","blockNumber":"0x5","logs":[1]}`, chaintest.Transaction: `{"nonce":"0x1","blockHash":"0x5"}`, chaintest.Block: `{}`,
	}
	n, kinds := 0, map[chaintest.Kind]bool{}
	for form, truth := range samples {
		names := map[string]bool{}
		for _, l := range chaintest.Lies(form) {
			if names[l.Name] {
				t.Errorf("%s: two lies are named %q", form, l.Name)
			}
			names[l.Name], kinds[l.Kind] = true, true
			n++
			if l.Alter == nil {
				continue
			}
			// one of two logs less is none
			if got := string(l.Alter(json.RawMessage(truth))); got == truth || !json.Valid([]byte(got)) {
				t.Errorf("%s, %s: %s", form, l.Name, got)
			}
		}
	}
	for _, k := range chaintest.Kinds() {
		if !kinds[k] {
			t.Errorf("no lie is of kind %s", k)
		}
	}
	t.Logf("n=%d lies of %d forms", n, len(samples))
}

func lieNamed(t *testing.T, f chaintest.Form, name string) chaintest.Lie {
	t.Helper()
	for _, l := range chaintest.Lies(f) {
		if l.Name == name {
			return l
		}
	}
	t.Fatalf("no lie %q", name)
	return chaintest.Lie{}
}

// TestLiar: it lies to what it is told to, in the moment that it is told, once or always; and tells what it was asked.
func TestLiar(t *testing.T) {
	node := chaintest.Anvil(t)
	l := chaintest.NewLiar(t, node)
	c := client(t, l.URL())
	call(t, c, "anvil_mine", "0x64")
	head, err := c.Latest(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	nonce := func() uint64 {
		t.Helper()
		n, err := rpc.Nonce(t.Context(), c, rich, head.Hash)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	more := lieNamed(t, chaintest.Number, "one more")
	l.Honest()
	l.Lie(more, chaintest.When{Question: "eth_getTransactionCount", Moment: "b", Once: true})
	for i, want := range []struct {
		moment string
		nonce  uint64
	}{{"a", 0}, {"b", 1}, {"b", 0}, {"c", 0}} {
		l.At(want.moment)
		if n := nonce(); n != want.nonce {
			t.Errorf("step %d: %d, want %d", i, n, want.nonce)
		}
	}
	if l.Told() != 1 || l.Asked()[chaintest.Asked{Moment: "b", Question: "eth_getTransactionCount"}] != 2 {
		t.Errorf("told %d, asked %v", l.Told(), l.Asked())
	}
	l.Lie(more, chaintest.When{})
	if n := nonce(); n != 1 || nonce() != 1 || l.Told() != 2 {
		t.Errorf("always: %d, told %d", n, l.Told())
	}
}

// TestLiarInventsABlock: a block that is told instead of the newest one has a hash that fits, is found by it and at its
// height, and state can be read at it.
func TestLiarInventsABlock(t *testing.T) {
	node := chaintest.Anvil(t)
	l := chaintest.NewLiar(t, node)
	c, truth := client(t, l.URL()), client(t, node)
	call(t, truth, "anvil_mine", "0x64")
	real, err := rpc.HeaderByTag(t.Context(), truth, "latest")
	if err != nil {
		t.Fatal(err)
	}
	for name, ahead := range map[string]int64{"a year ahead": 365 * 24 * 3600, "six hours back": -6 * 3600, "1000 blocks on": 12_000} {
		l.Lie(lieNamed(t, chaintest.Block, name), chaintest.When{Question: "eth_getBlockByNumber latest"})
		told, err := rpc.HeaderByTag(t.Context(), c, "latest")
		if err != nil || !told.Proven || told.Hash == real.Hash || int64(told.Time)-int64(real.Time) != ahead {
			t.Fatalf("%s: %+v, %v", name, told, err)
		}
		byHash, err := rpc.HeaderByHash(t.Context(), c, told.Hash)
		if err != nil || byHash.Key() != told.Key() {
			t.Errorf("%s, by hash: %+v, %v", name, byHash, err)
		}
		byNumber, err := rpc.HeaderByNumber(t.Context(), c, told.Number)
		if err != nil || byNumber.Key() != told.Key() {
			t.Errorf("%s, by number: %+v, %v", name, byNumber, err)
		}
		if _, err := rpc.Balance(t.Context(), c, rich, told.Hash); err != nil {
			t.Errorf("%s, state: %v", name, err)
		}
	}
	l.Honest()
	if h, err := rpc.HeaderByTag(t.Context(), c, "latest"); err != nil || h.Hash != real.Hash {
		t.Errorf("honest again: %+v, %v", h, err)
	}
}

// TestLiarIsSlowAndHuge: what is no answer at all.
func TestLiarIsSlowAndHuge(t *testing.T) {
	node := chaintest.Anvil(t)
	l := chaintest.NewLiar(t, node)
	c := client(t, l.URL())
	ask := func() error {
		var n string
		return c.Call(t.Context(), &n, "eth_gasPrice")
	}
	if err := ask(); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]rpc.Class{"64 MB": rpc.Malformed, "no such method": rpc.Unsupported, "reverts": rpc.Reverted} {
		l.Lie(lieNamed(t, chaintest.Number, name), chaintest.When{Question: "eth_gasPrice"})
		if err := ask(); rpc.Classify(err) != want {
			t.Errorf("%s: %v (%v), want %v", name, err, rpc.Classify(err), want)
		}
	}
	l.Lie(lieNamed(t, chaintest.Number, "cut"), chaintest.When{Question: "eth_gasPrice", Once: true})
	if err := ask(); err != nil || l.Told() != 1 {
		t.Errorf("after one cut: %v, told %d", err, l.Told())
	}
	l.Lie(chaintest.Lie{Name: "a little late", Kind: chaintest.Slow, Delay: 300 * time.Millisecond}, chaintest.When{Question: "eth_gasPrice"})
	began := time.Now()
	if err := ask(); err != nil || time.Since(began) < 300*time.Millisecond {
		t.Errorf("late: %v after %s", err, time.Since(began))
	}
}
