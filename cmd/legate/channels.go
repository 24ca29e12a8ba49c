package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/invopop/jsonschema"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/journal"
	"github.com/legate-dao/legate/agent/risk"
	"github.com/legate-dao/legate/agent/supervise"
	"github.com/legate-dao/legate/chains/book"
	"github.com/legate-dao/legate/chains/rpc"
	"github.com/legate-dao/legate/notify"
	"github.com/legate-dao/legate/policies"
	"github.com/legate-dao/legate/policies/strict"
)

// AlertsConfig is the part of legate.yaml that says whom to tell what.
type AlertsConfig struct {
	Channels map[string]ChannelConfig `yaml:"channels"`
	Routes   []RouteConfig            `yaml:"routes"`
	Metrics  []MetricConfig           `yaml:"metrics"`
}

// ChannelConfig is one channel: exactly one kind. Addresses may hold keys, so they print as [redacted].
type ChannelConfig struct {
	Terminal     bool           `yaml:"terminal"`
	Discord      DiscordConfig  `yaml:"discord"`
	URL          strict.Private `yaml:"url"`
	Alertmanager strict.Private `yaml:"alertmanager"`
	Webhook      strict.Private `yaml:"webhook"`
	Secret       strict.Secret  `yaml:"secret"`
}

// DiscordConfig is a webhook's address, or a bot with the channel that it speaks in.
type DiscordConfig struct {
	Webhook strict.Private // not a key: what stands in place of the mapping
	Bot     strict.Secret  `yaml:"bot"`
	Channel string         `yaml:"channel"`
	Allow   []strict.Expr  `yaml:"allow" strict:"later"`
}

// ParseNode takes both shapes.
func (d *DiscordConfig) ParseNode(n strict.Node) {
	if n.Kind() != strict.Mapping {
		n.Decode(&d.Webhook)
		return
	}
	type plain DiscordConfig
	n.Decode((*plain)(d))
	if d.Bot.IsZero() || d.Channel == "" {
		n.Report("a bot needs its token and the id of the channel that it speaks in", `discord: {bot: env:DISCORD_TOKEN, channel: "1234"}, or the address of a webhook`)
	}
}

// JSONSchema takes both shapes.
func (DiscordConfig) JSONSchema() *jsonschema.Schema {
	webhook := &jsonschema.Schema{Type: "string", Description: "the address of a webhook, or a reference to it: env:NAME, file:PATH, credential:NAME"}
	bot := jsonschema.NewProperties()
	bot.Set("bot", &jsonschema.Schema{Type: "string", Description: "a reference to the bot's token"})
	bot.Set("channel", &jsonschema.Schema{Type: "string", Description: "the id of the channel that the bot speaks in"})
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{
		webhook, {Type: "object", Properties: bot, Required: []string{"bot", "channel"}, AdditionalProperties: jsonschema.FalseSchema},
	}}
}

// JSONSchema is a call as it is written.
func (CallConfig) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "string", Pattern: `^0x[0-9a-fA-F]{40}\.[A-Za-z_$][A-Za-z0-9_$]*\(\)\(u?int[0-9]*\)$`, Description: "a call that returns one number: 0xFeed.latestAnswer()(int256)"}
}

// kinds are the kinds that a channel has keys of, in the order of the file's documentation.
func (c ChannelConfig) kinds() (out []string) {
	for _, k := range []struct {
		name string
		has  bool
	}{
		{"terminal", c.Terminal}, {"discord", !c.Discord.Webhook.IsZero() || !c.Discord.Bot.IsZero()}, {"url", !c.URL.IsZero()},
		{"alertmanager", !c.Alertmanager.IsZero()}, {"webhook", !c.Webhook.IsZero()},
	} {
		if k.has {
			out = append(out, k.name)
		}
	}
	return out
}

// RouteConfig sends some alerts to some channels.
type RouteConfig struct {
	To       []string `yaml:"to,required"`
	Events   []string `yaml:"events" strict:"enum=proposal|decision|reminder|vote|result|drift|emergency|system"`
	Severity string   `yaml:"severity" strict:"enum=info|warning|critical"` // and worse
}

// MetricConfig is one watched number: a call without arguments that returns one whole number.
type MetricConfig struct {
	Name  string          `yaml:"name,required"`
	Chain strict.Chain    `yaml:"chain,required"`
	Call  CallConfig      `yaml:"call,required"`
	Scale float64         `yaml:"scale"`
	Every strict.Duration `yaml:"every"`
}

// SetDefaults is what a file leaves out.
func (m *MetricConfig) SetDefaults() { m.Scale, m.Every = 1, strict.Duration(time.Minute) }

// CallConfig is a call written as 0xTarget.name()(type).
type CallConfig struct {
	target gov.Address
	method book.Method
	signed bool
	text   string
}

// ParseStrict reads the form.
func (c *CallConfig) ParseStrict(text string) error {
	form := strict.Mistake{Message: fmt.Sprintf("%.80q is not a call that returns one number", text), Hint: "0xFeed.latestAnswer()(int256)"}
	target, rest, ok := strings.Cut(text, ".")
	if !ok {
		return form
	}
	address, err := strict.ParseAddress(target)
	if err != nil {
		return err
	}
	name, result, ok := strings.Cut(rest, "()(")
	result, closed := strings.CutSuffix(result, ")")
	if !ok || !closed {
		return form
	}
	m, err := book.ParseSignature("function " + name + "() view returns (" + result + ")")
	if err != nil {
		return strict.Mistake{Message: form.Message + ": " + err.Error(), Hint: form.Hint}
	}
	if len(m.Outputs) != 1 || len(m.Inputs) != 0 || !(strings.HasPrefix(result, "int") || strings.HasPrefix(result, "uint")) || strings.Contains(result, "[") {
		return form
	}
	*c = CallConfig{gov.Address(address.Address), m, strings.HasPrefix(result, "int"), text}
	return nil
}

// String is the call as it was written.
func (c CallConfig) String() string { return c.text }

// MarshalText is String.
func (c CallConfig) MarshalText() ([]byte, error) { return []byte(c.text), nil }

// checkAlerts is what the shapes alone do not say.
func (c *Config) checkAlerts(a AlertsConfig) (out strict.Problems) {
	complain := func(path, message, hint string) { out = append(out, c.doc.Problem(path, message, hint)) }
	for _, name := range slices.Sorted(maps.Keys(a.Channels)) {
		ch, at := a.Channels[name], strict.Path("channels", name)
		if !plainName(name) {
			complain(at, fmt.Sprintf("%q cannot be a name: letters, digits, - and _, at most 40", name), "")
		}
		if n := ch.kinds(); len(n) != 1 {
			complain(at, "a channel has exactly one of terminal, discord, url, alertmanager, webhook", "")
		}
		if !ch.Secret.IsZero() && ch.Webhook.IsZero() {
			complain(strict.Path("channels", name, "secret"), "only a webhook is signed", "")
		}
	}
	for i, r := range a.Routes {
		if len(r.To) == 0 {
			complain(strict.Path("routes", i, "to"), "a route needs a channel to go to", "")
		}
		for k, to := range r.To {
			if _, ok := a.Channels[to]; !ok {
				complain(strict.Path("routes", i, "to", k), fmt.Sprintf("there is no channel %q", to), didYouMean(to, slices.Collect(maps.Keys(a.Channels))))
			}
		}
	}
	names := map[string]bool{}
	for i, m := range a.Metrics {
		if names[m.Name] {
			complain(strict.Path("metrics", i, "name"), fmt.Sprintf("two metrics are named %q", m.Name), "")
		}
		names[m.Name] = true
		if !plainName(m.Name) {
			complain(strict.Path("metrics", i, "name"), fmt.Sprintf("%q cannot be a name: letters, digits, - and _, at most 40", m.Name), "")
		}
		if _, ok := c.Chains[string(m.Chain)]; !ok && len(c.Chains) > 0 {
			complain(strict.Path("metrics", i, "chain"), fmt.Sprintf("chain %s is not among chains", m.Chain), "")
		}
		if m.Scale == 0 || math.IsInf(m.Scale, 0) || math.IsNaN(m.Scale) {
			complain(strict.Path("metrics", i, "scale"), "the scale makes every number the same", "scale: 1e-8")
		}
	}
	return out
}

func didYouMean(word string, known []string) string {
	slices.Sort(known)
	if s := strict.Suggest(word, known); s != "" {
		return fmt.Sprintf("did you mean %q?", s)
	}
	if len(known) == 0 {
		return "none is named in this file"
	}
	return "one of " + strings.Join(known, ", ")
}

// metricNames are the names that policies may read.
func (a AlertsConfig) metricNames() []string {
	out := []string{}
	for _, m := range a.Metrics {
		out = append(out, m.Name)
	}
	return out
}

// alerting is the part of the daemon that tells people: the outbox, its channels, and the emergency desk.
type alerting struct {
	outbox *journal.Outbox
	router *notify.Router
	desk   *risk.Desk
	set    *policies.Set
	world  *world
	poll   time.Duration
	every  time.Duration // the shortest interval of a watched number, at least a second
	log    *slog.Logger
	parts  *supervise.Supervisor
	// digests tells on a schedule what waits; nil where nobody runs it.
	digests *digester
}

// alertingParts are what openAlerting needs.
type alertingParts struct {
	conf   Config
	alerts AlertsConfig
	db     *journal.DB
	world  *world
	set    *policies.Set
	poll   time.Duration
	log    *slog.Logger
	// out is where terminal channels write.
	out io.Writer
	// sent is told of every alert that a channel has taken; may be nil.
	sent func(channel string, a dossier.Alert)
	// parts keeps the parts going; nil for one that raises alerts.
	parts *supervise.Supervisor
}

// openAlerting opens the channels; nothing is sent before run.
func openAlerting(ctx context.Context, p alertingParts) (*alerting, error) {
	names := slices.Sorted(maps.Keys(p.alerts.Channels))
	a := &alerting{set: p.set, world: p.world, poll: p.poll, log: p.log, parts: p.parts}
	if a.parts == nil {
		a.parts = supervise.New(supervise.Config{Log: p.log, Tell: func(what string, err error) { a.system(ctx, gov.Critical, what, err) }})
	}
	var err error
	if a.outbox, err = p.db.Outbox(ctx, names); err != nil {
		return nil, err
	}
	var channels []notify.Channel
	for _, name := range names {
		ch, err := openChannel(p, name, a.outbox)
		if err != nil {
			return nil, fmt.Errorf("%s: channels.%s: %w", p.conf.path, name, err)
		}
		channels = append(channels, ch)
	}
	conf := notify.RouterConfig{Now: time.Now, Log: p.log, Sent: p.sent, Parts: a.parts}
	for _, r := range p.alerts.Routes {
		route := notify.Route{To: r.To, Severity: gov.Severity(r.Severity)}
		for _, e := range r.Events {
			route.Events = append(route.Events, dossier.AlertEvent(e))
		}
		conf.Routes = append(conf.Routes, route)
	}
	if a.router, err = notify.New(a.outbox, channels, conf); err != nil {
		return nil, err
	}
	desk := risk.Config{Set: p.set, Reader: newMetricReader(p.world.panels, p.alerts.Metrics), Memory: a.outbox, Now: time.Now, Log: p.log, Subjects: openFacts(p.db, p.world)}
	a.every = time.Minute
	for _, m := range p.alerts.Metrics {
		a.every = max(min(a.every, m.Every.Std()), time.Second)
		desk.Metrics = append(desk.Metrics, risk.Metric{Name: gov.Label(m.Name), Every: m.Every.Std()})
	}
	a.desk = risk.New(desk)
	return a, nil
}

// openChannel resolves a channel's secrets and opens it.
func openChannel(p alertingParts, name string, notes notify.Notes) (notify.Channel, error) {
	out, err := p.alerts.Channels[name].resolve(name, p.conf.dir())
	if err != nil {
		return nil, err
	}
	out.Out, out.Notes = p.out, notes
	return notify.Open(out)
}

// resolve is a channel with its secrets.
func (c ChannelConfig) resolve(name, dir string) (notify.Config, error) {
	kinds := c.kinds()
	if len(kinds) != 1 {
		return notify.Config{}, errors.New("a channel has exactly one kind")
	}
	out := notify.Config{Name: name, Kind: kinds[0], Room: c.Discord.Channel}
	for _, s := range []struct {
		from strict.Secret
		to   *string
	}{
		{c.Discord.Webhook.Secret, &out.URL}, {c.URL.Secret, &out.URL}, {c.Alertmanager.Secret, &out.URL}, {c.Webhook.Secret, &out.URL},
		{c.Discord.Bot, &out.Token}, {c.Secret, &out.Secret},
	} {
		if s.from.IsZero() {
			continue
		}
		var err error
		if *s.to, err = s.from.Resolve(dir); err != nil {
			return notify.Config{}, err
		}
	}
	return out, nil
}

// run delivers alerts and watches the emergency rules until the context ends.
func (a *alerting) run(ctx context.Context) error {
	var watching sync.WaitGroup
	for chain := range a.world.clients {
		watching.Go(func() {
			a.parts.Run(ctx, "the emergency rules at "+chain.String(), func(ctx context.Context, part *supervise.Part) error {
				return a.watch(ctx, chain, part)
			})
		})
	}
	watching.Go(func() {
		a.parts.Run(ctx, "the operator's files", func(ctx context.Context, _ *supervise.Part) error { a.watchFiles(ctx); return nil })
	})
	if a.digests != nil {
		watching.Go(func() { a.parts.Run(ctx, "the digests", a.digests.run) })
	}
	err := a.router.Run(ctx)
	watching.Wait()
	return err
}

// watch ticks the desk at every new block of a chain. A chain that gives none is noticed too, at the numbers' own
// interval: what cannot be read is an alarm.
func (a *alerting) watch(ctx context.Context, chain gov.ChainID, part *supervise.Part) error {
	var last common.Hash
	var ticked time.Time
	failed := false
	for ctx.Err() == nil {
		part.On("the head after block %s", last.Hex())
		agreed, err := headOf(ctx, a.world.panels[chain])
		var head rpc.Header
		if err == nil {
			head = agreed.Value()
		}
		if ctx.Err() == nil && (err == nil && head.Hash != last || time.Since(ticked) >= a.every) {
			at := gov.Head{}
			if err == nil {
				at.Latest = gov.Block{Number: head.Number, Hash: head.Hash, Time: gov.UnixTime(head.Time)}
			}
			_, told := a.desk.Tick(ctx, at)
			if told == nil {
				ticked = time.Now()
				a.router.Wake()
				if err == nil {
					last = head.Hash
				}
			}
			err = errors.Join(err, told)
		}
		if err != nil && ctx.Err() == nil && !failed {
			a.log.Warn("the emergency rules cannot be looked at; tried again at each poll", "chain", chain.String(), "error", err)
		}
		failed = err != nil
		if ctx.Err() == nil {
			part.Note(err)
		}
		part.Idle()
		t := time.NewTimer(a.poll)
		select {
		case <-ctx.Done():
		case <-t.C:
		}
		t.Stop()
	}
	return nil
}

// observe is told of records; their alerts are made from the store.
func (a *alerting) observe(dossier.Record, dossier.Dossier) { a.router.Wake() }

// system tells people that the program needs one. It is logged too, since the channels may be what fails.
func (a *alerting) system(ctx context.Context, severity gov.Severity, what string, why error) {
	a.log.Error(what, "error", why)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err := a.router.Notify(ctx, dossier.SystemAlert(severity, what, why, time.Now())); err != nil {
		a.log.Error("could not store an alert", "error", err)
	}
}

// openFacts lists the open proposals with their facts, for rules that read them. It is asked at every head, so what did
// not change is kept.
func openFacts(db *journal.DB, w *world) func(context.Context) ([]risk.Subject, error) {
	type keptFacts struct {
		seq     int64
		has     bool
		subject risk.Subject
	}
	var mu sync.Mutex
	kept := map[gov.ProposalID]keptFacts{}
	return func(ctx context.Context) ([]risk.Subject, error) {
		mu.Lock()
		defer mu.Unlock()
		list, err := db.Proposals(ctx)
		if err != nil {
			return nil, err
		}
		var out []risk.Subject
		for _, e := range list {
			if e.Stage == dossier.AtClosed {
				delete(kept, e.ID)
				continue
			}
			k, ok := kept[e.ID]
			if !ok || k.seq != e.Seq {
				d, err := db.Load(ctx, e.ID)
				if journal.Itself(err) {
					continue // told and set aside by whoever follows it; the rules look at all others
				}
				if err != nil {
					return nil, err
				}
				k = keptFacts{seq: d.Seq, has: d.Gathered != nil && !d.Provisional}
				if k.has {
					k.subject = risk.Subject{ID: e.ID, Facts: d.Gathered.Facts}
				}
				kept[e.ID] = k
			}
			if k.has {
				subject := k.subject
				if g, err := w.of(e.ID); err == nil { // its name is for labels only
					subject.Governor = g.governor.Name
				}
				out = append(out, subject)
			}
		}
		return out, nil
	}
}
