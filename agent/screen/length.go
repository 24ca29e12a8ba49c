package screen

import "github.com/legate-dao/legate/agent/gov"

var tooLong = Screen{
	Flag:  gov.FlagTooLong,
	Title: "more text than is read",
	Text: "Title and description, or the strings that came with the calls, are longer than 200 kB, six times the longest of a " +
		"thousand real descriptions. What lies beyond is not read, so a For is held; nothing is silently cut.",
	see: func(p *page) bool { return p.long },
}

var notUTF8 = Screen{
	Flag:  gov.FlagNotUTF8,
	Title: "bytes that are no text",
	Text: "The text is not valid UTF-8. Readers replace such bytes each in their own way, so two of them may see " +
		"two texts; the other screens read it with the bytes replaced.",
	see: func(p *page) bool { return p.bad },
}
