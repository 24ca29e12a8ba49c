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

// slower is a member that takes note that it was far slower than the others, prompter one that it was not.
type (
	slower   interface{ Slow(waited time.Duration) }
	prompter interface{ Prompt() }
)

// seat is a member in one question.
type seat struct{ Member }

func seated(members []Member) []*seat {
	out := make([]*seat, len(members))
	for i, m := range members {
		out[i] = &seat{m}
	}
	return out
}

// Panel is whom to ask about one chain, and how many must say the same.
type Panel struct {
	need    int
	members func() []Member
	// reserve are members that are asked where the others come to no agreement; nil: none.
	reserve func() []Member
	// all is everybody who is told something, such as a signed transaction; nil: the members.
	all func() []Member
	// watch is told of every agreement, and of every failed one; nil: nobody.
	watch func(Agreement)
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

// Of asks the healthy endpoints of a client, one for each operator; as many as its configuration says must agree. Those
// that are left out, because they fail, lag or are slow, are asked too before a question is given up. Where one endpoint
// is enough, the client is the only member: it asks the best one, and others where that fails.
func Of(c *rpc.Client, log *slog.Logger) *Panel {
	p := NewPanel(c.Need(), func() []Member { return membersOf(c.Sources()) }, log)
	p.refresh = c.Freshen
	p.reserve = func() []Member { return membersOf(c.Reserve()) }
	p.all = func() []Member { return membersOf(c.All()) }
	if !p.Verified() {
		p.members, p.reserve = func() []Member { return []Member{alone{c}} }, nil
	}
	return p
}

func membersOf(sources []rpc.Source) []Member {
	out := make([]Member, len(sources))
	for i, s := range sources {
		out[i] = s
	}
	return out
}

// Watch has a function told of every agreement and of every failed one, from many goroutines. It is set before the first
// question.
func (p *Panel) Watch(told func(Agreement)) { p.watch = told }

func (p *Panel) tell(by Agreement) {
	if p.watch != nil {
		p.watch(by)
	}
}

// alone is a client as the one member of a panel.
type alone struct{ *rpc.Client }

// Name is the host where there is one endpoint, else it stands for whichever answers.
func (a alone) Name() string {
	if h := a.Health(); len(h) == 1 {
		return h[0].Name
	}
	return "the only source"
}

// ask lists the members for one question, and those who are asked where that is not enough.
func (p *Panel) ask(ctx context.Context) (members, reserve []*seat, err error) {
	if p.refresh != nil {
		if err := p.refresh(ctx); err != nil {
			return nil, nil, err
		}
	}
	members = seated(p.members())
	if p.reserve != nil {
		reserve = seated(p.reserve())
	}
	if len(members)+len(reserve) < p.need {
		return nil, nil, fmt.Errorf("%w: %w", rpc.ErrNoEndpoint, &Error{Need: p.need, Agreement: Agreement{Asked: len(members) + len(reserve)}})
	}
	return members, reserve, nil
}

// Need is how many members must give the same answer.
func (p *Panel) Need() int { return p.need }

// Verified reports whether more than one operator must agree.
func (p *Panel) Verified() bool { return p.need > 1 }
