package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/journal"
	"github.com/legate-dao/legate/agent/llm"
	"github.com/legate-dao/legate/chains/devchain"
	"github.com/legate-dao/legate/chains/signer"
	"github.com/legate-dao/legate/notify/discordtest"
)

// demoFlags are the arguments of `demo`.
type demoFlags struct {
	headless, fast, json, stage bool
	llm, dir                    string
}

// newDemo runs the main job on a chain of its own.
func newDemo() *cobra.Command {
	var f demoFlags
	c := &cobra.Command{
		Use:   "demo",
		Short: "Run the main job on an embedded chain: ten proposals, good and bad, to counted votes",
		Long: "Starts an embedded chain with two real OpenZeppelin governors, makes ten proposals, good and bad, and lets\n" +
			"the real pipeline decide and vote with the example policy. Every vote in the table at the end is read back\n" +
			"from the chain. Briefs are written by a model that listens on this machine, if there is one, or by the one that\n" +
			"--llm names; it decides nothing. Without --headless the chain and the API then stay until Ctrl-C.\n\n" +
			"With --stage it makes the chain, the proposals, a stand-in Discord and the files of a holder, and leaves the\n" +
			"rest to you: the journeys in docs/journeys are walked on it.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	c.Flags().BoolVar(&f.headless, "headless", false, "end when all is decided; status 0 only if each proposal got its outcome")
	c.Flags().BoolVar(&f.fast, "fast", false, "shorter periods, same outcomes")
	c.Flags().StringVar(&f.llm, "llm", anyModel, "model server for the briefs: auto (on this machine), none, or a URL")
	c.Flags().StringVar(&f.dir, "dir", "", "folder for the files of the demo; default a temporary one")
	c.Flags().BoolVar(&f.json, "json", false, "print the result as JSON")
	c.Flags().BoolVar(&f.stage, "stage", false, "only chain, proposals, stand-in Discord and files; the daemon is yours to run")
	c.MarkFlagsMutuallyExclusive("stage", "headless")
	c.MarkFlagsMutuallyExclusive("stage", "json")
	return c
}

func (f demoFlags) run(ctx context.Context, stdout, stderr io.Writer) (err error) {
	began := time.Now()
	say := func(format string, a ...any) { fmt.Fprintf(stderr, format+"\n", a...) }
	model, err := f.model(ctx, say)
	if err != nil {
		return err
	}
	dir, clean, err := f.folder()
	if err != nil {
		return err
	}
	defer clean()
	say("Starting an embedded chain and deploying two DAOs, with twelve past votings each …")
	p := periods(f.fast)
	p.past = !f.stage
	w, err := startDemoWorld(ctx, dir, p)
	if err != nil {
		return err
	}
	defer w.chain.Close()
	discord, err := discordtest.Start("127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("start the stand-in for Discord: %w", err)
	}
	defer discord.Close()
	w.discord, w.model = discord.Webhook(), model
	if f.stage {
		return w.stage(ctx, discord.URL(), say)
	}
	if err := w.writeFiles(ctx, "127.0.0.1:0"); err != nil {
		return err
	}
	d, stop, err := startDemo(ctx, w, say)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	say("Dashboard %s · Discord (a stand-in) %s · chain %s · files in %s", d.engine.address(), discord.URL(), w.chain.HTTP(), dir)
	if err := d.play(ctx); err != nil {
		return err
	}
	result, err := d.result(ctx, time.Since(began))
	if err != nil {
		return err
	}
	if f.json {
		err = printJSON(stdout, result)
	} else {
		err = renderDemo(stdout, result)
	}
	if err != nil {
		return err
	}
	if !f.headless {
		say("\nThe dashboard, the stand-in and the chain stay up; Ctrl-C ends them. Try, in another terminal:\n  legate show -c %s %s", filepath.Join(dir, "legate.yaml"), result.Proposals[0].Handle)
		<-ctx.Done()
		return nil
	}
	if !result.OK {
		return errNo
	}
	return nil
}

// model is the endpoint for the demo's legate.yaml. A server that was named must answer; where auto finds none the
// briefs are extracts.
func (f demoFlags) model(ctx context.Context, say func(string, ...any)) (string, error) {
	m, err := newModels(f.llm, llm.Config{}, nil)
	if err != nil {
		return "", usageError{fmt.Errorf("--llm: %w", err)}
	}
	client := m.find(ctx)
	if client == nil {
		if f.llm == anyModel {
			say("No model server listens on this machine: briefs are sentences of the proposals. --llm URL names a server.")
		}
		return noModel, nil
	}
	ctx, cancel := context.WithTimeout(ctx, doctorModelTime)
	defer cancel()
	info, err := client.Identify(ctx)
	if err != nil {
		return "", fmt.Errorf("--llm %s: %w; start the server, or use --llm none", f.llm, err)
	}
	say("Briefs by %s, %s at %s; it decides nothing.", dossier.Untrusted(shortName(info.Model)).Line(60), info.Server, info.URL)
	return info.URL, nil
}

// folder is where the demo's files go; clean removes a temporary one.
func (f demoFlags) folder() (dir string, clean func(), err error) {
	if f.dir != "" {
		dir, err := filepath.Abs(f.dir)
		if err != nil {
			return "", nil, err
		}
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return "", nil, fmt.Errorf("make the demo's folder: %w", err)
		}
		if _, err := os.Stat(filepath.Join(dir, "legate.db")); err == nil {
			return "", nil, fmt.Errorf("%s holds the store of an earlier demo, whose chain is gone; choose another folder", dir)
		}
		return dir, func() {}, nil
	}
	if dir, err = os.MkdirTemp("", "legate-demo-"); err != nil {
		return "", nil, fmt.Errorf("make the demo's folder: %w", err)
	}
	return dir, func() { os.RemoveAll(dir) }, nil
}

// demo is one run: the world, the daemon on it, and the story.
type demo struct {
	world     *demoWorld
	engine    *engine
	say       func(string, ...any)
	proposals []*devchain.Proposal
	began     time.Time

	mu     sync.Mutex
	told   map[string]bool
	alarms []dossier.Alert // emergency alerts that a channel has taken
}

// startDemo starts the daemon of `legate run --live` on the demo's files.
func startDemo(ctx context.Context, w *demoWorld, say func(string, ...any)) (*demo, func() error, error) {
	d := &demo{world: w, say: say, told: map[string]bool{}, began: time.Now()}
	conf, err := readConfig(filepath.Join(w.dir, "legate.yaml"))
	if err != nil {
		return nil, nil, err
	}
	log := slog.New(slog.NewTextHandler(sayWriter(say), &slog.HandlerOptions{Level: slog.LevelWarn}))
	d.engine, err = openEngine(ctx, conf, engineConfig{log: log, live: conf.Voter.Live, fetch: 40 * time.Millisecond, observe: d.tell, out: sayWriter(say), sent: d.delivered})
	if err != nil {
		return nil, nil, err
	}
	running, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- d.engine.run(running) }()
	return d, func() error {
		cancel()
		return errors.Join(<-done, d.engine.close())
	}, nil
}

// sayWriter writes log lines where the progress goes.
type sayWriter func(string, ...any)

func (w sayWriter) Write(b []byte) (int, error) {
	w("  log: %s", dossier.Untrusted(b).Line(400))
	return len(b), nil
}

// play tells the story: propose, let the wait pass, vote, answer a hold by hand, let the rest run out.
func (d *demo) play(ctx context.Context) (err error) {
	d.say("Making ten proposals …")
	if d.proposals, err = d.world.propose(ctx); err != nil {
		return err
	}
	if err := d.world.chain.Mine(ctx, 4); err != nil {
		return err
	}
	if err := d.quiet(ctx); err != nil {
		return err
	}
	d.say("All are decided. Now the six hours pass in which the holder could object …")
	if err := d.pass(ctx, 7*time.Hour); err != nil {
		return err
	}
	if err := d.answer(ctx); err != nil {
		return err
	}
	if err := d.crash(ctx); err != nil {
		return err
	}
	d.say("The remaining holds wait for their holder until twelve hours before the close …")
	if err := d.pass(ctx, 6*time.Hour); err != nil {
		return err
	}
	if err := d.quiet(ctx); err != nil {
		return err
	}
	if err := d.briefed(ctx); err != nil {
		return err
	}
	drained, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return d.engine.alerts.router.Drain(drained)
}

// briefWait is how long the table waits for briefs that a model still writes. No vote ever does.
const briefWait = 45 * time.Second

// briefed waits a while for the briefs, and says what became of them.
func (d *demo) briefed(ctx context.Context) error {
	waited := false
	for end := time.Now().Add(briefWait); ; waited = true {
		n, err := d.briefs(ctx)
		if err != nil {
			return err
		}
		if n.owed == 0 || time.Now().After(end) {
			d.say("%s", n)
			return nil
		}
		if !waited {
			d.say("All is decided and voted. %s still being written; waiting for %s at most …", count(n.owed, "brief"), briefWait.Round(time.Second))
		}
		if err := d.settled(ctx); err != nil {
			return err
		}
	}
}

// briefCount counts proposals by their brief; failed are those extracts for which a model gave nothing to use.
type briefCount struct{ owed, model, extracts, failed int }

func (n briefCount) String() string {
	text := fmt.Sprintf("Briefs: %d by a model, %d of sentences of the proposal", n.model, n.extracts)
	if n.failed > 0 {
		text += fmt.Sprintf(" (for %d of them the model gave nothing to use)", n.failed)
	}
	if n.owed > 0 {
		text += fmt.Sprintf(", %d still being written by the model (sentences of the proposal stand there until then)", n.owed)
	}
	return text + "."
}

// briefs counts.
func (d *demo) briefs(ctx context.Context) (n briefCount, err error) {
	list, err := d.engine.db.Proposals(ctx)
	if err != nil {
		return n, err
	}
	for _, e := range list {
		p, err := d.engine.db.Load(ctx, e.ID)
		if err != nil {
			return n, err
		}
		h, err := d.engine.world.Head(ctx, e.ID)
		if err != nil {
			return n, err
		}
		switch {
		case slices.ContainsFunc(dossier.Next(p, h.Value()), isBrief):
			n.owed++
		case p.Brief == nil:
		case p.Brief.Kind == gov.BriefModel:
			n.model++
		default:
			n.extracts++
			if p.Brief.Model != nil {
				n.failed++
			}
		}
	}
	return n, nil
}

func isBrief(s dossier.Step) bool { return s.Kind == dossier.Write }

// pass lets chain time pass, an hour at a time, and waits for the daemon after each.
func (d *demo) pass(ctx context.Context, span time.Duration) error {
	for ; span > 0; span -= time.Hour {
		if err := d.world.chain.Mine(ctx, 300); err != nil {
			return err
		}
		if err := d.quiet(ctx); err != nil {
			return err
		}
	}
	return nil
}

// quiet waits until the daemon has read the chain's head and nothing is owed; votes that wait for
// finality get a block.
func (d *demo) quiet(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, 90*time.Second, errors.New("the daemon did not come to rest within 90 s"))
	defer cancel()
	for {
		owed, err := d.owed(ctx)
		if err != nil {
			return err
		}
		if len(owed) == 0 {
			return nil
		}
		if !slices.ContainsFunc(owed, func(s dossier.Step) bool { return s.Kind != dossier.Confirm }) {
			if err := d.world.chain.Mine(ctx, 1); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w; still owed: %v", context.Cause(ctx), owed)
		case <-time.After(60 * time.Millisecond):
		}
	}
}

// catchUp stands for blocks that the daemon has not read yet.
const catchUp dossier.StepKind = "catch up"

func (d *demo) owed(ctx context.Context) ([]dossier.Step, error) {
	head, err := d.world.chain.Head(ctx)
	if err != nil {
		return nil, err
	}
	list, err := d.engine.db.Proposals(ctx)
	if err != nil {
		return nil, err
	}
	var owed []dossier.Step
	if len(list) < len(d.proposals) {
		owed = append(owed, dossier.Step{Kind: catchUp})
	}
	for _, e := range list {
		h, err := d.engine.world.Head(ctx, e.ID)
		if err != nil || h.Value().Latest.Number < head.Number.Uint64() {
			return []dossier.Step{{Kind: catchUp}}, nil
		}
		p, err := d.engine.db.Load(ctx, e.ID)
		if err != nil {
			return nil, err
		}
		owed = append(owed, slices.DeleteFunc(dossier.Next(p, h.Value()), isBrief)...) // nothing waits for a brief
	}
	return owed, nil
}

// id is the proposal's id as the program writes it.
func (d *demo) id(i int) gov.ProposalID {
	n, err := gov.ParseAmount(d.proposals[i].ID.String())
	if err != nil {
		panic(err) // a uint256 from the chain
	}
	return gov.ProposalID{Chain: gov.ChainID(d.world.chain.ChainID().Uint64()), Governor: gov.Address(d.world.daos[demoCases[i].dao].Governor), Number: n}
}

// tell says what happened, as it happens; what it said before it does not repeat.
func (d *demo) tell(r dossier.Record, p dossier.Dossier) {
	what, line := narrate(r, p)
	if what == "" || what == "sent" || what == "chain" {
		return
	}
	handle := p.ID().Handle(p.Proposal.Name, 6)
	key := handle + what + line
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.told[key] {
		return
	}
	d.told[key] = true
	d.say("%6.1fs  %-14s %-11s %s", time.Since(d.began).Seconds(), handle, what, line)
}

// answer has the holder decide the holds that the story says, with the code of `legate vote`.
func (d *demo) answer(ctx context.Context) error {
	pass, err := os.ReadFile(filepath.Join(d.world.dir, "passphrase"))
	if err != nil {
		return err
	}
	hand, err := signer.OpenApprover(ctx, "keystore:hand.json", signer.PassphraseOf(strings.TrimSpace(string(pass))), d.world.dir)
	if err != nil {
		return err
	}
	for i, c := range demoCases {
		if c.byHand == "" {
			continue
		}
		direction, err := gov.ParseDirection(c.byHand)
		if err != nil {
			return err
		}
		support, _ := direction.Support()
		p, err := d.engine.db.Load(ctx, d.id(i))
		if err != nil {
			return err
		}
		d.say("The holder answers the hold on %s by `legate vote %s %s` …", c.text[2:strings.Index(c.text, "\n")], p.ID().Handle(p.Proposal.Name, 6), c.byHand)
		if _, err := castByHand(ctx, d.engine.conf, d.engine.db, hand, p, support, 24*time.Hour, false); err != nil {
			return err
		}
	}
	if err := d.settled(ctx); err != nil {
		return err
	}
	return d.quiet(ctx)
}

// crash lets the price of the market's asset fall and waits for the alarm.
func (d *demo) crash(ctx context.Context) error {
	harbor := d.world.daos["harbor"]
	set := func(milli int64) error {
		price := new(big.Int).Mul(big.NewInt(milli), big.NewInt(1e15))
		_, err := d.world.deployer.Transact(ctx, harbor.Oracle, "PriceOracle", "setPrice", harbor.Token, price)
		return err
	}
	d.say("The price of the market's asset falls from 2 to 0.4 …")
	if err := set(400); err != nil {
		return err
	}
	for range 60 { // the rule asks for a minute of it; each look is one block
		if err := d.world.chain.Mine(ctx, 3); err != nil {
			return err
		}
		if err := d.settled(ctx); err != nil {
			return err
		}
		d.mu.Lock()
		n := len(d.alarms)
		d.mu.Unlock()
		if n > 0 {
			break
		}
	}
	return set(2000)
}

// delivered is told of every alert that a channel has taken.
func (d *demo) delivered(channel string, a dossier.Alert) {
	if a.Event != dossier.AlertEmergency {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if a.On() {
		d.alarms = append(d.alarms, a)
	}
	d.say("%6.1fs  %-14s %-11s %s, on %s", time.Since(d.began).Seconds(), "alarm", string(a.Severity), a.Title, channel)
}

// settled waits until the daemon has noticed what was written beside it.
func (d *demo) settled(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(500 * time.Millisecond):
		return nil
	}
}

// handles are the shortest that tell all proposals apart.
func (d *demo) handles(ctx context.Context) (map[gov.ProposalID]string, error) {
	list, err := d.engine.db.Proposals(ctx)
	return journal.Handles(list), err
}
