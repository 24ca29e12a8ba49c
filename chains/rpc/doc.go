// Package rpc makes several endpoints of one chain one dependable client.
//
// It answers for the wire: JSON-RPC over HTTP with bounded answers, a rate limit for each endpoint, log ranges as
// wide as each endpoint answers, failover where another endpoint can help, the meaning of a node's error (Classify, in
// one table), each operator's endpoint by itself (Source), reads at one block hash (EIP-1898, with a checked fallback), and the secrecy of endpoint
// addresses: a URL often carries an API key, so no error, log line or String ever shows more than
// scheme://host:port.
//
// It leaves to others: agreement between operators (chains/quorum), which blocks and logs to ask for and how wide a range (package chains), what a contract's
// answer means (chains/governor, chains/facts), nonces and fees (chains/sender).
//
//	client, err := rpc.Dial(ctx, rpc.Config{
//		ChainID:   1,
//		Endpoints: []rpc.Endpoint{{HTTP: "https://first.example/key"}, {HTTP: "https://second.example"}},
//		Agree:     2,
//		Finality:  rpc.Finalized,
//	})
//	head, err := client.Final(ctx)
//	code, err := rpc.Code(ctx, client, governor, head.Hash)
package rpc
