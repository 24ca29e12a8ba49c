// Package chaintest gives tests a chain to talk to: the pinned anvil (Anvil), a proxy before any node that fails and
// lies on demand (Proxy), one that lies by a table of ways to lie, for each form of answer, in a moment that the test names
// (Liar, Lies), and conversations recorded once and played back without a node (Record, Replay).
//
//	node := chaintest.Anvil(t)
//	liar := chaintest.NewProxy(t, node)
//	liar.Set(chaintest.Faults{ChainID: 5})
//
//	liar := chaintest.NewLiar(t, node)
//	for _, lie := range chaintest.Lies(chaintest.Number) {
//		liar.Lie(lie, chaintest.When{Question: "eth_getBalance"})
//	}
//
// A missing anvil fails the test with the command that installs it; nothing here skips.
package chaintest
