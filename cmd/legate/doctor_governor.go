package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains"
	"github.com/legate-dao/legate/chains/book"
	"github.com/legate-dao/legate/chains/governor"
	"github.com/legate-dao/legate/chains/rpc"
	"github.com/legate-dao/legate/policies"
)

// oldPrices is the age at which a price file looks forgotten.
const oldPrices = 7 * 24 * time.Hour

// governor asks the chain what a governor is, and looks at what belongs to it.
func (d *doctor) governor(ctx context.Context, conf GovernorConfig) {
	part := "governor " + conf.Name
	d.prices(conf)
	p := d.chains[gov.ChainID(conf.Address.Chain.ID())]
	if p == nil {
		d.say(part, isUnknown, "", "chain %s cannot be read", conf.Address.Chain)
		return
	}
	d.book(ctx, conf, p)
	g, err := governor.Detect(ctx, p.client, gov.Address(conf.Address.Address.Address), p.latest.Hash)
	if err != nil {
		d.say(part, isWrong, "is the address the governor's own (not its timelock's or token's), and on this chain?", "%v", err)
		return
	}
	g.Name = gov.Label(conf.Name)
	d.say(part, isFine, "", "%s, clock %s, timelock %s, token %s", g.Flavour, g.Clock, orNone(g.Timelock), orNone(g.Token))
	d.fromBlock(ctx, conf, p, g)
	if len(conf.Treasury) == 0 { // many DAOs have no other, so it is no warning
		d.say("treasury "+conf.Name, isFine, "", "governor and timelock; what leaves other accounts of the DAO is counted only where `treasury` names them")
	}
	if d.set == nil || d.conf.Voter == nil {
		return
	}
	for _, h := range d.set.HoldersOf(g.Name) {
		d.holder(ctx, p, g, h)
	}
	d.power(ctx, p, g)
}

func orNone(a gov.Address) string {
	if a.IsZero() {
		return "none"
	}
	return a.String()
}

// fromBlock looks whether the first block can be found, or was given too late.
func (d *doctor) fromBlock(ctx context.Context, conf GovernorConfig, p *patient, g governor.Governor) {
	part := "from_block " + conf.Name
	if conf.FromBlock > p.latest.Number {
		d.say(part, isWrong, "give the block in which the governor was deployed", "%d is ahead of the chain, which is at %d", conf.FromBlock, p.latest.Number)
		return
	}
	deployed, err := chains.Deployed(ctx, p.client, g.Address, p.latest)
	switch {
	case err != nil && conf.FromBlock > 0:
		d.say(part, isFine, "", "%d, as given", conf.FromBlock)
	case err != nil:
		d.say(part, isWrong, "give from_block, the block in which the governor was deployed: block explorers tell it", "it cannot be found by search: %v", err)
	case conf.FromBlock > deployed:
		d.say(part, isDoubtful, fmt.Sprintf("give %d, or leave from_block out, unless older proposals do not matter", deployed), "%d is after the deployment in block %d: proposals between them are not seen", conf.FromBlock, deployed)
	default:
		d.say(part, isFine, "", "deployed in block %d", deployed)
	}
}

// holder looks whether a holder's tokens speak through the voting key.
func (d *doctor) holder(ctx context.Context, p *patient, g governor.Governor, h policies.Holder) {
	part := fmt.Sprintf("delegation %s at %s", h.Name, g.Name)
	if d.voter.IsZero() {
		d.say(part, isUnknown, "", "the voting key is not known")
		return
	}
	if h.Account == d.voter {
		d.say(part, isFine, "", "the tokens are held by the voting key itself")
	}
	to, err := g.Delegate(ctx, p.client, h.Account, p.latest.Hash)
	do := fmt.Sprintf("call delegate(%s) on token %s as %s; it counts for proposals whose vote starts later", d.voter, orNone(g.Token), h.Account)
	switch {
	case err != nil:
		d.say(part, isUnknown, "look at the token by hand", "read whom %s delegates to: %v", h.Account, err)
	case to == d.voter:
		d.say(part, isFine, "", "%s delegates to the voting key", h.Account)
	case to.IsZero():
		d.say(part, isWrong, do, "%s delegates to nobody, so its tokens do not vote", h.Account)
	default:
		d.say(part, isWrong, do, "%s delegates to %s, not to the voting key %s", h.Account, to, d.voter)
	}
}

// power looks at the key's votes, and at the coin that it pays for them with.
func (d *doctor) power(ctx context.Context, p *patient, g governor.Governor) {
	if d.voter.IsZero() {
		return
	}
	part, at := "power at "+string(g.Name), p.latest.Hash
	now, err := g.Now(ctx, p.client, at)
	if err == nil && now > 0 {
		var power gov.Amount
		if power, err = g.Power(ctx, p.client, d.voter, now-1, at); err == nil && power.IsZero() {
			d.say(part, isWrong, "delegate tokens to it", "the voting key %s has no votes", d.voter)
		} else if err == nil {
			d.say(part, isFine, "", "the voting key has %s votes (%s in whole tokens of 18 decimals)", power, tokensText(power))
		}
	}
	if err != nil {
		d.say(part, isUnknown, "look at the token by hand", "%v", err)
	}
	balance, err := rpc.Balance(ctx, p.client, common.Address(d.voter), p.latest.Hash)
	switch part := "fees at " + string(g.Name); {
	case err != nil:
		d.say(part, isUnknown, "", "%v", err)
	case balance.IsZero():
		d.say(part, isWrong, "send it some of the chain's coin", "the voting key %s has nothing to pay for votes with", d.voter)
	default:
		d.say(part, isFine, "", "the voting key has %s wei (%s whole coins) to pay for votes with", balance.Dec(),
			strconv.FormatFloat(balance.Float64()/1e18, 'f', 6, 64))
	}
}

// book compares what is booked with what stands on the chain.
func (d *doctor) book(ctx context.Context, conf GovernorConfig, p *patient) {
	part := "book " + conf.Name
	if conf.Book == "" {
		d.say(part, isDoubtful, "`legate book add ADDRESS --write book.yaml`, and name it under book:", "there is none, so few calls are known and hardly any vote can be for")
		return
	}
	b, err := readBook(d.conf.file(conf.Book))
	if err != nil {
		d.say(part, isWrong, "correct the file", "%v", err)
		return
	}
	at := gov.Block{Number: p.head.Number, Hash: p.head.Hash, Time: gov.UnixTime(p.head.Time)}
	moved, err := book.Diff(ctx, p.client, b, at)
	if err != nil {
		d.say(part, isUnknown, "", "compare %s with the chain: %v", conf.Book, err)
		return
	}
	for _, m := range moved {
		d.say(part, isWrong, "look at what changed (`legate book diff`), and accept it by changing the entry", "%s %s is no longer the code that %s records, so it is not known", m.Entry.Label, m.Entry.Address, conf.Book)
	}
	if len(moved) == 0 {
		d.say(part, isFine, "", "%s: %s, none moved; %s", conf.Book, count(len(b.Entries()), "booked account"), stampText(d.conf.file(conf.Book)))
	}
}

// prices reads the price file, and looks at its age.
func (d *doctor) prices(conf GovernorConfig) {
	part := "prices " + conf.Name
	if conf.Prices == "" {
		d.say(part, isDoubtful, "write prices.csv (token,usd) and name it under prices:", "there are none, so every fact in USD is unknown")
		return
	}
	path := d.conf.file(conf.Prices)
	prices, err := readPrices(path)
	if err != nil {
		d.say(part, isWrong, "correct the file", "%v", err)
		return
	}
	if prices.Count() == 0 {
		d.say(part, isDoubtful, "add a line for each token of the treasury, and one for native", "%s has no price, so every fact in USD is unknown", conf.Prices)
		return
	}
	if info, err := os.Stat(path); err == nil && time.Since(info.ModTime()) > oldPrices {
		d.say(part, isDoubtful, "bring the prices up to date, and restart the daemon", "%s was last written %s; %s", conf.Prices, info.ModTime().UTC().Format(time.DateOnly), stampText(path))
		return
	}
	d.say(part, isFine, "", "%s: %s; %s", conf.Prices, count(prices.Count(), "price"), stampText(path))
}
