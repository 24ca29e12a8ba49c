// Package risk watches numbers of a protocol and keeps the clocks of the emergency rules.
//
// It answers for when a rule fires: what a rule says at one moment is policies.Set.Emergency, and how a number
// is read on chain, and that enough sources agree on it, is the [Reader]. Time is chain time.
//
// A rule is inactive, pending (true, and not yet for its `for:`), firing, or resolved; for each proposal where it reads
// facts of one. That it fires and that it is over are each told once, stored with the state in one transaction, so
// that both survive whatever happens next and neither is told again by a restart. What cannot be evaluated stays what
// it was: unknown is not false. A number that cannot be read for three of its intervals is told too, and its end.
//
// It raises alerts and does nothing else. No text reaches it: rules read content facts and watched numbers
// only (G38).
//
//	desk := risk.New(risk.Config{Set: set, Metrics: metrics, Reader: reader, Memory: outbox})
//	told, err := desk.Tick(ctx, head) // at every new head
package risk
