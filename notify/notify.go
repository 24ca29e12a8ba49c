package notify

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/legate-dao/legate/agent/dossier"
)

// Channel is one place where alerts go. Send returns nil only when the other side has taken the alert; its
// error is a [*Fault] where more is known than that it failed.
type Channel interface {
	Name() string
	Send(ctx context.Context, a dossier.Alert) error
}

// Repeater is a channel that forgets: what is on has to be told again to it.
type Repeater interface {
	Channel
	// Every is how often.
	Every() time.Duration
	// Repeat tells what is on now; its error is as that of Send.
	Repeat(ctx context.Context, on []dossier.Alert) error
}

// Notes are what a channel remembers over a restart.
type Notes interface {
	Note(ctx context.Context, channel, name string) (string, error)
	SetNote(ctx context.Context, channel, name, value string) error
}

// kept are notes that are kept in mind while the store takes none: a message that was posted is not posted again and
// again because its id could not be stored. A new process may post it once more.
type kept struct {
	Notes
	mu   sync.Mutex
	mind map[string]string
}

// Note is what is in mind, or in the store.
func (k *kept) Note(ctx context.Context, channel, name string) (string, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if value, ok := k.mind[name]; ok {
		return value, nil
	}
	return k.Notes.Note(ctx, channel, name)
}

// SetNote stores a note, and what could not be stored before it; its error is always nil.
func (k *kept) SetNote(ctx context.Context, channel, name, value string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.mind[name] = value
	for name, value := range k.mind {
		if k.Notes.SetNote(ctx, channel, name, value) != nil {
			break // it stays in mind
		}
		delete(k.mind, name)
	}
	return nil
}

// Config is one channel. Which fields a kind needs is said in [Kinds].
type Config struct {
	Name string
	Kind string
	// URL is the address that alerts are sent to; for most kinds it is a secret.
	URL string
	// Secret is the key of the webhook's signature; without one it is not signed.
	Secret string
	// Token and Room are a Discord bot's token and the id of its channel, in place of a webhook's URL.
	Token, Room string
	// API is where Discord's API is for a bot; default https://discord.com.
	API string
	// Out is where the terminal is.
	Out io.Writer
	// Resend is how often an Alertmanager is told again what is on; default a minute.
	Resend time.Duration
	// Notes are needed by Discord.
	Notes Notes
}

// Kind is one kind of channel, described for the operator.
type Kind struct {
	Name  string
	Title string
	Text  string
	open  func(Config) (Channel, error)
}

// kinds are all of them.
var kinds = []Kind{
	{"terminal", "Lines on standard error", "Each alert as a few lines, its severity first.", openTerminal},
	{"discord", "A Discord channel", "One message a proposal, edited through its life: facts first, the forecast as a picture, deadlines in each reader's own time. " +
		"Reminders and critical alerts are messages of their own, because an edit calls nobody. By a webhook's address, or by a bot's token and the channel's id.", openDiscord},
	{"webhook", "JSON to an address of yours", "The alert as JSON, signed in X-Legate-Signature with HMAC-SHA256 where a secret is given. Any 2xx takes it.", openWebhook},
	{"alertmanager", "Prometheus Alertmanager", "Each alert to /api/v2/alerts, with labels for event, severity and governor. An emergency is sent again each minute while it is on, with labels for rule and metric, and once more when it is over.", openAlertmanager},
	{"url", "Any service that shoutrrr knows", "The alert as plain text to one shoutrrr address: slack://…, ntfy://…, smtp://… and others.", openShoutrrr},
}

// Kinds lists the kinds of channels.
func Kinds() []Kind { return slices.Clone(kinds) }

// Open makes a channel. It sends nothing.
func Open(c Config) (Channel, error) {
	for _, k := range kinds {
		if k.Name == c.Kind {
			channel, err := k.open(c)
			if err != nil {
				return nil, fmt.Errorf("channel %s (%s): %w", c.Name, c.Kind, err)
			}
			return channel, nil
		}
	}
	return nil, fmt.Errorf("channel %s: there is no kind of channel %q", c.Name, c.Kind)
}
