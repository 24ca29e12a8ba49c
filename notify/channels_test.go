package notify_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/notify"
	"github.com/legate-dao/legate/notify/discordtest"
)

// what a status wants, for every channel that speaks HTTP.
var statuses = []struct {
	status int
	after  string // Retry-After
	advice notify.Advice
	wait   time.Duration
}{
	{429, "7", notify.Later, 7 * time.Second}, {429, "0.25", notify.Later, 250 * time.Millisecond}, {429, "", notify.Later, 0}, {429, "1e18", notify.Later, time.Hour},
	{500, "", notify.Later, 0}, {502, "", notify.Later, 0}, {503, "30", notify.Later, 30 * time.Second}, {504, "", notify.Later, 0}, {408, "", notify.Later, 0},
	{401, "", notify.Broken, 0}, {403, "", notify.Broken, 0}, {404, "", notify.Broken, 0}, {405, "", notify.Broken, 0}, {410, "", notify.Broken, 0}, {302, "", notify.Broken, 0},
	{400, "", notify.Refuse, 0}, {413, "", notify.Refuse, 0}, {415, "", notify.Refuse, 0}, {422, "", notify.Refuse, 0},
}

func TestEveryStatusHasAnExpectedRetry(t *testing.T) {
	for _, k := range notify.Kinds() {
		if k.Name == "terminal" {
			continue // speaks no HTTP
		}
		t.Run(k.Name, func(t *testing.T) {
			s := newSink(t)
			c := notify.Config{Kind: k.Name, URL: s.URL + "/secret-path", Notes: &notes{}}
			switch k.Name {
			case "discord":
				c.URL = s.URL + "/api/webhooks/1/secret-path"
			case "url":
				c.URL = s.generic()
			}
			for _, want := range statuses {
				ch := open(t, c) // a new one for each: a 429 holds for the next request too
				requests := 1
				if k.Name == "discord" && want.advice == notify.Refuse {
					want.advice, requests = notify.Broken, 3 // plainer and plainer, and then it is kept
				}
				s.mu.Lock()
				s.answer = func(_ int, w http.ResponseWriter) bool {
					w.Header().Set("Retry-After", want.after)
					w.Header().Set("Location", "/elsewhere")
					w.WriteHeader(want.status)
					if want.status == 429 && k.Name == "discord" {
						fmt.Fprintf(w, `{"message":"slow","retry_after":%s,"global":false}`, or(want.after, "0"))
					} else {
						fmt.Fprint(w, `{"code":1,"message":"about secret-path"}`)
					}
					return true
				}
				before := len(s.requests)
				s.mu.Unlock()
				err := ch.Send(t.Context(), plainAlert("x"))
				var f *notify.Fault
				if !errors.As(err, &f) {
					t.Fatalf("%d: %v is no Fault", want.status, err)
				}
				wait := want.wait
				if k.Name == "discord" && want.status == 429 && want.after == "" {
					wait = 50 * time.Millisecond // its body said at once
				}
				if f.Advice != want.advice || f.After != wait {
					t.Errorf("%d Retry-After %q: advice %d after %s, want %d after %s (%v)", want.status, want.after, f.Advice, f.After, want.advice, wait, err)
				}
				if n := len(s.got()) - before; n != requests {
					t.Errorf("%d: %d requests for one delivery", want.status, n)
				}
				if strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "127.0.0.1") {
					t.Errorf("%d: the error tells the address: %v", want.status, err)
				}
			}
		})
	}
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func TestWebhookIsSigned(t *testing.T) {
	s := newSink(t)
	ch := open(t, notify.Config{Kind: "webhook", URL: s.URL + "/legate", Secret: "key"})
	a := alertsOf(t, 7, life(7, "<b>Grants</b>")...)[0]
	if err := ch.Send(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	got := s.got()[0]
	mac := hmac.New(sha256.New, []byte("key"))
	mac.Write([]byte(got.body))
	if want := "sha256=" + hex.EncodeToString(mac.Sum(nil)); got.header.Get("X-Legate-Signature") != want {
		t.Errorf("signature %q, want %q", got.header.Get("X-Legate-Signature"), want)
	}
	var back dossier.Alert
	if err := json.Unmarshal([]byte(got.body), &back); err != nil {
		t.Fatal(err)
	}
	if back.ID != a.ID || back.Title != "compound/7: new proposal" || *back.Proposal != proposalID(7) || got.header.Get("X-Legate-Id") != a.ID || got.path != "/legate" {
		t.Errorf("%s %s", got.path, got.body)
	}
	unsigned := open(t, notify.Config{Kind: "webhook", URL: s.URL})
	if err := unsigned.Send(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	if h := s.got()[1].header.Get("X-Legate-Signature"); h != "" {
		t.Errorf("signed %q without a secret", h)
	}
}

func TestAlertmanagerBody(t *testing.T) {
	s := newSink(t)
	ch := open(t, notify.Config{Kind: "alertmanager", URL: s.URL + "/am/"})
	a := alertsOf(t, 7, life(7, "Grants")...)[2]
	if err := ch.Send(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	got := s.got()[0]
	var list []struct {
		Labels, Annotations map[string]string
		StartsAt            time.Time
	}
	if err := json.Unmarshal([]byte(got.body), &list); err != nil || got.path != "/am/api/v2/alerts" || len(list) != 1 {
		t.Fatalf("%v %s %s", err, got.path, got.body)
	}
	l := list[0].Labels
	if l["alertname"] != "legate_decision" || l["severity"] != "critical" || l["governor"] != "compound" || l["legate_id"] != a.ID || l["proposal"] != proposalID(7).String() {
		t.Errorf("labels %v", l)
	}
	if !strings.Contains(list[0].Annotations["description"], "42 % of the treasury") || list[0].StartsAt.IsZero() {
		t.Errorf("%s", got.body)
	}
}

func TestShoutrrrSendsPlainText(t *testing.T) {
	s := newSink(t)
	ch := open(t, notify.Config{Kind: "url", URL: s.generic()})
	a := plainAlert("x")
	for range 200 {
		a.Lines = append(a.Lines, strings.Repeat("long ", 20))
	}
	if err := ch.Send(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	body := s.got()[0].body
	if !strings.Contains(body, "legate: something x") || !strings.Contains(body, "lines more") || len(body) > 1700 {
		t.Errorf("%d bytes: %.300s", len(body), body)
	}
}

func TestOpenRefusesWhatCannotBe(t *testing.T) {
	for name, c := range map[string]notify.Config{
		"no kind":                {Kind: "pigeon"},
		"no address":             {Kind: "webhook"},
		"other scheme":           {Kind: "alertmanager", URL: "ftp://secret"},
		"no webhook":             {Kind: "discord", URL: "https://discord.com/secret", Notes: &notes{}},
		"a bot without a room":   {Kind: "discord", Token: "secret", Notes: &notes{}},
		"no scheme of shoutrrr":  {Kind: "url", URL: "secret://token@x"},
		"an address cut short":   {Kind: "url", URL: "slack://secret"},
		"an address with breaks": {Kind: "webhook", URL: "http://a\n/secret"},
		"no notes":               {Kind: "discord", URL: "https://discord.com/api/webhooks/1/secret"},
		"no output":              {Kind: "terminal"},
	} {
		_, err := notify.Open(c)
		if err == nil {
			t.Errorf("%s: opened", name)
		} else if strings.Contains(strings.TrimPrefix(err.Error(), "the secret address"), "secret") && name != "no scheme of shoutrrr" {
			t.Errorf("%s: the error tells the secret: %v", name, err)
		}
	}
}

// What cannot be reached says so without the address, which may hold a key.
func TestErrorsTellNoAddress(t *testing.T) {
	s := newSink(t)
	address := s.URL
	for _, c := range []notify.Config{
		{Kind: "webhook", URL: address + "/secret", Secret: "secret"},
		{Kind: "discord", URL: address + "/api/webhooks/1/secret", Notes: &notes{}},
		{Kind: "discord", Token: "secret", Room: "1", API: address, Notes: &notes{}},
		{Kind: "alertmanager", URL: "http://user:secret@" + strings.TrimPrefix(address, "http://")},
		{Kind: "url", URL: s.generic() + "&$key=secret"},
		{Kind: "webhook", URL: "http://secret.invalid/"},
	} {
		ch := open(t, c)
		if c.Kind == "webhook" && strings.Contains(c.URL, "invalid") {
			t.Setenv("HTTP_PROXY", "")
		}
		s.Close()
		err := ch.Send(t.Context(), plainAlert("x"))
		var f *notify.Fault
		if !errors.As(err, &f) || f.Advice != notify.Later {
			t.Errorf("%s: %v", c.Kind, err)
		}
		for _, secret := range []string{"secret", "127.0.0.1", strings.TrimPrefix(address, "http://127.0.0.1:")} {
			if strings.Contains(fmt.Sprintf("%v %+v", err, err), secret) {
				t.Errorf("%s: the error tells %q: %v", c.Kind, secret, err)
			}
		}
	}
}

func startDiscord(t testing.TB) *discordtest.Server {
	t.Helper()
	s, err := discordtest.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// The stand-in's webhook can be tried without a message, as Discord's can.
func TestProbeOfTheStandIn(t *testing.T) {
	s, err := discordtest.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	conf := notify.Config{Name: "forum", Kind: "discord", URL: s.Webhook()}
	if _, err := notify.Probe(t.Context(), conf); err != nil {
		t.Error(err)
	}
	conf.URL += "x"
	if _, err := notify.Probe(t.Context(), conf); err == nil {
		t.Error("a wrong key passed")
	}
}
