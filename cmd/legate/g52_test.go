package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/journal"
	"github.com/legate-dao/legate/agent/risk"
	"github.com/legate-dao/legate/chains/chaintest"
	"github.com/legate-dao/legate/chains/devchain"
	"github.com/legate-dao/legate/chains/quorum"
	"github.com/legate-dao/legate/chains/rpc"
	"github.com/legate-dao/legate/notify"
	"github.com/legate-dao/legate/policies/strict"
)

// recorder answers every request with a text, and notes the methods.
type recorder struct {
	mu      sync.Mutex
	methods []string
	answer  string
	status  int
}

func (r *recorder) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	body, err := io.ReadAll(req.Body)
	if err != nil || len(body) > 0 {
		r.methods = append(r.methods, "a body")
	}
	r.methods = append(r.methods, req.Method)
	w.WriteHeader(r.status)
	fmt.Fprint(w, r.answer)
}

// TestG52DoctorTriesEverything has one of each metric and channel that works and that does not.
func TestG52DoctorTriesEverything(t *testing.T) {
	w, _ := demoFolder(t)
	chain := fmt.Sprintf("eip155:%d", w.chain.ChainID())
	hook := &recorder{status: http.StatusMethodNotAllowed}
	pager := &recorder{status: 200, answer: `{"versionInfo":{"version":"0.25.0"}}`}
	forum := &recorder{status: 200, answer: `{"name":"Votes <@1>","type":1}`}
	gone := &recorder{status: 404, answer: `{"message":"Unknown Webhook","code":10015}`}
	page := &recorder{status: 200, answer: `<html>no Alertmanager</html>`}
	at := map[*recorder]string{}
	for _, r := range []*recorder{hook, pager, forum, gone, page} {
		s := httptest.NewServer(r)
		defer s.Close()
		at[r] = s.URL
	}
	write(t, "forum-address", at[forum]+"/api/webhooks/1/secret-token\n")
	write(t, "gone-address", at[gone]+"/api/webhooks/1/secret-token\n")
	text, err := os.ReadFile("legate.yaml")
	if err != nil {
		t.Fatal(err)
	}
	oracle, governor := w.daos["harbor"].Oracle.Hex(), w.daos["harbor"].Governor.Hex()
	before, _, ok := strings.Cut(string(text), "metrics:\n")
	_, after, found := strings.Cut(string(text), "every: 12s}\n")
	if !ok || !found {
		t.Fatalf("the demo's metrics are not where they were:\n%s", text)
	}
	if i := strings.Index(after, "channels:"); i >= 0 {
		t.Fatalf("the demo has channels now; this test would have them twice:\n%s", after)
	}
	write(t, "legate.yaml", before+fmt.Sprintf(`metrics:
  - {name: hrb-price, chain: %q, call: "%s.latestAnswer()(int256)", scale: 1e-18, every: 12s}
  - {name: reverts, chain: %q, call: "%s.latestAnswer()(int256)"}
  - {name: codeless, chain: %q, call: "0x000000000000000000000000000000000000dEaD.latestAnswer()(int256)"}
  - {name: narrow, chain: %q, call: "%s.latestAnswer()(uint8)"}
`, chain, oracle, chain, governor, chain, chain, oracle)+after+fmt.Sprintf(`channels:
  hook: {webhook: %q}
  dead: {webhook: "http://127.0.0.1:1/secret-path"}
  pager: {alertmanager: %q}
  page: {alertmanager: %q}
  forum: {discord: file:forum-address}
  gone: {discord: file:gone-address}
  unset: {webhook: %q, secret: env:LEGATE_TEST_NO_SUCH_SECRET}
  nofile: {discord: file:no-such-file}
  desk: {url: "generic://127.0.0.1:1/x?disabletls=yes"}
  here: {terminal: true}
`, at[hook], at[pager], at[page], at[hook]))
	lines := diagnose(t, 1)
	for part, want := range map[string]struct {
		is   condition
		what string
	}{
		"metric hrb-price": {isFine, "unverified, from 127.0.0.1"},
		"metric reverts":   {isWrong, "the call reverts"},
		"metric codeless":  {isWrong, "there is no code behind 0x000000000000000000000000000000000000dEaD"},
		"metric narrow":    {isWrong, "none of the type"},
		"channel hook":     {isFine, "somebody answers there; it is not signed"},
		"channel dead":     {isWrong, "does not take connections"},
		"channel pager":    {isFine, "Alertmanager 0.25.0 answers"},
		"channel page":     {isWrong, "not Alertmanager's API"},
		"channel forum":    {isFine, "Discord knows it as Votes"},
		"channel gone":     {isWrong, "404 Not Found: Unknown Webhook"},
		"channel unset":    {isWrong, "LEGATE_TEST_NO_SUCH_SECRET"},
		"channel nofile":   {isWrong, "no-such-file"},
		"channel desk":     {isFine, "cannot be tried without a message"},
		"channel here":     {isFine, "nothing to try"},
	} {
		l := lines[part]
		if l.Status != want.is || !strings.Contains(l.What, want.what) {
			t.Errorf("%s: %+v, want %s with %q", part, l, want.is, want.what)
		}
		if strings.Contains(l.What, "secret-") {
			t.Errorf("%s tells a secret: %s", part, l.What)
		}
	}
	for r, want := range map[*recorder]string{hook: "[OPTIONS]", pager: "[GET]", forum: "[GET]"} {
		if got := fmt.Sprint(r.methods); got != want {
			t.Errorf("the doctor sent %s, want %s", got, want)
		}
	}
}

// A number is what enough operators say of a block that enough of them have: one that lies about the head or the
// number changes nothing, and two that differ leave it unknown.
func TestG52NumbersAreAgreed(t *testing.T) {
	chain := may(devchain.Start(devchain.Config{}))(t)
	defer chain.Close()
	node := chain.HTTP()
	s := may(chain.Session(t.Context(), accountDeployer))(t)
	defer s.Close()
	feed := may(s.Deploy(t.Context(), "PriceOracle", s.From))(t)
	may(s.Transact(t.Context(), feed, "PriceOracle", "setPrice", feed, devchain.Tokens(2)))(t)
	must(t, s.MineBlocks(t.Context(), 3))
	var proxies []*chaintest.Proxy
	conf := rpc.Config{ChainID: s.ChainID.Uint64(), Agree: 2, Finality: rpc.LatestTag}
	for range 3 {
		p := chaintest.NewProxy(t, node)
		proxies, conf.Endpoints = append(proxies, p), append(conf.Endpoints, rpc.Endpoint{HTTP: p.URL()})
	}
	client := may(rpc.Dial(t.Context(), conf))(t)
	defer client.Close()
	m := MetricConfig{Name: "price", Scale: 1e-18}
	must(t, m.Call.ParseStrict(feed.Hex()+".latestAnswer()(int256)"))
	m.Chain = may(chainNamed(fmt.Sprintf("eip155:%d", s.ChainID)))(t)
	reader := newMetricReader(map[gov.ChainID]*quorum.Panel{gov.ChainID(conf.ChainID): quorum.Of(client, nil)}, []MetricConfig{m})

	forged := func(value string) chaintest.Faults {
		return chaintest.Faults{Rewrite: func(method string, _ []json.RawMessage, result json.RawMessage) json.RawMessage {
			if method == "eth_call" {
				return json.RawMessage(fmt.Sprintf("%q", hexutil.Encode(common.LeftPadBytes(hexutil.MustDecode(value), 32))))
			}
			return result
		}}
	}
	head := func(number uint64) chaintest.Faults {
		return chaintest.Faults{Rewrite: func(method string, params []json.RawMessage, result json.RawMessage) json.RawMessage {
			if method != "eth_getBlockByNumber" || len(params) == 0 || string(params[0]) != `"latest"` {
				return result
			}
			var block map[string]any
			if json.Unmarshal(result, &block) != nil || block == nil {
				return result
			}
			block["number"], block["timestamp"] = hexutil.EncodeUint64(number), hexutil.EncodeUint64(1<<40)
			return may(json.Marshal(block))(t)
		}}
	}
	for _, c := range []struct {
		name   string
		faults chaintest.Faults
		source string
	}{
		{"all honest", chaintest.Faults{}, "agreed by 3 of 3"},
		{"a false number", forged("0x01"), "agreed by 2 of 3"},
		{"a head in the future", head(1 << 40), "agreed by"},
		{"a head of long ago", head(1), "agreed by"},
		{"one that is down", chaintest.Faults{Down: true}, "agreed by 2 of"},
	} {
		for liar := range proxies {
			if c.faults.Down && liar > 0 {
				continue // one that was down is left alone for a while, so a second would be one too many
			}
			proxies[liar].Set(c.faults)
			got, err := reader.Read(t.Context(), "price")
			if err != nil || got.Value != 2 || !strings.Contains(got.Source, c.source) || got.Block.Time > 1<<35 {
				t.Errorf("%s at %d: %+v %v", c.name, liar, got, err)
			}
			proxies[liar].Set(chaintest.Faults{})
		}
	}
	proxies[0].Set(forged("0x01"))
	proxies[1].Set(forged("0x02"))
	_, err := reader.Read(t.Context(), "price")
	if u, ok := err.(*risk.Unreadable); !ok || u.Why != "the endpoints disagree about the number" {
		t.Errorf("%v", err)
	}
}

func chainNamed(text string) (c strict.Chain, err error) {
	err = c.ParseStrict(text)
	return c, err
}

// TestG52DaemonShowsWhatIsOn follows one alarm through a real daemon: raised, killed before its delivery, its number
// blind, and over; on the webhook, the page, the status, /readyz and /metrics.
func TestG52DaemonShowsWhatIsOn(t *testing.T) {
	s := newSite(t, "harbor")
	hook := &posted{}
	var up sync.Mutex
	down := true
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		up.Lock()
		defer up.Unlock()
		if down {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		hook.ServeHTTP(w, r)
	}))
	defer server.Close()
	dao := s.daos["harbor"]
	h := newHome(t, s, setup{edit: func(files map[string]string) {
		files["legate.yaml"] += fmt.Sprintf("channels: {hook: {webhook: %q}}\nroutes: [{to: [hook], events: [emergency, system]}]\nmetrics:\n  - {name: price, chain: %q, call: \"%s.latestAnswer()(int256)\", scale: 1e-18, every: 1s}\n",
			server.URL, s.chain.String(), dao.Oracle)
		files["policies.yaml"] += "\nemergency:\n  - {name: crash, when: 'metrics[\"price\"] < 1.0 && true', for: 0s, do: [{alert: critical}]}\n"
	}})
	price := func(milli int64) {
		t.Helper()
		wei := new(big.Int).Mul(big.NewInt(milli), big.NewInt(1e15))
		may(s.deployer.Transact(t.Context(), dao.Oracle, "PriceOracle", "setPrice", dao.Token, wei))(t)
		s.mine(1)
	}
	has := func(path string, want ...string) {
		t.Helper()
		body := ""
		if !h.await(20*time.Second, func() bool {
			s.mine(1)
			_, body = h.get(path)
			for _, w := range want {
				if !strings.Contains(body, w) {
					return false
				}
			}
			return true
		}) {
			t.Fatalf("%s does not have %q:\n%.6000s", path, want, body)
		}
	}
	price(2000)
	h.start()
	has("/readyz", `"ok":true`, `"degraded":[]`)
	has("/metrics", `legate_metric_value{metric="price"} 2`, `legate_rule_state{rule="crash",state="inactive"} 1`, `legate_alerts_waiting{channel="hook"} 0`, "legate_metric_age_seconds{metric=\"price\"}")

	// raised while nobody listens, then killed
	price(500)
	has("/api/v1/status", `"rule":"crash","state":"firing"`, `"value":null`, `"kind":"prices"`)
	has("/", "Emergency: crash fires.", "&lt; 1.0 &amp;&amp; true", "prices of harbor")
	has("/metrics", `legate_rule_state{rule="crash",state="firing"} 1`, `legate_alerts_waiting{channel="hook"} 1`, `legate_deliveries_failed_total{channel="hook"}`)
	h.kill()
	up.Lock()
	down = false
	up.Unlock()
	h.start()
	heard := func(want ...string) {
		t.Helper()
		if !h.await(20*time.Second, func() bool { s.mine(1); return fmt.Sprintf("%q", hook.titles()) == fmt.Sprintf("%q", want) }) {
			t.Fatalf("heard %q, want %q", hook.titles(), want)
		}
	}
	heard("emergency: crash")
	hook.mu.Lock()
	first := hook.alerts[0]
	hook.mu.Unlock()
	if first.Rule != "crash" || first.State != gov.AlarmFiring || first.Expression != `metrics["price"] < 1.0 && true` || first.Value.IsKnown() || len(first.Values) != 1 || *first.Metric != "price" {
		t.Errorf("%+v %+v", first, first.Emergency)
	}

	// its contract is gone: the monitor is blind, and the alarm is not over
	code := ""
	must(t, s.deployer.RPC.CallContext(t.Context(), &code, "eth_getCode", dao.Oracle, "latest"))
	s.rpc("anvil_setCode", dao.Oracle, "0x")
	blind := "there is no code behind " + dao.Oracle.Hex()
	has("/readyz", `"ok":true`, "metric price cannot be read since", blind)
	has("/api/v1/status", `"rule":"crash","state":"firing"`, blind)
	has("/", "Emergency: crash fires.", "Metric price cannot be read since")
	if line := doctorLine(t, h, "metric price"); line.Status != isWrong || !strings.Contains(line.What, blind) {
		t.Errorf("doctor: %+v", line)
	}
	s.rpc("anvil_setCode", dao.Oracle, code)
	price(3000)
	if !h.await(20*time.Second, func() bool {
		s.mine(1)
		titles := strings.Join(hook.titles(), "\n")
		return strings.Contains(titles, "emergency: crash resolved") && strings.Contains(titles, "price can be read again")
	}) {
		t.Fatalf("heard %q", hook.titles())
	}
	has("/readyz", `"ok":true`, `"degraded":[]`)
	has("/api/v1/status", `"rule":"crash","state":"resolved"`)

	// a table that changes beside the daemon changes no decision, and is told
	f := h.path("harbor-prices.csv")
	text := string(may(os.ReadFile(f))(t))
	must(t, os.WriteFile(f, []byte(text+"0x000000000000000000000000000000000000dEaD,1\n"), 0o600))
	has("/readyz", "prices of harbor changed on the disk since the start")
	has("/", "changed on the disk since the start; restart to use the file.")
	count := map[string]int{}
	for _, title := range hook.titles() {
		count[title]++
	}
	if count["emergency: crash"] != 1 || count["emergency: crash resolved"] != 1 {
		t.Errorf("heard %v", count)
	}
	h.interrupt()
}

func doctorLine(t *testing.T, h *home, part string) symptom {
	t.Helper()
	out, _ := h.legate(1, "doctor", "--json", "-c", h.path("legate.yaml"))
	var doc doctorDocument
	must(t, json.Unmarshal([]byte(out), &doc))
	for _, l := range doc.Checks {
		if l.Part == part {
			return l
		}
	}
	return symptom{}
}

// Prices are told once a file when they are old, and a changed file once a content, over restarts.
func TestG52TablesAreWatched(t *testing.T) {
	dir := t.TempDir()
	path := dir + "/prices.csv"
	must(t, os.WriteFile(path, []byte("token,usd\nnative,3000\n"), 0o600))
	week := time.Now().Add(-8 * 24 * time.Hour)
	must(t, os.Chtimes(path, week, week))
	conf := Config{path: dir + "/legate.yaml", Governors: []GovernorConfig{{Name: "harbor", Prices: "prices.csv"}}}
	db := may(journal.Open(t.Context(), "sqlite:legate.db", dir, journal.Daemon))(t)
	defer db.Close()
	outbox := may(db.Outbox(t.Context(), []string{"hook"}))(t)
	start := func() *alerting {
		w := &world{conf: conf, watched: map[gov.ProposalID]*watched{{}: {files: conf.filesOf(conf.Governors[0])}}}
		return &alerting{outbox: outbox, router: may(notify.New(outbox, nil, notify.RouterConfig{}))(t), world: w, log: slog.New(slog.DiscardHandler)}
	}
	for range 2 {
		a := start()
		a.lookAtFiles(t.Context(), time.Now())
		a.lookAtFiles(t.Context(), time.Now().Add(2*time.Hour))
	}
	a := start()
	must(t, os.WriteFile(path, []byte("token,usd\nnative,3001\n"), 0o600))
	a.lookAtFiles(t.Context(), time.Now())
	a.lookAtFiles(t.Context(), time.Now())
	must(t, os.Remove(path))
	a.lookAtFiles(t.Context(), time.Now())
	var titles []string
	for _, q := range may(outbox.Pending(t.Context(), "hook", 10))(t) {
		titles = append(titles, q.Alert.Title)
		if q.Alert.Event != dossier.AlertSystem {
			t.Errorf("%+v", q.Alert)
		}
	}
	const of = "legate: the prices of harbor (prices.csv) "
	want := []string{of + "are 8 days old", of + "changed on the disk since the start", of + "changed on the disk since the start"} // the last: it is gone
	if fmt.Sprintf("%q", titles) != fmt.Sprintf("%q", want) {
		t.Errorf("%q", titles)
	}
}
