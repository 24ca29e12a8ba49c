package chaintest_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/legate-dao/legate/chains/chaintest"
	"github.com/legate-dao/legate/chains/rpc"
)

var (
	account  = common.HexToAddress("0x00000000000000000000000000000000000c0de0")
	rich     = common.HexToAddress("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266")
	reverter = hexutil.MustDecode("0x63deadbeef60e01b60005260046000fd")
)

func client(t *testing.T, url string) *rpc.Client {
	t.Helper()
	c, err := rpc.Dial(t.Context(), rpc.Config{Endpoints: []rpc.Endpoint{{HTTP: url}}, Finality: rpc.LatestTag})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func call(t *testing.T, c rpc.Caller, method string, args ...any) {
	t.Helper()
	if err := c.Call(t.Context(), nil, method, args...); err != nil {
		t.Fatal(err)
	}
}

// talk asks one of each kind of question and returns what it heard as text.
func talk(t *testing.T, c rpc.Caller) string {
	t.Helper()
	head, err := rpc.HeaderByNumber(t.Context(), c, 1)
	if err != nil {
		t.Fatal(err)
	}
	wei, err := rpc.Balance(t.Context(), c, rich, head.Hash)
	if err != nil {
		t.Fatal(err)
	}
	_, err = rpc.CallContract(t.Context(), c, account, nil, head.Hash)
	data, ok := rpc.RevertData(err)
	if !ok || !bytes.Equal(data, hexutil.MustDecode("0xdeadbeef")) {
		t.Fatalf("revert data %x, %v", data, err)
	}
	if _, err := rpc.HeaderByNumber(t.Context(), c, 99); !errors.Is(err, rpc.ErrNotFound) {
		t.Fatalf("block 99: %v", err)
	}
	var a, b common.Hash
	reqs := []rpc.Request{rpc.StorageRead(account, common.Hash{}, head.Hash, &a), rpc.StorageRead(account, common.HexToHash("0x1"), head.Hash, &b)}
	if err := errors.Join(c.Batch(t.Context(), reqs), rpc.FirstErr(reqs)); err != nil {
		t.Fatal(err)
	}
	logs, err := rpc.Logs(t.Context(), c, rpc.Filter{From: 0, To: 1})
	if err != nil {
		t.Fatal(err)
	}
	return head.Hash.Hex() + wei.Hex() + a.Hex() + b.Hex() + string(rune('0'+len(logs)))
}

func TestRecordedConversationPlaysBack(t *testing.T) {
	file := filepath.Join(t.TempDir(), "talk.txt")
	live := ""
	t.Run("record", func(t *testing.T) {
		c := client(t, chaintest.Anvil(t))
		call(t, c, "anvil_setCode", account, hexutil.Encode(reverter))
		call(t, c, "anvil_mine", "0x1")
		live = talk(t, chaintest.Record(t, c, file, "recorded by a test"))
	})
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"# recorded by a test\n", "> eth_getBlockByNumber [\"0x1\",false]\n< {", "\n! {\"code\":3,", "> eth_getBlockByNumber [\"0x63\",false]\n< null\n"} {
		if !strings.Contains(string(text), part) {
			t.Errorf("the recording lacks %q:\n%s", part, text)
		}
	}
	if got := talk(t, chaintest.Replay(t, file)); got != live {
		t.Errorf("played back %s, live it was %s", got, live)
	}
}

// watched notes failures in place of the test.
type watched struct {
	testing.TB
	errors []string
}

func (w *watched) Errorf(format string, _ ...any) { w.errors = append(w.errors, format) }

func TestReplayRefusesWhatWasNotRecorded(t *testing.T) {
	file := filepath.Join(t.TempDir(), "talk.txt")
	if err := os.WriteFile(file, []byte("> eth_call [{\"to\":\"0xAB\",\"input\":\"0x01\"}]\n< \"0x1\"\n\n> eth_call [{\"input\":\"0x01\",\"to\":\"0xab\"}]\n< \"0x2\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	w := &watched{TB: t}
	c := chaintest.Replay(w, file)
	for _, want := range []string{"0x1", "0x2", "0x2"} { // in order, then the last; key order and case do not matter
		var got string
		if err := c.Call(t.Context(), &got, "eth_call", map[string]string{"to": "0xAb", "input": "0x01"}); err != nil || got != want {
			t.Errorf("got %s, %v; want %s", got, err, want)
		}
	}
	if err := c.Call(t.Context(), nil, "eth_chainId"); !errors.Is(err, chaintest.ErrNotRecorded) || len(w.errors) != 1 {
		t.Errorf("got %v and %d test failures, want ErrNotRecorded and 1", err, len(w.errors))
	}
}
