package main

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"time"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/journal"
	"github.com/legate-dao/legate/agent/risk"
	"github.com/legate-dao/legate/chains/quorum"
	"github.com/legate-dao/legate/notify"
)

// probeIn bounds how long one channel may take to answer.
const probeIn = 10 * time.Second

// metrics reads each watched number once: what the daemon cannot read it cannot watch.
func (d *doctor) metrics(ctx context.Context) {
	panels := map[gov.ChainID]*quorum.Panel{}
	for id, p := range d.chains {
		if p.client != nil {
			panels[id] = quorum.Of(p.client, nil)
		}
	}
	reader := newMetricReader(panels, d.conf.Metrics)
	for _, m := range d.conf.Metrics {
		part := "metric " + m.Name
		if panels[gov.ChainID(m.Chain.ID())] == nil {
			d.say(part, isUnknown, "", "chain %s cannot be read", m.Chain)
			continue
		}
		got, err := reader.Read(ctx, gov.Label(m.Name))
		var why *risk.Unreadable
		switch {
		case errors.As(err, &why):
			d.say(part, isWrong, "is the address of `call` right, on this chain, and does it return one number?", "%s cannot be read: %s", m.Call, why.Why)
		case err != nil:
			d.say(part, isWrong, "is the address of `call` right, on this chain, and does it return one number?", "%s cannot be read: %v", m.Call, err)
		default:
			age := max(time.Since(got.Block.Time.Time()), 0).Round(time.Second)
			d.say(part, isFine, "", "%v in block %d, %s old: %s", got.Value, got.Block.Number, age, got.Source)
		}
	}
}

// notifies tries each channel with its secrets, and posts nothing.
func (d *doctor) notifies(ctx context.Context) {
	last := d.lastDeliveries(ctx)
	for _, name := range sortedKeys(d.conf.Channels) {
		part := "channel " + name
		c, err := d.conf.Channels[name].resolve(name, d.conf.dir())
		if err != nil {
			d.say(part, isWrong, "put the secret where the configuration says", "%v", err)
			continue
		}
		c.Out, c.Notes = io.Discard, noNotes{}
		if _, err := notify.Open(c); err != nil {
			d.say(part, isWrong, "correct the channel; docs/legate.example.yaml shows every kind", "%v", err)
			continue
		}
		probing, cancel := context.WithTimeout(ctx, probeIn)
		said, err := notify.Probe(probing, c)
		cancel()
		switch at := last[name]; {
		case err != nil:
			d.say(part, isWrong, "is the address right, the other side up, and the key for it valid?", "%s: %v", c.Kind, err)
		case at.Error != "" && at.Pending > 0:
			d.say(part, isWrong, "mend what the last try says; alerts wait until then", "%s: %s, but %s wait, and the last try said: %s", c.Kind, said, count(int(at.Pending), "alert"), at.Error)
		default:
			d.say(part, isFine, "", "%s: %s", c.Kind, said)
		}
	}
}

// lastDeliveries are how far the channels of a daemon on this store are; empty where there is no store yet.
func (d *doctor) lastDeliveries(ctx context.Context) map[string]journal.Delivery {
	out := map[string]journal.Delivery{}
	if _, err := os.Stat(d.conf.file(strings.TrimPrefix(d.conf.Store, "sqlite:"))); err != nil || len(d.conf.Channels) == 0 {
		return out // what is wrong with the store has a line of its own
	}
	db, err := journal.Open(ctx, d.conf.Store, d.conf.dir(), journal.Command)
	if err != nil {
		return out
	}
	defer db.Close()
	list, err := db.Deliveries(ctx)
	if err != nil {
		d.say("channels", isUnknown, "look at the store first", "%v", err)
	}
	for _, one := range list {
		out[one.Channel] = one
	}
	return out
}

// noNotes is the memory of a channel that is only tried.
type noNotes struct{}

func (noNotes) Note(context.Context, string, string) (string, error)  { return "", nil }
func (noNotes) SetNote(context.Context, string, string, string) error { return nil }
