package notify_test

import (
	"bytes"
	"errors"
	"image/png"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/notify"
	"github.com/legate-dao/legate/notify/discordtest"
)

func bothForms(t *testing.T, f func(t *testing.T, s *discordtest.Server, ch notify.Channel)) {
	t.Run("webhook", func(t *testing.T) {
		s := startDiscord(t)
		f(t, s, open(t, notify.Config{Kind: "discord", URL: s.Webhook(), Notes: &notes{}}))
	})
	t.Run("bot", func(t *testing.T) {
		s := startDiscord(t)
		f(t, s, open(t, notify.Config{Kind: "discord", Token: discordtest.BotToken, Room: discordtest.Room, API: s.URL(), Notes: &notes{}}))
	})
}

func sendAll(t *testing.T, ch notify.Channel, list []dossier.Alert) {
	t.Helper()
	for _, a := range list {
		if err := ch.Send(t.Context(), a); err != nil {
			t.Fatalf("%s: %v", a.Title, err)
		}
	}
}

func TestDiscordKeepsOneMessageAProposal(t *testing.T) {
	bothForms(t, func(t *testing.T, s *discordtest.Server, ch notify.Channel) {
		alerts := alertsOf(t, 7, life(7, "Grants, wave 3")...)
		sendAll(t, ch, alerts)
		sendAll(t, ch, alertsOf(t, 8, life(8, "Other")[:1]...))
		if p := s.Problems(); len(p) > 0 {
			t.Fatal(p)
		}
		list := s.Messages()
		// the card of 7, what is critical of it aloud, the card of 8
		if len(list) != 3 || list[0].Edits != len(alerts)-1 {
			t.Fatalf("%d messages, %d edits of %d alerts", len(list), list[0].Edits, len(alerts))
		}
		card, aloud := list[0].Embeds[0], list[1].Embeds[0]
		if card.Title != "compound/7 · defeated, we voted against" || !strings.HasPrefix(card.Description, "• sends tokens (1 action)\n• dry run: executed\n• pays out 1,234,567 USD, 42 % of the treasury") {
			t.Errorf("%q\n%s", card.Title, card.Description)
		}
		fields := map[string]string{}
		order := []string{}
		for _, f := range card.Fields {
			fields[f.Name] = f.Value
			order = append(order, f.Name)
		}
		if got := strings.Join(order, "|"); got != "Findings|Decision|Our vote|Its title, as its proposer wrote it|Brief, made of the proposal's own sentences" {
			t.Errorf("fields %s", got)
		}
		if !strings.Contains(fields["Decision"], "**against** by rule `no-drain`\nit would empty the treasury") || !strings.Contains(fields["Our vote"], "final") {
			t.Errorf("%v", fields)
		}
		if aloud.Title != "compound/7: against" || !strings.Contains(aloud.Description, "Voting ends <t:1700400000:R> (<t:1700400000:f>)") {
			t.Errorf("%q\n%s", aloud.Title, aloud.Description)
		}
	})
}

func TestDiscordHoldHasItsDeadlineInEveryReadersTime(t *testing.T) {
	s := startDiscord(t)
	ch := open(t, notify.Config{Kind: "discord", URL: s.Webhook(), Notes: &notes{}})
	events := life(7, "Grants")[:3]
	events = append(events, dossier.WasDecided{Verdict: gov.Verdict{Rule: "ask", Facts: events[2].(dossier.WasGathered).Gathered.Digest, Reasons: []gov.HoldReason{gov.HoldByRule}}, Plan: dossier.Plan{Wait: 1, Latest: 43200}, Head: head(created + 60)},
		dossier.WasReminded{Before: "24h"})
	sendAll(t, ch, alertsOf(t, 7, events...))
	list := s.Messages()
	if len(list) != 2 {
		t.Fatalf("%d messages, want the card and the reminder", len(list))
	}
	var deadline string
	for _, f := range list[0].Embeds[0].Fields {
		if f.Name == "Deadlines" {
			deadline = f.Value
		}
	}
	want := "Answer <t:1700356800:R> at the latest: `legate vote compound/7 for|against|abstain`\nVoting ends <t:1700400000:R> (<t:1700400000:f>)"
	if deadline != want || list[0].Embeds[0].Title != "compound/7 · held, a person is asked" {
		t.Errorf("%s\n%q", list[0].Embeds[0].Title, deadline)
	}
	if r := list[1].Embeds[0]; r.Title != "compound/7: the hold ends in 24h" || !strings.Contains(r.Description, want) {
		t.Errorf("%q\n%s", r.Title, r.Description)
	}
}

func TestDiscordShowsTheForecastAsAPicture(t *testing.T) {
	bothForms(t, func(t *testing.T, s *discordtest.Server, ch notify.Channel) {
		alerts := alertsOf(t, 7, life(7, "Grants")...)
		for i := range alerts {
			alerts[i].Card.Forecast = &dossier.CardForecast{Pass: dossier.Chance{P: 0.9, Low: 0.89, High: 0.91}, Quorum: dossier.Chance{P: 0.5, Low: 0.4, High: 0.6}}
		}
		alerts[len(alerts)-1].Card.Forecast.Pass = dossier.Chance{P: 0.1, Low: 0.05, High: 0.2}
		sendAll(t, ch, alerts[:1])
		first := s.Messages()[0]
		sendAll(t, ch, alerts[1:])
		m := s.Messages()[0]
		if p := s.Problems(); len(p) > 0 {
			t.Fatal(p)
		}
		if len(m.Files) != 1 || m.Embeds[0].Image == nil {
			t.Fatalf("%d files", len(m.Files))
		}
		if _, err := png.Decode(bytes.NewReader(m.Files["forecast.png"])); err != nil {
			t.Fatal(err)
		}
		if bytes.Equal(m.Files["forecast.png"], first.Files["forecast.png"]) {
			t.Error("another forecast has the same picture")
		}
		if text := m.Embeds[0].Fields[3].Value; !strings.Contains(text, "passes **10 %** (5.0 to 20.0)") {
			t.Errorf("%q", text)
		}
		resp, err := http.Get(s.URL() + "/")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		page, err := io.ReadAll(resp.Body)
		if err != nil || !strings.Contains(string(page), "compound/7 · defeated") || !strings.Contains(string(page), "/files/"+m.ID+"/forecast.png") {
			t.Errorf("the page does not show the card: %v", err)
		}
	})
}

func TestDiscordPostsAgainWhatWasDeleted(t *testing.T) {
	s := startDiscord(t)
	ch := open(t, notify.Config{Kind: "discord", URL: s.Webhook(), Notes: &notes{}})
	alerts := alertsOf(t, 7, life(7, "Grants")...)
	sendAll(t, ch, alerts[:1])
	s.Delete(s.Messages()[0].ID)
	sendAll(t, ch, alerts[1:2])
	if list := s.Messages(); len(list) != 1 || list[0].Edits != 0 {
		t.Errorf("%+v", list)
	}
}

// A restart finds its messages again.
func TestDiscordRemembersItsMessages(t *testing.T) {
	s := startDiscord(t)
	n := &notes{}
	alerts := alertsOf(t, 7, life(7, "Grants")...)
	for _, a := range alerts[:2] {
		sendAll(t, open(t, notify.Config{Kind: "discord", URL: s.Webhook(), Notes: n}), []dossier.Alert{a})
	}
	if list := s.Messages(); len(list) != 1 || list[0].Edits != 1 {
		t.Errorf("%+v", list)
	}
}

func TestDiscordFailures(t *testing.T) {
	s := startDiscord(t)
	ch := open(t, notify.Config{Kind: "discord", URL: s.Webhook(), Notes: &notes{}})
	for _, c := range []struct {
		name   string
		fail   discordtest.Failure
		advice notify.Advice
		after  time.Duration
	}{
		{"429", discordtest.Limited(0.3), notify.Later, 300 * time.Millisecond},
		{"403", discordtest.Failure{Status: 403}, notify.Broken, 0},
		{"404 of the webhook", discordtest.Failure{Status: 404, Body: `{"code":10015,"message":"Unknown Webhook"}`}, notify.Broken, 0},
		{"500", discordtest.Failure{Status: 500, Body: "<html>"}, notify.Later, 0},
		{"502", discordtest.Failure{Status: 502, Body: "<html>"}, notify.Later, 0},
		{"429 without JSON", discordtest.Failure{Status: 429, Body: "<html>cloudflare"}, notify.Later, 0},
		{"200 without JSON", discordtest.Failure{Status: 200, Body: "<html>"}, notify.Later, 0},
		{"200 that names nothing", discordtest.Failure{Status: 200, Body: `{"id":"../x"}`}, notify.Later, 0},
		{"endless", discordtest.Failure{Status: 500, Body: strings.Repeat("x", 3<<20)}, notify.Later, 0},
	} {
		s.Fail(c.fail)
		err := ch.Send(t.Context(), plainAlert("x"))
		var f *notify.Fault
		if !errors.As(err, &f) || f.Advice != c.advice || f.After != c.after {
			t.Errorf("%s: %v %+v", c.name, err, f)
			continue
		}
		if strings.ContainsAny(err.Error(), "\x1b@<") || strings.Contains(err.Error(), discordtest.Token) || len(err.Error()) > 300 {
			t.Errorf("%s: error %.400q", c.name, err)
		}
	}
	// a refusal of every form of a message: the alert is kept
	refusal := discordtest.Failure{Status: 400, Body: `{"code":50035,"message":"Invalid \u001b[31m @everyone"}`}
	s.Fail(refusal, refusal, refusal)
	var f *notify.Fault
	if err := ch.Send(t.Context(), plainAlert("x")); !errors.As(err, &f) || f.Advice != notify.Broken || strings.ContainsAny(err.Error(), "\x1b@") {
		t.Errorf("400: %v", err)
	}
	if err := ch.Send(t.Context(), plainAlert("y")); err != nil {
		t.Fatal(err)
	}
	if n := len(s.Messages()); n != 1 {
		t.Errorf("%d messages", n)
	}
}

// Discord says in passing that the next request is one too many: it waits without a 429.
func TestDiscordKeepsThePaceItIsAskedFor(t *testing.T) {
	s := newSink(t)
	s.answer = func(_ int, w http.ResponseWriter) bool {
		w.Header().Set("X-RateLimit-Remaining", "0")
		w.Header().Set("X-RateLimit-Reset-After", "0.2")
		io.WriteString(w, `{"id":"5"}`)
		return true
	}
	ch := open(t, notify.Config{Kind: "discord", URL: s.URL + "/api/webhooks/1/t?thread_id=77", Notes: &notes{}})
	began := time.Now()
	sendAll(t, ch, []dossier.Alert{plainAlert("1"), plainAlert("2"), plainAlert("3")})
	if took := time.Since(began); took < 380*time.Millisecond {
		t.Errorf("three requests within %s", took)
	}
}
