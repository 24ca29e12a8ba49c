package rpc

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestSplitFast(t *testing.T) {
	env, ok := splitFast([]byte(` {"jsonrpc":"2.0", "id":7 ,"result":{"a":["}",{"b":"\\\"]"}]}} `))
	if !ok || string(env.ID) != "7" || string(env.Result) != `{"a":["}",{"b":"\\\"]"}]}` {
		t.Errorf("%s %s %v", env.ID, env.Result, ok)
	}
	for _, raw := range []string{
		``, `{}`, `{"id":1}`, `{"result":1`, `{"result":1}x`, `{"result":1,"result":2}`, `{"result":1,"error":null}`,
		`{"Result":1}`, `{"result":}`, `[]`, `{"result":"a}`, `{"result":1,}`, `{"re\u0073ult":1}`,
	} {
		if env, ok := splitFast([]byte(raw)); ok {
			t.Errorf("%s: took %s", raw, env.Result)
		}
	}
}

// On valid JSON the fast split and encoding/json see the same.
func TestSplitFastAgainstJSON(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	base := `{"jsonrpc":"2.0","id":12,"result":[{"a":"x\"y","b":[1,2,{"c":null}]},"0x1"]}`
	same := 0
	for range 50_000 {
		raw := []byte(base)
		for range r.IntN(3) {
			i, j := r.IntN(len(raw)), r.IntN(len(raw))
			switch r.IntN(3) {
			case 0:
				raw[i], raw[j] = raw[j], raw[i]
			case 1:
				raw = append(raw[:i], raw[i+1:]...)
			case 2:
				raw[i] = `{}[]",:\ 0`[r.IntN(10)]
			}
		}
		env, ok := splitFast(raw)
		if !ok || !json.Valid(raw) {
			continue
		}
		var want envelope
		if err := json.Unmarshal(raw, &want); err != nil || !bytes.Equal(want.Result, env.Result) || !bytes.Equal(want.ID, env.ID) {
			t.Fatalf("%s\nfast %s %s\njson %s %s %v", raw, env.ID, env.Result, want.ID, want.Result, err)
		}
		same++
	}
	if same < 5000 {
		t.Errorf("only %d comparisons", same)
	}
}

func TestDepth(t *testing.T) {
	ok := strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth)
	if err := checkDepth([]byte(ok)); err != nil {
		t.Error(err)
	}
	for _, raw := range []string{"[" + ok + "]", strings.Repeat(`{"a":`, maxDepth+1), `["a`} {
		if checkDepth([]byte(raw)) == nil {
			t.Errorf("took %d bytes", len(raw))
		}
	}
	if err := checkDepth([]byte(`["` + strings.Repeat("[", 2*maxDepth) + `"]`)); err != nil {
		t.Errorf("brackets in a string do not nest: %v", err)
	}
}

// BenchmarkAnswer is all the CPU work on an eth_getLogs answer, from bytes of the body to logs.
func BenchmarkAnswer(b *testing.B) {
	raw := append(append([]byte(`{"jsonrpc":"2.0","id":1,"result":`), bigAnswer(1000)...), '}')
	n := &node{name: "bench"}
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		var logs logList
		r := &Request{Method: "eth_getLogs", Result: &logs}
		if err := checkDepth(raw); err != nil {
			b.Fatal(err)
		}
		if err := n.readOne(raw, r, 1); err != nil || r.Err != nil || len(logs) != 1000 {
			b.Fatal(err, r.Err)
		}
	}
	b.ReportMetric(float64(b.N)*1000/b.Elapsed().Seconds(), "logs/s")
}
