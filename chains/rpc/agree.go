package rpc

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// Agreement says who gave an answer. With Sources 1 the answer is unverified: nobody else was asked.
type Agreement struct {
	Sources  int           // operators asked
	Same     int           // of them gave the accepted answer
	Minority []string      // hosts that answered something else: alarm, one of them lies or lags
	Errors   []SourceError // hosts that did not answer
}

// SourceError is a source that did not answer.
type SourceError struct {
	Source string
	Err    error
}

// AgreementError says that fewer sources than needed gave one answer. It is ErrDisagreement, and also every
// source's own error.
type AgreementError struct {
	Need    int
	Answers int // sources that answered
	Kinds   int // different answers among them
	Agreement
}

func (e *AgreementError) Error() string {
	text := fmt.Sprintf("%v: %d of %d sources must give the same answer; %d answered with %d different answers", ErrDisagreement, e.Need, e.Sources, e.Answers, e.Kinds)
	for _, s := range e.Errors {
		text += fmt.Sprintf("; %s: %v", s.Source, s.Err)
	}
	return text
}

// Unwrap gives ErrDisagreement and the sources' errors.
func (e *AgreementError) Unwrap() []error {
	out := []error{ErrDisagreement}
	for _, s := range e.Errors {
		out = append(out, s.Err)
	}
	return out
}

// Class is Disagreement where answers differ; where no source contradicts another, the errors' own common class.
func (e *AgreementError) Class() Class {
	if e.Kinds > 1 || len(e.Errors) == 0 {
		return Disagreement
	}
	first := Classify(e.Errors[0].Err)
	for _, s := range e.Errors[1:] {
		if Classify(s.Err) != first {
			return Disagreement
		}
	}
	return first
}

// Agree asks every source the same, in parallel, and returns the answer that at least need of them give. It waits
// for all, so that a minority is always seen and named. Two answers that both reach need are a disagreement.
// Where all that answer at all fail in the same definite way (reverted, no state, not found, bad request) and
// they are need or more, that error is the agreed answer. The error is else an *AgreementError.
func Agree[T comparable](ctx context.Context, c *Client, need int, ask func(context.Context, Caller) (T, error)) (T, Agreement, error) {
	return AgreeBy(ctx, c, need, func(v T) T { return v }, ask)
}

// AgreeBy is Agree for answers that do not compare: key is what must be equal, such as a digest of all that
// matters in the answer. The accepted value is that of the first source, in configured order, that gave it.
func AgreeBy[T any, K comparable](ctx context.Context, c *Client, need int, key func(T) K, ask func(context.Context, Caller) (T, error)) (T, Agreement, error) {
	sources := c.Sources()
	values := make([]T, len(sources))
	errs := make([]error, len(sources))
	var wg sync.WaitGroup
	for i, s := range sources {
		wg.Go(func() { values[i], errs[i] = ask(ctx, s) })
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		var none T
		return none, Agreement{Sources: len(sources)}, fmt.Errorf("ask %d sources: %w", len(sources), err)
	}
	keys := make([]K, len(values))
	for i := range values {
		if errs[i] == nil {
			keys[i] = key(values[i])
		}
	}
	winner, a, err := tally(need, sources, keys, errs)
	if err != nil {
		var none T
		return none, a, err
	}
	if len(a.Minority) > 0 {
		c.cfg.Log.Warn("rpc_minority", "hosts", a.Minority, "same", a.Same, "sources", a.Sources)
	}
	return values[winner], a, nil
}

// tally finds the answer that reaches need alone. winner is the index of its first source.
func tally[K comparable](need int, sources []Source, keys []K, errs []error) (winner int, a Agreement, err error) {
	a.Sources = len(sources)
	count := map[K]int{}
	answers := 0
	for i := range sources {
		if errs[i] != nil {
			a.Errors = append(a.Errors, SourceError{sources[i].Name(), errs[i]})
			continue
		}
		count[keys[i]]++
		answers++
	}
	winner, reached := -1, 0
	for i := range sources {
		if errs[i] == nil && count[keys[i]] >= max(need, 1) && (winner < 0 || keys[i] != keys[winner]) {
			winner = i
			reached++
		}
	}
	if answers == 0 {
		if err := sameFailure(need, a.Errors); err != nil {
			return -1, a, err
		}
	}
	if reached != 1 {
		for i := range sources {
			if errs[i] == nil && len(count) > 1 {
				a.Minority = append(a.Minority, sources[i].Name())
			}
		}
		return -1, a, &AgreementError{Need: need, Answers: answers, Kinds: len(count), Agreement: a}
	}
	for i := range sources {
		if errs[i] == nil && keys[i] != keys[winner] {
			a.Minority = append(a.Minority, sources[i].Name())
		}
	}
	a.Same = count[keys[winner]]
	return winner, a, nil
}

// sameFailure returns the error on which at least need sources agree, where it is one of those that the chain's
// content causes rather than the endpoint's condition.
func sameFailure(need int, failures []SourceError) error {
	count := map[Class]int{}
	for _, f := range failures {
		switch cl := Classify(f.Err); cl {
		case Reverted, NoState, NotFound, BadRequest, Range, Unsupported:
			count[cl]++
		}
	}
	if len(count) != 1 {
		return nil
	}
	for _, f := range failures {
		if n := count[Classify(f.Err)]; n > 0 && n >= need {
			return fmt.Errorf("%d of %d sources fail alike: %w", n, len(failures), f.Err)
		}
	}
	return nil
}

// SourcesDisagree finds the details of a failed agreement.
func SourcesDisagree(err error) (*AgreementError, bool) {
	var e *AgreementError
	ok := errors.As(err, &e)
	return e, ok
}
