package strict

import "strings"

// Suggest is the known word that was probably meant, or "" when none is near: at most one edit for short words and a
// third of the letters for longer ones. Of equally near words the first wins.
func Suggest(word string, known []string) string {
	const longest = 64 // longer words are no typing errors, and the distance is quadratic
	if word == "" || len(word) > longest {
		return ""
	}
	best, least := "", max(1, len(word)/3)+1
	for _, k := range known {
		if len(k) > longest || k == word {
			continue
		}
		d := distance(strings.ToLower(word), strings.ToLower(k))
		if d < least {
			best, least = k, d
		}
	}
	return best
}

// didYouMean is the hint for an unknown word.
func didYouMean(word string, known []string) string {
	if near := Suggest(word, known); near != "" {
		return `did you mean "` + near + `"?`
	}
	const most = 16
	if len(known) == 0 {
		return ""
	}
	if len(known) > most {
		return "known: " + strings.Join(known[:most], ", ") + " …"
	}
	return "known: " + strings.Join(known, ", ")
}

// distance counts insertions, deletions, replacements and swaps of neighbours (optimal string alignment).
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	before, prev, row := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(x); i++ {
		row[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			row[j] = min(prev[j]+1, row[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, prev, row = prev, row, before
	}
	return prev[len(y)]
}
