package devchain

import (
	"math/big"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
)

// round deploys a DAO of a flavour and takes one proposal through it.
func round(t *testing.T, flavour Flavour) {
	t.Helper()
	c := start(t, Config{})
	s := dial(t, c.HTTP(), 0)
	dao, err := DeployDAO(t.Context(), s, DAOConfig{Flavour: flavour})
	if err != nil {
		t.Fatal(err)
	}
	roundOn(t, s, dao)
}

// roundOn takes one proposal from propose to execute and checks what it changed.
func roundOn(t *testing.T, s *Session, dao *DAO) {
	t.Helper()
	ctx := t.Context()
	if err := s.Delegate(ctx, dao, s.From); err != nil {
		t.Fatal(err)
	}
	if err := s.MineBlocks(ctx, 1); err != nil {
		t.Fatal(err)
	}
	before, err := s.Client.BalanceAt(ctx, Address(7), nil)
	if err != nil {
		t.Fatal(err)
	}
	factor := action(t, dao.Market, "Market", "setCollateralFactor", dao.Token, big.NewInt(6e17))
	pay := action(t, dao.Treasury, "Treasury", "pay", Address(7), Tokens(3))
	p := carry(t, s, dao, "# Lower the factor\n\nand pay account 7.", factor, pay)
	votes, err := s.ProposalVotes(ctx, dao, p.ID)
	if err != nil || votes.For.Sign() <= 0 || votes.Against.Sign() != 0 {
		t.Fatalf("votes %v, error %v", votes, err)
	}
	now, err := Read[*big.Int](ctx, s, dao.Market, "Market", "collateralFactor", dao.Token)
	if err != nil || now.Int64() != 6e17 {
		t.Errorf("collateral factor is %v, error %v", now, err)
	}
	balance, err := s.Client.BalanceAt(ctx, Address(7), nil)
	if want := before.Add(before, Tokens(3)); err != nil || balance.Cmp(want) != 0 {
		t.Errorf("account 7 has %v, want %v, error %v", balance, want, err)
	}
}

// carry takes a proposal from propose to execute, checking each state.
func carry(t *testing.T, s *Session, dao *DAO, description string, actions ...Action) *Proposal {
	t.Helper()
	ctx := t.Context()
	p, err := s.Propose(ctx, dao, actions, description)
	if err != nil {
		t.Fatal(err)
	}
	expectState(t, s, dao, p, Pending)
	steps(t,
		func() error { return s.SkipToVoting(ctx, dao, p.ID) },
		func() error { return s.CastVote(ctx, dao, p.ID, For, "because") },
	)
	expectState(t, s, dao, p, Active)
	steps(t, func() error { return s.SkipToEnd(ctx, dao, p.ID) })
	expectState(t, s, dao, p, Succeeded)
	steps(t, func() error { return s.Queue(ctx, dao, p) })
	expectState(t, s, dao, p, Queued)
	if err := s.Execute(ctx, dao, p); err == nil {
		t.Fatal("executed before the timelock's delay")
	}
	steps(t,
		func() error { return s.SkipToETA(ctx, dao, p.ID) },
		func() error { return s.Execute(ctx, dao, p) },
	)
	expectState(t, s, dao, p, Executed)
	return p
}

func action(t *testing.T, target common.Address, contract, method string, args ...any) Action {
	t.Helper()
	a, err := ActionOn(target, contract, method, args...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func steps(t *testing.T, all ...func() error) {
	t.Helper()
	for i, step := range all {
		if err := step(); err != nil {
			t.Fatalf("step %d: %v", i+1, err)
		}
	}
}

func expectState(t *testing.T, s *Session, dao *DAO, p *Proposal, want State) {
	t.Helper()
	got, err := s.State(t.Context(), dao, p.ID)
	if err != nil {
		t.Fatal(err)
	}
	if got != want {
		t.Fatalf("state %d, want %d", got, want)
	}
}

func TestRoundOnBlockClock(t *testing.T) { round(t, OZ5Block) }
func TestRoundOnTimeClock(t *testing.T)  { round(t, OZ5Time) }
func TestRoundOnOZ49(t *testing.T)       { round(t, OZ49) }
func TestRoundOnBravo(t *testing.T)      { round(t, Bravo) }

func TestReorgDropsAProposal(t *testing.T) {
	c := start(t, Config{})
	s := dial(t, c.HTTP(), 0)
	dao, err := DeployDAO(t.Context(), s, DAOConfig{})
	if err != nil {
		t.Fatal(err)
	}
	steps(t, func() error { return s.Delegate(t.Context(), dao, s.From) }, func() error { return c.Mine(t.Context(), 1) })
	pay := action(t, dao.Treasury, "Treasury", "pay", Address(7), Tokens(3))
	p, err := s.Propose(t.Context(), dao, []Action{pay}, "to be dropped")
	if err != nil {
		t.Fatal(err)
	}
	expectState(t, s, dao, p, Pending)
	steps(t, func() error { return c.Reorg(t.Context(), 1) })
	if state, err := s.State(t.Context(), dao, p.ID); err == nil {
		t.Fatalf("the dropped proposal has state %d", state)
	} else if !strings.Contains(err.Error(), "GovernorNonexistentProposal") {
		t.Errorf("error without the reason: %v", err)
	}
	if _, err := s.Propose(t.Context(), dao, []Action{pay}, "to be dropped"); err != nil {
		t.Errorf("propose again: %v", err)
	}
}

func TestDeployerIsPowerlessAfterwards(t *testing.T) {
	c := start(t, Config{})
	s := dial(t, c.HTTP(), 0)
	dao, err := DeployDAO(t.Context(), s, DAOConfig{})
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		what string
		err  error
	}{
		{"mint", second(s.Transact(t.Context(), dao.Token, dao.TokenContract(), "mint", s.From, Tokens(1)))},
		{"grant", second(s.Transact(t.Context(), dao.Timelock, dao.TimelockContract(), "grantRole", role("PROPOSER_ROLE"), s.From))},
		{"factor", second(s.Transact(t.Context(), dao.Market, "Market", "setCollateralFactor", dao.Token, big.NewInt(1)))},
		{"pay", second(s.Transact(t.Context(), dao.Treasury, "Treasury", "pay", s.From, big.NewInt(1)))},
	} {
		if step.err == nil {
			t.Errorf("the deployer can %s", step.what)
		}
	}
}

func second[T any](_ T, err error) error { return err }
