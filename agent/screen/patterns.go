package screen

import (
	"fmt"
	"math/bits"
	"strings"
)

// pattern is a sequence of word classes, each at most gap other words after the one before.
type pattern struct {
	steps []int
	gaps  []int
}

// maxSpan is the most words that a pattern reaches over.
const maxSpan = 63

var (
	vocabulary = newLexicon(append(append([][2]string{}, classes...), literals()...))
	// startingWith lists patterns by their first class.
	startingWith = compile(sequences)
)

// literals makes a class of each plain word that stands in a sequence.
func literals() [][2]string {
	var out [][2]string
	known := map[string]bool{}
	for _, c := range classes {
		known[c[0]] = true
	}
	for _, line := range expanded(sequences) {
		for _, f := range strings.Fields(line) {
			if !strings.HasPrefix(f, "~") && !known[f] {
				known[f] = true
				out = append(out, [2]string{f, f})
			}
		}
	}
	return out
}

// expanded writes out MACHINE, the ways of naming a machine that reads.
func expanded(lines []string) []string {
	var out []string
	for _, line := range lines {
		if !strings.Contains(line, "MACHINE") {
			out = append(out, line)
			continue
		}
		for _, m := range []string{"machine", "automatic ~0 actor", "deputy ~0 agent", "language ~0 model"} {
			out = append(out, strings.ReplaceAll(line, "MACHINE", m))
		}
	}
	return out
}

// compile reads the sequences: class names and words, ~n between two for the words allowed in between.
func compile(lines []string) [][]pattern {
	out := make([][]pattern, len(vocabulary.classes))
	for _, line := range expanded(lines) {
		p, gap := pattern{}, 2
		for _, f := range strings.Fields(line) {
			if n := 0; strings.HasPrefix(f, "~") {
				if _, err := fmt.Sscanf(f, "~%d", &n); err != nil {
					panic("screen: pattern " + line + ": " + err.Error())
				}
				gap = n
				continue
			}
			c := vocabulary.class(f)
			if c < 0 {
				panic("screen: pattern " + line + ": unknown class " + f)
			}
			p.steps, p.gaps = append(p.steps, c), append(p.gaps, gap)
			gap = 2
		}
		out[p.steps[0]] = append(out[p.steps[0]], p)
	}
	return out
}

// matches says whether a pattern occurs among the words.
func matches(words []word) bool { return matchesOf(words, 1) }

// matchesLong is matches with patterns of at least three steps.
func matchesLong(words []word) bool { return matchesOf(words, 3) }

func matchesOf(words []word, steps int) bool {
	for i, w := range words {
		if w.in.empty() {
			continue
		}
		for k, part := range w.in {
			for part != 0 {
				c := k*64 + bits.TrailingZeros64(part)
				part &= part - 1
				for n := range startingWith[c] {
					if p := &startingWith[c][n]; len(p.steps) >= steps && p.at(words[i:]) {
						return true
					}
				}
			}
		}
	}
	return false
}

// at says whether the pattern begins at the first word. Reach is the set of places, as bits, where the
// steps so far can end: the work is bounded whatever the text.
func (p *pattern) at(words []word) bool {
	reach := uint64(1)
	for s := 1; s < len(p.steps); s++ {
		next := uint64(0)
		first := bits.TrailingZeros64(reach)
		last := 63 - bits.LeadingZeros64(reach)
		for j := first + 1; j <= last+1+p.gaps[s] && j < len(words) && j <= maxSpan; j++ {
			low := max(0, j-1-p.gaps[s])
			window := (uint64(1)<<j - 1) &^ (uint64(1)<<low - 1)
			if words[j].in.has(p.steps[s]) && reach&window != 0 {
				next |= 1 << j
			}
		}
		if next == 0 {
			return false
		}
		reach = next
	}
	return true
}
