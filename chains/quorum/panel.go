package quorum

import (
	"context"
	"fmt"
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
	// refresh compares the endpoints' heads where that was long ago, so that one that is stuck is not asked; nil: never.
	refresh func(context.Context) error
	log     *slog.Logger
}

// NewPanel asks the members that the function lists at each question, each of another operator. A need below 1 is 1. A
// nil log is silent.
func NewPanel(need int, members func() []Member, log *slog.Logger) *Panel {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Panel{need: max(need, 1), members: members, log: log}
}

// Of asks the healthy endpoints of a client, one for each operator; as many as its configuration says must agree. Where
// one is enough, the client is the only member: it asks the best endpoint, and others where that fails.
func Of(c *rpc.Client, log *slog.Logger) *Panel {
	p := NewPanel(c.Need(), func() []Member {
		if c.Need() <= 1 {
			return []Member{alone{c}}
		}
		var out []Member
		for _, s := range c.Sources() {
			out = append(out, s)
		}
		return out
	}, log)
	p.refresh = c.Freshen
	return p
}

// alone is a client as the one member of a panel.
type alone struct{ *rpc.Client }

// Name stands for whichever endpoint answers.
func (alone) Name() string { return "the only source" }

// ask lists the members for one question.
func (p *Panel) ask(ctx context.Context) ([]Member, error) {
	if p.refresh != nil {
		if err := p.refresh(ctx); err != nil {
			return nil, err
		}
	}
	members := p.members()
	if len(members) < p.need {
		return nil, fmt.Errorf("%w: %d endpoints must agree, %d can be asked", rpc.ErrNoEndpoint, p.need, len(members))
	}
	return members, nil
}

// Need is how many members must give the same answer.
func (p *Panel) Need() int { return p.need }

// Verified reports whether more than one operator must agree.
func (p *Panel) Verified() bool { return p.need > 1 }
