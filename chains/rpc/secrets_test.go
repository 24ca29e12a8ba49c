package rpc_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/legate-dao/legate/chains/chaintest"
	"github.com/legate-dao/legate/chains/rpc"
)

const canary = "CanaryKey0123456789"

// leaky writes a credential into every part of an address that may hold one.
func leaky(base string) string {
	host := strings.TrimPrefix(base, "http://")
	return "http://user" + canary + ":pass" + canary + "@" + host + "/v3/" + canary + "?key=" + canary
}

func TestEndpointNeverShowsCredentials(t *testing.T) {
	e := rpc.Endpoint{HTTP: leaky("http://node.example:8545"), WS: "wss://node.example/" + canary}
	raw, err := json.Marshal(struct{ E rpc.Endpoint }{e})
	if err != nil {
		t.Fatal(err)
	}
	var logged bytes.Buffer
	slog.New(slog.NewTextHandler(&logged, nil)).Info("x", "endpoint", e, "list", []rpc.Endpoint{e})
	for _, shown := range []string{e.String(), fmt.Sprintf("%v %+v %#v %s %q %x %d", e, e, e, e, e, e, e), fmt.Sprintf("%+v", []rpc.Endpoint{e}), fmt.Sprintf("%+v", &e), string(raw), logged.String()} {
		if strings.Contains(shown, canary) {
			t.Errorf("shows the credential: %s", shown)
		}
	}
	if want := "http://node.example:8545"; e.String() != want {
		t.Errorf("got %s, want %s", e, want)
	}
}

// TestG07NoCredentialInErrors provokes every kind of failure against addresses that are full of credentials.
func TestG07NoCredentialInErrors(t *testing.T) {
	a, _, _ := pair(t)
	echo := "<html>no route for {path}</html>"
	faults := map[string]chaintest.Faults{
		"down": {Down: true}, "hang": {Hang: true}, "html": {HTML: true, Page: echo}, "404": {Status: 404, Page: echo},
		"429": {Status: 429, RetryAfter: "30", Page: echo}, "500": {Status: 500, Page: echo}, "redirect": {Status: 302, Page: echo},
		"json":   {Status: 400, Page: `{"error":{"code":-32000,"message":"bad key {path} ` + canary + `"}}`},
		"ok":     {Rewrite: func(string, []rawJSON, rawJSON) rawJSON { return rawJSON(`"` + canary + `"`) }},
		"pruned": {Pruned: true}, "error": {ErrorRate: 1}, "large": {Oversize: 4096}, "chain": {ChainID: 9},
	}
	var logged bytes.Buffer
	cfg := config(leaky(a.URL()))
	cfg.Timeout, cfg.MaxResponse = 300*time.Millisecond, 2048
	cfg.Log = slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	for name, f := range faults {
		a.Set(chaintest.Faults{})
		client, err := rpc.Dial(t.Context(), cfg)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		a.Set(f)
		var n uint64
		errs := []error{client.Call(t.Context(), &n, "eth_gasPrice")}
		reqs := []rpc.Request{{Method: "eth_gasPrice", Result: &n}, {Method: "eth_getBalance", Result: &n}}
		errs = append(errs, client.Batch(t.Context(), reqs), reqs[0].Err, reqs[1].Err)
		_, err = rpc.Dial(t.Context(), cfg)
		errs = append(errs, err)
		if errs[0] == nil {
			t.Errorf("%s: the fault caused no error", name)
		}
		for _, err := range errs {
			if err != nil && strings.Contains(fmt.Sprintf("%v %+v", err, err), canary) {
				t.Errorf("%s: %v", name, err)
			}
		}
		for _, s := range client.Sources() {
			if strings.Contains(s.Name()+fmt.Sprint(s), canary) {
				t.Errorf("source name %s", s.Name())
			}
		}
	}
	unreachable := config(leaky("http://127.0.0.1:1"))
	unreachable.Endpoints[0].WS = "ws://127.0.0.1:1/" + canary
	if _, err := rpc.Dial(t.Context(), unreachable); err == nil || strings.Contains(err.Error(), canary) {
		t.Errorf("unreachable: %v", err)
	}
	if strings.Contains(logged.String(), canary) {
		t.Errorf("log: %s", logged.String())
	}
	if !strings.Contains(logged.String(), "rpc_failover") {
		t.Error("nothing was logged, so the log proves nothing")
	}
}
