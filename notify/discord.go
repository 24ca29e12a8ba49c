package notify

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/bwmarrin/discordgo"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/notify/chart"
)

// discord keeps one message a proposal. Only REST is used: a bot needs no gateway to speak.
type discord struct {
	name    string
	session *discordgo.Session
	webhook string // its id; empty for a bot
	token   string // of the webhook
	thread  string
	room    string // a bot's channel
	secrets []string
	notes   Notes
	pace    *pace

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
	d := &discord{name: c.Name, notes: c.Notes}
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
		d.pace = &pace{next: rt, base: base, thread: d.thread}
		return d.pace
	})
	return d, nil
}

func (d *discord) Name() string { return d.name }

// Send brings the proposal's message up to date, and says aloud what an edit would not: an edit calls nobody.
func (d *discord) Send(ctx context.Context, a dossier.Alert) error {
	if a.Card == nil {
		_, err := d.say(ctx, &discordgo.MessageEmbed{Title: plainDiscord(a.Title, 250), Description: bullets(a.Lines, 3500), Color: severityColor(a.Severity), Footer: footer(a)})
		return err
	}
	if err := d.card(ctx, a); err != nil {
		return err
	}
	if a.Event != dossier.AlertReminder && a.Severity != gov.Critical {
		return nil
	}
	_, err := d.say(ctx, &discordgo.MessageEmbed{Title: plainDiscord(a.Title, 250), Description: aloud(a), Color: severityColor(a.Severity), Footer: footer(a)})
	return err
}

// card edits the message of the proposal, or posts it when there is none (any more).
func (d *discord) card(ctx context.Context, a dossier.Alert) error {
	note := "card/" + a.Card.Proposal.String()
	id, err := d.notes.Note(ctx, d.name, note)
	if err != nil {
		return err
	}
	embed, files, err := d.render(a)
	if err != nil {
		return err
	}
	if id != "" {
		err := d.edit(ctx, id, embed, files())
		if !errors.Is(err, errGone) {
			return err
		}
	}
	if id, err = d.post(ctx, embed, files()); err != nil {
		return err
	}
	return d.notes.SetNote(ctx, d.name, note, id)
}

// errGone says that somebody deleted the message.
var errGone = errors.New("the message is not there any more")

func (d *discord) say(ctx context.Context, e *discordgo.MessageEmbed) (id string, err error) {
	return d.post(ctx, e, nil)
}

// silent lets nobody be mentioned, whatever a message says.
func silent() *discordgo.MessageAllowedMentions {
	return &discordgo.MessageAllowedMentions{Parse: []discordgo.AllowedMentionType{}}
}

func (d *discord) post(ctx context.Context, e *discordgo.MessageEmbed, files []*discordgo.File) (id string, err error) {
	if err := d.pace.wait(ctx); err != nil {
		return "", err
	}
	var m *discordgo.Message
	if d.webhook != "" {
		m, err = d.session.WebhookExecute(d.webhook, d.token, true, &discordgo.WebhookParams{
			Username: "Legate", Embeds: []*discordgo.MessageEmbed{e}, Components: []discordgo.MessageComponent{}, AllowedMentions: silent(), Files: files,
		}, discordgo.WithContext(ctx))
	} else {
		m, err = d.session.ChannelMessageSendComplex(d.room, &discordgo.MessageSend{
			Embeds: []*discordgo.MessageEmbed{e}, Components: []discordgo.MessageComponent{}, StickerIDs: []string{}, AllowedMentions: silent(), Files: files,
		}, discordgo.WithContext(ctx))
	}
	if err != nil {
		return "", d.fault(err)
	}
	if m == nil || !snowflake.MatchString(m.ID) {
		return "", &Fault{Advice: Later, What: "Discord's answer names no message"}
	}
	return m.ID, nil
}

func (d *discord) edit(ctx context.Context, id string, e *discordgo.MessageEmbed, files []*discordgo.File) error {
	if err := d.pace.wait(ctx); err != nil {
		return err
	}
	embeds, old := []*discordgo.MessageEmbed{e}, []*discordgo.MessageAttachment{} // the picture is sent anew each time
	var err error
	if d.webhook != "" {
		_, err = d.session.WebhookMessageEdit(d.webhook, d.token, id, &discordgo.WebhookEdit{
			Embeds: &embeds, AllowedMentions: silent(), Attachments: &old, Files: files,
		}, discordgo.WithContext(ctx))
	} else {
		_, err = d.session.ChannelMessageEditComplex(&discordgo.MessageEdit{
			Channel: d.room, ID: id, Embeds: &embeds, AllowedMentions: silent(), Attachments: &old, Files: files,
		}, discordgo.WithContext(ctx))
	}
	if err != nil {
		return d.fault(err)
	}
	return nil
}

// Discord's codes of errors that mean more than their status.
const unknownMessage = 10008

// fault says what an error of Discord's means. Its own texts may hold the webhook's address.
func (d *discord) fault(err error) error {
	if limited := (*discordgo.RateLimitError)(nil); errors.As(err, &limited) {
		return &Fault{Advice: Later, After: min(max(limited.RetryAfter, 50*time.Millisecond), longestAfter), What: "Discord asked to be left alone for " + limited.RetryAfter.String()}
	}
	if rest := (*discordgo.RESTError)(nil); errors.As(err, &rest) {
		if rest.Message != nil && rest.Message.Code == unknownMessage {
			return errGone
		}
		var f *Fault
		if !errors.As(statusFault(rest.Response.StatusCode, rest.Response.Header), &f) {
			return &Fault{Advice: Later, What: "Discord's answer cannot be read"}
		}
		f.What = fmt.Sprintf("Discord answered %d %s", rest.Response.StatusCode, http.StatusText(rest.Response.StatusCode))
		if rest.Message != nil && rest.Message.Message != "" {
			f.What += ": " + said(rest.Message.Message, d.secrets...)
		}
		return f
	}
	var wire *url.Error
	if errors.As(err, &wire) {
		return wireFault(err)
	}
	return &Fault{Advice: Later, What: "Discord did not take the message"} // 502, or an answer that is no JSON
}

// render makes the embed, and a function that makes the files anew for each request.
func (d *discord) render(a dossier.Alert) (*discordgo.MessageEmbed, func() []*discordgo.File, error) {
	embed := cardEmbed(a)
	none := func() []*discordgo.File { return nil }
	f := a.Card.Forecast
	if f == nil {
		return embed, none, nil
	}
	text, err := json.Marshal(f)
	if err != nil {
		return nil, nil, &Fault{Advice: Refuse, What: "the forecast cannot be drawn"}
	}
	if digest := sha256.Sum256(text); d.png == nil || d.picture != digest {
		picture, err := chart.Forecast(chartOf(*f))
		if err == nil {
			d.png, err = picture.PNG()
		}
		if err != nil {
			d.png = nil
			return embed, none, nil // the numbers are in the message; a picture that fails holds back no alert
		}
		d.picture = digest
	}
	embed.Image = &discordgo.MessageEmbedImage{URL: "attachment://forecast.png"}
	png := d.png
	return embed, func() []*discordgo.File {
		return []*discordgo.File{{Name: "forecast.png", ContentType: "image/png", Reader: bytes.NewReader(png)}}
	}, nil
}

func chartOf(f dossier.CardForecast) chart.Vote {
	v := chart.Vote{Pass: chart.Interval(f.Pass), Quorum: chart.Interval(f.Quorum), Needed: f.Needed}
	if f.For != nil {
		v.For = &chart.Band{P05: f.For.P05, P50: f.For.P50, P95: f.For.P95}
	}
	return v
}

// pace sends discordgo's requests to the configured server, and keeps the pace that Discord asks for, so that
// discordgo itself never sleeps: its sleep takes no context.
type pace struct {
	next   http.RoundTripper
	base   *url.URL
	thread string

	mu    sync.Mutex
	until time.Time
}

// longestPace bounds a wait that Discord asks for in passing.
const longestPace = 15 * time.Second

// RoundTrip sends a request on.
func (p *pace) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.URL.Scheme, req.URL.Host, req.Host = p.base.Scheme, p.base.Host, p.base.Host
	req.URL.Path = strings.TrimSuffix(p.base.Path, "/") + req.URL.Path
	if p.thread != "" {
		q := req.URL.Query()
		q.Set("thread_id", p.thread)
		req.URL.RawQuery = q.Encode()
	}
	resp, err := p.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if resp.Header.Get("X-RateLimit-Remaining") == "0" {
		h := http.Header{"Retry-After": {resp.Header.Get("X-RateLimit-Reset-After")}}
		p.mu.Lock()
		p.until = time.Now().Add(min(retryAfter(h), longestPace))
		p.mu.Unlock()
	}
	for k := range resp.Header {
		if strings.HasPrefix(strings.ToLower(k), "x-ratelimit-") {
			resp.Header.Del(k)
		}
	}
	resp.Body = bounded(resp)
	return resp, nil
}

// wait waits until Discord wants the next request.
func (p *pace) wait(ctx context.Context) error {
	p.mu.Lock()
	until := p.until
	p.mu.Unlock()
	left := time.Until(until)
	if left <= 0 {
		return nil
	}
	t := time.NewTimer(left)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return wireFault(ctx.Err())
	case <-t.C:
		return nil
	}
}
