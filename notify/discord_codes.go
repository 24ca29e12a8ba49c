package notify

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// about is what a refusal of Discord's is about: it says what is tried next.
type about int

const (
	// aboutNow: the same again, later.
	aboutNow about = iota
	// aboutEdits: this message is not edited for a while; new ones are taken.
	aboutEdits
	// aboutMessage: the message to edit is gone, or is not ours; a new one is posted.
	aboutMessage
	// aboutContent: this content is not taken; a plainer one may be.
	aboutContent
	// aboutPicture: the attachment is not taken; the same without it may be.
	aboutPicture
	// aboutTitle: the name of the thread is not taken; a plainer one may be.
	aboutTitle
	// aboutForum: the channel wants each message in a thread.
	aboutForum
	// aboutText: the channel wants no thread to be started.
	aboutText
	// aboutThread: the thread takes nothing; another one may.
	aboutThread
	// aboutThreads: no more threads can be started; those that are there take messages.
	aboutThreads
	// aboutRights: something is not allowed here; less may be.
	aboutRights
	// aboutChannel: nothing is taken until a person has changed something.
	aboutChannel
)

// meaning is what one code says, and what a person can do about it where it does not go away by itself.
type meaning struct {
	about about
	hint  string
}

// Hints that several codes share.
const (
	hintWebhook = "the webhook is gone or its address is wrong: make a new one under Server Settings, Integrations, Webhooks, and put its address into legate.yaml"
	hintToken   = "the bot's token is not valid: make a new one in the developer portal and put it into legate.yaml"
	hintAccess  = "give the bot the rights View Channel, Send Messages, Send Messages in Threads, Embed Links and Attach Files in this channel"
	hintChannel = "the channel is gone, or its id is wrong: name another one in legate.yaml, or point the webhook to another channel"
	hintThread  = "the thread is archived, locked or gone: open it again in Discord, or take thread_id out of the webhook's address"
	hintTags    = "the forum demands a tag for each post: switch off \"Require people to select tags when posting\" in the forum's settings"
	hintForum   = "the channel is a forum: let the webhook start threads in it, or move the webhook to a text channel"
	hintKind    = "this kind of channel takes no messages: name a text channel or a forum"
	hintThreads = "the server has as many open threads as it may: archive some"
	hintEmpty   = "Discord refuses even the plainest message: look at its text above, and at the channel's settings (AutoMod, rights)"
	hintAccount = "Discord has blocked the account: log in with it and follow what it asks for"
)

// meanings are Discord's codes of errors (developer documentation, "JSON Error Codes") that a post, an edit or a
// thread may meet. What is not listed is judged by its status; see [byStatus].
var meanings = map[int]meaning{
	10003: {aboutThread, hintChannel}, // unknown channel; a thread is one too
	10004: {aboutChannel, hintChannel},
	10008: {aboutMessage, ""},
	10012: {aboutChannel, hintToken},
	10015: {aboutChannel, hintWebhook},
	10016: {aboutChannel, hintWebhook},

	20009: {aboutContent, ""}, // explicit content
	20016: {aboutNow, ""},     // slow mode
	20022: {aboutEdits, ""},   // edits in an announcement channel
	20028: {aboutNow, ""},     // writes to the channel
	20029: {aboutNow, ""},     // writes to the server
	20031: {aboutTitle, ""},   // words that are not allowed

	30007: {aboutChannel, hintWebhook},
	30015: {aboutPicture, ""}, // too many attachments
	30033: {aboutThread, hintThread},
	30046: {aboutEdits, ""}, // edits of messages that are older than an hour
	30047: {aboutThreads, hintThreads},

	40001: {aboutChannel, hintAccess},
	40002: {aboutChannel, hintAccount},
	40004: {aboutNow, ""}, // sending is switched off for a while
	40005: {aboutPicture, ""},
	40006: {aboutNow, ""},
	40007: {aboutChannel, "the bot is banned from the server: lift the ban and invite it again"},
	40058: {aboutForum, hintForum},
	40062: {aboutNow, ""},
	40066: {aboutChannel, hintTags},
	40067: {aboutChannel, hintTags},
	40068: {aboutChannel, hintAccount},
	40333: {aboutNow, ""}, // Cloudflare

	50001: {aboutRights, hintAccess},
	50002: {aboutChannel, hintToken},
	50003: {aboutChannel, hintKind},
	50005: {aboutMessage, ""}, // somebody else's message
	50006: {aboutContent, ""}, // empty
	50007: {aboutChannel, hintKind},
	50008: {aboutForum, hintKind}, // no text channel
	50009: {aboutChannel, "the server demands verified accounts: lower its verification level, or give the bot a role"},
	50013: {aboutRights, hintAccess},
	50014: {aboutChannel, hintToken},
	50021: {aboutMessage, ""}, // a system message
	50024: {aboutForum, hintKind},
	50025: {aboutChannel, hintToken},
	50027: {aboutChannel, hintWebhook},
	50035: {aboutContent, ""}, // invalid form body
	50045: {aboutPicture, ""}, // file too large
	50046: {aboutPicture, ""}, // invalid file
	50068: {aboutMessage, ""}, // invalid message type
	50083: {aboutThread, hintThread},
	50109: {aboutContent, ""}, // invalid JSON

	110001: {aboutNow, ""},
	130000: {aboutNow, ""}, // overloaded

	160005: {aboutThread, hintThread}, // locked
	160006: {aboutThreads, hintThreads},
	160007: {aboutThreads, hintThreads},

	200000: {aboutContent, ""}, // AutoMod
	200001: {aboutTitle, ""},   // AutoMod, of the title
	220001: {aboutForum, hintForum},
	220002: {aboutText, hintForum},
	220003: {aboutText, hintForum},
	220004: {aboutChannel, hintWebhook},
	240000: {aboutContent, ""}, // harmful links
	400001: {aboutPicture, ""}, // uploads are limited for this server
}

// byStatus is what a status says where the code is not known: a code that Discord invents tomorrow is a refusal
// of one content where it is a 400, and of the channel where it is about rights or places.
func byStatus(status int, editing bool) meaning {
	switch {
	case status == http.StatusTooManyRequests, status == http.StatusRequestTimeout, status == http.StatusTooEarly, status >= 500:
		return meaning{aboutNow, ""}
	case status == http.StatusRequestEntityTooLarge, status == http.StatusUnsupportedMediaType:
		return meaning{aboutPicture, ""}
	case status == http.StatusUnauthorized:
		return meaning{aboutChannel, hintToken}
	case status == http.StatusForbidden:
		return meaning{aboutRights, hintAccess}
	case (status == http.StatusNotFound || status == http.StatusGone) && editing:
		return meaning{aboutMessage, ""}
	case status == http.StatusNotFound, status == http.StatusGone:
		return meaning{aboutThread, hintWebhook}
	case status >= 400 && status != http.StatusMethodNotAllowed:
		return meaning{aboutContent, ""}
	}
	return meaning{aboutChannel, "the address does not lead to Discord's API: look at the webhook's address, or at a proxy on the way"} // a redirect, or 405
}

// refusal is an answer of Discord's that took nothing.
type refusal struct {
	*Fault
	about about
	hint  string
}

// Unwrap is the fault that the router acts on.
func (r *refusal) Unwrap() error { return r.Fault }

// broken is the refusal as one of the channel: the alert is kept, and a person is told what to change.
func (r *refusal) broken(hint string) error {
	if r.hint != "" {
		hint = r.hint
	}
	f := *r.Fault
	f.Advice = Broken
	if hint != "" {
		f.What += "; " + hint
	}
	return &f
}

// refusalOf reads an answer. Its text is Discord's, inert and without a secret.
func refusalOf(status int, header http.Header, body []byte, editing bool, secrets []string) *refusal {
	var told struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	}
	// HTML of Cloudflare's, or nothing at all, is judged by its status
	_ = json.Unmarshal(body, &told)
	m, known := meanings[told.Code]
	if !known {
		m = byStatus(status, editing)
		// a webhook's own forms of an error have no code: {"thread_name": ["…"]}
		switch {
		case status != http.StatusBadRequest || told.Code != 0:
		case strings.Contains(told.Message, "must have a thread_name"):
			m = meanings[220001]
		case strings.Contains(string(body), `"thread_name"`):
			m = meanings[220003]
		}
	}
	if status >= 500 {
		m = meaning{aboutNow, ""} // whatever it says: it is Discord's trouble
	}
	f := &Fault{Advice: Later, What: fmt.Sprintf("Discord answered %d %s", status, http.StatusText(status))}
	if told.Code != 0 {
		f.What += fmt.Sprintf(" (code %d)", told.Code)
	}
	if told.Message != "" {
		f.What += ": " + said(told.Message, secrets...)
	}
	if m.about == aboutNow || m.about == aboutEdits || status == http.StatusTooManyRequests {
		f.After, _ = limitOf(header, body)
	}
	if status == http.StatusTooManyRequests && m.about != aboutEdits {
		m = meaning{aboutNow, ""}
		if f.After > 0 {
			f.What = "Discord asked to be left alone for " + f.After.String()
		}
	}
	return &refusal{f, m.about, m.hint}
}

// shortestAfter is the least pause after an answer that asks for one: "0.001" is no invitation.
const shortestAfter = 50 * time.Millisecond

// limitOf reads how long a 429 asks to be left alone, and whether by all requests. It says so in up to three places;
// the longest counts, within bounds. 0: it does not say.
func limitOf(header http.Header, body []byte) (after time.Duration, global bool) {
	var limit struct {
		RetryAfter json.Number `json:"retry_after"`
		Global     bool        `json:"global"`
	}
	_ = json.Unmarshal(body, &limit) // what is not JSON has no such fields
	for _, d := range []time.Duration{
		retryAfter(header), seconds(string(limit.RetryAfter)), seconds(header.Get("X-RateLimit-Reset-After")),
	} {
		after = max(after, d)
	}
	if after > 0 || limit.RetryAfter != "" { // "0" is an answer too
		after = max(after, shortestAfter)
	}
	// Cloudflare, which answers before Discord does, speaks for everything, and in HTML
	global = limit.Global || strings.EqualFold(header.Get("X-RateLimit-Global"), "true") || strings.EqualFold(header.Get("X-RateLimit-Scope"), "global") ||
		!json.Valid(body) && header.Get("X-RateLimit-Bucket") == ""
	return after, global
}
