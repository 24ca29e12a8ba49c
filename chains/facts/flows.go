package facts

import (
	"context"
	"errors"
	"slices"

	"github.com/holiman/uint256"

	"github.com/legate-dao/legate/agent/gov"
)

// assetID is one asset as it is counted: an ERC-1155 or ERC-6909 is one for each of its ids.
type assetID struct {
	token gov.Asset
	id    gov.Amount
	multi bool
}

func (a assetID) cmp(b assetID) int {
	if c := gov.Address(a.token).Cmp(gov.Address(b.token)); c != 0 {
		return c
	}
	return a.id.Cmp(b.id)
}

// balances are how much an account has of an asset before and after the run.
type balances struct{ before, after gov.Amount }

// MaxIDs bounds the holdings by id, of ERC-1155 and ERC-6909, that are asked for.
const MaxIDs = 100

// errIDs says that the logs speak of more holdings by id than are asked for.
var errIDs = errors.Join(ErrTooLarge, errors.New("too many holdings by id"))

// ledger follows the units of one asset through the run, in the order of the logs or frames.
type ledger struct {
	asset assetID
	// there are units in the treasury that have not left it yet, left those that have, counted once each.
	there, left *uint256.Int
	// told are the units that left, by whom they went to first; order is the order of those accounts.
	told  map[gov.Address]*uint256.Int
	order []gov.Address
	// away are the units at accounts outside that are counted, minted those that were made in the run, of the governance token.
	away, minted map[gov.Address]*uint256.Int
}

func newLedger(asset assetID, held gov.Amount) *ledger {
	return &ledger{
		asset: asset, there: new(uint256.Int).Set(held.Int()), left: new(uint256.Int),
		told: map[gov.Address]*uint256.Int{}, away: map[gov.Address]*uint256.Int{}, minted: map[gov.Address]*uint256.Int{},
	}
}

// at is an account's number in a table of them.
func at(m map[gov.Address]*uint256.Int, a gov.Address) *uint256.Int {
	if m[a] == nil {
		m[a] = new(uint256.Int)
	}
	return m[a]
}

// take moves at most n from one number to another, and says how much.
func take(from, to *uint256.Int, n *uint256.Int) *uint256.Int {
	moved := new(uint256.Int).Set(n)
	if moved.Gt(from) {
		moved.Set(from)
	}
	from.Sub(from, moved)
	addCapped(to, gov.AmountOf(moved))
	return moved
}

// move takes in one movement. own tells the treasury's accounts; governance that the asset is the governance token.
func (l *ledger) move(m movement, own func(gov.Address) bool, governance bool) {
	switch from, to := own(m.from), own(m.to); {
	case from && to:
	case from:
		// A unit counts when it leaves for the first time; one that came back and leaves again is counted already.
		n := take(l.there, at(l.away, m.to), m.amount.Int())
		rest := new(uint256.Int).Sub(m.amount.Int(), n)
		if _, again := l.told[m.to]; !again {
			l.order = append(l.order, m.to)
		}
		addCapped(at(l.told, m.to), gov.AmountOf(n))
		take(l.left, at(l.away, m.to), rest)
	case to:
		back := take(at(l.away, m.from), l.left, m.amount.Int())
		addCapped(l.there, gov.AmountOf(new(uint256.Int).Sub(m.amount.Int(), back)))
	default:
		take(at(l.away, m.from), at(l.away, m.to), m.amount.Int())
		if governance && m.from.IsZero() {
			addCapped(at(l.minted, m.to), m.amount)
		} else if governance {
			take(at(l.minted, m.from), at(l.minted, m.to), m.amount.Int())
		}
	}
}

// sum is how many units left the treasury, each counted once.
func (l *ledger) sum() *uint256.Int {
	out := new(uint256.Int)
	for _, n := range l.told {
		addCapped(out, gov.AmountOf(n))
	}
	return out
}

// gains are by how much accounts outside have more than before, but for what was minted to them of the governance
// token, which `supply` says.
func (l *ledger) gains(changes map[gov.Address]balances, own func(gov.Address) bool) map[gov.Address]*uint256.Int {
	out := map[gov.Address]*uint256.Int{}
	for a, c := range changes {
		if own(a) || c.after.Cmp(c.before) <= 0 {
			continue
		}
		n := new(uint256.Int).Sub(c.after.Int(), c.before.Int())
		if minted := l.minted[a]; minted != nil {
			n.Sub(n, uint256Min(n, minted))
		}
		if !n.IsZero() {
			out[a] = n
		}
	}
	return out
}

func uint256Min(a, b *uint256.Int) *uint256.Int {
	if a.Lt(b) {
		return new(uint256.Int).Set(a)
	}
	return new(uint256.Int).Set(b)
}

// part is a share of what left, and who has it; the zero account where nothing tells.
type part struct {
	to     gov.Address
	amount *uint256.Int
}

// parts say who has how much of what left or arrived outside: the larger of what left the treasury, what it has less,
// and what accounts outside have more. Those who have more come first, then those whom the logs name.
func (l *ledger) parts(changes map[gov.Address]balances, fell *uint256.Int, own func(gov.Address) bool) (out []part) {
	gains := l.gains(changes, own)
	total, gained := l.sum(), new(uint256.Int)
	for _, n := range gains {
		addCapped(gained, gov.AmountOf(n))
	}
	for _, n := range []*uint256.Int{gained, fell} {
		if n.Gt(total) {
			total = new(uint256.Int).Set(n)
		}
	}
	share := map[gov.Address]*uint256.Int{}
	give := func(to gov.Address, n *uint256.Int) {
		take(total, at(share, to), n)
	}
	for _, a := range sortedAccounts(gains) {
		give(a, gains[a])
	}
	for _, a := range l.order {
		more := new(uint256.Int).Set(l.told[a])
		give(a, more.Sub(more, uint256Min(more, at(share, a))))
	}
	give(gov.Address{}, new(uint256.Int).Set(total)) // it left, and nothing tells where to
	for _, a := range sortedAccounts(share) {
		if !share[a].IsZero() {
			out = append(out, part{a, share[a]})
		}
	}
	return out
}

func sortedAccounts(m map[gov.Address]*uint256.Int) []gov.Address {
	out := make([]gov.Address, 0, len(m))
	for a := range m {
		out = append(out, a)
	}
	slices.SortFunc(out, gov.Address.Cmp)
	return out
}

// ownValue reports whether what an account holds is the DAO's: an account of the treasury, or the governance token's
// contract, of which other people's deposits may be a part, so that it does not count for what the treasury is worth.
func (g *gathering) ownValue(a gov.Address) bool {
	return g.treasuryAccount(a) || !a.IsZero() && a == g.facts.DAO.Token
}

// paid are the outflows that happened: what left the treasury, and what arrived outside of it, whoever paid.
func (g *gathering) paid(ctx context.Context) (out []flow, err error) {
	moves := map[assetID][]movement{}
	for _, m := range append(g.transfers(), g.payments()...) {
		if !m.amount.IsZero() && m.from != m.to {
			moves[m.assetID] = append(moves[m.assetID], m)
		}
	}
	changes, err := g.balancesOf(ctx, moves)
	if err != nil {
		return nil, err
	}
	assets := map[assetID]bool{}
	for a := range moves {
		assets[a] = true
	}
	for a := range changes {
		assets[a] = true
	}
	list := make([]assetID, 0, len(assets))
	for a := range assets {
		list = append(list, a)
	}
	slices.SortFunc(list, assetID.cmp)
	decoded := g.declaredAmounts()
	for _, asset := range list {
		l := newLedger(asset, g.held(asset, changes[asset]))
		for _, m := range moves[asset] {
			l.move(m, g.ownValue, gov.Address(asset.token) == g.facts.DAO.Token)
		}
		kind := gov.OutflowTransfer
		if asset.token == gov.Native {
			kind = gov.OutflowNative
		}
		for _, p := range l.parts(changes[asset], g.fell(changes[asset]), g.ownValue) {
			amount := gov.AmountOf(p.amount)
			out = append(out, flow{gov.Outflow{
				To: p.to, Token: asset.token, Amount: amount, Kind: kind, Outside: p.to.IsZero() || g.outside(p.to),
				Decoded: decoded.names(asset.token, p.to, amount),
			}, amount})
		}
	}
	return merged(out), nil
}

// merged adds up what one account gets of one contract under several ids.
func merged(flows []flow) (out []flow) {
	for _, f := range flows {
		i := slices.IndexFunc(out, func(o flow) bool { return o.Token == f.Token && o.To == f.To && o.Kind == f.Kind })
		if i < 0 {
			out = append(out, f)
			continue
		}
		sum := out[i].Amount.Int()
		addCapped(sum, f.Amount)
		out[i].Amount, out[i].Decoded = gov.AmountOf(sum), false
		out[i].stake = out[i].Amount
	}
	return out
}

// balancesOf is how much the accounts of the run have of each asset before and after, as far as it changed. Holdings by id
// are asked for where the logs name them; one without a getter is as the logs say.
func (g *gathering) balancesOf(ctx context.Context, moves map[assetID][]movement) (map[assetID]map[gov.Address]balances, error) {
	out := map[assetID]map[gov.Address]balances{}
	put := func(asset assetID, a gov.Address, c balances) {
		if out[asset] == nil {
			out[asset] = map[gov.Address]balances{}
		}
		out[asset][a] = c
	}
	for _, d := range g.facts.Effects.BalanceDeltas {
		put(assetID{token: d.Token}, d.Account, balances{d.Before, afterOf(d)})
	}
	type place struct {
		asset   assetID
		account gov.Address
	}
	var places []place
	seen := map[place]bool{}
	for asset, list := range moves {
		for _, m := range list {
			for _, a := range []gov.Address{m.from, m.to} {
				if p := (place{asset, a}); asset.multi && !a.IsZero() && !seen[p] {
					seen[p] = true
					places = append(places, p)
				}
			}
		}
	}
	if len(places) > MaxIDs {
		return nil, errIDs
	}
	for _, p := range places {
		c, ok, err := g.byID(ctx, p.asset, p.account)
		if err != nil {
			return nil, err
		}
		if !ok {
			c = byLogs(moves[p.asset], p.account)
		}
		put(p.asset, p.account, c)
	}
	return out, nil
}

// afterOf is what an account has after the run.
func afterOf(d gov.BalanceDelta) gov.Amount {
	n := d.Before.Int()
	if d.Delta.Negative {
		return gov.AmountOf(n.Sub(n, d.Delta.Size.Int()))
	}
	return gov.AmountOf(n.Add(n, d.Delta.Size.Int()))
}

// byID asks for a holding of one id; ok is false where the contract has no such getter.
func (g *gathering) byID(ctx context.Context, asset assetID, account gov.Address) (c balances, ok bool, err error) {
	id := gov.Hash(asset.id.Int().Bytes32())
	c.before, err = askAmount(ctx, g.ready, gov.Address(asset.token), "balanceOf(address,uint256)", addressWord(account), id)
	if err == nil {
		c.after, err = askAmount(ctx, g.after, gov.Address(asset.token), "balanceOf(address,uint256)", addressWord(account), id)
	}
	if errors.Is(err, errNoGetter) {
		return balances{}, false, nil
	}
	return c, err == nil, err
}

// byLogs is what the logs of one asset come to for an account: what came in, over what went out.
func byLogs(moves []movement, account gov.Address) balances {
	in, out := new(uint256.Int), new(uint256.Int)
	for _, m := range moves {
		if m.to == account {
			addCapped(in, m.amount)
		}
		if m.from == account {
			addCapped(out, m.amount)
		}
	}
	return balances{gov.AmountOf(out), gov.AmountOf(in)}
}

// fell is by how much the treasury has less of an asset, internal moves left out.
func (g *gathering) fell(changes map[gov.Address]balances) *uint256.Int {
	before, after := new(uint256.Int), new(uint256.Int)
	for a, c := range changes {
		if g.ownValue(a) {
			addCapped(before, c.before)
			addCapped(after, c.after)
		}
	}
	if !before.Gt(after) {
		return new(uint256.Int)
	}
	return before.Sub(before, after)
}

// held is what the treasury held of an asset: of the assets valued, or of those the run measured.
func (g *gathering) held(asset assetID, changes map[gov.Address]balances) gov.Amount {
	total := new(uint256.Int)
	valued := false
	for _, h := range g.facts.Treasury.Holdings {
		if valued = h.Token == asset.token && !asset.multi; valued {
			total.Set(h.Amount.Int())
			break
		}
	}
	for a, c := range changes {
		if g.ownValue(a) && (!valued || !g.treasuryAccount(a)) {
			addCapped(total, c.before)
		}
	}
	return gov.AmountOf(total)
}
