// Package screen reads text and context: the only reader of them beside display. It answers for the
// flags of a text (`text.flags`), for the claim matcher of detector D10 (`brief.contradicts`), for the
// policy's `hold_if`, and for the gate that puts the three together.
//
// The gate may only hold a For. Its answer is [gov.Gated]; what becomes of it is [gov.Final], which
// leaves every other direction alone (claim 1 of GUARANTEES). Everything here is pure code with bounded
// work: no model, no network, no clock.
//
//	gate, err := screen.New(screen.Config{Policies: set})
//	event, err := gate.Gate(ctx, d, head) // event.Gate.Result is pass or hold, with reasons
//
// One more screen is one file and one line in [Screens].
package screen
