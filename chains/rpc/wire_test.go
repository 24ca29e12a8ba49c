package rpc_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/legate-dao/legate/chains/chaintest"
	"github.com/legate-dao/legate/chains/rpc"
)

func TestHTMLAnswerIsAClearError(t *testing.T) {
	a, _, _ := pair(t)
	client := dial(t, config(a.URL()))
	a.Set(chaintest.Faults{HTML: true, Page: "<!DOCTYPE html>\n\t<title>\x1b[31mSign in\u202e</title>" + strings.Repeat("x", 500)})
	err := client.Call(t.Context(), nil, "eth_gasPrice")
	if !errors.Is(err, rpc.ErrMalformed) || rpc.Classify(err) != rpc.Malformed {
		t.Fatalf("got %v, want ErrMalformed", err)
	}
	want := strings.TrimPrefix(a.URL(), "http://") + ` answered HTTP status 200 OK with text that is not JSON: "<!DOCTYPE html> <title> [31mSign in </title>xxxx`
	if !strings.Contains(err.Error(), want) {
		t.Errorf("got  %s\nwant %s…", err, want)
	}
	if len(err.Error()) > 250 || strings.ContainsAny(err.Error(), "\x1b\u202e\n") {
		t.Errorf("not cut to 80 printable characters: %q", err)
	}
}

func TestMalformedAnswers(t *testing.T) {
	for name, body := range map[string]string{
		"empty":       ``,
		"number":      `1`,
		"cut":         `{"jsonrpc":"2.0","id":1,"result":"0x1`,
		"no result":   `{"jsonrpc":"2.0","id":ID}`,
		"wrong id":    `{"jsonrpc":"2.0","id":"ID","result":"0x1"}`,
		"wrong type":  `{"jsonrpc":"2.0","id":ID,"result":{"a":1}}`,
		"bad value":   `{"jsonrpc":"2.0","id":ID,"result":"0x1"x}`,
		"trailing":    `{"jsonrpc":"2.0","id":ID,"result":"0x1"} {}`,
		"deep":        `{"jsonrpc":"2.0","id":ID,"result":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `}`,
		"array":       `[{"jsonrpc":"2.0","id":ID,"result":"0x1"}]`,
		"two results": `{"jsonrpc":"2.0","id":ID,"result":"0x1","result":{}}`,
	} {
		t.Run(name, func(t *testing.T) {
			var broken atomic.Bool
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				id, method := readAsk(r)
				if !broken.Load() {
					_, _ = w.Write([]byte(honest(id, method)))
					return
				}
				_, _ = w.Write([]byte(strings.ReplaceAll(body, "ID", id)))
			}))
			t.Cleanup(s.Close)
			cfg := rpc.Config{ChainID: 1, Endpoints: []rpc.Endpoint{{HTTP: s.URL}}, Finality: rpc.Behind(1), MaxBatch: 1, Jitter: noWait}
			client := dial(t, cfg)
			broken.Store(true)
			var out string
			err := client.Call(t.Context(), &out, "eth_gasPrice")
			if !errors.Is(err, rpc.ErrMalformed) {
				t.Errorf("got %q and %v, want ErrMalformed", out, err)
			}
		})
	}
}

// A small answer that swells on decompression is bounded too.
func TestOversizeIsBoundedBeforeParsing(t *testing.T) {
	a, _, node := pair(t)
	mine(t, node, 9)
	cfg := config(a.URL())
	cfg.MaxResponse = 4096
	client := dial(t, cfg)
	a.Set(chaintest.Faults{Oversize: 5000})
	err := client.Call(t.Context(), nil, "eth_gasPrice")
	if !errors.Is(err, rpc.ErrTooLarge) || rpc.Classify(err) != rpc.Malformed {
		t.Errorf("got %v (%v), want ErrTooLarge", err, rpc.Classify(err))
	}
	_, err = rpc.Logs(t.Context(), client, rpc.Filter{From: 0, To: 9})
	var alone *rpc.RefusedError
	if !errors.As(err, &alone) || alone.Block != 9 || !strings.Contains(alone.Text, "answer too large") {
		t.Errorf("logs: got %v, want those of block 9 alone too large", err)
	}
}

func TestRetryAfterIsRespected(t *testing.T) {
	a, b, _ := pair(t)
	a.Set(chaintest.Faults{})
	client := dial(t, config(a.URL()))
	a.Set(chaintest.Faults{Status: 429, RetryAfter: "120", Page: "slow down"})
	began := time.Now()
	err := client.Call(t.Context(), nil, "eth_gasPrice")
	if rpc.Classify(err) != rpc.RateLimited {
		t.Fatalf("got %v (%v), want RateLimited", err, rpc.Classify(err))
	}
	if after, ok := rpc.RetryAfter(err); !ok || after != 2*time.Minute {
		t.Errorf("RetryAfter is %s, %v; want 2m", after, ok)
	}
	if n := a.Calls("eth_gasPrice"); n != 1 || time.Since(began) > time.Second {
		t.Errorf("asked %d times in %s; a wait of 2 minutes is the caller's business", n, time.Since(began))
	}
	a.Set(chaintest.Faults{})
	client = dial(t, config(a.URL(), b.URL()))
	a.Set(chaintest.Faults{Status: 429, RetryAfter: "30"})
	before := a.Calls("eth_gasPrice")
	if err := client.Call(t.Context(), nil, "eth_gasPrice"); err != nil {
		t.Errorf("the other endpoint has no limit: %v", err)
	}
	if err := client.Call(t.Context(), nil, "eth_gasPrice"); err != nil || a.Calls("eth_gasPrice")-before != 1 {
		t.Errorf("the limited endpoint was asked again within its 30 s (%d calls, %v)", a.Calls("eth_gasPrice")-before, err)
	}
}

// A redirect would carry the question, and on some servers the key, to a stranger.
func TestRedirectIsNotFollowed(t *testing.T) {
	var followed atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		followed.Add(1)
		id, method := readAsk(r)
		_, _ = w.Write([]byte(honest(id, method)))
	}))
	t.Cleanup(other.Close)
	here := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusTemporaryRedirect))
	t.Cleanup(here.Close)
	cfg := config(here.URL)
	cfg.ChainID = 1
	if _, err := rpc.Dial(t.Context(), cfg); err == nil || followed.Load() != 0 {
		t.Errorf("got %v, followed %d times", err, followed.Load())
	}
}
