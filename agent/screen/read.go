package screen

import (
	"slices"
	"strings"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
)

// Budget is the most bytes that are read of title and description together, and again of all strings
// that came with the calls. The longest of a thousand real descriptions has 33 kB; a longer text than
// this is a Hold with the flag too-long, never silently cut.
const Budget = 200_000

// Read gives length and flags of a proposal's texts: what the proposer wrote, and the strings that came
// with its calls.
func Read(text dossier.Text, shown dossier.Shown) gov.TextReading {
	length := int64(len(text.Title) + len(text.Description))
	return gov.TextReading{Length: gov.Known(length), Flags: gov.Known(flagsOf(pagesOf(text, shown)))}
}

// Flags gives the flags of title and description alone, in the order of [Screens]; never nil.
func Flags(text dossier.Text) []gov.Flag { return flagsOf(pagesOf(text, dossier.Shown{})) }

// flagsOf runs every screen over every page until it speaks once.
func flagsOf(pages []*page) []gov.Flag {
	out := []gov.Flag{}
	for _, s := range Screens {
		if slices.ContainsFunc(pages, s.see) {
			out = append(out, s.Flag)
		}
	}
	return out
}

// pagesOf gives one page for what the proposer wrote, and one for each string that came with the calls.
// What lies beyond the budget is not read, and said to be too long.
func pagesOf(text dossier.Text, shown dossier.Shown) []*page {
	written := string(text.Description)
	if text.Title != "" && !strings.Contains(written, string(text.Title)) {
		written = string(text.Title) + "\n\n" + written
	}
	pages := []*page{newPage(written, Budget)}
	left := Budget
	for _, s := range attached(shown) {
		if left <= 0 {
			pages[len(pages)-1].long = true
			break
		}
		p := newPage(s, left)
		left -= min(len(s)+1, left)
		pages = append(pages, p)
	}
	return pages
}

// attached lists the foreign strings of the calls, each once, in a fixed order: signatures, names and
// values of arguments, 4-byte candidates, symbols, the revert reason.
func attached(shown dossier.Shown) []string {
	c := collector{seen: map[string]bool{}}
	for _, s := range shown.Signatures {
		c.add(string(s))
	}
	for _, path := range sortedKeys(shown.Calls) {
		call := shown.Calls[path]
		for _, s := range call.Candidates {
			c.add(string(s))
		}
		for _, a := range call.Args {
			c.add(string(a.Name))
			c.value(a.Value, 0)
		}
	}
	for _, a := range sortedKeys(shown.Symbols) {
		c.add(string(shown.Symbols[a]))
	}
	c.add(string(shown.RevertReason))
	return c.out
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
