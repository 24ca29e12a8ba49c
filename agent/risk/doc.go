// Package risk watches numbers of a protocol and keeps the clocks of the emergency rules.
//
// It answers for when a rule fires: what a rule says at one moment is policies.Set.Emergency, and how a number
// is read on chain, and that enough sources agree on it, is the [Reader]. Time is chain time. A rule that fires
// is stored with its alert in one transaction, once, so that an alarm survives whatever happens next, and is
// not raised again by a restart.
//
// It raises alerts and does nothing else. No text reaches it: rules read content facts and watched numbers
// only (G38).
//
//	desk := risk.New(risk.Config{Set: set, Metrics: metrics, Reader: reader, Memory: outbox})
//	alarms, err := desk.Tick(ctx, head) // at every new head
package risk
