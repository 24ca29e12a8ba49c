// Package screen reads text and context: the only reader of them beside display. It answers for the
// flags of a text (`text.flags`), for the claim matcher of detector D10 (`brief.contradicts`), for the
// policy's `hold_if`, and for the gate that puts the three together.
//
// The gate may only hold a For. Its answer is [gov.Gated]; what becomes of it is [gov.Final], which
// leaves every other direction alone (claim 1 of GUARANTEES). Screens and matcher are pure code with bounded
// work: no model, no network, no clock. Where the holder requires it a local model must pass the texts as well
// ([Model]): it is shown them quoted as data, under a fixed prompt and schema, and all that it can do is hold; one
// that is absent, slow or malformed holds too, once the For need not wait for it any longer.
//
//	gate, err := screen.New(screen.Config{Policies: set, Model: model})
//	event, err := gate.Gate(ctx, d, head) // event.Gate.Result is pass or hold, with reasons
//
// One more screen is one file and one line in [Screens].
package screen
