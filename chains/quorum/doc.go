// Package quorum makes agreed answers: what enough independent operators said alike of a chain.
//
// An [Agreed] value can be made only here, by [Ask], and by pure functions of agreed values. What decides, ends, delays,
// plans or confirms a vote takes such values, so that the word of one endpoint does not compile there (G48).
//
//	head, err := quorum.Ask(ctx, panel, func(ctx context.Context, c rpc.Caller) (gov.Hash, error) { … })
//	use(head.Value())
//	record(head.Sources()) // 1: an unverified source
package quorum
