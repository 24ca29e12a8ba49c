package rpc

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// scripted is a transport in memory: time in a synctest bubble does not pass over real sockets.
type scripted func(host string, body string) (status int, answer string, header http.Header)

func (s scripted) RoundTrip(r *http.Request) (*http.Response, error) {
	body, _ := io.ReadAll(r.Body)
	status, answer, header := s(r.URL.Host, string(body))
	if header == nil {
		header = http.Header{}
	}
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(answer)), ContentLength: int64(len(answer)), Request: r}, nil
}

func one(id, result string) string {
	return `{"jsonrpc":"2.0","id":` + id + `,"result":` + result + `}`
}

// idOf finds the id of a single question.
func idOf(body string) string {
	_, rest, _ := strings.Cut(body, `"id":`)
	id, _, _ := strings.Cut(rest, ",")
	return id
}

// up answers Dial and lets then decide the rest.
func up(then scripted) scripted {
	return func(host, body string) (int, string, http.Header) {
		switch {
		case strings.HasPrefix(body, "[") && strings.Contains(body, "eth_chainId"):
			first := idOf(body)
			_, rest, _ := strings.Cut(body, "},{")
			return 200, "[" + one(first, `"0x1"`) + "," + one(idOf(rest), `"0x10"`) + "]", nil
		}
		return then(host, body)
	}
}

func virtual(t *testing.T, s scripted, change func(*Config)) *Client {
	t.Helper()
	cfg := Config{ChainID: 1, Endpoints: []Endpoint{{HTTP: "http://a.example"}}, Finality: Behind(1), Transport: up(s), Jitter: func() float64 { return 0.5 }}
	if change != nil {
		change(&cfg)
	}
	c, err := Dial(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestBackoffIsBoundedAndDoubles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at []time.Duration
		began := time.Now()
		c := virtual(t, func(string, string) (int, string, http.Header) {
			at = append(at, time.Since(began))
			return 500, "broken", nil
		}, nil)
		if err := c.Call(t.Context(), nil, "eth_gasPrice"); Classify(err) != Retry {
			t.Errorf("got %v", err)
		}
		want := []time.Duration{0, 250 * time.Millisecond, 750 * time.Millisecond}
		if len(at) != len(want) {
			t.Fatalf("asked at %v, want %v", at, want)
		}
		for i := range want {
			if at[i] != want[i] {
				t.Errorf("asked at %v, want %v", at, want)
			}
		}
	})
}

func TestShortRetryAfterIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		began := time.Now()
		c := virtual(t, func(_ string, body string) (int, string, http.Header) {
			if calls++; calls == 1 {
				return 429, "{}", http.Header{"Retry-After": {"4"}}
			}
			return 200, one(idOf(body), `"0x5"`), nil
		}, nil)
		var out string
		if err := c.Call(t.Context(), &out, "eth_gasPrice"); err != nil || out != "0x5" {
			t.Errorf("got %q, %v", out, err)
		}
		if took := time.Since(began); took != 4*time.Second {
			t.Errorf("took %s, want 4s", took)
		}
	})
}

func TestRateLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		c := virtual(t, func(_ string, body string) (int, string, http.Header) {
			return 200, one(idOf(body), `"0x5"`), nil
		}, func(c *Config) { c.Rate = 5 })
		for range 53 { // with the 2 of Dial 55: 5 at once, 50 at 5 a second
			if err := c.Call(t.Context(), nil, "eth_gasPrice"); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(began).Round(time.Millisecond); took != 10*time.Second {
			t.Errorf("took %s, want 10s", took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if err := c.Call(ctx, nil, "eth_gasPrice"); Classify(err) != Timeout {
			t.Errorf("no time left: %v (%v)", err, Classify(err))
		}
	})
}

// An endpoint that failed comes back after its cool-off.
func TestCoolingEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken, asked := true, map[string]int{}
		c := virtual(t, func(host, body string) (int, string, http.Header) {
			asked[host]++
			if host == "a.example" && broken {
				return 500, "", nil
			}
			return 200, one(idOf(body), `"0x5"`), nil
		}, func(c *Config) {
			c.Endpoints = append(c.Endpoints, Endpoint{HTTP: "http://b.example"})
		})
		ask := func() {
			if err := c.Call(t.Context(), nil, "eth_gasPrice"); err != nil {
				t.Error(err)
			}
		}
		ask()
		broken = false
		ask()
		if asked["a.example"] != 1 || asked["b.example"] != 2 {
			t.Errorf("right after the failure: %v", asked)
		}
		time.Sleep(1100 * time.Millisecond)
		ask()
		if asked["a.example"] != 2 {
			t.Errorf("after the cool-off: %v", asked)
		}
	})
}
