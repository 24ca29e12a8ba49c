// Package brief writes the summary of a proposal that people read, and holds it to its sources.
//
// A brief stands on numbered sources: s1… are the sentences of the text as written, Markdown removed; c1…
// the leaf calls as code renders them from the facts; f1… other facts. Each of its sentences names its
// sources, and code checks that every number, address, function and symbol in it occurs in them
// ([Sources.Check]); what fails is cut, and listed with the reason.
//
// The extractive brief is always there: calls and facts, then the sentences of the text that say most.
// Where a local model is given it is shown the numbered sources as data and answers with line numbers and
// short sentences under a fixed schema; what survives the same check takes the place of the sentences of the
// text. A model that is absent, slow or wrong is recorded in the brief, which then stays extractive.
//
// A brief decides nothing. A sentence in which the screens see an instruction never stands in it, unless
// inside quotation marks.
//
//	w := brief.New(model, brief.Config{Suspicious: suspicious, Claims: claims})
//	b, err := w.Brief(ctx, d)
package brief
