package screen

import (
	"strings"

	"github.com/legate-dao/legate/agent/gov"
)

var bidi = Screen{
	Flag:  gov.FlagBidi,
	Title: "characters that turn the direction of the text",
	Text: "Explicit embeddings, overrides and isolates (U+202A to U+202E, U+2066 to U+2069) make a line read otherwise than it " +
		"is stored. Text in right-to-left scripts needs none of them: its letters carry their direction. No real description that we have uses one.",
	see: func(p *page) bool { return strings.ContainsFunc(p.raw, bidiControl) },
}

func bidiControl(r rune) bool { return r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 }
