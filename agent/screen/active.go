package screen

import (
	"strings"

	"github.com/legate-dao/legate/agent/gov"
)

var dataURI = Screen{
	Flag:  gov.FlagDataURI,
	Title: "a link or tag that carries or runs content",
	Text: "data:, javascript:, vbscript: and blob: links, scripts, frames, objects and event handlers: content that is not where a " +
		"reader can look it up, or that runs where it is shown. Markdown with plain links and pictures is not flagged.",
	see: func(p *page) bool { return active(p.raw) || active(resolve(p.raw)) },
}

// runners are beginnings of tags that run or embed something.
var runners = []string{"<script", "<iframe", "<object", "<embed", "<applet", "<meta", "<base ", "<form", "<link ", "<svg/on", "<math"}

// active says whether s carries or runs content.
func active(s string) bool {
	lower := strings.ToLower(s)
	if strings.ContainsAny(lower, "\t\r\n\x00") { // white space inside a scheme does not stop a browser
		squeezed := strings.NewReplacer("\t", "", "\x00", "").Replace(lower)
		if schemes(squeezed) {
			return true
		}
	}
	if schemes(lower) {
		return true
	}
	if !strings.Contains(lower, "<") {
		return false
	}
	for _, r := range runners {
		if strings.Contains(lower, r) {
			return true
		}
	}
	return handlers(lower)
}

// schemes says whether s has a link whose scheme carries or runs content.
func schemes(s string) bool {
	for _, scheme := range []string{"javascript:", "vbscript:", "livescript:"} {
		for rest := s; ; {
			i := strings.Index(rest, scheme)
			if i < 0 {
				break
			}
			rest = rest[i+len(scheme):]
			if rest != "" && rest[0] != ' ' && rest[0] != '\n' { // prose writes a space after the colon
				return true
			}
		}
	}
	for rest := s; ; {
		i := strings.Index(rest, "data:")
		if i < 0 {
			return false
		}
		before := byte(' ')
		if i > 0 {
			before = rest[i-1]
		}
		rest = rest[i+len("data:"):]
		if !isWordByte(before) && mediaType(rest) {
			return true
		}
	}
}

func isWordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_'
}

// mediaType says whether s begins as a data URI goes on: text/html, image/png;base64, or ;base64 alone.
func mediaType(s string) bool {
	head := s[:min(len(s), 60)]
	if strings.HasPrefix(head, ";base64,") || strings.HasPrefix(head, ";charset=") || strings.HasPrefix(head, ",") {
		return true
	}
	for _, t := range []string{"text/", "image/", "application/", "audio/", "video/", "font/", "multipart/", "message/"} {
		if strings.HasPrefix(head, t) {
			return true
		}
	}
	return false
}

// handlers says whether a tag has an event handler: onload=, onerror = and the like.
func handlers(lower string) bool {
	for at := 0; ; {
		i := strings.Index(lower[at:], "on")
		if i < 0 {
			return false
		}
		at += i
		rest := lower[at+2:]
		n := 0
		for n < len(rest) && n < 20 && rest[n] >= 'a' && rest[n] <= 'z' {
			n++
		}
		after := strings.TrimLeft(rest[n:min(len(rest), n+4)], " ")
		starts := at == 0 || !isWordByte(lower[at-1])
		open := strings.LastIndexByte(lower[max(0, at-maxTag):at], '<')
		if n >= 3 && starts && strings.HasPrefix(after, "=") && open >= 0 &&
			!strings.Contains(lower[max(0, at-maxTag)+open:at], "\n\n") {
			return true
		}
		at += 2
	}
}
