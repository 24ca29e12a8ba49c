// Package quorum makes agreed answers: what enough independent operators said alike of a chain.
//
// An [Agreed] value can be made only here, by [Ask] and [Highest], and by pure functions of agreed values. What decides,
// ends, delays, plans or confirms a vote takes such values, so that the word of one endpoint does not compile there (G48).
//
//	head, err := quorum.Highest(ctx, panel, newest)
//	hash, err := quorum.Ask(ctx, panel, func(ctx context.Context, c rpc.Caller) (gov.Hash, error) { … })
//	use(hash.Value())
//	record(hash.Sources()) // 1: an unverified source
//
// What honest operators need not say alike, such as an estimate of gas, is a [Survey], of which only the bound counts that
// as many as must agree vouch for. A signed transaction goes to everybody: [Tell].
//
// When enough agree, the rest have a short while more, a few times what the others took. Who is slower is named, and
// asked again after a while only; it is never left out where that leaves fewer than must agree, and is asked before a
// question is given up.
package quorum
