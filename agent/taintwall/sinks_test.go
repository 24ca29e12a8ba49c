package taintwall

// sinks are where a stranger's text may become a plain string or go where its type is forgotten, by function or by
// package, each with the reason why that is safe.
var sinks = map[string]string{
	// packages whose work it is to read prose; what they say can only hold a for, or is shown
	"agent/screen": "screens and claims read the letters; only flags, holds and findings of ours come out",
	"agent/brief":  "sentences are numbered and quoted; they come out untrusted again",

	// where the type is made and kept
	"agent/dossier.Untrusted.Line":   "writes the text out inert, for one line",
	"agent/dossier.Untrusted.Block":  "writes the text out inert, for several lines",
	"agent/dossier.cut":              "shortens, and gives it back untrusted",
	"agent/dossier.ActionDoc.Action": "hashes a textual signature to its selector",
	"agent/dossier.Encode":           "stores an event as JSON, which is read back into the same type",
	"agent/dossier.TypeOf":           "names the type of an event",
	"agent/dossier.value":            "takes the pointer off an event, and gives it back as one",
	"agent/dossier.Dossier.factsDoc": "encodes the document, whose fields are untrusted when it is read again",
	"chains/governor.Title":          "takes a line out, and gives it back untrusted",

	// where it is stored as JSON
	"agent/journal.rowOf": "stores an alert, which is read back into the same type",

	// where it leaves the program
	"notify.webhook.Send": "the body of a webhook is JSON for a program, as FORMATS gives it",
	"notify/web.textOf":   "counts letters; what is shown is a Block, in a template that escapes",

	// not in the program
	"agent/agenttest": "a world for tests, whose strangers we wrote",
}

// takers are functions to which a stranger's text may be given whole.
var takers = map[string]string{
	"encoding/json.Unmarshal":      "reads into it",
	"encoding/json.Decoder.Decode": "reads into it",
	"cmd/legate.printJSON":         "one JSON document on stdout, with what a terminal would obey as escapes",
	"notify/web.answer":            "the JSON API: encoded, with what a terminal or page would obey as escapes",
}
