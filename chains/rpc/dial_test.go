package rpc_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/legate-dao/legate/chains/chaintest"
	"github.com/legate-dao/legate/chains/rpc"
)

func TestDialRefusesWrongChain(t *testing.T) {
	a, b, _ := pair(t)
	b.Set(chaintest.Faults{ChainID: 5})
	_, err := rpc.Dial(t.Context(), config(a.URL(), b.URL()))
	if !errors.Is(err, rpc.ErrWrongChain) {
		t.Fatalf("got %v, want ErrWrongChain", err)
	}
	host := strings.TrimPrefix(b.URL(), "http://")
	for _, part := range []string{host, "5", "31337"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error does not name %s: %v", part, err)
		}
	}
}

func TestDialAdoptsTheChainWhenNoneIsConfigured(t *testing.T) {
	a, b, _ := pair(t)
	cfg := config(a.URL(), b.URL())
	cfg.ChainID = 0
	if got := dial(t, cfg).ChainID(); got != anvilChain {
		t.Errorf("chain id %d, want %d", got, anvilChain)
	}
	b.Set(chaintest.Faults{ChainID: 5})
	if _, err := rpc.Dial(t.Context(), cfg); !errors.Is(err, rpc.ErrWrongChain) {
		t.Errorf("two chains: got %v, want ErrWrongChain", err)
	}
}

func TestDialToleratesOneDown(t *testing.T) {
	a, b, _ := pair(t)
	a.Set(chaintest.Faults{Down: true})
	cfg := config(a.URL(), b.URL())
	cfg.Agree = 1
	client := dial(t, cfg)
	if _, err := blockNumber(t.Context(), client); err != nil {
		t.Errorf("one of two is up: %v", err)
	}
	cfg.Agree = 2
	if _, err := rpc.Dial(t.Context(), cfg); !errors.Is(err, rpc.ErrNoEndpoint) {
		t.Errorf("agree 2, one up: got %v, want ErrNoEndpoint", err)
	}
	b.Set(chaintest.Faults{Down: true})
	cfg.Agree = 1
	if _, err := rpc.Dial(t.Context(), cfg); !errors.Is(err, rpc.ErrNoEndpoint) {
		t.Errorf("all down: got %v, want ErrNoEndpoint", err)
	}
}

// An endpoint that was down at the start is asked for its chain before it is trusted.
func TestLateEndpointOfAnotherChainIsNeverUsed(t *testing.T) {
	a, b, _ := pair(t)
	b.Set(chaintest.Faults{Down: true})
	cfg := config(a.URL(), b.URL())
	cfg.Agree = 1
	client := dial(t, cfg)
	b.Set(chaintest.Faults{ChainID: 5})
	a.Set(chaintest.Faults{Down: true})
	before := b.Calls("eth_gasPrice")
	for range 3 {
		if err := client.Call(t.Context(), nil, "eth_gasPrice"); err == nil {
			t.Fatal("an endpoint of another chain answered")
		}
	}
	if b.Calls("eth_gasPrice") != before {
		t.Error("the endpoint of another chain was asked")
	}
}

func TestDialFinalityTag(t *testing.T) {
	url := server(t, chainOne(func(string) string { return `"error":{"code":-32000,"message":"finalized block not found"}` }))
	_, err := rpc.Dial(t.Context(), rpc.Config{ChainID: 1, Endpoints: []rpc.Endpoint{{HTTP: url}}})
	if err == nil || !strings.Contains(err.Error(), `no rpc endpoint has a "finalized" block`) {
		t.Fatalf("got %v, want an error about the finalized block", err)
	}
	cfg := rpc.Config{ChainID: 1, Endpoints: []rpc.Endpoint{{HTTP: url}}, Finality: rpc.Behind(3)}
	if _, err := rpc.Dial(t.Context(), cfg); err != nil {
		t.Errorf("finality by distance needs no tag: %v", err)
	}
}

func TestDialChecksConfig(t *testing.T) {
	two := []rpc.Endpoint{{HTTP: "http://127.0.0.1:1"}, {HTTP: "http://127.0.0.1:2"}}
	same := []rpc.Endpoint{{HTTP: "https://a.example/one"}, {HTTP: "https://A.example:444/two"}}
	for name, tc := range map[string]struct {
		cfg  rpc.Config
		want string
	}{
		"none":        {rpc.Config{}, "no rpc endpoint"},
		"scheme":      {rpc.Config{Endpoints: []rpc.Endpoint{{HTTP: "ftp://x.example/key"}}}, "must begin with http:// or https://"},
		"no host":     {rpc.Config{Endpoints: []rpc.Endpoint{{HTTP: "https:///key"}}}, "no host"},
		"ws scheme":   {rpc.Config{Endpoints: []rpc.Endpoint{{HTTP: "https://x.example", WS: "https://x.example"}}}, "ws address: must begin with ws:// or wss://"},
		"agree":       {rpc.Config{Endpoints: two, Agree: 3}, "agree is 3, but the rpc endpoints have 2 operators"},
		"one host":    {rpc.Config{Endpoints: same, Agree: 2}, "have 1 operators"},
		"minus agree": {rpc.Config{Endpoints: two, Agree: -1}, "agree is -1"},
		"minus rate":  {rpc.Config{Endpoints: two, Rate: -1}, "must not be negative"},
	} {
		_, err := rpc.Dial(t.Context(), tc.cfg)
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %v, want %q", name, err, tc.want)
		}
		if err != nil && strings.Contains(err.Error(), "key") {
			t.Errorf("%s: the error shows the path: %v", name, err)
		}
	}
}
