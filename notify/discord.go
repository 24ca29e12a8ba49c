package notify

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"time"

	"github.com/bwmarrin/discordgo"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/notify/chart"
)

// discord keeps one message a proposal; in a forum, one thread. Only REST is used: a bot needs no gateway to speak.
//
// What it remembers, by [Notes]: "card/PROPOSAL" the message of a proposal; "forum" the webhook or channel that was
// found to be a forum; "thread/PROPOSAL" and "thread/alarms" the threads there; "said/ALERT" what was said aloud before
// its turn, until its turn comes.
type discord struct {
	name    string
	session *discordgo.Session
	webhook string // its id; empty for a bot
	token   string // of the webhook
	thread  string // of the webhook's address: everything goes there
	room    string // a bot's channel
	secrets []string
	notes   Notes
	pace    *pace

	still map[string]time.Time // proposals whose message is not edited, until when

	picture [sha256.Size]byte // digest of the forecast that png shows
	png     []byte
}

var (
	webhookPath = regexp.MustCompile(`^(.*)/api(?:/v\d+)?/webhooks/(\d{1,20})/([A-Za-z0-9._-]{1,200})$`)
	snowflake   = regexp.MustCompile(`^\d{1,20}$`)
)

func openDiscord(c Config) (Channel, error) {
	if c.Notes == nil {
		return nil, errors.New("there is nowhere to remember its messages")
	}
	d := &discord{name: c.Name, notes: &kept{Notes: c.Notes, mind: map[string]string{}}, still: map[string]time.Time{}}
	api := c.API
	auth := ""
	if c.Token != "" {
		if !snowflake.MatchString(c.Room) {
			return nil, errors.New("a bot needs the id of its channel: a number of up to 20 digits")
		}
		auth, d.room, d.secrets = "Bot "+c.Token, c.Room, []string{c.Token}
		if api == "" {
			api = "https://discord.com"
		}
	} else {
		u, err := parseAddress(c.URL)
		if err != nil {
			return nil, err
		}
		m := webhookPath.FindStringSubmatch(u.Path)
		if m == nil {
			return nil, errors.New("the address is not that of a webhook: https://discord.com/api/webhooks/ID/TOKEN")
		}
		d.webhook, d.token, d.thread = m[2], m[3], u.Query().Get("thread_id")
		d.secrets = []string{d.token}
		api = (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: m[1]}).String()
	}
	base, err := parseAddress(api)
	if err != nil {
		return nil, err
	}
	if d.session, err = discordgo.New(auth); err != nil {
		return nil, errors.New("discordgo does not take the token")
	}
	d.session.LogLevel = -1 // what it logs may hold addresses
	d.session.ShouldRetryOnRateLimit, d.session.MaxRestRetries = false, 0
	d.session.UserAgent = "DiscordBot (https://github.com/legate-dao/legate, 1)"
	d.session.Client = newClient(func(rt http.RoundTripper) http.RoundTripper {
		d.pace = &pace{next: rt, base: base}
		return d.pace
	})
	return d, nil
}

func (d *discord) Name() string { return d.name }

// urgent says whether an alert is said aloud, since an edit calls nobody: what is critical, and reminders.
func urgent(a dossier.Alert) bool {
	return a.Severity == gov.Critical || a.Event == dossier.AlertReminder
}

// Send says aloud what an edit would not, and then brings the proposal's message up to date: what is critical waits
// for no card.
func (d *discord) Send(ctx context.Context, a dossier.Alert) error {
	if a.Card == nil || urgent(a) {
		if err := d.announce(ctx, a, a.Card != nil); err != nil {
			return err
		}
	}
	if a.Card != nil {
		if err := d.card(ctx, a); err != nil {
			return err
		}
	}
	return d.forget(ctx, a)
}

// Ahead says an urgent alert aloud before its turn, while one before it waits; Send then does the rest.
func (d *discord) Ahead(ctx context.Context, a dossier.Alert) error { return d.announce(ctx, a, true) }

// announce says an alert aloud, once. remember says that its turn is not over with that.
func (d *discord) announce(ctx context.Context, a dossier.Alert, remember bool) error {
	said, err := d.notes.Note(ctx, d.name, "said/"+a.ID)
	if err != nil || said != "" {
		return err
	}
	text := bullets(a.Lines, 3500)
	if a.Card != nil {
		text = aloud(a)
	}
	embed := &discordgo.MessageEmbed{Title: plainDiscord(a.Title, 250), Description: text, Color: severityColor(a.Severity), Footer: footer(a)}
	id, err := d.post(ctx, topicOf(a), newDraft(a, embed, nil))
	if err != nil || !remember {
		return err
	}
	return d.notes.SetNote(ctx, d.name, "said/"+a.ID, id)
}

// forget drops what was remembered of an alert until its turn.
func (d *discord) forget(ctx context.Context, a dossier.Alert) error {
	name := "said/" + a.ID
	said, err := d.notes.Note(ctx, d.name, name)
	if err != nil || said == "" {
		return err
	}
	return d.notes.SetNote(ctx, d.name, name, "")
}

// card edits the message of the proposal, or posts it when there is none (any more) or it cannot be edited.
func (d *discord) card(ctx context.Context, a dossier.Alert) error {
	about, t := a.Card.Proposal.String(), topicOf(a)
	id, err := d.notes.Note(ctx, d.name, "card/"+about)
	if err != nil {
		return err
	}
	m := newDraft(a, cardEmbed(a), d.draw(a.Card.Forecast))

	if id != "" && !d.isStill(about) {
		err := d.edit(ctx, t, id, m)
		var r *refusal
		switch {
		case !errors.As(err, &r):
			return err
		case r.about == aboutNow:
			return r.Fault
		case r.about == aboutChannel:
			return r.broken("")
		case r.about == aboutEdits:
			d.keepStill(about, r.After)
		default:
			id = "" // a new one takes its place
		}
	}
	if id != "" && !big(a) {
		return nil // it stays as it is; the next that matters makes a new one
	}
	if id, err = d.post(ctx, t, m); err != nil {
		return err
	}
	return d.notes.SetNote(ctx, d.name, "card/"+about, id)
}

// big says whether an alert is worth a new message where the old one cannot be edited. What was said aloud stands in
// the channel already.
func big(a dossier.Alert) bool {
	if urgent(a) {
		return false
	}
	return a.Severity != gov.Info || slices.Contains([]dossier.AlertEvent{dossier.AlertDecision, dossier.AlertVote, dossier.AlertResult, dossier.AlertDrift}, a.Event)
}

// How long a message is left alone after Discord has refused to edit it.
const (
	leastStill = 10 * time.Minute
	manyStill  = 2 // so many at a time: the limit is the channel's
)

// keepStill notes that a proposal's message is not to be edited for a while.
func (d *discord) keepStill(about string, after time.Duration) {
	d.still[about] = time.Now().Add(max(after, leastStill))
}

func (d *discord) isStill(about string) bool {
	maps.DeleteFunc(d.still, func(_ string, until time.Time) bool { return time.Now().After(until) })
	_, ok := d.still[about]
	return ok || len(d.still) >= manyStill
}

// draw makes the forecast's picture; nil where there is none. The numbers are in the message: a picture that fails
// holds back no alert.
func (d *discord) draw(f *dossier.CardForecast) (png []byte) {
	if f == nil {
		return nil
	}
	defer func() {
		if recover() != nil {
			d.png, png = nil, nil
		}
	}()
	text, err := json.Marshal(f)
	if err != nil {
		return nil
	}
	if digest := sha256.Sum256(text); d.png == nil || d.picture != digest {
		d.png = nil
		picture, err := chart.Forecast(chartOf(*f))
		if err != nil {
			return nil
		}
		if d.png, err = picture.PNG(); err != nil {
			d.png = nil
			return nil
		}
		d.picture = digest
	}
	return d.png
}

func chartOf(f dossier.CardForecast) chart.Vote {
	v := chart.Vote{Pass: chart.Interval(f.Pass), Quorum: chart.Interval(f.Quorum), Needed: f.Needed}
	if f.For != nil {
		v.For = &chart.Band{P05: f.For.P05, P50: f.For.P50, P95: f.For.P95}
	}
	return v
}
