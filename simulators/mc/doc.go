// Package mc is the Monte Carlo engine: blocks of paths over random streams of their own, run by any number of
// workers, and the numbers that come out with their sampling error.
//
// It answers for chance and for arithmetic: the same seed, model name and number of paths give the same bits for
// one worker and for sixteen. It leaves to package simulators what a path means.
//
//	e := mc.Engine{Seed: 7, Paths: 200_000}
//	r, err := e.Run(ctx, "coin", kernel)
//	p, low, high := r.Events[0].Wilson()
//
// A block's stream is keyed by seed, model name and the block's number, never by the scenario: two scenarios of one
// model share their random numbers, so their difference has little noise. Workers take block numbers from a counter
// and write to a slot of their own; what is added up afterwards is integers, or floats in the order of the blocks.
//
// Products and sums that end in a result are written so that the compiler does not fuse them: x86 and ARM round alike
// there. The tables behind the normals come from math.Exp and math.Log, which may differ in the last bit between
// architectures.
package mc
