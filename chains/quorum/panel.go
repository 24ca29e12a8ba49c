package quorum

import (
	"log/slog"
	"time"

	"github.com/legate-dao/legate/chains/rpc"
)

// Member is one operator's endpoint. rpc.Source is one.
type Member interface {
	rpc.Caller
	// Name is the endpoint's host, without credentials.
	Name() string
}

// slower is a member that takes note that it was far slower than the others.
type slower interface{ Slow(waited time.Duration) }

// Panel is whom to ask about one chain, and how many must say the same.
type Panel struct {
	need    int
	members func() []Member
	log     *slog.Logger
}

// NewPanel asks the members that the function lists at each question, each of another operator. A need below 1 is 1. A
// nil log is silent.
func NewPanel(need int, members func() []Member, log *slog.Logger) *Panel {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Panel{max(need, 1), members, log}
}

// Of asks the healthy endpoints of a client, one for each operator; as many as its configuration says must agree.
func Of(c *rpc.Client, log *slog.Logger) *Panel {
	return NewPanel(c.Need(), func() []Member {
		var out []Member
		for _, s := range c.Sources() {
			out = append(out, s)
		}
		return out
	}, log)
}

// Need is how many members must give the same answer.
func (p *Panel) Need() int { return p.need }

// Verified reports whether more than one operator must agree.
func (p *Panel) Verified() bool { return p.need > 1 }
