package governor

import (
	"strings"
	"unicode/utf8"

	"github.com/legate-dao/legate/agent/dossier"
)

// MaxTitle bounds a title, in bytes.
const MaxTitle = 200

// Title is the first Markdown heading of a description, or its first line that is not empty, cut to
// MaxTitle. It is as untrusted as the description.
func Title(description dossier.Untrusted) dossier.Untrusted {
	first := ""
	for line := range strings.Lines(string(description)) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		if head := strings.TrimLeft(line, "#"); head != line && strings.TrimSpace(head) != "" {
			first = strings.TrimSpace(strings.TrimRight(head, "# "))
			if first != "" {
				break
			}
		}
		if first == "" {
			first = line
		}
	}
	return dossier.Untrusted(cut(first, MaxTitle))
}

// cut shortens to at most limit bytes, never within a character.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for end := limit; end > limit-utf8.UTFMax && end > 0; end-- {
		if utf8.RuneStart(s[end]) {
			return s[:end]
		}
	}
	return s[:limit] // no text at all
}
