package brief

import (
	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
)

// CheckIn holds a sentence against the sources of a dossier.
func CheckIn(d dossier.Dossier, text string, ids []string) string {
	s, _, _ := gather(d, gov.Maybe[bool]{}, func(dossier.Untrusted) bool { return false })
	return s.Check(text, ids)
}

// Split, SentencesOf, LanguageOf and the constants of the prompt, for the tests.
var (
	Split      = split
	LanguageOf = languageOf
)

// Texts are the sentences of a text.
func Texts(s string) []string {
	out := []string{}
	all, _ := sentencesOf(s)
	for _, x := range all {
		out = append(out, x.text)
	}
	return out
}

// The constants of the prompt.
const (
	SystemText   = systemText
	AnswerSchema = answerSchema
)
