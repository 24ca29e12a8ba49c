// Package chaintest gives tests a chain to talk to: the pinned anvil (Anvil), a proxy before any node that fails and
// lies on demand (Proxy), and conversations recorded once and played back without a node (Record, Replay).
//
//	node := chaintest.Anvil(t)
//	liar := chaintest.NewProxy(t, node)
//	liar.Set(chaintest.Faults{ChainID: 5})
//
// A missing anvil fails the test with the command that installs it; nothing here skips.
package chaintest
