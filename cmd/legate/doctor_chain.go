package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/rpc"
)

// What the doctor warns of.
const (
	clockSkew  = 2 * time.Minute  // beyond it the signer refuses facts as from the future
	stillHead  = 10 * time.Minute // a head that is older: the chain or the endpoint stands still
	endpointIn = 10 * time.Second // for one round trip
)

// patient is a chain that answers.
type patient struct {
	client       *rpc.Client
	latest, head rpc.Header // the newest block, and the newest final one
}

// reading is what one endpoint says by itself.
type reading struct {
	health rpc.Health
	chain  uint64
	err    error // it cannot be used
	state  error // it has no state at the final block
}

// chain examines every endpoint by itself, and then the chain as the daemon will see it.
func (d *doctor) chain(ctx context.Context, name string) {
	conf, err := d.conf.rpcConfig(name)
	if err != nil {
		d.say("rpc "+name, isWrong, "put the endpoint's address where it says", "%v", err)
		return
	}
	conf.Timeout = endpointIn
	readings := make([]reading, len(conf.Endpoints))
	var wg sync.WaitGroup
	for i := range conf.Endpoints {
		wg.Go(func() { readings[i] = d.endpoint(ctx, conf, i) })
	}
	wg.Wait()
	newest := uint64(0)
	for _, r := range readings {
		newest = max(newest, r.health.Head)
	}
	for i, r := range readings {
		d.sayEndpoint(fmt.Sprintf("rpc %s %d", name, i+1), r, newest)
	}
	client, err := rpc.Dial(ctx, conf)
	if err != nil {
		d.say("chain "+name, isWrong, "the daemon does not start like this: correct the endpoints, agree or finality", "%v", err)
		return
	}
	p := &patient{client: client}
	if p.latest, err = client.Latest(ctx); err == nil {
		p.head, err = client.Final(ctx)
	}
	if err != nil {
		client.Close()
		d.say("chain "+name, isWrong, "the daemon cannot follow like this: correct the endpoints or finality", "%v", err)
		return
	}
	d.chains[gov.ChainID(conf.ChainID)] = p
	d.finality(name, conf, p)
	d.clock(name, p)
}

// endpoint asks one endpoint, with state at the final block: what a pruned or syncing node cannot give.
func (d *doctor) endpoint(ctx context.Context, conf rpc.Config, i int) (r reading) {
	conf.Endpoints, conf.Agree = conf.Endpoints[i:i+1], 1
	client, err := rpc.Dial(ctx, conf)
	if err != nil {
		r.err = err
		return r
	}
	defer client.Close()
	health, errs := client.Check(ctx)
	r.health, r.chain, r.err = health[0], client.ChainID(), errs[0]
	if r.err != nil {
		return r
	}
	final, err := client.Final(ctx)
	if err != nil {
		r.err = err
		return r
	}
	_, r.state = rpc.Balance(ctx, client, d.someAccount(conf.ChainID), final.Hash)
	return r
}

// someAccount is a governor of the chain, as an account whose state will be read.
func (d *doctor) someAccount(chain uint64) (out common.Address) {
	for _, g := range d.conf.Governors {
		if g.Address.Chain.ID() == chain {
			return g.Address.Address.Address
		}
	}
	return out
}

func (d *doctor) sayEndpoint(part string, r reading, newest uint64) {
	switch host := r.health.Name; {
	case r.err != nil:
		d.say(part, isWrong, "is the address right, the node up, and the key for it valid?", "%v", r.err)
	case r.state != nil:
		d.say(part, isWrong, "the endpoint must keep the state of the final block (128 blocks are not enough on most chains): ask the provider, or set finality nearer to the head",
			"%s is at block %d, but has no state at the final block: %v", host, r.health.Head, r.state)
	case r.health.Head+rpc.DefaultMaxLag < newest:
		d.say(part, isDoubtful, "while it lags it is asked last and counts for no agreement", "%s is %d blocks behind the others, at block %d", host, newest-r.health.Head, r.health.Head)
	default:
		d.say(part, isFine, "", "%s serves chain id %d, is at block %d, and has the state of the final block", host, r.chain, r.health.Head)
	}
}

// finality says how many sources must agree about what counts as final.
func (d *doctor) finality(name string, conf rpc.Config, p *patient) {
	part, behind := "finality "+name, p.latest.Number-min(p.latest.Number, p.head.Number)
	switch f := conf.Finality; {
	case f == rpc.LatestTag:
		d.say(part, isDoubtful, "use finalized, or safe; latest is for chains of one's own", "latest: a reorganisation can take back what was voted on")
	case f.Weak():
		d.say(part, isDoubtful, "use finalized where the chain has it", "%d blocks behind the head: the chain gives no promise of them", behind)
	default:
		d.say(part, isFine, "", "%s, %d blocks behind the head", f, behind)
	}
	if p.client.Need() < 2 {
		d.say("agreement "+name, isDoubtful, "add an endpoint of another operator, and leave agree at 2", "one source alone is believed; every record says so")
		return
	}
	d.say("agreement "+name, isFine, "", "%d operators must say the same, of %s", p.client.Need(), count(len(conf.Endpoints), "endpoint"))
}

// clock compares the chain's time with this machine's: the signer refuses facts that are old, or from the
// future.
func (d *doctor) clock(name string, p *patient) {
	now := time.Now()
	head, final := time.Unix(int64(p.latest.Time), 0), time.Unix(int64(p.head.Time), 0)
	part, weak := "clock "+name, p.client.Finality().Weak()
	maxAge := time.Duration(0)
	if d.conf.Voter != nil {
		maxAge = d.conf.Voter.MaxAge.Std()
	}
	c, do, what := clockCondition(now, head, final, maxAge, weak)
	d.say(part, c, do, "%s", what)
}

func clockCondition(now, head, final time.Time, maxAge time.Duration, weak bool) (c condition, do, what string) {
	ahead, old := head.Sub(now).Round(time.Second), now.Sub(final).Round(time.Second)
	switch {
	case final.Sub(now) > clockSkew && !weak:
		return isWrong, "set the machine's clock, or ask another endpoint: the signer refuses facts from the future",
			fmt.Sprintf("the final block is %s ahead of this machine's clock", final.Sub(now).Round(time.Second))
	case maxAge > 0 && old > maxAge:
		return isWrong, "set the machine's clock, or find out why the chain stands still; if finality really takes so long, raise voter.max_age",
			fmt.Sprintf("the final block is %s old by this machine's clock, and facts older than voter.max_age (%s) are not signed on", old, maxAge)
	case ahead > clockSkew:
		return isDoubtful, "set the machine's clock, unless this chain's time is made up", fmt.Sprintf("the newest block is %s ahead of this machine's clock", ahead)
	case -ahead > stillHead:
		return isDoubtful, "is the machine's clock right, and does the chain move?", fmt.Sprintf("the newest block is %s old by this machine's clock", -ahead)
	}
	return isFine, "", fmt.Sprintf("the newest block is %s old, the final one %s", max(-ahead, 0), max(old, 0))
}
