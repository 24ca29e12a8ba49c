package dossier

import (
	"bytes"
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

// InertJSON is the same JSON with every character that does not show itself written as \u escapes:
// control characters above ASCII, bidi and invisible ones (G30). JSON escapes only those below U+0020, and a
// terminal obeys U+009B as it obeys ESC [.
func InertJSON(doc []byte) []byte {
	if !bytes.ContainsFunc(doc, func(r rune) bool { return r >= 0x7f }) {
		return doc
	}
	out := make([]byte, 0, len(doc)+len(doc)/8)
	for len(doc) > 0 {
		r, n := utf8.DecodeRune(doc)
		switch {
		case r < 0x7f, visible(r) && !(r == utf8.RuneError && n == 1):
			out = append(out, doc[:n]...)
		case r > 0xffff:
			hi, lo := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, hi, lo)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
		doc = doc[n:]
	}
	return out
}
