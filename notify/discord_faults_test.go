package notify_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/notify"
	"github.com/legate-dao/legate/notify/discordtest"
)

// faultRule is a rule of the stand-in as the field file writes one.
type faultRule struct {
	discordtest.Rule

	Status int               `json:"status"`
	Body   json.RawMessage   `json:"body"`
	Text   string            `json:"text"` // a body that is no JSON
	Header map[string]string `json:"header"`
	Want   string            `json:"want"`
}

func (f faultRule) rule() discordtest.Rule {
	r := f.Rule
	r.Failure = discordtest.Failure{Status: f.Status, Body: string(f.Body) + f.Text, Header: http.Header{}}
	for k, v := range f.Header {
		r.Failure.Header.Set(k, v)
	}
	return r
}

// rules reads rules as JSON.
func rules(t *testing.T, text string) (out []discordtest.Rule) {
	t.Helper()
	var list []faultRule
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	for _, f := range list {
		out = append(out, f.rule())
	}
	return out
}

// inProcess answers requests by the stand-in's handler; cut, where it is set, comes first.
type inProcess struct {
	handler http.Handler
	mu      sync.Mutex
	cut     func(*http.Request) error
}

func (p *inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	p.mu.Lock()
	cut := p.cut
	p.mu.Unlock()
	if cut != nil {
		if err := cut(r); err != nil {
			return nil, err
		}
	}
	w := httptest.NewRecorder()
	p.handler.ServeHTTP(w, r)
	return w.Result(), nil
}

func (p *inProcess) set(cut func(*http.Request) error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = cut
}

// told is a store that keeps what the operator is shown of a channel.
type told struct {
	*memory
	why  []string
	full bool
}

// errFull is the error of a store that takes nothing.
var errFull = errors.New("the disk is full")

func (s *told) setFull(full bool) {
	s.memory.mu.Lock()
	defer s.memory.mu.Unlock()
	s.full = full
}

func (s *told) isFull() error {
	s.memory.mu.Lock()
	defer s.memory.mu.Unlock()
	if s.full {
		return errFull
	}
	return nil
}

func (s *told) Delivered(ctx context.Context, channel string, n int64, sent int) error {
	if err := s.isFull(); err != nil {
		return err
	}
	return s.memory.Delivered(ctx, channel, n, sent)
}

func (s *told) SetNote(ctx context.Context, channel, name, value string) error {
	if err := s.isFull(); err != nil {
		return err
	}
	return s.memory.SetNote(ctx, channel, name, value)
}

func (s *told) Failed(_ context.Context, _, why string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.why = append(s.why, why)
	return nil
}

// stage is a router with one Discord channel over a stand-in, in virtual time.
type stage struct {
	t      *testing.T
	server *discordtest.Server
	wire   *inProcess
	store  *told
	began  time.Time
	first  map[string]time.Time // when the stand-in first showed them
	router *notify.Router
	stop   context.CancelFunc
	done   chan struct{}
	bot    bool
}

func onStage(t *testing.T, bot bool, f func(*stage)) {
	synctest.Test(t, func(t *testing.T) {
		s := &stage{t: t, server: discordtest.New(), store: &told{memory: newMemory()}, began: time.Now(), first: map[string]time.Time{}, bot: bot}
		s.wire = &inProcess{handler: s.server.Handler()}
		s.start()
		f(s)
		s.end()
	})
}

func (s *stage) start() {
	c := notify.Config{Name: "forum", Kind: "discord", URL: "http://stand-in.invalid/api/webhooks/" + discordtest.WebhookID + "/" + discordtest.Token, Notes: s.store}
	if s.bot {
		c = notify.Config{Name: "forum", Kind: "discord", Token: discordtest.BotToken, Room: discordtest.Room, API: "http://stand-in.invalid", Notes: s.store}
	}
	ch := open(s.t, c)
	notify.SetTransport(ch, s.wire)
	var err error
	if s.router, err = notify.New(s.store, []notify.Channel{ch}, notify.RouterConfig{}); err != nil {
		s.t.Fatal(err)
	}
	var ctx context.Context
	ctx, s.stop = context.WithCancel(s.t.Context())
	s.done = make(chan struct{})
	go func() { defer close(s.done); s.router.Run(ctx) }()
}

func (s *stage) end() { s.stop(); <-s.done }

func (s *stage) raise(list ...dossier.Alert) {
	s.t.Helper()
	raise(s.t, s.router, list...)
}

// pass lets time pass, and notes each second what has arrived.
func (s *stage) pass(d time.Duration) {
	for end := time.Now().Add(d); ; {
		synctest.Wait()
		for _, a := range s.store.all() {
			id := a.ID
			if _, ok := s.first[id]; !ok && len(s.showing(id)) > 0 {
				s.first[id] = time.Now()
			}
		}
		left := time.Until(end)
		if left <= 0 {
			return
		}
		time.Sleep(min(left, time.Second))
	}
}

// all are all alerts, those about the channel itself too.
func (s *told) all() []dossier.Alert {
	s.memory.mu.Lock()
	defer s.memory.mu.Unlock()
	return slices.Clone(s.alerts)
}

// showing are the messages that name an alert.
func (s *stage) showing(id string) (out []discordtest.Message) {
	for _, m := range s.server.Messages() {
		text := m.Content
		for _, e := range m.Embeds {
			text += "\n" + e.Footer.Text
		}
		if strings.Contains(text, id) {
			out = append(out, m)
		}
	}
	return out
}

// delivered says whether the channel has come to the end of the queue.
func (s *stage) delivered() bool {
	s.store.memory.mu.Lock()
	defer s.store.memory.mu.Unlock()
	return s.store.at["forum"] == int64(len(s.store.alerts))
}

func (s *stage) whys() string {
	s.store.memory.mu.Lock()
	defer s.store.memory.mu.Unlock()
	return strings.Join(s.store.why, "\n")
}

func isUrgent(a dossier.Alert) bool {
	return a.Severity == gov.Critical || a.Event == dossier.AlertReminder
}

// seven are the alerts of a proposal's life, with a forecast, around one of the program's own that is critical.
func seven(t *testing.T) []dossier.Alert {
	list := alertsOf(t, 7, life(7, "Grants, wave 3 @everyone")...)
	for i := range list {
		list[i].Card.Forecast = &dossier.CardForecast{Pass: dossier.Chance{P: 0.9, Low: 0.89, High: 0.91}, Quorum: dossier.Chance{P: 0.5, Low: 0.4, High: 0.6}}
	}
	alarm := plainAlert("alarm-of-the-program")
	alarm.Severity = gov.Critical
	return slices.Insert(list, 2, alarm)
}

// faultCase is one answer of Discord's: where, and what comes of it.
type faultCase struct {
	name  string
	forum bool
	rules string // JSON
	// moment is done after the first alert has arrived.
	moment func(*discordtest.Server)
	// mend is when the fault is over; 0 for never.
	mend time.Duration
	// urgent and all are until when what is urgent, and everything, is there; all 0: it never all is.
	urgent, all time.Duration
	told        string // what the operator is shown; empty: nothing needs a person
	requests    int    // at most, in 40 s
	form        string // of the last message: "picture", "embed", "text", "bare"; empty for any
	stays       bool   // the card may stay behind the last small alert
}

// soon is when an alert arrives that nothing holds up; a retry is a second or two.
const soon = 5 * time.Second

var faultCases = []faultCase{
	{name: "nothing wrong", urgent: soon, all: soon, form: "picture"},
	{name: "nothing wrong in a forum", forum: true, urgent: soon, all: soon, form: "picture"},

	// about one message
	{name: "message deleted", rules: `[{"on":"PATCH","status":404,"body":{"code":10008,"message":"Unknown Message"}}]`, urgent: soon, all: soon},
	{name: "message of another", rules: `[{"on":"PATCH","status":403,"body":{"code":50005,"message":"Cannot edit a message authored by another user"}}]`, urgent: soon, all: soon},
	{name: "system message", rules: `[{"on":"PATCH","status":403,"body":{"code":50021,"message":"Cannot execute action on a system message"}}]`, urgent: soon, all: soon},
	{name: "invalid form on edit", rules: `[{"on":"PATCH","status":400,"body":{"code":50035,"message":"Invalid Form Body"}}]`, urgent: soon, all: soon},
	{name: "edit refused with an unknown code", rules: `[{"on":"PATCH","status":400,"body":{"code":59999,"message":"Something new"}}]`, urgent: soon, all: soon},
	{name: "edit answered 404 without a body", rules: `[{"on":"PATCH","status":404,"text":"not found"}]`, urgent: soon, all: soon},
	{name: "edit forbidden", rules: `[{"on":"PATCH","status":403,"body":{"code":50013,"message":"Missing Permissions"}}]`, urgent: soon, all: soon},
	{name: "picture too large", rules: `[{"has":"picture","status":413,"body":{"code":40005,"message":"Request entity too large"}}]`, urgent: soon, all: soon, form: "embed"},
	{name: "picture too large, by the proxy", rules: `[{"has":"picture","status":413,"text":"<html>413"}]`, urgent: soon, all: soon, form: "embed"},
	{name: "file too large", rules: `[{"has":"picture","status":400,"body":{"code":50045,"message":"File uploaded exceeds the maximum size"}}]`, urgent: soon, all: soon, form: "embed"},
	{name: "no right to attach", rules: `[{"on":"POST","has":"picture","status":403,"body":{"code":50013,"message":"Missing Permissions"}}]`, urgent: soon, all: soon},
	{name: "embeds too large", rules: `[{"has":"embed","status":400,"body":{"code":50035,"message":"Invalid Form Body","errors":{"embeds":{"_errors":[{"code":"MAX_EMBED_SIZE_EXCEEDED"}]}}}}]`, urgent: soon, all: soon, form: "text"},
	{name: "a webhook's form of an error", rules: `[{"has":"embed","status":400,"body":{"embeds":["0"]}}]`, urgent: soon, all: soon, form: "text"},
	{name: "empty message", rules: `[{"has":"embed","status":400,"body":{"code":50006,"message":"Cannot send an empty message"}}]`, urgent: soon, all: soon, form: "text"},
	{name: "AutoMod, of every text", rules: `[{"has":"embed","status":400,"body":{"code":200000,"message":"Message was blocked by automatic moderation"}}]`, urgent: soon, all: soon, form: "text"},
	{name: "AutoMod, of a title", forum: true, rules: `[{"has":"name","times":1,"status":400,"body":{"code":200001,"message":"Title was blocked by automatic moderation"}}]`, urgent: soon, all: soon},
	{name: "nothing is plain enough", rules: `[{"on":"POST","status":400,"body":{"code":50035,"message":"Invalid Form Body"}}]`, mend: 5 * time.Minute, urgent: 6 * time.Minute, all: 12 * time.Minute, told: "even the plainest message", requests: 30},

	// about the channel
	{name: "webhook gone", rules: `[{"status":404,"body":{"code":10015,"message":"Unknown Webhook"}}]`, mend: time.Hour, urgent: 61 * time.Minute, all: 71 * time.Minute, told: "make a new one under Server Settings", requests: 12},
	{name: "webhook's token", rules: `[{"status":401,"body":{"code":50027,"message":"Invalid Webhook Token"}}]`, mend: time.Hour, urgent: 61 * time.Minute, all: 71 * time.Minute, told: "the webhook is gone or its address is wrong", requests: 12},
	{name: "unauthorized", rules: `[{"status":401,"body":{"code":0,"message":"401: Unauthorized"}}]`, mend: time.Hour, urgent: 61 * time.Minute, all: 71 * time.Minute, told: "token is not valid", requests: 12},
	{name: "missing access", rules: `[{"status":403,"body":{"code":50001,"message":"Missing Access"}}]`, mend: time.Hour, urgent: 61 * time.Minute, all: 71 * time.Minute, told: "give the bot the rights", requests: 12},
	{name: "missing permission", rules: `[{"status":403,"body":{"code":50013,"message":"Missing Permissions"}}]`, mend: time.Hour, urgent: 61 * time.Minute, all: 71 * time.Minute, told: "give the bot the rights", requests: 12},
	{name: "403 without a code", rules: `[{"status":403,"text":"<html>forbidden"}]`, mend: time.Hour, urgent: 61 * time.Minute, all: 71 * time.Minute, told: "give the bot the rights", requests: 12},
	{name: "unknown channel", rules: `[{"status":404,"body":{"code":10003,"message":"Unknown Channel"}}]`, mend: time.Hour, urgent: 61 * time.Minute, all: 71 * time.Minute, told: "the channel is gone", requests: 12},
	{name: "forum demands a tag", forum: true, rules: `[{"has":"name","status":400,"body":{"code":40067,"message":"A tag is required to create a forum post in this channel"}}]`, mend: time.Hour, urgent: 61 * time.Minute, all: 71 * time.Minute, told: "Require people to select tags", requests: 12},
	{name: "forum whose webhook may start no thread", rules: `[{"on":"POST","status":400,"body":{"code":220001,"message":"Webhooks posted to forum channels must have a thread_name or thread_id"}}]`, mend: time.Hour, urgent: 61 * time.Minute, all: 71 * time.Minute, told: "forum", requests: 14},
	{name: "redirect", rules: `[{"status":302,"text":"moved","header":{"Location":"https://elsewhere.invalid"}}]`, mend: time.Hour, urgent: 61 * time.Minute, all: 71 * time.Minute, told: "does not lead to Discord", requests: 12},

	// about threads
	{name: "archived thread", forum: true, moment: func(s *discordtest.Server) { eachThread(s, true, false) }, urgent: soon, all: soon},
	{name: "locked thread", forum: true, moment: func(s *discordtest.Server) { eachThread(s, true, true) }, urgent: soon, all: soon},
	{name: "deleted thread", forum: true, moment: func(s *discordtest.Server) {
		for _, t := range s.Threads() {
			s.DeleteThread(t.ID)
		}
	}, urgent: soon, all: soon},
	{name: "became a forum", moment: func(s *discordtest.Server) { s.SetForum(true); deleteAll(s) }, urgent: soon, all: soon},
	{name: "is no forum any more", forum: true, moment: func(s *discordtest.Server) {
		s.SetForum(false)
		for _, t := range s.Threads() {
			s.DeleteThread(t.ID)
		}
	}, urgent: soon, all: soon},
	{name: "no more threads", forum: true, moment: func(s *discordtest.Server) {
		s.Always(discordtest.Rule{On: "POST", Has: "name", Failure: discordtest.Failure{Status: 400, Body: `{"code":160006,"message":"Maximum number of active threads reached"}`}})
	}, mend: time.Hour, urgent: 61 * time.Minute, all: 71 * time.Minute, told: "archive some", requests: 60},

	// about pace
	{name: "limit of edits", rules: `[{"on":"PATCH","status":429,"body":{"code":30046,"message":"Maximum number of edits to messages older than 1 hour reached. Try again later."}}]`, urgent: soon, all: soon, requests: 30},
	{name: "limit of edits, with a time", rules: `[{"on":"PATCH","status":429,"body":{"code":30046,"message":"Maximum number of edits","retry_after":300},"header":{"Retry-After":"300"}}]`, urgent: soon, all: soon, requests: 30},
	{name: "limit of edits in announcements", rules: `[{"on":"PATCH","status":429,"body":{"code":20022,"message":"This message cannot be edited due to announcement rate limits"}}]`, urgent: soon, all: soon, requests: 30},
	{name: "edits limited for a minute", rules: `[{"on":"PATCH","status":429,"body":{"message":"You are being rate limited.","retry_after":30.5,"global":false},"header":{"Retry-After":"31"}}]`, mend: time.Minute, urgent: soon, all: 2 * time.Minute, requests: 30},
	{name: "everything limited", rules: `[{"times":1,"status":429,"body":{"message":"You are being rate limited.","retry_after":20,"global":true},"header":{"Retry-After":"20","X-RateLimit-Global":"true"}}]`, urgent: 22 * time.Second, all: 30 * time.Second},
	{name: "Cloudflare's 429", rules: `[{"times":1,"status":429,"text":"<html>error 1015","header":{"Retry-After":"25"}}]`, urgent: 27 * time.Second, all: 35 * time.Second},
	{name: "429 that says nothing", rules: `[{"status":429,"text":"<html>"}]`, mend: time.Minute, urgent: 2 * time.Minute, all: 7 * time.Minute, requests: 30},
	{name: "429 that says at once", rules: `[{"status":429,"body":{"message":"slow","retry_after":0.0001}}]`, mend: time.Minute, urgent: 2 * time.Minute, all: 7 * time.Minute, requests: 40},
	{name: "429 that says a year", rules: `[{"times":1,"status":429,"body":{"message":"slow","retry_after":1e300,"global":true}}]`, urgent: 61 * time.Minute, all: 61 * time.Minute},
	{name: "429 by X-RateLimit-Reset-After", rules: `[{"times":1,"on":"POST","status":429,"text":"slow","header":{"X-RateLimit-Reset-After":"12.5","X-RateLimit-Bucket":"b"}}]`, urgent: 15 * time.Second, all: 25 * time.Second},
	{name: "slow mode", rules: `[{"times":3,"on":"POST","status":429,"body":{"code":20016,"message":"Slowmode","retry_after":4}}]`, urgent: 20 * time.Second, all: 30 * time.Second},
	{name: "500s on edits", rules: `[{"on":"PATCH","status":500,"text":"<html>"}]`, mend: 10 * time.Minute, urgent: soon, all: 16 * time.Minute, requests: 30},
	{name: "503 with a time", rules: `[{"times":2,"status":503,"text":"<html>","header":{"Retry-After":"10"}}]`, urgent: 25 * time.Second, all: 35 * time.Second},
	{name: "overloaded", rules: `[{"times":3,"status":503,"body":{"code":130000,"message":"API resource is currently overloaded"}}]`, urgent: 10 * time.Second, all: 20 * time.Second},
	{name: "200 that is no JSON", rules: `[{"times":2,"status":200,"text":"<html>login"}]`, urgent: 10 * time.Second, all: 20 * time.Second},
}

func eachThread(s *discordtest.Server, archived, locked bool) {
	for _, t := range s.Threads() {
		s.SetThread(t.ID, archived, locked)
	}
}

func deleteAll(s *discordtest.Server) {
	for _, m := range s.Messages() {
		s.Delete(m.ID)
	}
}

// Whatever Discord answers: everything arrives in the end, what is urgent at once where it can, and what needs a person
// says what to change.
func TestG45DiscordRefusalsLoseNothing(t *testing.T) {
	cases := slices.Concat(faultCases, fieldCases(t))
	for _, c := range cases {
		for form, bot := range map[string]bool{"webhook": false, "bot": true} {
			if bot && strings.Contains(c.rules, "220001") {
				continue // only a webhook is told so
			}
			t.Run(c.name+"/"+form, func(t *testing.T) { onStage(t, bot, func(s *stage) { s.play(c) }) })
		}
	}
	t.Logf("%d answers of Discord, by webhook and by bot", len(cases))
}

// fieldCases are the ones that people met.
func fieldCases(t *testing.T) []faultCase {
	text, err := os.ReadFile("testdata/discord-faults.json")
	if err != nil {
		t.Fatal(err)
	}
	var file map[string]json.RawMessage
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	wants := map[string]faultCase{
		"forum-webhook": {urgent: soon, all: soon},
		"edit-limit":    {urgent: soon, all: soon, requests: 30},
	}
	var out []faultCase
	for name, rule := range file {
		c, ok := wants[name]
		if !ok {
			t.Fatalf("field case %s has no expectation", name)
		}
		c.name, c.rules = "field "+name, "["+string(rule)+"]"
		c.forum = strings.Contains(name, "forum")
		out = append(out, c)
	}
	return out
}

// play gives a life of alerts to a channel with a fault, and looks at what comes of it.
func (s *stage) play(c faultCase) {
	t := s.t
	s.server.SetForum(c.forum)
	s.server.Always(rules(t, c.rules+map[bool]string{true: "[]"}[c.rules == ""])...)
	list := seven(t)
	if c.moment != nil {
		s.raise(list[0])
		s.pass(2 * time.Second)
		c.moment(s.server)
		list = list[1:]
	}
	began := time.Now()
	s.raise(list...)
	s.pass(40 * time.Second)
	if n := s.server.Requests(); c.requests > 0 && n > c.requests {
		t.Errorf("%d requests in 40 s, at most %d", n, c.requests)
	}
	if c.mend > 0 {
		s.pass(c.mend - time.Since(began))
		s.server.Mend()
	}
	s.pass(max(c.urgent, c.all) - time.Since(began))

	for _, a := range list {
		if !isUrgent(a) {
			continue
		}
		if at, ok := s.first[a.ID]; !ok || at.Sub(began) > c.urgent {
			t.Errorf("urgent %q arrived %v after %s, must be within %s", a.Title, ok, at.Sub(began), c.urgent)
		}
		aloud := slices.DeleteFunc(s.showing(a.ID), func(m discordtest.Message) bool { return len(m.Embeds) > 0 && len(m.Embeds[0].Fields) > 0 })
		if a.Card == nil && len(aloud) != 1 {
			t.Errorf("%q was said %d times", a.Title, len(aloud))
		}
	}
	if !s.delivered() || len(s.store.refused) > 0 {
		t.Errorf("delivered up to %d of %d, given up %v:\n%s", s.store.at["forum"], len(s.store.alerts), s.store.refused, s.whys())
	}
	last := s.showing(list[len(list)-1].ID)
	if len(last) != 1 && !c.stays {
		t.Errorf("the last alert of the proposal stands in %d messages", len(last))
	}
	if len(last) > 0 && c.form != "" && formOf(last[0]) != c.form {
		t.Errorf("the card came as %s, want %s", formOf(last[0]), c.form)
	}
	if (c.told == "") != !strings.Contains(s.whys(), "; ") || !strings.Contains(s.whys(), c.told) {
		t.Errorf("the operator is told %q, want %q", s.whys(), c.told)
	}
	s.checkThreads(c)
	if p := s.server.Problems(); len(p) > 0 {
		t.Error(p)
	}
}

func formOf(m discordtest.Message) string {
	switch {
	case len(m.Files) > 0:
		return "picture"
	case len(m.Embeds) > 0:
		return "embed"
	case strings.Contains(m.Content, "does not take"):
		return "bare"
	}
	return "text"
}

// checkThreads wants one thread a proposal and one for the rest, unless threads were taken away.
func (s *stage) checkThreads(c faultCase) {
	threads := s.server.Threads()
	if !c.forum && c.moment == nil && len(threads) > 0 || c.forum && c.moment == nil && len(threads) != 2 {
		s.t.Errorf("threads %+v", threads)
	}
	for _, th := range threads {
		if th.Name != "legate: alarms" && !strings.HasPrefix(th.Name, "compound/7") || raw(th.Name) != "" {
			s.t.Errorf("thread %q", th.Name)
		}
	}
	for _, m := range s.server.Messages() {
		if a := discordtest.Active(m.Content); a != "" {
			s.t.Errorf("%q is active in %q", a, m.Content)
		}
	}
}

// A restart finds the threads again, and a channel that is another one is not mistaken for the old.
func TestDiscordForumRemembersItsThreads(t *testing.T) {
	for form, bot := range map[string]bool{"webhook": false, "bot": true} {
		t.Run(form, func(t *testing.T) {
			onStage(t, bot, func(s *stage) {
				s.server.SetForum(true)
				for _, a := range seven(t) {
					s.raise(a)
					s.pass(2 * time.Second)
					s.end()
					s.start()
				}
				s.raise(alertsOf(t, 8, life(8, dossier.Untrusted(strings.Repeat("<@1> long ", 40)))[:1]...)...)
				s.pass(3 * time.Second)
				threads := s.server.Threads()
				if len(threads) != 3 || !s.delivered() {
					t.Errorf("threads %+v", threads)
				}
				for _, m := range s.server.Messages() {
					if m.Channel == discordtest.Room || m.Channel == discordtest.WebhookRoom {
						t.Errorf("a message outside of every thread: %+v", m)
					}
				}
				if p := s.server.Problems(); len(p) > 0 {
					t.Error(p)
				}
			})
		})
	}
}

// A connection that breaks, or an answer that never comes, on the card's edits alone.
func TestDiscordCardThatHangsHoldsUpNoAlarm(t *testing.T) {
	for name, cut := range map[string]func(*http.Request) error{
		"reset": func(r *http.Request) error { return errors.New("connection reset by peer") },
		"hang":  func(r *http.Request) error { <-r.Context().Done(); return r.Context().Err() },
	} {
		t.Run(name, func(t *testing.T) {
			onStage(t, false, func(s *stage) {
				list := seven(t)
				s.raise(list[0])
				s.pass(2 * time.Second)
				s.wire.set(func(r *http.Request) error {
					if r.Method == http.MethodPatch {
						return cut(r)
					}
					return nil
				})
				s.raise(list[1:]...)
				s.pass(45 * time.Second) // one request under way, at most
				for _, a := range list {
					if _, ok := s.first[a.ID]; isUrgent(a) && !ok {
						t.Errorf("%q waits for the card", a.Title)
					}
				}
				s.wire.set(nil)
				s.pass(6 * time.Minute)
				if !s.delivered() || len(s.showing(list[len(list)-1].ID)) != 1 {
					t.Errorf("not all arrived: %s", s.whys())
				}
			})
		})
	}
}

// Discord counts posts and edits for themselves, and some of each in a time.
func TestDiscordKeepsEachBucketsPace(t *testing.T) {
	onStage(t, false, func(s *stage) {
		s.server.LimitPosts(5, 2*time.Second)
		for n := range uint64(8) {
			s.raise(alertsOf(t, n, life(n, "Grants")...)...)
		}
		s.pass(2 * time.Minute)
		if !s.delivered() {
			t.Errorf("delivered up to %d of %d", s.store.at["forum"], len(s.store.alerts))
		}
		if p := s.server.Problems(); len(p) > 0 {
			t.Error(p)
		}
	})
}

// A store that takes nothing: what is there is sent once, with its message ids in mind, and what is wrong with the store
// is told past it.
func TestG45StoreThatTakesNothingRepeatsNothing(t *testing.T) {
	onStage(t, false, func(s *stage) {
		s.server.SetForum(true)
		list := seven(t)
		s.raise(list[0])
		s.pass(2 * time.Second)
		s.raise(list[1:]...)
		s.store.setFull(true)
		s.pass(10 * time.Minute)
		alarm := dossier.SystemAlert(gov.Critical, "the store cannot be written", errors.New("the disk is full"), time.Now())
		if err := s.router.Tell(s.t.Context(), alarm); err != nil {
			t.Error(err)
		}
		for _, a := range append(list[1:], alarm) {
			if n := len(s.showing(a.ID)); n != 1 && (a.Card == nil || a.Event == dossier.AlertResult) {
				t.Errorf("%q was given %d times", a.Title, n)
			}
		}
		if n := len(s.server.Threads()); n != 2 {
			t.Errorf("%d threads", n)
		}
		requests := s.server.Requests()
		s.store.setFull(false)
		s.pass(time.Minute)
		if !s.delivered() || s.server.Requests() != requests {
			t.Errorf("delivered up to %d of %d, with %d requests more", s.store.at["forum"], len(s.store.alerts), s.server.Requests()-requests)
		}
	})
}

// A picture that cannot be drawn leaves the card without one.
func TestDiscordPictureThatCannotBeDrawn(t *testing.T) {
	onStage(t, false, func(s *stage) {
		list := seven(t)
		nan := 0.0
		nan /= nan
		for i := range list {
			if list[i].Card != nil {
				list[i].Card.Forecast.Pass.P = nan
			}
		}
		s.raise(list...)
		s.pass(soon)
		if got := s.showing(list[len(list)-1].ID); !s.delivered() || len(got) != 1 || formOf(got[0]) != "embed" {
			t.Errorf("%+v %s", got, s.whys())
		}
	})
}

// Random faults that end: everything arrives, in order for each proposal, and what is urgent first.
func TestG45DiscordRandomFaults(t *testing.T) {
	n := 60
	if os.Getenv("LEGATE_SOAK") != "" {
		n = 3000
	}
	alerts, urgents := 0, 0
	for seed := range n {
		ok := t.Run(fmt.Sprint(seed), func(t *testing.T) {
			onStage(t, seed%2 == 1, func(s *stage) {
				a, u := s.randomFaults(rand.New(rand.NewPCG(uint64(seed), 51)))
				alerts, urgents = alerts+a, urgents+u
			})
		})
		if !ok {
			break
		}
	}
	t.Logf("%d random sequences, %d alerts, %d of them urgent", n, alerts, urgents)
}

// answersAt random: status and body.
var randomAnswers = []string{
	`"status":429,"body":{"retry_after":3.5}`, `"status":429,"body":{"retry_after":40,"global":true},"header":{"Retry-After":"40","X-RateLimit-Global":"true"}`,
	`"status":429,"text":"<html>"`, `"status":429,"body":{"code":30046,"message":"edits"}`, `"status":500,"text":""`, `"status":502,"text":"<html>"`,
	`"status":400,"body":{"code":50035,"message":"Invalid Form Body"}`, `"status":400,"body":{"code":50083,"message":"archived"}`, `"status":404,"body":{"code":10008,"message":"Unknown Message"}`,
	`"status":404,"body":{"code":10003,"message":"Unknown Channel"}`, `"status":404,"body":{"code":10015,"message":"Unknown Webhook"}`, `"status":403,"body":{"code":50013,"message":"Missing Permissions"}`,
	`"status":403,"body":{"code":50001,"message":"Missing Access"}`, `"status":413,"text":""`, `"status":400,"body":{"code":200000,"message":"AutoMod"}`, `"status":418,"text":"tea"`,
	`"status":400,"body":{"code":220003,"message":"no forum"}`, `"status":400,"body":{"code":160005,"message":"Thread is locked"}`, `"status":200,"text":"<html>"`, `"status":301,"text":""`,
}

func (s *stage) randomFaults(r *rand.Rand) (alerts, urgents int) {
	t := s.t
	s.server.SetForum(r.IntN(2) == 0)
	var queue []dossier.Alert
	restarted := false
	for n := range 1 + r.IntN(3) {
		queue = append(queue, alertsOf(t, uint64(n+1), life(uint64(n+1), "Grants")...)...)
	}
	for i := range 4 {
		a := plainAlert(fmt.Sprintf("own-alert-%d", i))
		if i%2 == 0 {
			a.Severity = gov.Critical
		}
		queue = slices.Insert(queue, r.IntN(len(queue)+1), a)
	}
	for len(queue) > 0 || r.IntN(4) > 0 {
		if k := min(r.IntN(4), len(queue)); k > 0 {
			s.raise(queue[:k]...)
			alerts, queue = alerts+k, queue[k:]
		}
		switch r.IntN(6) {
		case 0:
			s.server.Mend()
		case 1, 2:
			on, has := []string{"POST", "PATCH", "any"}[r.IntN(3)], []string{"", "", "picture", "thread", "embed"}[r.IntN(5)]
			s.server.Always(rules(t, fmt.Sprintf(`[{"on":%q,"has":%q,"times":%d,%s}]`, on, has, r.IntN(6), randomAnswers[r.IntN(len(randomAnswers))]))...)
		case 3:
			for _, th := range s.server.Threads() {
				s.server.SetThread(th.ID, r.IntN(2) == 0, r.IntN(4) == 0)
			}
		case 4:
			if list := s.server.Messages(); len(list) > 0 {
				m := list[r.IntN(len(list))]
				if len(m.Embeds) > 0 && len(m.Embeds[0].Fields) > 0 { // a card; what was said is kept, so that it can be counted
					s.server.Delete(m.ID)
				}
			}
		case 5:
			if r.IntN(3) == 0 {
				restarted = true
				s.end()
				s.start()
			}
		}
		s.pass(time.Duration(r.IntN(90)) * time.Second)
	}
	s.server.Mend()
	eachThread(s.server, false, false)

	// what is urgent first, then everything
	s.pass(100 * time.Second)
	all := s.store.all()
	for _, a := range all {
		if isUrgent(a) {
			urgents++
			if _, came := s.first[a.ID]; !came {
				t.Errorf("urgent %q is not there 100 s after the last fault:\n%s", a.Title, s.whys())
			}
		}
	}
	s.pass(12 * time.Minute)
	if !s.delivered() || len(s.store.refused) > 0 {
		t.Errorf("delivered up to %d of %d, given up %v:\n%s", s.store.at["forum"], len(s.store.alerts), s.store.refused, s.whys())
	}
	for _, a := range all {
		if _, came := s.first[a.ID]; !came && (a.Card == nil || a.Event == dossier.AlertResult) { // a card shows its last alert
			t.Errorf("lost: %q", a.Title)
		}
	}
	for _, p := range s.server.Problems() {
		if !restarted || !strings.Contains(p, "before it may") { // a new process has not heard of a pause
			t.Error(p)
		}
	}
	return alerts, urgents
}
