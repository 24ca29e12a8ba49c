package screen

import "github.com/legate-dao/legate/agent/gov"

// Screen looks at one thing in a text. A text on which it speaks holds a For.
type Screen struct {
	Flag  gov.Flag
	Title string // one line
	Text  string // a paragraph for the operator
	see   func(*page) bool
}

// Screens lists every screen in the order in which flags are reported.
var Screens = []Screen{
	hiddenCharacters, bidi, confusables, dataURI, instructions, encoded, tooLong, notUTF8,
}
