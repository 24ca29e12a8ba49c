package sender_test

import (
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/holiman/uint256"
	"pgregory.net/rapid"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/rpc"
	"github.com/legate-dao/legate/chains/sender"
)

// TestG15Preflight: no transaction when something is wrong, each with the error by which it is told apart.
func TestG15Preflight(t *testing.T) {
	if power, err := open(t, ready(), 1, newNode("a")).Preflight(t.Context(), proposal(), holder, vote(1)); err != nil || power != gov.NewAmount(10) {
		t.Fatalf("nothing wrong: %s, %v", power, err)
	}
	broken := errors.New("test: broken")
	for _, c := range []struct {
		name   string
		change func(c *contract, n *node, p *gov.Proposal, b *gov.Ballot)
		want   error
	}{
		{"pending", func(c *contract, _ *node, _ *gov.Proposal, _ *gov.Ballot) { c.state = gov.StatePending }, sender.ErrNotYet},
		{"canceled", func(c *contract, _ *node, _ *gov.Proposal, _ *gov.Ballot) { c.state = gov.StateCanceled }, sender.ErrNotActive},
		{"defeated", func(c *contract, _ *node, _ *gov.Proposal, _ *gov.Ballot) { c.state = gov.StateDefeated }, sender.ErrNotActive},
		{"succeeded", func(c *contract, _ *node, _ *gov.Proposal, _ *gov.Ballot) { c.state = gov.StateSucceeded }, sender.ErrNotActive},
		{"executed", func(c *contract, _ *node, _ *gov.Proposal, _ *gov.Ballot) { c.state = gov.StateExecuted }, sender.ErrNotActive},
		{"no power at the snapshot", func(c *contract, _ *node, _ *gov.Proposal, _ *gov.Ballot) { c.power = gov.Amount{} }, sender.ErrNoPower},
		{"holder not delegated", func(c *contract, _ *node, _ *gov.Proposal, _ *gov.Ballot) { c.delegate = gov.Address{} }, sender.ErrNotDelegated},
		{"holder delegated elsewhere", func(c *contract, _ *node, _ *gov.Proposal, _ *gov.Ballot) { c.delegate = address }, sender.ErrNotDelegated},
		{"already voted", func(c *contract, _ *node, _ *gov.Proposal, _ *gov.Ballot) { c.voted = true }, sender.ErrVoted},
		{"other content on the chain", func(c *contract, _ *node, _ *gov.Proposal, _ *gov.Ballot) { c.same = errOther }, sender.ErrContent},
		{"another proposal's ballot", func(_ *contract, _ *node, p *gov.Proposal, _ *gov.Ballot) { p.ID.Number = gov.NewAmount(8) }, sender.ErrContent},
		{"another flavour's ballot", func(_ *contract, _ *node, p *gov.Proposal, _ *gov.Ballot) { p.Flavour = gov.GovernorAlpha }, sender.ErrContent},
		{"chain id differs", func(_ *contract, n *node, _ *gov.Proposal, _ *gov.Ballot) { n.chain = 10 }, sender.ErrChain},
		{"a governor that is not ours", func(_ *contract, _ *node, p *gov.Proposal, b *gov.Ballot) {
			p.ID.Governor, b.Proposal.Governor = holder.Account, holder.Account
		}, sender.ErrChain},
		{"a governor on another chain", func(_ *contract, _ *node, p *gov.Proposal, b *gov.Ballot) {
			p.ID.Chain, b.Proposal.Chain = 10, 10
		}, sender.ErrChain},
		{"a read fails", func(c *contract, _ *node, _ *gov.Proposal, _ *gov.Ballot) { c.err = broken }, broken},
		{"the content cannot be read", func(c *contract, _ *node, _ *gov.Proposal, _ *gov.Ballot) { c.same = broken }, broken},
		{"no head", func(_ *contract, n *node, _ *gov.Proposal, _ *gov.Ballot) { n.errs["eth_getBlockByNumber"] = broken }, broken},
	} {
		t.Run(c.name, func(t *testing.T) {
			g, n, p, b := ready(), newNode("a"), proposal(), vote(1)
			c.change(g, n, &p, &b)
			if power, err := open(t, g, 1, n).Preflight(t.Context(), p, holder, b); !errors.Is(err, c.want) || !power.IsZero() {
				t.Errorf("power %s, error %v, want %v", power, err, c.want)
			}
			if len(n.sent) > 0 {
				t.Errorf("sent %v", n.sent)
			}
		})
	}
	s := open(t, ready(), 1, newNode("a"))
	s.Frozen = func() (string, bool) { return "test", true }
	if _, err := s.Preflight(t.Context(), proposal(), holder, vote(0)); !errors.Is(err, sender.ErrFrozen) {
		t.Errorf("frozen: %v", err)
	}
}

func TestPlan(t *testing.T) {
	n := newNode("a")
	got, err := open(t, ready(), 1, n).Plan(t.Context(), vote(0), nil)
	want := gov.Tx{Nonce: 5, Gas: 90_000 + 27_000 + 60_000, FeeCap: gov.NewAmount(22e9), TipCap: gov.NewAmount(2e9)}
	if err != nil || got != want {
		t.Errorf("plan %+v, %v, want %+v", got, err, want)
	}
	for _, c := range []struct {
		name   string
		change func(n *node)
		want   error
	}{
		{"base fee above the bound", func(n *node) { n.baseFee = big.NewInt(300e9) }, sender.ErrFee},
		{"gas above the bound", func(n *node) { n.gas = 2_000_000 }, sender.ErrFee},
		{"the vote would fail", func(n *node) {
			n.errs["eth_estimateGas"] = &rpc.NodeError{Code: 3, Message: "execution reverted"}
		}, sender.ErrReverts},
		{"no money", func(n *node) { n.balance = big.NewInt(1e12) }, sender.ErrFunds},
	} {
		n := newNode("a")
		c.change(n)
		if got, err := open(t, ready(), 1, n).Plan(t.Context(), vote(0), nil); !errors.Is(err, c.want) || got != (gov.Tx{}) {
			t.Errorf("%s: %+v, %v, want %v", c.name, got, err, c.want)
		}
	}
	n.errs["eth_maxPriorityFeePerGas"] = nodeError("method not found")
	if got, err := open(t, ready(), 1, n).Plan(t.Context(), vote(0), nil); err != nil || got.TipCap != gov.NewAmount(1e9) {
		t.Errorf("a node without tips: %+v, %v", got, err)
	}
}

// TestG13BoundedSpend: whatever the node says of fees, tips and gas, a plan costs at most what the holder
// allows for a vote, half of it where it is no against, and never more than the operator's cap for a gas.
func TestG13BoundedSpend(t *testing.T) {
	planned, n := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		for range 10 {
			node := newNode("liar")
			node.baseFee = new(big.Int).SetUint64(rapid.Uint64().Draw(rt, "base") >> rapid.IntRange(0, 60).Draw(rt, "base bits"))
			node.tip = new(big.Int).Lsh(new(big.Int).SetUint64(rapid.Uint64().Draw(rt, "tip")), uint(rapid.IntRange(0, 180).Draw(rt, "tip bits")))
			node.gas = rapid.Uint64().Draw(rt, "gas") >> rapid.IntRange(0, 60).Draw(rt, "gas bits")
			b := vote(gov.Support(rapid.Uint8Range(0, 2).Draw(rt, "support")))
			if rapid.Bool().Draw(rt, "holder") {
				b.Reason.By = gov.ByHolder
			}
			n++
			tx, err := open(t, ready(), 1, node).Plan(t.Context(), b, nil)
			if err != nil {
				continue
			}
			planned++
			if tx.FeeCap.Cmp(gov.NewAmount(200e9)) > 0 || tx.Gas > sender.DefaultMaxGas || tx.TipCap.Cmp(tx.FeeCap) > 0 || tx.TipCap.Cmp(gov.NewAmount(1e9)) < 0 {
				rt.Fatalf("plan %+v", tx)
			}
			base, _ := uint256.FromBig(node.baseFee)
			if room := new(uint256.Int).Sub(tx.FeeCap.Int(), base); tx.FeeCap.Int().Lt(base) || room.LtUint64(1e9) {
				rt.Fatalf("plan %+v cannot be mined at base fee %s", tx, node.baseFee)
			}
			if most, ok := limits.PerVote(b); ok && sender.Cost(tx).Cmp(most) > 0 {
				rt.Fatalf("plan %+v costs %s, allowed %s", tx, sender.Cost(tx), most)
			}
		}
	})
	if planned == 0 {
		t.Error("nothing was ever planned")
	}
	t.Logf("n=%d answers, %d planned, 0 beyond the bounds", n, planned)
}

// TestG13SpamLeavesAgainst: 500 proposals a day to vote for use up half of the day, and no against waits.
func TestG13SpamLeavesAgainst(t *testing.T) {
	const now = gov.UnixTime(1_800_000_000)
	var spent []sender.Spent
	cast := func(s gov.Support, by gov.By, fee uint64) bool {
		b := vote(s)
		b.Reason.By = by
		if err := limits.Allow(spent, now, b, gov.MostStake, gov.NewAmount(fee)); err != nil {
			if !errors.Is(err, sender.ErrBudget) {
				t.Fatal(err)
			}
			return false
		}
		spent = append(spent, sender.Spent{At: now, Support: s, By: by, Stake: gov.MostStake, Fee: gov.NewAmount(fee)})
		return true
	}
	count := func(n int, s gov.Support, fee uint64) (done int) {
		for range n {
			if cast(s, gov.ByPolicy, fee) {
				done++
			}
		}
		return done
	}
	if n := count(500, gov.SupportFor, 1e15); n != 10 {
		t.Errorf("%d votes for, want 10", n)
	}
	// the number of votes binds no against, the fees of the day do: 0.05 ETH, of which 0.01 are spent
	if n := count(500, gov.SupportAgainst, 1e15); n != 40 {
		t.Errorf("%d votes against, want 40", n)
	}
	if !cast(gov.SupportFor, gov.ByHolder, 1e18) {
		t.Error("the holder's own vote did not work")
	}
	spent = nil
	if n := count(500, gov.SupportAbstain, 5e15); n != 5 { // 0.025 of 0.05 ETH
		t.Errorf("%d dear abstentions, want 5", n)
	}
	if n := count(500, gov.SupportAgainst, 10e15); n != 2 {
		t.Errorf("%d dear votes against, want 2", n)
	}
	if cast(gov.SupportFor, gov.ByPolicy, 6e15) || cast(gov.SupportAgainst, gov.ByPolicy, 11e15) {
		t.Error("one vote may cost more than fee_per_vote")
	}
	for i := range spent {
		spent[i].At = now - 86400
	}
	if !cast(gov.SupportFor, gov.ByPolicy, 1e15) {
		t.Error("yesterday's votes count today")
	}
}

// TestG13DecoysLeaveTheHeavyOne: whatever was cast in a day, in whatever order and at whatever fees, an Against with the whole
// at stake finds one vote at its dearest, or a quarter of the day, that nothing else may take; a large stake finds a part
// that no smaller one may take; and half is kept for Against of any stake.
func TestG13DecoysLeaveTheHeavyOne(t *testing.T) {
	const now = gov.UnixTime(1_800_000_000)
	stakes := []gov.Stake{0, gov.MostStake / 3, 2 * (gov.MostStake / 3), gov.MostStake}
	for i, s := range stakes {
		if s.Level() != gov.StakeLevel(i) {
			t.Fatalf("stake %s is not of level %d", s, i)
		}
	}
	n, days := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		l := sender.Limits{
			FeePerVote: gov.NewAmount(rapid.Uint64Range(1, 1e16).Draw(rt, "vote")), FeePerDay: gov.NewAmount(rapid.Uint64Range(16, 1e17).Draw(rt, "day")),
			VotesPerDay: rapid.IntRange(0, 20).Draw(rt, "votes"),
		}
		days++
		perDay, perVote := l.FeePerDay.Int().Uint64(), l.FeePerVote.Int().Uint64()
		top := rapid.IntRange(0, 4).Draw(rt, "top") // the worst that is cast: 0 is a for, then by level
		sums, all := [5]uint64{}, uint64(0)
		var spent []sender.Spent
		allow := func(k int, fee uint64) bool {
			b, stake := vote(gov.SupportFor), gov.Stake(0)
			if k > 0 {
				b, stake = vote(gov.SupportAgainst), stakes[k-1]
			}
			if l.Allow(spent, now, b, stake, gov.NewAmount(fee)) != nil {
				return false
			}
			spent = append(spent, sender.Spent{At: now, Support: b.Support, By: gov.ByPolicy, Stake: stake, Fee: gov.NewAmount(fee)})
			sums[k] += fee
			all += fee
			n++
			return true
		}
		for range 60 {
			k := rapid.IntRange(0, top).Draw(rt, "kind")
			fee := min(rapid.Uint64Range(1, perVote).Draw(rt, "fee"), perDay)
			allow(k, fee)
		}
		if sums[0] > perDay/2 {
			rt.Fatalf("votes other than against spent %d of %d", sums[0], perDay)
		}
		if top < 4 {
			kept := min(max(perVote, perDay/8), perDay/4)
			if fee := min(perVote, kept-min(kept, 16)); fee > 0 && !allow(4, fee) {
				rt.Fatalf("after %v of %d the heavy one finds no %d", sums, perDay, fee)
			}
		}
		if all > perDay {
			rt.Fatalf("%d were spent of %d", all, perDay)
		}
	})
	t.Logf("n=%d votes on %d days", n, days)
}

// TestG13DecoysOfAWei: 500 decoys at the start of the day, and then the drain that they cover.
func TestG13DecoysOfAWei(t *testing.T) {
	const now = gov.UnixTime(1_800_000_000)
	for name, c := range map[string]struct{ decoys, heavy gov.Stake }{
		"a wei, then a takeover":           {0, gov.MostStake},
		"fake tokens, then a takeover":     {gov.MostStake / 3, gov.MostStake},
		"one percent, then a takeover":     {2 * (gov.MostStake / 3), gov.MostStake},
		"a wei, then one percent":          {0, 2 * (gov.MostStake / 3)},
		"fake tokens, then one percent":    {gov.MostStake / 3, 2 * (gov.MostStake / 3)},
		"a wei, then what is not known":    {0, gov.MostStake / 3},
		"takeovers use up what there is":   {gov.MostStake, gov.MostStake},
		"as little again finds no reserve": {0, 0},
	} {
		var spent []sender.Spent
		for range 500 {
			if limits.Allow(spent, now, vote(gov.SupportAgainst), c.decoys, gov.NewAmount(1e15)) == nil {
				spent = append(spent, sender.Spent{At: now, Support: gov.SupportAgainst, By: gov.ByPolicy, Stake: c.decoys, Fee: gov.NewAmount(1e15)})
			}
		}
		if len(spent) < 25 {
			t.Errorf("%s: only %d of the decoys were voted against", name, len(spent))
		}
		err := limits.Allow(spent, now, vote(gov.SupportAgainst), c.heavy, gov.NewAmount(1e15))
		if (err == nil) != (c.heavy > c.decoys) {
			t.Errorf("%s: after %d decoys: %v", name, len(spent), err)
		}
	}
}

// signed is a vote that was planned and signed.
func signed(t *testing.T, s plain, b gov.Ballot) gov.Vote {
	t.Helper()
	plan, err := s.Plan(t.Context(), b, nil)
	if err != nil {
		t.Fatal(err)
	}
	return sign(t, b, plan)
}

func TestSend(t *testing.T) {
	for _, c := range []struct {
		name  string
		errs  [3]error // of the three endpoints
		mined bool
		want  error
	}{
		{name: "all take it"},
		{name: "one takes it", errs: [3]error{nodeError("internal error"), nil, nodeError("busy")}},
		{name: "they have it", errs: [3]error{nodeError("already known"), nodeError("AlreadyKnown"), nodeError("already known")}},
		{name: "it is mined", errs: [3]error{nodeError("nonce too low"), nodeError("nonce too low"), nodeError("nonce too low")}, mined: true},
		{name: "the nonce is another's", errs: [3]error{nodeError("nonce too low"), nodeError("nonce too low"), nodeError("nonce too low")}, want: sender.ErrNonce},
		{name: "too cheap for all", errs: [3]error{nodeError("transaction underpriced"), nodeError("fee too low"), nodeError("transaction underpriced")}, want: sender.ErrUnderpriced},
		{name: "too cheap for two", errs: [3]error{nodeError("transaction underpriced"), nil, nodeError("transaction underpriced")}},
		{name: "nobody answers", errs: [3]error{errDown, errDown, errDown}, want: errDown},
	} {
		t.Run(c.name, func(t *testing.T) {
			nodes := []*node{newNode("a"), newNode("b"), newNode("c")}
			s := open(t, ready(), 2, nodes...)
			v := signed(t, s, vote(1))
			for i, n := range nodes {
				n.sendErr = c.errs[i]
				if c.mined {
					n.mined(v, 99, true)
				}
			}
			if err := s.Send(t.Context(), v); !errors.Is(err, c.want) {
				t.Errorf("error %v, want %v", err, c.want)
			}
			for i, n := range nodes {
				if c.errs[i] == nil && (len(n.sent) != 1 || n.sent[0] != hexutil.Encode(v.Raw.Bytes())) {
					t.Errorf("endpoint %d got %v", i, n.sent)
				}
			}
		})
	}
}

var errDown = errors.New("test: connection refused")

// TestSendOnlyTheVote: bytes that are not this very vote do not leave.
func TestSendOnlyTheVote(t *testing.T) {
	n := newNode("a")
	s := open(t, ready(), 1, n)
	for name, change := range map[string]func(v *gov.Vote){
		"other hash":     func(v *gov.Vote) { v.Tx = gov.Hash{1} },
		"other nonce":    func(v *gov.Vote) { v.Nonce++ },
		"other support":  func(v *gov.Vote) { v.Ballot.Support = gov.SupportAgainst },
		"other proposal": func(v *gov.Vote) { v.Ballot.Proposal.Number = gov.NewAmount(8) },
		"other governor": func(v *gov.Vote) { v.Ballot.Proposal.Governor = gov.Address{1} },
		"other chain":    func(v *gov.Vote) { v.Ballot.Proposal.Chain = 10 },
		"other voter":    func(v *gov.Vote) { v.Ballot.Voter = gov.Address{1} },
		"no bytes":       func(v *gov.Vote) { v.Raw = gov.Calldata{} },
		"cut":            func(v *gov.Vote) { v.Raw = gov.CalldataOf(v.Raw.Bytes()[:40]) },
	} {
		v := signed(t, s, vote(1))
		change(&v)
		if err := s.Send(t.Context(), v); !errors.Is(err, sender.ErrBytes) {
			t.Errorf("%s: %v, want ErrBytes", name, err)
		}
	}
	if len(n.sent) > 0 {
		t.Errorf("sent %v", n.sent)
	}
}

func final(n *node, number uint64) gov.Block {
	return gov.Block{Number: number, Hash: n.block(number).Hash()}
}

func TestConfirm(t *testing.T) {
	n := newNode("a")
	g := ready()
	s := open(t, g, 1, n)
	v := signed(t, s, vote(gov.SupportAbstain))
	if r, err := s.Confirm(t.Context(), v, final(n, 90)); err != nil || r != nil {
		t.Fatalf("not mined: %+v, %v", r, err)
	}
	n.mined(v, 95, true)
	r, err := s.Confirm(t.Context(), v, final(n, 94))
	want := gov.Receipt{Tx: v.Tx, Block: gov.Block{Number: 95, Hash: n.block(95).Hash(), Time: 1_800_000_000 + 12*95}, OK: true, Support: gov.Known(gov.SupportAbstain)}
	if err != nil || r == nil || *r != want {
		t.Fatalf("mined: %+v, %v, want %+v", r, err, want)
	}
	want.Final = true
	if r, err := s.Confirm(t.Context(), v, final(n, 95)); err != nil || *r != want {
		t.Fatalf("final: %+v, %v", r, err)
	}
	if r, err := s.Confirm(t.Context(), v, gov.Block{Number: 96, Hash: gov.Hash{1}}); err == nil {
		t.Errorf("a final block that is not in the chain: %+v", r)
	}
	n.baseFee = big.NewInt(11e9) // other blocks from here on: what a reorganisation does
	if r, err := s.Confirm(t.Context(), v, final(n, 90)); err != nil || r != nil {
		t.Errorf("after a reorganisation: %+v, %v", r, err)
	}
	n.mined(v, 97, false)
	if r, err := s.Confirm(t.Context(), v, final(n, 97)); err != nil || r.OK || r.Support.IsKnown() || !r.Final {
		t.Errorf("reverted: %+v, %v", r, err)
	}
}

// TestConfirmLog: only the voter's own VoteCast of this proposal at this governor counts.
func TestConfirmLog(t *testing.T) {
	n := newNode("a")
	s := open(t, ready(), 1, n)
	v := signed(t, s, vote(1))
	for name, change := range map[string]func(b *gov.Ballot){
		"another voter":    func(b *gov.Ballot) { b.Voter = gov.Address{1} },
		"another proposal": func(b *gov.Ballot) { b.Proposal.Number = gov.NewAmount(8) },
		"another governor": func(b *gov.Ballot) { b.Proposal.Governor = gov.Address{1} },
	} {
		other := v
		change(&other.Ballot)
		n.mined(other, 95, true)
		if r, err := s.Confirm(t.Context(), v, final(n, 95)); err != nil || r.Support.IsKnown() {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
}

// TestConfirmEarlier: a replaced transaction that was mined after all is found by its log.
func TestConfirmEarlier(t *testing.T) {
	n := newNode("a")
	g := ready()
	s := open(t, g, 1, n)
	first := signed(t, s, vote(1))
	second := sign(t, first.Ballot, gov.Tx{Nonce: first.Nonce, Gas: 200_000, FeeCap: gov.NewAmount(50e9), TipCap: gov.NewAmount(4e9)})
	n.mined(first, 95, true)
	g.voted = true
	log := castLog(first.Ballot)
	for k, v := range map[string]any{"blockNumber": hexutil.Uint64(95), "blockHash": n.block(95).Hash(), "transactionHash": first.Tx, "transactionIndex": "0x0", "logIndex": "0x0", "removed": false} {
		log[k] = v
	}
	raw, err := json.Marshal(log)
	if err != nil {
		t.Fatal(err)
	}
	n.logs = []json.RawMessage{raw}
	r, err := s.Confirm(t.Context(), second, final(n, 96))
	if err != nil || r == nil || r.Tx != first.Tx || r.Support != gov.Known(gov.SupportFor) || !r.Final {
		t.Errorf("%+v, %v", r, err)
	}
	if plan, err := s.Replace(t.Context(), second); err != nil || plan != nil {
		t.Errorf("it is replaced again: %+v, %v", plan, err)
	}
}

// TestG12Agreed: with one liar of three endpoints no receipt, nonce or state of his is believed.
func TestG12AgreedConfirmation(t *testing.T) {
	liar, b, c := newNode("liar"), newNode("b"), newNode("c")
	s := open(t, ready(), 2, liar, b, c)
	v := signed(t, s, vote(1))
	liar.mined(v, 95, true)
	if r, err := s.Confirm(t.Context(), v, final(b, 96)); err != nil || r != nil {
		t.Errorf("one says mined: %+v, %v", r, err)
	}
	for _, n := range []*node{b, c} {
		n.mined(v, 95, true)
		n.nonce = 6
	}
	liar.mined(v, 95, false)
	liar.nonce = 40
	if r, err := s.Confirm(t.Context(), v, final(b, 96)); err != nil || r == nil || !r.OK {
		t.Errorf("one says reverted: %+v, %v", r, err)
	}
	liar.head = 5000
	if plan, err := s.Plan(t.Context(), vote(0), nil); err != nil || plan.Nonce != 6 {
		t.Errorf("one invents nonce and head: %+v, %v", plan, err)
	}
	c.nonce = 7
	if plan, err := s.Plan(t.Context(), vote(0), nil); !errors.Is(err, rpc.ErrDisagreement) {
		t.Errorf("three nonces: %+v, %v", plan, err)
	}
}

// TestG11KnownNonceBugs: the five ways in which bots lose their nonce.
func TestG11KnownNonceBugs(t *testing.T) {
	t.Run("a nonce skipped after a restart", func(t *testing.T) {
		n := newNode("a")
		for range 3 { // planned, and never sent: each start derives it again
			if plan, err := open(t, ready(), 1, n).Plan(t.Context(), vote(1), nil); err != nil || plan.Nonce != 5 {
				t.Errorf("%+v, %v", plan, err)
			}
		}
	})
	t.Run("a nonce burned by a failed send", func(t *testing.T) {
		n := newNode("a")
		s := open(t, ready(), 1, n)
		v := signed(t, s, vote(1))
		n.sendErr = nodeError("insufficient funds for gas * price + value")
		if err := s.Send(t.Context(), v); err == nil {
			t.Fatal("sent")
		}
		if plan, err := s.Plan(t.Context(), vote(1), nil); err != nil || plan.Nonce != v.Nonce {
			t.Errorf("%+v, %v", plan, err)
		}
	})
	t.Run("foreign use of the nonce", func(t *testing.T) {
		n := newNode("a")
		s := open(t, ready(), 1, n)
		v := signed(t, s, vote(1))
		n.nonce, n.pending = 6, 6
		if r, err := s.Confirm(t.Context(), v, final(n, 96)); err != nil || r != nil {
			t.Fatalf("%+v, %v", r, err)
		}
		plan, err := s.Replace(t.Context(), v)
		if err != nil || plan == nil || plan.Nonce != 6 {
			t.Errorf("%+v, %v", plan, err)
		}
	})
	t.Run("a gap from a pending count", func(t *testing.T) {
		n := newNode("a")
		n.pending = 9
		if plan, err := open(t, ready(), 1, n).Plan(t.Context(), vote(1), nil); err != nil || plan.Nonce != 5 {
			t.Errorf("%+v, %v", plan, err)
		}
	})
	t.Run("a predecessor that left the chain", func(t *testing.T) {
		n := newNode("a")
		s := open(t, ready(), 1, n)
		v := signed(t, s, vote(1))
		n.nonce, n.pending = 4, 6
		if plan, err := s.Replace(t.Context(), v); err != nil || plan != nil {
			t.Errorf("it waits in the pool: %+v, %v", plan, err)
		}
		n.pending = 4
		if plan, err := s.Replace(t.Context(), v); err != nil || plan == nil || plan.Nonce != 4 {
			t.Errorf("it is gone: %+v, %v", plan, err)
		}
	})
	t.Run("another's place in the pool", func(t *testing.T) {
		n := newNode("a")
		s := open(t, ready(), 1, n)
		v := signed(t, s, vote(1))
		n.sendErr = nodeError("replacement transaction underpriced")
		if err := s.Send(t.Context(), v); !errors.Is(err, sender.ErrUnderpriced) {
			t.Fatal(err)
		}
		n.pending = v.Nonce + 1
		if plan, err := s.Replace(t.Context(), v); err != nil || plan != nil {
			t.Errorf("it is fought over: %+v, %v", plan, err)
		}
		n.pending = v.Nonce
		plan, err := s.Replace(t.Context(), v)
		if err != nil || plan == nil || plan.TipCap.Cmp(gov.NewAmount(4e9)) < 0 {
			t.Errorf("the pool has a least tip: %+v, %v", plan, err)
		}
	})
	t.Run("a bump while it waits", func(t *testing.T) {
		n := newNode("a")
		s := open(t, ready(), 1, n)
		v := signed(t, s, vote(0))
		for range 5 {
			if plan, err := s.Replace(t.Context(), v); err != nil || plan != nil {
				t.Fatalf("a good fee is replaced: %+v, %v", plan, err)
			}
		}
		n.baseFee = big.NewInt(22e9) // its cap is 22 gwei
		plan, err := s.Replace(t.Context(), v)
		if err != nil || plan == nil || plan.Nonce != v.Nonce || plan.FeeCap.Cmp(gov.NewAmount(22e9*9/8)) < 0 || plan.TipCap.Cmp(gov.NewAmount(2e9*9/8)) < 0 {
			t.Fatalf("%+v, %v", plan, err)
		}
		if sender.Cost(*plan).Cmp(limits.FeePerVote) > 0 {
			t.Errorf("it costs %s", sender.Cost(*plan))
		}
		n.baseFee = big.NewInt(150e9)
		if plan, err := s.Replace(t.Context(), v); err != nil || plan != nil {
			t.Errorf("more than may be paid: %+v, %v", plan, err)
		}
	})
}

func TestNewRefuses(t *testing.T) {
	n := newNode("a")
	good := open(t, ready(), 1, n).Config
	for name, change := range map[string]func(*sender.Config){
		"no chain":     func(c *sender.Config) { c.Chain = 0 },
		"no governors": func(c *sender.Config) { c.Governors = nil },
		"no endpoints": func(c *sender.Config) { c.Panel = nil },
		"no sentinel":  func(c *sender.Config) { c.OtherContent = nil },
	} {
		c := good
		change(&c)
		if _, err := sender.New(c); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestCostSaturates(t *testing.T) {
	max, err := gov.ParseAmount("115792089237316195423570985008687907853269984665640564039457584007913129639935")
	if err != nil {
		t.Fatal(err)
	}
	if got := sender.Cost(gov.Tx{Gas: math.MaxUint64, FeeCap: max}); got != max {
		t.Errorf("cost %s", got)
	}
}
