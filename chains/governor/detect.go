package governor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/rpc"
)

var (
	// ErrUnknown says that a contract is no Governor of this release; the error lists what was asked.
	ErrUnknown = errors.New("not a governor that this release knows")
	// ErrUnproven says that the chain contradicts what a governor says of itself.
	ErrUnproven = errors.New("the chain does not prove it")
)

// The probes: what is asked of an unknown contract.
var (
	askCountingMode  = mustCall("COUNTING_MODE()(string mode)")
	askClockMode     = mustCall("CLOCK_MODE()(string mode)")
	askVersion       = mustCall("version()(string version)")
	askClock         = mustView("clock()(uint48 now)", "now")
	askNeedsQueuing  = mustCall("proposalNeedsQueuing(uint256)(bool needed)")
	askLatestID      = mustCall("latestProposalId()(uint256 id)")
	askTimelock      = mustCall("timelock()(address timelock)")
	askQuorumVotes   = mustCall("quorumVotes()(uint256 votes)")
	askProposalCount = mustCall("proposalCount()(uint256 count)")
	askInitialID     = mustCall("initialProposalId()(uint256 id)")

	askHasRole = mustView("hasRole(bytes32,address)(bool has)", "has")
	askAdmin   = mustView("admin()(address admin)", "admin")
)

var proposerRole = word(crypto.Keccak256Hash([]byte("PROPOSER_ROLE")))

// probes are the answers of one contract at one block.
type probes struct {
	asks map[string]*ask
	list []*ask
}

func (p *probes) add(c call, to gov.Address) {
	key := c.text + strings.Join(c.types, ",")
	if p.asks[key] != nil {
		return
	}
	a := &ask{call: c, to: to, args: make([]word, c.args)}
	p.asks[key] = a
	p.list = append(p.list, a)
}

func (p *probes) answer(c call) (*ask, bool) {
	a := p.asks[c.text+strings.Join(c.types, ",")]
	return a, a != nil && a.err == nil && len(a.out) > 0
}

// answers says whether the call answered with what its signature promises.
func (p *probes) answers(c call) bool {
	a, ok := p.answer(c)
	if !ok {
		return false
	}
	_, err := c.words(a.out)
	return err == nil
}

func (p *probes) text(c call) (string, bool) {
	a, ok := p.answer(c)
	if !ok {
		return "", false
	}
	s, err := text(a.out)
	return s, err == nil
}

func (p *probes) boolean(c call) (value, ok bool) {
	a, ok := p.answer(c)
	if !ok {
		return false, false
	}
	all, err := c.words(a.out)
	if err != nil {
		return false, false
	}
	value, err = all[0].bool()
	return value, err == nil
}

func (p *probes) address(c call) (gov.Address, bool) {
	a, ok := p.answer(c)
	if !ok {
		return gov.Address{}, false
	}
	all, err := c.words(a.out)
	if err != nil {
		return gov.Address{}, false
	}
	value, err := all[0].address()
	return value, err == nil && !value.IsZero()
}

// summary lists what was asked, for people: names of functions only, no answer of the contract.
func (p *probes) summary() string {
	var yes, no []string
	for _, a := range p.list {
		if a.err == nil && len(a.out) > 0 {
			yes = append(yes, a.call.text)
		} else {
			no = append(no, a.call.text)
		}
	}
	return fmt.Sprintf("it answers [%s] and not [%s]", strings.Join(yes, " "), strings.Join(no, " "))
}

// probe asks everything in one batch.
func probe(ctx context.Context, c rpc.Caller, addr gov.Address, at gov.Hash) (*probes, error) {
	p := &probes{asks: map[string]*ask{}}
	for _, x := range []call{
		askCountingMode, askClockMode, askVersion, askClock.call, askNeedsQueuing, askLatestID, askTimelock,
		askQuorumVotes, askProposalCount, askInitialID,
	} {
		p.add(x, addr)
	}
	for _, f := range Flavours {
		p.add(f.calls.HasVoted.call, addr)
		p.add(f.calls.Snapshot.call, addr)
		p.add(f.calls.For.call, addr)
		for _, t := range f.calls.Tokens {
			p.add(t.call, addr)
		}
	}
	return p, askAll(ctx, c, at, p.list)
}

// Detect finds out what a contract is by asking it, at one block. Nothing is taken from the caller's word:
// flavour, clock, token, timelock and executor follow from the answers, and the timelock must agree that
// the governor may use it. [ErrUnknown] lists what was asked; [ErrUnproven] says what contradicts.
func Detect(ctx context.Context, c rpc.Caller, addr gov.Address, at gov.Hash) (Governor, error) {
	g, err := detect(ctx, c, addr, at)
	if err != nil {
		return Governor{}, fmt.Errorf("detect governor %s: %w", addr, err)
	}
	return g, nil
}

// Identity is what a governor is, in a form that compares: two sources agree on a governor only where they agree on all
// of it.
type Identity struct {
	chain                              gov.ChainID
	address, timelock, token, executor gov.Address
	flavour                            gov.Flavour
	clock                              gov.Clock
	counts                             Counts
	timelockOZ, hasClock, sequential   bool
	headerClock                        bool
}

// Identity is what g is, without its name and the proofs.
func (g Governor) Identity() Identity {
	return Identity{
		chain: g.Chain, address: g.Address, timelock: g.Timelock, token: g.Token, executor: g.Executor, flavour: g.Flavour, clock: g.Clock,
		counts: g.Counts, timelockOZ: g.TimelockOZ, hasClock: g.HasClock, sequential: g.Sequential, headerClock: g.HeaderClock,
	}
}

// Is reports whether two answers are of the same governor. Whether its clock is the header's may differ: that is of one
// block.
func (g Governor) Is(o Governor) bool {
	a, b := g.Identity(), o.Identity()
	a.headerClock = b.headerClock
	return a == b
}

func detect(ctx context.Context, c rpc.Caller, addr gov.Address, at gov.Hash) (Governor, error) {
	g := Governor{Address: addr, Executor: addr}
	var chain hexutil.Uint64
	if err := c.Call(ctx, &chain, "eth_chainId"); err != nil {
		return g, fmt.Errorf("ask for the chain id: %w", err)
	}
	g.Chain = gov.ChainID(chain)
	code, err := rpc.Code(ctx, c, common.Address(addr), at)
	if err != nil {
		return g, err
	}
	if len(code) == 0 {
		return g, fmt.Errorf("%w: there is no contract at this address on %s", ErrUnknown, g.Chain)
	}
	p, err := probe(ctx, c, addr, at)
	if err != nil {
		return g, err
	}
	f, err := p.recognise()
	if err != nil {
		return g, err
	}
	g.Flavour = f.Name
	g.prove("flavour", "probes as described for "+string(f.Name))
	g.Counts = counts(p, f)
	if _, ok := p.answer(askLatestID); ok && f.calls == &openZeppelin {
		g.Sequential = true
		g.prove("sequential", "latestProposalId() of the governor")
	} else {
		g.Sequential = f.calls.ByID
	}
	if err := g.findTimelock(ctx, c, p, at); err != nil {
		return g, err
	}
	if err := g.findToken(ctx, c, p, f, at); err != nil {
		return g, err
	}
	return g, g.findClock(ctx, c, p, at)
}

func (p *probes) recognise() (Flavour, error) {
	var reasons []string
	for _, f := range Flavours {
		why, ok := f.recognise(p)
		if ok {
			return f, nil
		}
		reasons = append(reasons, fmt.Sprintf("%s: %s", f.Name, why))
	}
	return Flavour{}, fmt.Errorf("%w: %s; %s", ErrUnknown, strings.Join(reasons, "; "), p.summary())
}

func (g *Governor) prove(of, by string) { g.Proofs = append(g.Proofs, Proof{of, by}) }

// findTimelock takes the timelock that the governor names, if the timelock obeys the governor.
func (g *Governor) findTimelock(ctx context.Context, c rpc.Caller, p *probes, at gov.Hash) error {
	t, ok := p.address(askTimelock)
	if !ok {
		g.prove("executor", "no timelock() of the governor: it makes the calls itself")
		return nil
	}
	role := &ask{call: askHasRole.call, to: t, args: []word{proposerRole, addressWord(g.Address)}}
	admin := &ask{call: askAdmin.call, to: t}
	if err := askAll(ctx, c, at, []*ask{role, admin}); err != nil {
		return fmt.Errorf("ask timelock %s: %w", t, err)
	}
	by := "hasRole(PROPOSER_ROLE, governor) of the timelock"
	if has, err := boolean(role); err != nil || !has {
		owner, err := address(admin)
		if err != nil || owner != g.Address {
			return fmt.Errorf("%w: timelock %s neither gives the governor PROPOSER_ROLE nor has it as admin", ErrUnproven, t)
		}
		by = "admin() of the timelock is the governor"
	} else {
		g.TimelockOZ = true
	}
	g.Timelock, g.Executor = t, t
	g.prove("timelock", "timelock() of the governor; "+by)
	g.prove("executor", "the timelock")
	return nil
}

func boolean(a *ask) (bool, error) {
	w, err := first(a)
	if err != nil {
		return false, err
	}
	return w.bool()
}

func address(a *ask) (gov.Address, error) {
	w, err := first(a)
	if err != nil {
		return gov.Address{}, err
	}
	return w.address()
}

func first(a *ask) (word, error) {
	if a.err != nil {
		return word{}, a.err
	}
	all, err := a.call.words(a.out)
	if err != nil {
		return word{}, err
	}
	return all[0], nil
}

// findToken takes the token that the governor names, if it has code.
func (g *Governor) findToken(ctx context.Context, c rpc.Caller, p *probes, f Flavour, at gov.Hash) error {
	for _, v := range f.calls.Tokens {
		t, ok := p.address(v.call)
		if !ok {
			continue
		}
		code, err := rpc.Code(ctx, c, common.Address(t), at)
		if err != nil {
			return fmt.Errorf("read code of token %s: %w", t, err)
		}
		if len(code) == 0 {
			return fmt.Errorf("%w: token %s has no code", ErrUnproven, t)
		}
		g.Token = t
		g.prove("token", v.text+" of the governor")
		return nil
	}
	if f.calls.PowerOfToken {
		return fmt.Errorf("%w: the governor names no token, so voting power cannot be read", ErrUnproven)
	}
	return nil
}

// findClock reads the governor's clock and compares it with the block's header.
func (g *Governor) findClock(ctx context.Context, c rpc.Caller, p *probes, at gov.Hash) error {
	g.Clock = gov.ClockBlock
	mode, hasMode := p.text(askClockMode)
	if hasMode {
		switch {
		case strings.HasPrefix(mode, "mode=timestamp"):
			g.Clock = gov.ClockTimestamp
		case !strings.HasPrefix(mode, "mode=blocknumber"):
			return fmt.Errorf("%w: CLOCK_MODE() is %.80q, neither blocks nor timestamps", ErrUnknown, mode)
		}
	}
	g.HasClock = p.answers(askClock.call)
	if g.Clock == gov.ClockTimestamp && !g.HasClock {
		return fmt.Errorf("%w: CLOCK_MODE() is timestamp, but there is no clock()", ErrUnproven)
	}
	now, err := g.Now(ctx, c, at)
	if err != nil {
		return err
	}
	header, err := rpc.HeaderByHash(ctx, c, at)
	if err != nil {
		return err
	}
	g.HeaderClock = now == g.HeaderNow(header)
	by := "block.number as the EVM says"
	if g.HasClock {
		by = "clock() and CLOCK_MODE() of the governor"
	}
	g.prove("clock", by)
	return nil
}

// HeaderNow is the governor's time in a block where HeaderClock holds.
func (g Governor) HeaderNow(h rpc.Header) gov.Clocks {
	if g.Clock == gov.ClockTimestamp {
		return gov.Clocks(h.Time)
	}
	return gov.Clocks(h.Number)
}

// mode splits COUNTING_MODE, which has the form of a URL query.
func mode(s, key string) []string {
	for _, part := range strings.Split(s, "&") {
		if k, v, _ := strings.Cut(part, "="); k == key {
			return strings.Split(v, ",")
		}
	}
	return nil
}

func bravoSupport(countingMode string) bool {
	return slices.Contains(mode(countingMode, "support"), "bravo")
}

// counts reads which votes count towards the quorum. "quorum=bravo" is Bravo's way: votes for only.
func counts(p *probes, f Flavour) (c Counts) {
	s, ok := p.text(askCountingMode)
	if !ok || f.calls.ByID {
		return Counts{For: true}
	}
	for _, what := range mode(s, "quorum") {
		switch what {
		case "for", "bravo":
			c.For = true
		case "against":
			c.Against = true
		case "abstain":
			c.Abstain = true
		}
	}
	return c
}
