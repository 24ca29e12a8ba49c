package notify

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/bwmarrin/discordgo"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
)

// Discord's limits, in UTF-16 units to be on the safe side: title 256, description 4096, a field's value 1024,
// all text of an embed together 6000. Ours are lower.
const (
	maxDescription = 1800
	maxField       = 900
)

// Colours of the stripe at a message's left.
const (
	colorFor     = 0x2e9e6b
	colorAgainst = 0xd64545
	colorHold    = 0xe0a030
	colorAbstain = 0x8a93a6
	colorOpen    = 0x4f7cd8
)

func severityColor(s gov.Severity) int {
	switch s {
	case gov.Critical:
		return colorAgainst
	case gov.Warning:
		return colorHold
	}
	return colorOpen
}

// cardEmbed is a proposal as one embed: what it does and what is decided first, then deadlines, then what
// others say of it, each under its name.
func cardEmbed(a dossier.Alert) *discordgo.MessageEmbed {
	c := *a.Card
	what, color := standing(c)
	e := &discordgo.MessageEmbed{Title: plainDiscord(c.Handle+" · "+what, 250), Color: color, Description: bullets(c.Facts, maxDescription), Footer: footer(a)}
	field := func(name, value string) {
		if value != "" {
			e.Fields = append(e.Fields, &discordgo.MessageEmbedField{Name: name, Value: value})
		}
	}
	field("Findings", findings(c))
	field("Decision", decision(c))
	field("Deadlines", deadlines(c))
	field("Our vote", ourVote(c))
	field("Forecast", forecastText(c.Forecast))
	field("Its title, as its proposer wrote it", block(c.Title, 300))
	if b := c.Brief; b != nil {
		var text []string
		for i, l := range append([]dossier.Untrusted{b.Headline}, b.Lines...) {
			if s := l.Line(300); s != "" && (i > 0 || len(b.Lines) == 0 || s != c.Title.Line(300)) { // the title stands above already
				text = append(text, s)
			}
		}
		if len(text) > 0 {
			field("Brief, "+plainDiscord(b.Label, 120), block(dossier.Untrusted(strings.Join(text, "\n")), maxField-20))
		}
	}
	return e
}

// standing says in a word or two where a proposal stands, and its colour.
func standing(c dossier.Card) (string, int) {
	color := colorOpen
	if c.Decided {
		color = map[gov.Direction]int{gov.For: colorFor, gov.Against: colorAgainst, gov.Abstain: colorAbstain, gov.Hold: colorHold}[c.Final]
	}
	switch {
	case c.State.Over() || c.State == gov.StateQueued:
		what := string(c.State)
		if c.Vote == gov.VoteFinal {
			what += ", we voted " + c.Support
		}
		return what, color
	case c.Vote == gov.VoteFinal:
		return "voted " + c.Support, color
	case c.Vote.Bound():
		return "voting " + c.Support, color
	case c.Vote == gov.VoteHeld:
		return "held, a person is asked", colorHold
	case c.NotVoted == dossier.NotLive && c.Decided: // who only reads wants to know what it is, not that nobody votes here
		return c.Final.String(), color
	case c.NotVoted != "" || c.Vote == gov.VoteNoVote:
		return "no vote", colorAbstain
	case !c.Decided:
		return "new", colorOpen
	case c.Provisional:
		return "first look: " + c.Final.String(), color
	}
	return c.Final.String(), color
}

func findings(c dossier.Card) string {
	dots := map[gov.Severity]string{gov.Critical: "🔴", gov.Warning: "🟠", gov.Info: "⚪"}
	var lines []string
	for _, f := range c.Findings {
		lines = append(lines, fmt.Sprintf("%s **%s** %s", dots[f.Severity], plainDiscord(string(f.Name), 40), plainDiscord(f.Title, 220)))
	}
	if c.More > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", c.More))
	}
	return joinUpTo(lines, maxField)
}

func decision(c dossier.Card) string {
	if !c.Decided {
		return ""
	}
	text := "**" + c.Final.String() + "** by rule " + code(string(c.Rule))
	if c.Final == gov.Hold && c.Reason != "" {
		text = "**hold**, because of " + code(string(c.Reason)) + ", rule " + code(string(c.Rule))
	}
	if c.Because != "" {
		text += "\n" + plainDiscord(c.Because, 300)
	}
	if c.Provisional {
		text += "\nProvisional: read before the block is final. Nothing is signed on it."
	}
	return text
}

// deadlines are in Discord's own form, which every reader sees in their own time.
func deadlines(c dossier.Card) string {
	if c.State.Over() || c.State == gov.StateQueued || c.State == gov.StateSucceeded {
		return ""
	}
	var lines []string
	if c.Vote == gov.VoteHeld && c.Latest > 0 {
		lines = append(lines, fmt.Sprintf("Answer <t:%d:R> at the latest: %s", int64(c.Latest), code("legate vote "+c.Handle+" for|against|abstain")))
	}
	if c.Closes > 0 {
		lines = append(lines, fmt.Sprintf("Voting ends <t:%d:R> (<t:%d:f>)", int64(c.Closes), int64(c.Closes)))
	}
	return strings.Join(lines, "\n")
}

func ourVote(c dossier.Card) string {
	switch {
	case c.Vote.Bound():
		text := "**" + plainDiscord(c.Support, 20) + "**, " + string(c.Vote)
		if c.By == gov.ByHolder {
			text += ", by the holder's own hand"
		}
		if c.Tx != (gov.Hash{}) {
			text += "\ntransaction " + code(c.Tx.Hex())
		}
		return text
	case c.NotVoted == dossier.NotLive:
		return "" // the footer says so
	case c.NotVoted != "":
		return "none: " + code(string(c.NotVoted))
	}
	return ""
}

func forecastText(f *dossier.CardForecast) string {
	if f == nil {
		return ""
	}
	return fmt.Sprintf("passes %s\nreaches quorum %s", percent(f.Pass), percent(f.Quorum))
}

// percent leaves out an interval that is a point at the digits shown: such a chance is computed, not sampled.
func percent(c dossier.Chance) string {
	if fmt.Sprintf("%.1f", 100*c.Low) == fmt.Sprintf("%.1f", 100*c.High) {
		return fmt.Sprintf("**%.0f %%**", 100*c.P)
	}
	return fmt.Sprintf("**%.0f %%** (%.1f to %.1f)", 100*c.P, 100*c.Low, 100*c.High)
}

// aloud is what a reminder or a critical alert says beside the proposal's own message.
func aloud(a dossier.Alert) string {
	d := deadlines(*a.Card)
	if d == "" {
		return bullets(a.Lines, 1500)
	}
	lines := slices.DeleteFunc(slices.Clone(a.Lines), func(l string) bool {
		return strings.HasPrefix(l, "Voting ends about ") // said below, in the reader's own time
	})
	return bullets(lines, 1500) + "\n" + d
}

func footer(a dossier.Alert) *discordgo.MessageEmbedFooter {
	text := "Legate · alert " + plainDiscord(a.ID, 64)
	if a.Card != nil {
		text = fmt.Sprintf("Legate · record %d · alert %s", a.Card.Seq, plainDiscord(a.ID, 64))
		if a.Card.NotVoted == dossier.NotLive {
			text = "Legate, which only reads here" + strings.TrimPrefix(text, "Legate")
		}
	}
	return &discordgo.MessageEmbedFooter{Text: text}
}

// bullets are lines as a list, as many as fit.
func bullets(lines []string, max int) string {
	out := make([]string, len(lines))
	for i, l := range lines {
		out[i] = "• " + plainDiscord(l, 400)
	}
	return joinUpTo(out, max)
}

func joinUpTo(lines []string, max int) string {
	var b strings.Builder
	for _, l := range lines {
		if units(b.String())+units(l)+2 > max {
			b.WriteString("\n…")
			break
		}
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(l)
	}
	return b.String()
}

// plainDiscord is text in which Discord finds nothing to do: no markup, mention, link, emoji or time.
func plainDiscord(s string, max int) string {
	s = dossier.Untrusted(s).Plain(max)
	return cutUnits(markup.Replace(s), max)
}

// markup escapes what Plain leaves and Discord's Markdown would still take for markup.
var markup = strings.NewReplacer("_", `\_`, "|", `\|`, "- ", `\- `)

// code is a short text in Discord's inline code, where nothing is active.
func code(s string) string {
	return "`" + strings.ReplaceAll(cutUnits(dossier.Untrusted(s).Line(200), 200), "`", "'") + "`"
}

// block is a stranger's text in a code block, where nothing is active and every letter shows.
func block(u dossier.Untrusted, max int) string {
	text := strings.ReplaceAll(u.Block(max), "`", "'")
	if strings.TrimSpace(text) == "" {
		return ""
	}
	return "```text\n" + cutUnits(text, max) + "\n```"
}

func units(s string) int { return len(utf16.Encode([]rune(s))) }

// cutUnits cuts after max UTF-16 units.
func cutUnits(s string, max int) string {
	if units(s) <= max {
		return s
	}
	n := 0
	for i, r := range s {
		w := 1
		if r > 0xffff {
			w = 2
		}
		if n += w; n > max-1 {
			return strings.TrimSuffix(s[:i], `\`) + "…"
		}
	}
	return s
}
