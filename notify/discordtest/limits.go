package discordtest

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"unicode/utf16"
)

// payload is a message as it is sent. Fields that the program does not use are not known here, so that a
// request that has them is noticed.
type payload struct {
	Content     *string  `json:"content"`
	Username    string   `json:"username"`
	TTS         bool     `json:"tts"`
	Embeds      *[]embed `json:"embeds"`
	Components  []any    `json:"components"`
	StickerIDs  []string `json:"sticker_ids"`
	Attachments *[]any   `json:"attachments"`
	// ThreadName starts a thread in a forum.
	ThreadName string `json:"thread_name"`
	// These three start a thread as a bot does; the message stands inside.
	Name        string   `json:"name"`
	Invitable   bool     `json:"invitable"`
	AutoArchive int      `json:"auto_archive_duration"`
	Message     *payload `json:"message"`
	// discordgo's edits carry these two, which Discord does not read.
	ID       string `json:"ID"`
	Channel  string `json:"Channel"`
	Mentions *struct {
		Parse       *[]string `json:"parse"`
		Users       []string  `json:"users"`
		Roles       []string  `json:"roles"`
		RepliedUser bool      `json:"replied_user"`
	} `json:"allowed_mentions"`
}

type embed struct {
	Embed
	Type string `json:"type"`
}

// unwrap reads the two forms of starting a thread as one.
func (q *request) unwrap() {
	if q.Message != nil {
		name := q.Name
		q.payload = *q.Message
		q.ThreadName = name
	}
}

func (p payload) text() string {
	if p.Content == nil {
		return ""
	}
	return *p.Content
}

func (p payload) embeds() []Embed {
	if p.Embeds == nil {
		return []Embed{}
	}
	out := make([]Embed, len(*p.Embeds))
	for i, e := range *p.Embeds {
		out[i] = e.Embed
	}
	return out
}

// limits of an embed (Discord's developer documentation, "Embed Limits").
const (
	maxEmbeds      = 10
	maxTitle       = 256
	maxDescription = 4096
	maxFields      = 25
	maxFieldName   = 256
	maxFieldValue  = 1024
	maxFooter      = 2048
	maxTogether    = 6000
	maxContent     = 2000
	maxThreadName  = 100
)

func units(s string) int { return len(utf16.Encode([]rune(s))) }

// check says what Discord would refuse, and what this program must never do though Discord would not mind:
// let anybody be mentioned.
func (p payload) check(files map[string][]byte) error {
	if p.Mentions == nil || p.Mentions.Parse == nil || len(*p.Mentions.Parse) > 0 || len(p.Mentions.Users)+len(p.Mentions.Roles) > 0 {
		return invalid("allowed_mentions does not forbid all mentions")
	}
	embeds := p.embeds()
	if len(embeds) == 0 && p.text() == "" {
		return invalid("Cannot send an empty message")
	}
	if len(embeds) > maxEmbeds {
		return invalid("%d embeds", len(embeds))
	}
	if units(p.ThreadName) > maxThreadName {
		return invalid("a thread's name of %d", units(p.ThreadName))
	}
	if p.Content != nil && units(*p.Content) > maxContent {
		return invalid("content of %d", units(*p.Content))
	}
	if n := strings.ToLower(p.Username); strings.Contains(n, "discord") || strings.Contains(n, "clyde") || len(n) > 80 {
		return invalid("username %q", p.Username)
	}
	together := 0
	for _, e := range embeds {
		n, err := e.check(files)
		if err != nil {
			return err
		}
		together += n
	}
	if together > maxTogether {
		return invalid("embeds of %d together, at most %d", together, maxTogether)
	}
	return nil
}

func invalid(format string, a ...any) error {
	return &apiError{http.StatusBadRequest, codeInvalidForm, "Invalid Form Body: " + fmt.Sprintf(format, a...)}
}

func (e Embed) check(files map[string][]byte) (together int, err error) {
	measure := func(what, text string, least, most int) {
		n := units(text)
		together += n
		if n < least || n > most {
			err = errors.Join(err, fmt.Errorf("%s of %d, must be %d to %d", what, n, least, most))
		}
	}
	measure("title", e.Title, 0, maxTitle)
	measure("description", e.Description, 0, maxDescription)
	for _, f := range e.Fields {
		measure("field name", f.Name, 1, maxFieldName)
		measure("field value", f.Value, 1, maxFieldValue)
	}
	if e.Footer != nil {
		measure("footer", e.Footer.Text, 0, maxFooter)
	}
	if len(e.Fields) > maxFields {
		err = errors.Join(err, fmt.Errorf("%d fields", len(e.Fields)))
	}
	if e.Image != nil {
		if name, ok := strings.CutPrefix(e.Image.URL, "attachment://"); !ok || files[name] == nil {
			err = errors.Join(err, fmt.Errorf("image %q is no file of the message", e.Image.URL))
		}
	}
	if e.Title+e.Description == "" && len(e.Fields) == 0 {
		err = errors.Join(err, errors.New("an empty embed"))
	}
	if err != nil {
		return 0, invalid("%v", err)
	}
	return together, nil
}

// Active is what Discord would make more of than letters in a text: a mention, a link, a markup, outside of
// code. Empty when it makes nothing of it. Bold and inline code are the program's own and are left out.
func Active(text string) string {
	text = codeSpan.ReplaceAllString(text, "")
	text = discordTime.ReplaceAllString(text, "")
	text = strings.ReplaceAll(text, `\_`, "")
	for _, p := range activePatterns {
		if m := p.FindString(text); m != "" {
			return m
		}
	}
	return ""
}

var (
	codeSpan    = regexp.MustCompile("(?s)```.*?```|`[^`\n]*`")
	discordTime = regexp.MustCompile(`<t:\d{1,12}(:[tTdDfFR])?>`)

	activePatterns = []*regexp.Regexp{
		regexp.MustCompile(`@(everyone|here)`),
		regexp.MustCompile(`<[@#&:/aAtid!]`),
		regexp.MustCompile(`[A-Za-z][A-Za-z0-9+.-]*://`),
		regexp.MustCompile(`\[[^\]]*\]\([^)]*\)`),
		regexp.MustCompile("`"),
		regexp.MustCompile(`\*\*\*|~~|\|\||__|(^|\n)(#|>|-#)`),
		regexp.MustCompile(`(^|[^\pL\pN])_[^_\s]`),
		regexp.MustCompile(`(^|[^*])\*[^*\s]`),
		regexp.MustCompile(`:[A-Za-z][A-Za-z0-9_+-]*:`),
		regexp.MustCompile(`[\x00-\x08\x0b-\x1f\x7f-\x9f\x{200b}-\x{200f}\x{202a}-\x{202e}\x{2060}-\x{2069}\x{feff}\x{e0000}-\x{e0fff}]`),
	}
)
