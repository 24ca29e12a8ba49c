// Package discordtest stands in for Discord on loopback: webhooks and a bot's channel by REST, with Discord's
// documented limits checked, its forums and threads, its errors and rate limits on demand, and a page that shows the
// messages as a person would see them. It notes as a problem what Discord would refuse as malformed, a request that
// would let anybody be mentioned, and one that comes before a 429 let it. It is used by tests and by the demo, and speaks
// to nobody.
//
//	server, err := discordtest.Start("127.0.0.1:0")
//	defer server.Close()
//	channel, err := notify.Open(notify.Config{Kind: "discord", URL: server.Webhook(), …})
//	server.Messages()
package discordtest
