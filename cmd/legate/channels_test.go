package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/journal"
	"github.com/legate-dao/legate/chains/devchain"
	"github.com/legate-dao/legate/chains/quorum"
	"github.com/legate-dao/legate/chains/rpc"
	"github.com/legate-dao/legate/notify"
	"github.com/legate-dao/legate/notify/discordtest"
	"github.com/legate-dao/legate/policies"
	"github.com/legate-dao/legate/policies/strict"
)

// alertsFile is legate.yaml as far as these tests need it.
type alertsFile struct {
	Version int `yaml:"version,required"`
	AlertsConfig
}

// readAlerts reads a text and says all that is wrong with it.
func readAlerts(text string) (AlertsConfig, []string) {
	f := alertsFile{}
	doc, problems := strict.ReadAt("legate.yaml", []byte("version: 1\n"+text), &f)
	c := Config{doc: doc, path: "legate.yaml", Chains: map[string]ChainConfig{"eip155:1": {}}}
	if !problems.HasErrors() {
		problems = append(problems, c.checkAlerts(f.AlertsConfig)...)
	}
	var out []string
	for _, p := range problems {
		out = append(out, fmt.Sprintf("%d: %s", p.Line, p.Message))
	}
	return f.AlertsConfig, out
}

func TestAlertsConfigOfFORMATS(t *testing.T) {
	a, problems := readAlerts(`channels:
  forum: {discord: env:DISCORD_WEBHOOK}
  bot:   {discord: {bot: env:DISCORD_TOKEN, channel: "1234"}}
  desk:  {url: env:SLACK_SHOUTRRR}
  pager: {alertmanager: http://127.0.0.1:9093}
  hook:  {webhook: "http://127.0.0.1:9000/legate", secret: env:HOOK_SECRET}
  here:  {terminal: true}
routes:
  - {to: [forum], events: [proposal, decision, vote, result]}
  - {to: [desk, pager], severity: critical}
metrics:
  - {name: eth-price, chain: eip155:1, call: "0x5f4eC3Df9cbd43714FE2740f5E3616155c5b8419.latestAnswer()(int256)", scale: 1e-8, every: 1m}
`)
	if problems != nil {
		t.Fatal(problems)
	}
	kinds := map[string][]string{}
	for name, c := range a.Channels {
		kinds[name] = c.kinds()
	}
	want := map[string][]string{"forum": {"discord"}, "bot": {"discord"}, "desk": {"url"}, "pager": {"alertmanager"}, "hook": {"webhook"}, "here": {"terminal"}}
	if diff := cmp.Diff(want, kinds); diff != "" {
		t.Error(diff)
	}
	if m := a.Metrics[0]; m.Call.method.Signature != "latestAnswer()" || !m.Call.signed || m.Scale != 1e-8 || m.Every.Std() != time.Minute {
		t.Errorf("%+v", m)
	}
	if s := fmt.Sprintf("%+v %v", a, a); strings.Contains(s, "9000") {
		t.Errorf("an address is printed: %s", s)
	}
}

func TestAlertsConfigSaysWhatIsWrong(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"channels:\n  a: {}\n", "3: a channel has exactly one of terminal, discord, url, alertmanager, webhook"},
		{"channels:\n  a: {webhook: http://x, url: env:Y}\n", "3: a channel has exactly one of terminal, discord, url, alertmanager, webhook"},
		{"channels:\n  a: {terminal: true, secret: env:X}\n", "3: only a webhook is signed"},
		{"channels:\n  a: {discord: {bot: env:X}}\n", "3: a bot needs its token and the id of the channel that it speaks in"},
		{"channels:\n  a: {discord: {bot: env:X, channel: \"1\", allow: [\"2\"]}}\n", `3: "allow" is not in this release`},
		{"channels:\n  \"a b\": {terminal: true}\n", `3: "a b" cannot be a name: letters, digits, - and _, at most 40`},
		{"channels:\n  a: {pigeon: x}\n", `3: unknown key "pigeon"`},
		{"channels:\n  a: {terminal: true}\nroutes:\n  - {to: [b]}\n", `5: there is no channel "b"`},
		{"channels:\n  a: {terminal: true}\nroutes:\n  - {to: []}\n", "5: a route needs a channel to go to"},
		{"channels:\n  a: {terminal: true}\nroutes:\n  - {to: [a], events: [votes]}\n", `5: unknown word "votes"`},
		{"channels:\n  a: {terminal: true}\nroutes:\n  - {to: [a], severity: bad}\n", `5: unknown word "bad"`},
		{metric("eip155:2", "0x5f4eC3Df9cbd43714FE2740f5E3616155c5b8419.latestAnswer()(int256)", ""), "3: chain eip155:2 is not among chains"},
		{metric("eip155:1", "latestAnswer()(int256)", ""), "3: "},
		{metric("eip155:1", "0x5f4eC3Df9cbd43714FE2740f5E3616155c5b8419.f(uint256)(int256)", ""), "is not a call that returns one number"},
		{metric("eip155:1", "0x5f4eC3Df9cbd43714FE2740f5E3616155c5b8419.f()(address)", ""), "is not a call that returns one number"},
		{metric("eip155:1", "0x5f4eC3Df9cbd43714FE2740f5E3616155c5b8419.f()(uint256,uint256)", ""), "is not a call that returns one number"},
		{metric("eip155:1", "0x5f4eC3Df9cbd43714FE2740f5E3616155c5b8419.f()(uint256[])", ""), "is not a call that returns one number"},
		{metric("eip155:1", "0x5f4ec3df9cbd43714fe2740f5e3616155c5b8419.f()(uint256)", ""), "3: "},
		{metric("eip155:1", "0x5f4eC3Df9cbd43714FE2740f5E3616155c5b8419.f()(uint256)", ", scale: 0"), "3: the scale makes every number the same"},
	} {
		_, problems := readAlerts(c.text)
		if len(problems) != 1 || !strings.Contains(problems[0], c.want) {
			t.Errorf("%s\n got %q\nwant %q", c.text, problems, c.want)
		}
	}
}

func metric(chain, call, more string) string {
	return fmt.Sprintf("metrics:\n  - {name: m, chain: %q, call: %q%s}\n", chain, call, more)
}

// Every kind of channel of the program has its keys in the file, and every event its word.
func TestEveryKindHasItsKey(t *testing.T) {
	for _, k := range notify.Kinds() {
		text := fmt.Sprintf("channels:\n  a: {%s: %s}\n", k.Name, map[bool]string{true: "true", false: "env:X"}[k.Name == "terminal"])
		a, problems := readAlerts(text)
		if problems != nil || a.Channels["a"].kinds()[0] != k.Name {
			t.Errorf("%s: %v", k.Name, problems)
		}
	}
	for _, e := range dossier.AlertEvents {
		if _, problems := readAlerts(fmt.Sprintf("channels: {a: {terminal: true}}\nroutes: [{to: [a], events: [%s]}]\n", e)); problems != nil {
			t.Error(problems)
		}
	}
	if _, err := strict.Schema(alertsFile{}, "x"); err != nil {
		t.Error(err)
	}
}

// posted collects what a webhook was sent.
type posted struct {
	mu     sync.Mutex
	alerts []dossier.Alert
	signed bool
}

func (p *posted) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	var a dossier.Alert
	if json.Unmarshal(body, &a) != nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.alerts = append(p.alerts, a)
	p.signed = r.Header.Get("X-Legate-Signature") == notify.Signature([]byte("hook-key"), body)
}

func (p *posted) titles() (out []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, a := range p.alerts {
		out = append(out, a.Title)
	}
	return out
}

const crashRules = `version: 1
holders: [{name: a, account: "eip155:1337:0x00000000000000000000000000000000000000A1", governors: [g], policy: p}]
policies: {p: {otherwise: hold, rules: [{name: r, vote: against, when: "treasury.outflow_bps > 5000"}], hold_if: [{name: l, when: "text.length > 9"}]}}
emergency: [{name: crash, when: 'metrics["price"] < 0.9', for: 10m, do: [{alert: critical}]}]
`

// TestEmergencyOnChain lets a real feed crash on a real chain, and counts what arrives.
func TestEmergencyOnChain(t *testing.T) {
	ctx := t.Context()
	chain, err := devchain.Start(devchain.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer chain.Close()
	s, err := chain.Session(ctx, accountDeployer)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	feed, err := s.Deploy(ctx, "PriceOracle", s.From)
	if err != nil {
		t.Fatal(err)
	}
	set := func(tokens int64) {
		t.Helper()
		if _, err := s.Transact(ctx, feed, "PriceOracle", "setPrice", feed, devchain.Tokens(tokens)); err != nil {
			t.Fatal(err)
		}
	}
	set(2)
	hook := &posted{}
	server := httptest.NewServer(hook)
	defer server.Close()
	forum, err := discordtest.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer forum.Close()

	dir := t.TempDir()
	for name, text := range map[string]string{"hook-key": "hook-key\n", "forum": forum.Webhook() + "\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	name := fmt.Sprintf("eip155:%d", chain.ChainID())
	alerts, problems := readAlerts(fmt.Sprintf(`channels:
  hook:  {webhook: %q, secret: file:hook-key}
  forum: {discord: file:forum}
  here:  {terminal: true}
metrics:
  - {name: price, chain: eip155:1, call: "%s.latestAnswer()(int256)", scale: 1e-18, every: 12s}
`, server.URL, feed.Hex()))
	if problems != nil {
		t.Fatal(problems)
	}
	alerts.Metrics[0].Chain = strict.Chain(name)
	client, err := rpc.Dial(ctx, rpc.Config{ChainID: chain.ChainID().Uint64(), Endpoints: []rpc.Endpoint{{HTTP: chain.HTTP()}}, Agree: 1, Finality: rpc.LatestTag})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	rules, bad := policies.ParseWith("policies.yaml", []byte(crashRules), policies.Names{Metrics: alerts.metricNames()})
	if bad.HasErrors() {
		t.Fatal(bad)
	}
	db, err := journal.Open(ctx, "sqlite:legate.db", dir, journal.Daemon)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var screen bytes.Buffer
	a, err := openAlerting(ctx, alertingParts{
		conf: Config{path: filepath.Join(dir, "legate.yaml")}, alerts: alerts, db: db, set: rules, poll: 20 * time.Millisecond, log: slog.New(slog.DiscardHandler), out: &screen,
		world: worldOver(gov.ChainID(chain.ChainID().Uint64()), client),
	})
	if err != nil {
		t.Fatal(err)
	}
	running, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- a.run(running) }()
	wait := func(what string, ok func() bool) {
		t.Helper()
		for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(20 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%s did not come; got %q", what, hook.titles())
			}
		}
	}
	// seen makes a block and has the rules looked at in it, beside the daemon that looks at each head itself
	seen := func() {
		t.Helper()
		if err := chain.Mine(ctx, 1); err != nil {
			t.Fatal(err)
		}
		head := may(chain.Head(ctx))(t)
		block := gov.Block{Number: head.Number.Uint64(), Hash: head.Hash(), Time: gov.UnixTime(head.Time)}
		if alarms := may(a.desk.Tick(ctx, gov.Head{Latest: block}))(t); len(alarms) > 0 {
			t.Fatalf("it fires: %+v", alarms)
		}
	}
	set(0)
	seen()
	if n := len(hook.titles()); n != 0 {
		t.Fatalf("an alert before ten minutes: %q", hook.titles())
	}
	if err := chain.Mine(ctx, 60); err != nil { // twelve minutes
		t.Fatal(err)
	}
	wait("the alarm", func() bool { return len(hook.titles()) > 0 })
	for range 3 {
		seen()
	}
	a.system(ctx, gov.Critical, "a chain broke its finality", errors.New("at block 7"))
	wait("the program's own alert", func() bool { return len(hook.titles()) > 1 && len(forum.Messages()) > 1 })
	if err := a.router.Drain(ctx); err != nil {
		t.Fatal(err)
	}
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"emergency: crash", "legate: a chain broke its finality"}, hook.titles()); diff != "" {
		t.Errorf("alerts (-want +got):\n%s", diff)
	}
	if !hook.signed {
		t.Error("the webhook's signature is wrong")
	}
	if p := forum.Problems(); len(p) > 0 {
		t.Error(p)
	}
	if got := screen.String(); !strings.HasPrefix(got, "!! emergency: crash\n     True since ") {
		t.Errorf("terminal:\n%s", got)
	}
}

// worldOver is a world of one chain, without governors.
func worldOver(chain gov.ChainID, c *rpc.Client) *world {
	return &world{clients: map[gov.ChainID]*rpc.Client{chain: c}, panels: map[gov.ChainID]*quorum.Panel{chain: quorum.Of(c, nil)}}
}
