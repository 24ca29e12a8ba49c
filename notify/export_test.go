package notify

import "net/http"

// SetTransport has a Discord channel's requests answered without a network, so that a test's time can be virtual.
func SetTransport(ch Channel, rt http.RoundTripper) { ch.(*discord).pace.next = rt }
