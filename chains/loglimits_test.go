package chains_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains"
	"github.com/legate-dao/legate/chains/devchain"
	"github.com/legate-dao/legate/chains/governor"
	"github.com/legate-dao/legate/chains/rpc"
)

// limited is a node that refuses log requests of more than 100 blocks the way one provider writes it. A batch with
// such a request is answered part by part.
type limited struct {
	node  string
	HTTP  int
	Error json.RawMessage
	Body  string
	Name  string
}

func (l limited) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var asks []json.RawMessage
	many := json.Unmarshal(body, &asks) == nil
	if !many {
		asks = []json.RawMessage{body}
	}
	status, out := http.StatusOK, []string{}
	for _, raw := range asks {
		var a struct {
			ID     json.RawMessage
			Method string
			Params []json.RawMessage
		}
		_ = json.Unmarshal(raw, &a)
		if a.Method == "eth_getLogs" && width(a.Params[0]) > 100 {
			if l.HTTP != 0 {
				status = l.HTTP
			}
			if l.Body != "" {
				w.WriteHeader(status)
				_, _ = io.WriteString(w, l.Body)
				return
			}
			out = append(out, `{"jsonrpc":"2.0","id":`+string(a.ID)+`,"error":`+string(l.Error)+`}`)
			continue
		}
		resp, err := http.Post(l.node, "application/json", bytes.NewReader(raw))
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		answer, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		out = append(out, string(answer))
	}
	w.WriteHeader(status)
	if many {
		_, _ = io.WriteString(w, "["+strings.Join(out, ",")+"]")
		return
	}
	_, _ = io.WriteString(w, out[0])
}

// width is how many blocks a filter spans.
func width(filter json.RawMessage) uint64 {
	var f struct{ FromBlock, ToBlock string }
	_ = json.Unmarshal(filter, &f)
	from, _ := strconv.ParseUint(f.FromBlock, 0, 64)
	to, _ := strconv.ParseUint(f.ToBlock, 0, 64)
	return to - from + 1
}

// TestG48BackFillOverLogLimits: a watcher catches up over 1100 blocks against a node with each provider's refusal, alone
// and as one of two operators who must agree, and finds the proposal.
func TestG48BackFillOverLogLimits(t *testing.T) {
	ctx := t.Context()
	c, s, daos, _ := watched(t, devchain.OZ5Block)
	pay, err := devchain.ActionOn(daos[0].Treasury, "Treasury", "pay", devchain.Address(7), devchain.Tokens(3))
	must(t, err)
	made, err := s.Propose(ctx, daos[0], []devchain.Action{pay}, "# Pay")
	must(t, err)
	must(t, c.Mine(ctx, 1098))
	file, err := os.Open("rpc/testdata/log-limits.jsonl")
	must(t, err)
	defer func() { _ = file.Close() }()
	n := 0
	for lines := bufio.NewScanner(file); lines.Scan(); n++ {
		var l limited
		must(t, json.Unmarshal(lines.Bytes(), &l))
		l.node = c.HTTP()
		t.Run(l.Name, func(t *testing.T) {
			poor := httptest.NewServer(l)
			t.Cleanup(poor.Close)
			for _, urls := range [][]string{{poor.URL}, {poor.URL, c.HTTP()}} {
				conf := rpc.Config{Jitter: func() float64 { return -0.5 }, Agree: len(urls)}
				for _, u := range urls {
					conf.Endpoints = append(conf.Endpoints, rpc.Endpoint{HTTP: u})
				}
				client, err := rpc.Dial(ctx, conf)
				must(t, err)
				t.Cleanup(client.Close)
				h, err := client.Latest(ctx)
				must(t, err)
				g, err := governor.Detect(ctx, client, gov.Address(daos[0].Governor), h.Hash)
				must(t, err)
				w, err := chains.New(chains.Config{Client: chains.Over(client, nil), FinalEvery: 1, Governors: []chains.Watched{{Governor: g}}})
				must(t, err)
				st := newStore()
				catchUp(t, w, st)
				if _, ok := st.seen[id(daos[0], made)]; !ok {
					t.Errorf("%d endpoints: the proposal was not seen", len(urls))
				}
			}
		})
	}
	t.Logf("n=%d refusals", n)
}
