package screen

import (
	"strings"

	"github.com/legate-dao/legate/agent/gov"
)

var instructions = Screen{
	Flag:  gov.FlagInstructions,
	Title: "words addressed to a machine",
	Text: "Orders to set rules or a policy aside, to take on a role, to answer or vote in a given way; forged system messages, tool " +
		"results, policies and chat templates; threats, pleas and examples meant for a model; in thirteen languages, in what the proposer " +
		"wrote and in the strings of the calls. The text is read as written, without hidden characters and markup, with look-alikes " +
		"made Latin and codes resolved. A pattern misses what nobody thought of: that it is silent says nothing, and no vote rests on it.",
	see: func(p *page) bool {
		if template(p.plain()) || template(strings.ToLower(p.raw)) || manyShots(p.plain()) || stuffed(p.plain()) || suffix(p.raw) {
			return true
		}
		for _, view := range p.words() {
			if matches(view) {
				return true
			}
		}
		return false
	},
}

// template says whether s has a token of a chat template or a forged frame around messages.
func template(s string) bool {
	for _, t := range templates {
		if strings.Contains(s, t) {
			return true
		}
	}
	return false
}

// minShots is how many lines of played dialogue make a many-shot prompt: interviews quote a few.
const minShots = 4

// speakers are the parts in a played dialogue with a machine.
var speakers = []string{"user:", "human:", "assistant:", "ai:", "model:", "agent:", "bot:", "system:", "prompt:", "gpt:", "chatgpt:", "q:", "a:"}

// forged are parts that only a machine's own frame has: one line of theirs is enough.
var forged = []string{"assistant:", "system:", "human:", "system prompt:", "system message:", "chatgpt:"}

// manyShots says whether s plays a dialogue with a machine.
func manyShots(s string) bool {
	shots := 0
	// A cell of a table and a quoted title begin like a line.
	for line := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == '\n' || r == '|' || r == '"' }) {
		line = strings.TrimLeft(line, " \t>#*-_`[('")
		line = line[:min(len(line), 24)]
		line = strings.NewReplacer("*", "", "_", "", "]", "", ")", "", " :", ":").Replace(line)
		for _, f := range forged {
			if strings.HasPrefix(line, f) {
				return true
			}
		}
		for _, sp := range speakers {
			if strings.HasPrefix(line, sp) {
				shots++
				break
			}
		}
		if shots >= minShots {
			return true
		}
	}
	return false
}

const (
	maxBlank   = 40  // empty lines in a row
	maxSpaces  = 400 // white space in a row within a line: tables are padded to the longest cell
	maxRepeats = 30  // times that one line of words is repeated
)

// stuffed says whether s is padded to push something out of sight.
func stuffed(s string) bool {
	blank, space := 0, 0
	repeats := map[string]int{}
	for line := range strings.SplitSeq(s, "\n") {
		words := strings.TrimSpace(line)
		if words == "" {
			if blank++; blank > maxBlank {
				return true
			}
			continue
		}
		blank = 0
		if len(words) >= 20 && len(words) < 400 && strings.Contains(words, " ") && !strings.HasPrefix(words, "|") {
			if repeats[words]++; repeats[words] > maxRepeats {
				return true
			}
		}
	}
	for i := range len(s) {
		if s[i] != ' ' && s[i] != '\t' {
			space = 0
		} else if space++; space > maxSpaces {
			return true
		}
	}
	return false
}

// oddities are pairs of signs that optimisers of suffixes leave behind and people do not write together.
var oddities = []string{"\\ +", "\\!--", "](!", ".](", "}{\\", "!--two", "**one please", "== interface", "]( me", "\"{!", "<<\\", "=>{%", "?)(!", "\\]]", "$({[", ")!(", "\\_[", "/*?"}

// minOddities is how many of them in one line make a suffix.
const minOddities = 2

// suffix says whether a line looks like the output of an optimiser rather than of a person.
func suffix(s string) bool {
	for line := range strings.SplitSeq(s, "\n") {
		if len(line) < 30 {
			continue
		}
		lower, odd := strings.ToLower(line), 0
		for _, o := range oddities {
			if strings.Contains(lower, o) {
				odd++
			}
		}
		if odd >= minOddities {
			return true
		}
	}
	return false
}
