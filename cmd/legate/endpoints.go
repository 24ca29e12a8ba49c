package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/quorum"
	"github.com/legate-dao/legate/chains/rpc"
	"github.com/legate-dao/legate/notify/web"
)

// ailment is what is wrong with an endpoint.
type ailment string

// The ailments.
const (
	differs ailment = "differs" // it said something else than as many as must agree
	apart   ailment = "apart"   // it tells of another newest block, as honest ones do for a moment
	slow    ailment = "slow"
	failing ailment = "failing"
)

// ailments says what each means for people, and how long it lasts before they are told: who lies is told at once.
var ailments = map[ailment]struct {
	after    time.Duration
	severity gov.Severity
	text     string
}{
	differs: {0, gov.Critical, "it answered something else than the others: it lies, or is broken; its answers are not used"},
	apart:   {2 * time.Minute, gov.Critical, "it tells of another newest block than the others: it follows another chain, or lies"},
	slow:    {2 * time.Minute, gov.Warning, "it is far slower than the others, and is not waited for"},
	failing: {2 * time.Minute, gov.Warning, "it does not answer, lags, or serves another chain, and is not asked while the others are enough"},
}

// doubtful is for how long an endpoint counts as ailing after it last showed, and people are told again.
const doubtful = time.Hour

// doubts is what was noticed of the endpoints of one chain.
type doubts struct {
	now  func() time.Time
	tell func(severity gov.Severity, what string, why error)

	mu sync.Mutex
	of map[string]map[ailment]*doubt // by host
}

type doubt struct{ since, last, told time.Time }

// notice takes what one question showed.
func (d *doubts) notice(by quorum.Agreement) {
	unlike := differs
	if by.Tip {
		unlike = apart
	}
	for _, host := range by.Minority {
		d.mark(host, unlike)
	}
	for _, host := range by.Slow {
		d.mark(host, slow)
	}
	for _, host := range by.Agreeing {
		d.clear(host, slow)
		d.clear(host, failing)
		if by.Tip {
			d.clear(host, apart)
		}
	}
	for _, f := range by.Failed {
		switch rpc.Classify(f.Err) {
		case rpc.Retry, rpc.RateLimited, rpc.Timeout, rpc.Malformed, rpc.WrongChain:
			d.mark(f.Source, failing)
		}
	}
}

// examine takes what the client knows: who is not asked any more shows in no answer.
func (d *doubts) examine(health []rpc.Health) {
	for _, h := range health {
		if h.WrongChain || h.Lagging || h.Failures >= 3 {
			d.mark(h.Name, failing)
		}
		if d.now().Before(h.SlowUntil) {
			d.mark(h.Name, slow)
		}
	}
}

func (d *doubts) mark(host string, what ailment) {
	d.mu.Lock()
	now, has := d.now(), d.of[host]
	if has == nil {
		has = map[ailment]*doubt{}
		d.of[host] = has
	}
	x := has[what]
	if x == nil || now.Sub(x.last) > doubtful {
		x = &doubt{since: now}
		has[what] = x
	}
	x.last = now
	due := now.Sub(x.since) >= ailments[what].after && now.Sub(x.told) > doubtful
	if due {
		x.told = now
	}
	d.mu.Unlock()
	if due {
		d.tell(ailments[what].severity, fmt.Sprintf("endpoint %s %s", host, verbOf(what)), errors.New(ailments[what].text))
	}
}

func verbOf(a ailment) string {
	switch a {
	case differs:
		return "differs from the others"
	case apart:
		return "tells of another newest block"
	}
	return "is " + string(a)
}

func (d *doubts) clear(host string, what ailment) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.of[host], what)
}

// list is what ails the endpoints, for /api/v1/status.
func (d *doubts) list(health []rpc.Health) []web.Endpoint {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := make([]web.Endpoint, 0, len(health))
	for _, h := range health {
		e := web.Endpoint{Host: h.Name}
		for _, a := range []struct {
			what ailment
			into *gov.Maybe[gov.UnixTime]
		}{{apart, &e.Differs}, {differs, &e.Differs}, {slow, &e.Slow}, {failing, &e.Failing}} {
			if x := d.of[h.Name][a.what]; x != nil && d.now().Sub(x.last) <= doubtful && x.last.Sub(x.since) >= ailments[a.what].after {
				*a.into = gov.Known(gov.UnixTime(x.since.Unix()))
			}
		}
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b web.Endpoint) int { return strings.Compare(a.Host, b.Host) })
	return out
}
