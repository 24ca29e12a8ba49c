package brief

import (
	"math"
	"slices"
	"strings"
	"unicode"
)

// maxRanked bounds the sentences that are weighed against each other: work grows with the pairs that share
// a word. Of a longer text the first ones are taken.
const maxRanked = 800

// Weights of the ranking. They were set on the real proposals of Compound, Uniswap and ENS by reading the
// briefs they gave (docs/briefs-read.md).
const (
	similar   = 0.1  // cosine from which two sentences are linked
	damping   = 0.85 // of the random walk
	rounds    = 25
	redundant = 0.8 // how much likeness to a chosen sentence takes away
)

// ranked is a sentence with its worth.
type ranked struct {
	at    int // index among the sentences
	score float64
	words map[string]float64 // unit vector of tf-idf
}

// rank weighs the sentences that may stand in a brief: how central each is among the others (LexRank), times
// what its words, its place and its form say. The best come first.
func rank(sentences []sentence) []ranked {
	var out []ranked
	for i, s := range sentences {
		if n := words(s.text); s.heading || n < 4 && len([]rune(s.text)) < 12 || len(out) == maxRanked {
			continue
		}
		out = append(out, ranked{at: i, words: bag(s.text)})
	}
	weigh(out)
	central := walk(out)
	for i := range out {
		out[i].score = central[i] * form(sentences[out[i].at]) * (1 + 0.8*math.Exp(-float64(i)/6))
	}
	slices.SortStableFunc(out, func(a, b ranked) int {
		switch {
		case a.score > b.score:
			return -1
		case a.score < b.score:
			return 1
		}
		return a.at - b.at
	})
	return out
}

// bag counts the content words of a sentence by their stems.
func bag(s string) map[string]float64 {
	out := map[string]float64{}
	for _, w := range contentWords(s) {
		out[w]++
	}
	return out
}

// contentWords are the words of a sentence that say something, cut to a stem.
func contentWords(s string) []string {
	var out []string
	for _, w := range strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		if len(w) < 3 || stopwords[w] {
			continue
		}
		if r := []rune(w); len(r) > 6 {
			w = string(r[:6])
		}
		out = append(out, w)
	}
	return out
}

// weigh turns counts into unit vectors of tf-idf.
func weigh(all []ranked) {
	in := map[string]float64{}
	for _, r := range all {
		for w := range r.words {
			in[w]++
		}
	}
	for _, r := range all {
		keys := sorted(r.words)
		sum := 0.0
		for _, w := range keys {
			r.words[w] *= math.Log(1 + float64(len(all))/in[w])
			sum += r.words[w] * r.words[w]
		}
		for _, w := range keys {
			r.words[w] /= math.Sqrt(sum)
		}
	}
}

func sorted(m map[string]float64) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// cosine of two unit vectors, summed in a fixed order.
func cosine(a, b map[string]float64) float64 {
	if len(a) > len(b) {
		a, b = b, a
	}
	sum := 0.0
	for _, w := range sorted(a) {
		sum += a[w] * b[w]
	}
	return sum
}

// walk is the share of time that a random walk over like sentences spends in each, times their number.
func walk(all []ranked) []float64 {
	n := len(all)
	links := make([][]int, n)
	share := map[string][]int{}
	for i, r := range all {
		near := map[int]bool{}
		for _, w := range sorted(r.words) {
			if len(share[w]) <= n/3+3 { // a word of every third sentence links nothing
				for _, j := range share[w] {
					near[j] = true
				}
			}
			share[w] = append(share[w], i)
		}
		for j := range i {
			if near[j] && cosine(r.words, all[j].words) > similar {
				links[i], links[j] = append(links[i], j), append(links[j], i)
			}
		}
	}
	p := make([]float64, n)
	for i := range p {
		p[i] = 1
	}
	for range rounds {
		next := make([]float64, n)
		for i := range next {
			next[i] = 1 - damping
		}
		for i, to := range links {
			for _, j := range to {
				next[j] += damping * p[i] / float64(len(to))
			}
			if len(to) == 0 {
				next[i] += damping * p[i]
			}
		}
		p = next
	}
	return p
}

// Words that tell a sentence that says what is done from one that speaks of something else.
var (
	doing = stems("propos transfer send pay grant fund allocat increas decreas reduc rais lower set updat upgrad replac add remov enabl disabl deploy list creat " +
		"mint burn approv authoriz stream swap deposit withdraw return execut implement configur renew extend establish request adjust chang migrat appoint grants")
	about = stems("forum discuss snapshot temperature thank feedback disclaim disclosur click read http www link thread tweet twitter discord video author")
)

func stems(list string) func(string) bool {
	all := strings.Fields(list)
	return func(w string) bool {
		return slices.ContainsFunc(all, func(s string) bool { return strings.HasPrefix(w, s) })
	}
}

// form is how much a sentence's own words and shape speak for it.
func form(s sentence) float64 {
	score, n := 1.0, words(s.text)
	low := strings.Fields(strings.ToLower(s.text))
	if strings.Contains(strings.ToLower(s.text), "this proposal") || strings.Contains(strings.ToLower(s.text), "we propose") || strings.Contains(strings.ToLower(s.text), "the proposal") {
		score *= 1.6
	}
	if slices.ContainsFunc(low, doing) {
		score *= 1.4
	}
	if slices.ContainsFunc(low, about) {
		score *= 0.4
	}
	if slices.ContainsFunc(entitiesOf(s.text), func(e entity) bool { return e.kind == aNumber || e.kind == aHex }) {
		score *= 1.2
	}
	switch {
	case s.row:
		score *= 0.25
	case n < 6:
		score *= 0.3
	case n > 45:
		score *= 0.6
	}
	if last := s.text[len(s.text)-1]; last == ':' || strings.HasSuffix(s.text, "?") {
		score *= 0.3
	}
	if strings.Contains(s.text, "://") {
		score *= 0.5
	}
	if !ends(s.text) && n < 12 { // a label, not a sentence
		score *= 0.4
	}
	if strings.HasPrefix(s.text, "(") { // an aside
		score *= 0.3
	}
	return score
}

// choose takes the best sentences one by one, each made less worth by what it repeats, until take says no
// more. take is asked once a sentence, with its worth as a share of the best one's.
func choose(all []ranked, take func(at int, worth float64) (more bool)) {
	left := slices.Clone(all)
	for len(left) > 0 {
		best := 0
		for i := range left {
			if left[i].score > left[best].score {
				best = i
			}
		}
		chosen := left[best]
		if !take(chosen.at, chosen.score/all[0].score) {
			return
		}
		left = slices.Delete(left, best, best+1)
		for i := range left {
			left[i].score *= 1 - redundant*cosine(left[i].words, chosen.words)
		}
	}
}
