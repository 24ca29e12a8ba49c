// Package web shows what the daemon knows over HTTP, and changes nothing: health, readiness, metrics
// counted from records, and the JSON API (FORMATS, "HTTP"). Everything but GET is refused.
//
// Text that strangers wrote leaves only inside JSON strings, escaped, under a type that no browser
// interprets. Who may read is decided here (a bearer token or the cookie made from it; without a token
// only requests addressed to a loopback name); what is known is the [Reader]'s business.
//
//	metrics := web.NewMetrics()              // metrics.Observe is given every record
//	handler := web.New(reader, web.Config{Token: token, Metrics: metrics})
//	err := web.Serve(ctx, listener, handler)
package web
