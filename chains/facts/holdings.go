package facts

import (
	"context"
	"fmt"
	"slices"

	"github.com/holiman/uint256"

	"github.com/legate-dao/legate/agent/gov"
)

// nativeDecimals of the native coin of every chain at hand.
const nativeDecimals = 18

// holdings adds up what the treasury's accounts hold before the actions, and prices it.
func holdings(ctx context.Context, g *gathering) {
	t := &g.facts.Treasury
	t.Holdings = []gov.Holding{}
	if len(g.facts.DAO.Treasury) == 0 {
		g.missing("treasury.value_usd", gov.NoState, gov.Address{})
		return
	}
	assets := []gov.Asset{gov.Native}
	for _, token := range g.tokens() {
		assets = append(assets, gov.Asset(token))
	}
	slices.SortFunc(assets, func(x, y gov.Asset) int { return gov.Address(x).Cmp(gov.Address(y)) })
	held, errs := make([]gov.Holding, len(assets)), make([]error, len(assets))
	g.each(ctx, len(assets), func(ctx context.Context, i int) { held[i], errs[i] = g.holding(ctx, assets[i]) })
	complete, sum := true, 0.0
	for i, asset := range assets {
		h := held[i]
		if errs[i] != nil {
			g.fail("treasury.value_usd", errs[i], gov.Address(asset))
			complete = false
			continue
		}
		t.Holdings = append(t.Holdings, h)
		usd, priced := h.USD.Get()
		sum += usd
		if !priced && !h.Amount.IsZero() {
			g.missing("treasury.value_usd", gov.NoPrice, gov.Address(asset))
			complete = false
		}
	}
	if complete {
		t.ValueUSD = gov.Known(sum)
	}
}

// holding is one asset over all accounts.
func (g *gathering) holding(ctx context.Context, asset gov.Asset) (gov.Holding, error) {
	h := gov.Holding{Token: asset, Decimals: nativeDecimals}
	accounts := g.facts.DAO.Treasury
	of, errs := make([]gov.Amount, len(accounts)), make([]error, len(accounts))
	g.each(ctx, len(accounts), func(ctx context.Context, i int) { of[i], errs[i] = g.balance(ctx, asset, accounts[i]) })
	total := new(uint256.Int)
	for i, n := range of {
		if errs[i] != nil {
			return h, errs[i]
		}
		if _, over := total.AddOverflow(total, n.Int()); over {
			return h, fmt.Errorf("the balances of %s add up beyond 2^256", asset)
		}
	}
	h.Amount = gov.AmountOf(total)
	if asset != gov.Native {
		decimals, err := g.decimals(ctx, gov.Address(asset))
		if err != nil {
			return h, err
		}
		h.Decimals = decimals
	}
	if usd, ok := g.deps.Prices.Value(asset, h.Amount, h.Decimals); ok {
		h.USD = gov.Known(usd)
	}
	return h, nil
}

func (g *gathering) balance(ctx context.Context, asset gov.Asset, account gov.Address) (gov.Amount, error) {
	if asset == gov.Native {
		return g.before.Balance(ctx, account)
	}
	return askAmount(ctx, g.before, gov.Address(asset), "balanceOf(address)", addressWord(account))
}

// decimals of a token: the book's word, else the token's own.
func (g *gathering) decimals(ctx context.Context, token gov.Address) (uint8, error) {
	if e, ok := g.deps.Book.Entry(token); ok {
		if n, known := e.Decimals.Get(); known {
			return n, nil
		}
	}
	n, err := askAmount(ctx, g.before, token, "decimals()")
	if err != nil {
		return 0, err
	}
	if n.Cmp(gov.NewAmount(77)) > 0 {
		return 0, fmt.Errorf("%s says that it has %s decimals", token, n)
	}
	return uint8(n.Int().Uint64()), nil
}
