package notify

import (
	"context"
	"fmt"

	"github.com/legate-dao/legate/agent/dossier"
)

// repeat tells a channel that forgets what is on, at the start and from then on as often as it wants, whatever waits in
// its queue: a channel that was away knows within one interval what is on. It says once when that fails, and tells a
// person as of any delivery.
func (w *worker) repeat(ctx context.Context, channel Repeater) {
	name, log := w.channel.Name(), w.router.conf.Log
	for failed := 0; ctx.Err() == nil; pause(ctx, nil, channel.Every()) {
		err := w.give(ctx, func(sending context.Context) error {
			on, err := w.router.on(sending, name)
			if err != nil || len(on) == 0 {
				return err
			}
			return channel.Repeat(sending, on)
		})
		switch {
		case err == nil && failed > 0:
			log.Info("standing alerts are repeated to a channel", "channel", name)
			failed = 0
		case err != nil && ctx.Err() == nil:
			failed++
			fault := asFault(err)
			if failed == 1 {
				log.Warn("a channel cannot be told again what is on; tried at each interval", "channel", name, "why", fault.What)
			}
			if failed != warnAfter[fault.Advice] {
				continue
			}
			if err := w.report(context.WithoutCancel(ctx), "channel "+name+" cannot be told what is on, and may take it for over", fault); err != nil {
				log.Error("could not store an alert", "error", err)
			}
		}
	}
}

// on lists what is on now and goes to a channel.
func (r *Router) on(ctx context.Context, channel string) ([]dossier.Alert, error) {
	list, err := r.store.Firing(ctx)
	if err != nil {
		return nil, fmt.Errorf("list what is on: %w", err)
	}
	var out []dossier.Alert
	for _, a := range list {
		if r.wants(channel, a) {
			out = append(out, a)
		}
	}
	return out, nil
}
