// Package web shows what the daemon knows over HTTP, and changes nothing: pages for people, health, readiness,
// metrics counted from records, and the JSON API (FORMATS, "HTTP"). Everything but GET is refused.
//
// The pages are / (the list, with ?show=waiting|open|over) and /p/{handle} (a dossier). They are whole without a
// script. With one they follow what happens: the script asks /live for the revision, which costs no read of the store,
// and takes over what is new into the page that is open. Style, script and icon are embedded, under addresses that
// name their content; nothing is asked of another host, and the policy of the pages lets nothing inline run. Every
// text of a stranger passes [dossier.Untrusted.Line] or Block and html/template on its way.
//
// Logging in: a browser without the token gets a form in place of a page. Its script sends the token in the
// Authorization header of GET /login, which sets a cookie that scripts cannot read and other sites cannot send; the
// token is never in an address, and there is nothing to POST.
//
// In the API, text that strangers wrote leaves only inside JSON strings, escaped, under a type that no browser
// interprets. Who may read is decided here (a bearer token or the cookie made from it; without a token
// only requests addressed to a loopback name); what is known is the [Reader]'s business.
//
//	metrics := web.NewMetrics()              // metrics.Observe is given every record
//	handler := web.New(reader, web.Config{Token: token, Metrics: metrics})
//	err := web.Serve(ctx, listener, handler)
package web
