// Package notify brings alerts to people and to other programs: which alert goes to which channel, at least
// once, in order, with retries, each channel for itself.
//
// It answers for delivery. What deserves an alert follows from the records (dossier.Alerts); where alerts wait
// and how far each channel is, is the [Store] of package journal. A channel is one file and one line in
// kinds; it says in its error whether trying again helps ([Fault]), and one place retries ([Router]).
//
//	channel, err := notify.Open(notify.Config{Name: "hook", Kind: "webhook", URL: "http://127.0.0.1:9000/legate", Secret: key})
//	router, err := notify.New(store, []notify.Channel{channel}, notify.RouterConfig{Routes: routes})
//	go router.Run(ctx)
//	router.Wake() // after a record was written
//
// Nothing that a stranger wrote becomes active in a channel: no mention, link, escape sequence or markup (G30).
// No error or log line of this package shows an address, token or key of a channel.
package notify
