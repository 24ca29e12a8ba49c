// Package single asks one endpoint in every way that there is, and a panel.
package single

import (
	"context"

	"github.com/legate-dao/legate/chains/quorum"
	"github.com/legate-dao/legate/chains/rpc"
)

type embeds struct{ *rpc.Client }

type holder struct {
	caller rpc.Caller
	client *rpc.Client
}

func take(rpc.Caller)    {}
func keep(*rpc.Client)   {}
func many(...rpc.Caller) {}

func argument(c *rpc.Client)                    { take(c) }
func assigned(c *rpc.Client)                    { var x rpc.Caller; x = c; _ = x }
func boxed(c *rpc.Client)                       { var x any = c; _ = x }
func called(ctx context.Context, c *rpc.Client) { _ = c.Call(ctx, nil, "eth_call") }
func converted(c *rpc.Client)                   { _ = rpc.Caller(c) }
func endpoint(c *rpc.Client)                    { take(c.Sources()[0]) }
func keyed(c *rpc.Client)                       { _ = holder{caller: c} }
func listed(c *rpc.Client)                      { _ = []rpc.Caller{c}; many(nil, c) }
func newest(ctx context.Context, c *rpc.Client) { _, _ = c.Latest(ctx) }
func positional(c *rpc.Client)                  { _ = holder{c, nil} }
func returned(c *rpc.Client) rpc.Caller         { return c }
func fine(c *rpc.Client) (*rpc.Client, *quorum.Panel) {
	keep(c)
	_ = holder{client: c}
	_, _ = c.Need(), c.Health()
	return c, quorum.Of(c, nil)
}
