package quorum

import "slices"

// Agreed is an answer that enough operators of a [Panel] gave. The zero value is no answer; its Value panics, so that
// a forgotten question is not taken for one.
type Agreed[T any] struct {
	value T
	by    Agreement
}

// Agreement says who gave an answer.
type Agreement struct {
	// Asked is how many operators were asked, Same how many of them gave the answer.
	Asked, Same int
	// Agreeing are the operators that gave the answer.
	Agreeing []string
	// Minority are the operators that said something else: one of them lies or lags.
	Minority []string
	// Slow are the operators that had not answered when the others had been waited for long enough.
	Slow []string
	// Failed are the operators that did not answer, with why.
	Failed []Failure
	// Tip says that the question was about the newest block, of which honest operators may tell differently for a moment.
	Tip bool
}

// Failure is why an operator did not answer.
type Failure struct {
	Source string
	Err    error
}

// Value is the answer.
func (a Agreed[T]) Value() T {
	if a.by.Same == 0 {
		panic("quorum: the value of an answer that nobody gave")
	}
	return a.value
}

// Agreement says who gave the answer.
func (a Agreed[T]) Agreement() Agreement { return a.by }

// Sources is how many operators gave the answer; 1 is an unverified source.
func (a Agreed[T]) Sources() int { return a.by.Same }

// Map is what follows from an agreed answer; f is pure.
func Map[T, U any](a Agreed[T], f func(T) U) Agreed[U] { return Agreed[U]{f(a.Value()), a.by} }

// Join is what follows from two agreed answers; f is pure. It is as well founded as the weaker of the two.
func Join[T, U, V any](a Agreed[T], b Agreed[U], f func(T, U) V) Agreed[V] {
	return Agreed[V]{f(a.Value(), b.Value()), a.by.and(b.by)}
}

func (a Agreement) and(b Agreement) Agreement {
	return Agreement{
		Asked: min(a.Asked, b.Asked), Same: min(a.Same, b.Same),
		Agreeing: slices.DeleteFunc(slices.Clone(a.Agreeing), func(n string) bool { return !slices.Contains(b.Agreeing, n) }),
		Minority: union(a.Minority, b.Minority), Slow: union(a.Slow, b.Slow), Failed: append(slices.Clone(a.Failed), b.Failed...),
	}
}

func union(a, b []string) []string {
	out := append(slices.Clone(a), b...)
	slices.Sort(out)
	return slices.Compact(out)
}
