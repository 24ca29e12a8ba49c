package notify

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/bwmarrin/discordgo"

	"github.com/legate-dao/legate/agent/dossier"
)

// topic is what a message is about: in a forum, its thread.
type topic struct {
	note string // under which the thread is remembered
	name string // of a new thread, at most maxThreadName
	bare string // the same without a stranger's words
}

// Limits and names of threads.
const (
	maxThreadName = 100
	alarmsNote    = "thread/alarms"
	alarmsName    = "legate: alarms"
)

// topicOf is a proposal's own thread, or the one for everything that belongs to no proposal: emergencies, digests,
// what the program says of itself.
func topicOf(a dossier.Alert) topic {
	if a.Card == nil {
		return topic{alarmsNote, alarmsName, alarmsName}
	}
	handle := cutUnits(dossier.Untrusted(a.Card.Handle).Plain(60), 60)
	t := topic{"thread/" + a.Card.Proposal.String(), handle, handle}
	if title := a.Card.Title.Quote(80); title != "" {
		t.name = cutUnits(handle+" · "+title, maxThreadName)
	}
	return t
}

// form is how plain a message is. Each is taken where the one before it may not be.
type form int

const (
	asPicture form = iota // an embed with the forecast's picture
	asEmbed               // the embed without it
	asText                // the same facts as text
	asBare                // that there is an alert, in words of ours only
)

// draft is a message, in every form.
type draft struct {
	embed *discordgo.MessageEmbed
	png   []byte
	text  string
	bare  string
	form  form
}

func newDraft(a dossier.Alert, embed *discordgo.MessageEmbed, png []byte) *draft {
	m := &draft{embed: embed, png: png, form: asEmbed}
	if png != nil {
		m.form = asPicture
	}
	m.text = cutUnits("**"+plainDiscord(a.Title, 250)+"**\n"+bullets(a.Lines, 1300)+"\n"+embed.Footer.Text, 1900)
	where := "the program's log or its page"
	if a.Card != nil {
		where = code("legate show " + a.Card.Handle)
	}
	m.bare = "Legate has a " + string(a.Severity) + " alert whose text Discord does not take. Look at " + where + ".\nAlert " + code(a.ID)
	return m
}

// plainer makes the message plainer, and reports whether it could.
func (m *draft) plainer() bool {
	if m.form == asBare {
		return false
	}
	m.form++
	return true
}

func (m *draft) embeds() []*discordgo.MessageEmbed {
	switch m.form {
	case asPicture:
		e := *m.embed
		e.Image = &discordgo.MessageEmbedImage{URL: "attachment://forecast.png"}
		return []*discordgo.MessageEmbed{&e}
	case asEmbed:
		e := *m.embed // discordgo writes into it
		return []*discordgo.MessageEmbed{&e}
	}
	return []*discordgo.MessageEmbed{}
}

func (m *draft) content() string {
	switch m.form {
	case asText:
		return m.text
	case asBare:
		return m.bare
	}
	return ""
}

// files are made again for each request.
func (m *draft) files() []*discordgo.File {
	if m.form != asPicture {
		return nil
	}
	return []*discordgo.File{{Name: "forecast.png", ContentType: "image/png", Reader: bytes.NewReader(m.png)}}
}

// place is where a message goes: into the channel, into a thread, or into a new thread of a name.
type place struct {
	thread string
	name   string
	fixed  bool // the thread is of the webhook's address
}

// home is what the channel's notes about forums and threads hold for.
func (d *discord) home() string { return d.webhook + d.room }

// place is where a topic's messages go now.
func (d *discord) place(ctx context.Context, t topic) (place, error) {
	if d.thread != "" {
		return place{thread: d.thread, fixed: true}, nil
	}
	forum, err := d.notes.Note(ctx, d.name, "forum")
	if err != nil || forum != d.home() {
		return place{}, err
	}
	thread, err := d.notes.Note(ctx, d.name, t.note)
	if err != nil {
		return place{}, err
	}
	// a thread of another channel is none of ours: the channel was changed
	if home, id, ok := strings.Cut(thread, "/"); ok && home == d.home() {
		return place{thread: id}, nil
	}
	return place{name: t.name}, nil
}

// silent lets nobody be mentioned, whatever a message says.
func silent() *discordgo.MessageAllowedMentions {
	return &discordgo.MessageAllowedMentions{Parse: []discordgo.AllowedMentionType{}}
}

// poster is one post on its way: what was tried already is not tried again.
type poster struct {
	d     *discord
	topic topic
	draft *draft
	tried []about
}

// post posts a message, in the place and the form that Discord takes it in, and returns its id.
func (d *discord) post(ctx context.Context, t topic, m *draft) (id string, err error) {
	p := &poster{d: d, topic: t, draft: m}
	where, err := d.place(ctx, t)
	for err == nil {
		var thread string
		if id, thread, err = d.put(ctx, where, m); err == nil {
			if where.name != "" {
				err = d.notes.SetNote(ctx, d.name, t.note, d.home()+"/"+thread)
			}
			return id, err
		}
		var r *refusal
		if !errors.As(err, &r) {
			return "", err
		}
		where, err = p.adapt(ctx, where, r)
	}
	return "", err
}

// adapt is what is tried after a refusal; its error is what helps where nothing is left to try.
func (p *poster) adapt(ctx context.Context, where place, r *refusal) (place, error) {
	d := p.d
	again := slices.Contains(p.tried, r.about)
	p.tried = append(p.tried, r.about)
	set := func(note, value string) (place, error) {
		if err := d.notes.SetNote(ctx, d.name, note, value); err != nil {
			return where, err
		}
		return d.place(ctx, p.topic)
	}
	switch r.about {
	case aboutNow, aboutEdits:
		return where, r.Fault

	case aboutContent:
		if p.draft.plainer() {
			return where, nil
		}
		if where.name != "" && where.name != p.topic.bare {
			where.name = p.topic.bare
			return where, nil
		}
		return where, r.broken(hintEmpty)

	case aboutPicture:
		if p.draft.plainer() {
			return where, nil
		}
		return where, r.broken(hintEmpty)

	case aboutRights: // perhaps only the right to attach files is missing
		if p.draft.form == asPicture && p.draft.plainer() {
			return where, nil
		}

	case aboutTitle:
		if where.name != "" && where.name != p.topic.bare {
			where.name = p.topic.bare
			return where, nil
		}
		if where.name == "" && p.draft.plainer() {
			return where, nil
		}

	case aboutForum:
		if !again && where.name != "" {
			return set("forum", "") // a bot is told so where it is no forum any more
		}
		if again || where.thread != "" {
			break
		}
		forum, err := d.isForum(ctx)
		if err != nil {
			return where, err
		}
		if forum {
			return set("forum", d.home())
		}

	case aboutText:
		if !again && where.name != "" {
			return set("forum", "")
		}
		if !again && where == (place{}) && p.draft.plainer() {
			return where, nil
		}

	case aboutThread:
		if !again && where.thread != "" && !where.fixed {
			return set(p.topic.note, "")
		}

	case aboutThreads:
		if again || where.name == "" || p.topic.note == alarmsNote {
			break
		}
		// the threads that are there take messages
		if alarms, err := d.place(ctx, topic{note: alarmsNote}); err != nil || alarms.thread != "" {
			return alarms, err
		}
	}
	if where.fixed && r.about == aboutThread {
		r.hint = hintThread
	}
	return where, r.broken(hintAccess)
}

// isForum reports whether the channel is a forum, now that it does not take a plain message. A webhook is told so by
// the refusal; a bot looks.
func (d *discord) isForum(ctx context.Context) (bool, error) {
	if d.webhook != "" {
		return true, nil
	}
	var ch *discordgo.Channel
	err := d.request(ctx, callLook, "", func(o discordgo.RequestOption) (err error) {
		ch, err = d.session.Channel(d.room, o)
		return err
	})
	var r *refusal
	if errors.As(err, &r) && r.about != aboutNow {
		return false, r.broken(hintAccess)
	}
	if err != nil {
		return false, err
	}
	return ch.Type == discordgo.ChannelTypeGuildForum || ch.Type == discordgo.ChannelTypeGuildMedia, nil
}

// put makes one try to post, and returns the message and the thread that it is in.
func (d *discord) put(ctx context.Context, where place, m *draft) (id, thread string, err error) {
	switch {
	case d.webhook != "":
		id, thread, err = d.putByWebhook(ctx, where, m)
	case where.name != "":
		id, err = d.startThread(ctx, where.name, m)
		thread = id // a forum's thread has the id of its first message
	default:
		id, err = d.putByBot(ctx, where, m)
	}
	if err == nil && (!snowflake.MatchString(id) || where.name != "" && !snowflake.MatchString(thread)) {
		return "", "", &Fault{Advice: Later, What: "Discord's answer names no message"}
	}
	return id, thread, err
}

func (d *discord) putByWebhook(ctx context.Context, where place, m *draft) (id, thread string, err error) {
	var sent *discordgo.Message
	err = d.request(ctx, callPost, where.thread, func(o discordgo.RequestOption) (err error) {
		sent, err = d.session.WebhookExecute(d.webhook, d.token, true, &discordgo.WebhookParams{
			Username: "Legate", Content: m.content(), Embeds: m.embeds(), Components: []discordgo.MessageComponent{}, AllowedMentions: silent(), Files: m.files(), ThreadName: where.name,
		}, o)
		return err
	})
	if err != nil || sent == nil {
		return "", "", err
	}
	thread = sent.ChannelID
	if thread == "" {
		thread = sent.ID
	}
	return sent.ID, thread, nil
}

func (d *discord) putByBot(ctx context.Context, where place, m *draft) (id string, err error) {
	room := d.room
	if where.thread != "" {
		room = where.thread
	}
	var sent *discordgo.Message
	err = d.request(ctx, callPost, "", func(o discordgo.RequestOption) (err error) {
		sent, err = d.session.ChannelMessageSendComplex(room, m.send(), o)
		return err
	})
	if err != nil || sent == nil {
		return "", err
	}
	return sent.ID, nil
}

func (d *discord) startThread(ctx context.Context, name string, m *draft) (id string, err error) {
	const week = 10080 // minutes until it is archived without a message
	var ch *discordgo.Channel
	err = d.request(ctx, callThread, "", func(o discordgo.RequestOption) (err error) {
		ch, err = d.session.ForumThreadStartComplex(d.room, &discordgo.ThreadStart{Name: name, AutoArchiveDuration: week}, m.send(), o)
		return err
	})
	if err != nil || ch == nil {
		return "", err
	}
	return ch.ID, nil
}

// send is the message as a bot sends it.
func (m *draft) send() *discordgo.MessageSend {
	return &discordgo.MessageSend{
		Content: m.content(), Embeds: m.embeds(), Components: []discordgo.MessageComponent{}, StickerIDs: []string{}, AllowedMentions: silent(), Files: m.files(),
	}
}

// edit brings a message up to date; without its picture where that is what Discord does not take.
func (d *discord) edit(ctx context.Context, t topic, id string, m *draft) error {
	where, err := d.place(ctx, t)
	if err != nil {
		return err
	}
	if where.name != "" { // its thread is not known any more
		return &refusal{&Fault{What: "the message's thread is not known"}, aboutMessage, ""}
	}
	for {
		err := d.change(ctx, where, id, m)
		var r *refusal
		if !errors.As(err, &r) || m.form != asPicture || r.about != aboutPicture && r.about != aboutContent {
			return err
		}
		m.form = asEmbed
	}
}

// change makes one try to edit.
func (d *discord) change(ctx context.Context, where place, id string, m *draft) error {
	embeds, old, text := m.embeds(), []*discordgo.MessageAttachment{}, m.content() // the picture is sent again each time
	if d.webhook != "" {
		return d.request(ctx, callEdit, where.thread, func(o discordgo.RequestOption) error {
			_, err := d.session.WebhookMessageEdit(d.webhook, d.token, id, &discordgo.WebhookEdit{
				Content: &text, Embeds: &embeds, AllowedMentions: silent(), Attachments: &old, Files: m.files(),
			}, o)
			return err
		})
	}
	room := d.room
	if where.thread != "" {
		room = where.thread
	}
	return d.request(ctx, callEdit, "", func(o discordgo.RequestOption) error {
		_, err := d.session.ChannelMessageEditComplex(&discordgo.MessageEdit{
			Channel: room, ID: id, Content: &text, Embeds: &embeds, AllowedMentions: silent(), Attachments: &old, Files: m.files(),
		}, o)
		return err
	})
}
