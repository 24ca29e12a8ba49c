package risk_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/journal"
	"github.com/legate-dao/legate/agent/risk"
	"github.com/legate-dao/legate/policies"
)

const rules = `version: 1
holders: [{name: a, account: "eip155:1:0x00000000000000000000000000000000000000A1", governors: [g], policy: p}]
policies: {p: {otherwise: hold, rules: [{name: r, vote: against, when: "treasury.outflow_bps > 5000"}], hold_if: [{name: l, when: "text.length > 9"}]}}
emergency:
  - {name: crash, when: 'metrics["price"] < 900', for: 10m, do: [{alert: critical}]}
  - {name: drain, when: 'treasury.outflow_bps > 9000 && metrics["price"] > 0', for: 0s, do: [{alert: warning}]}
`

func set(t *testing.T) *policies.Set { return parsed(t, rules) }

var sets = map[string]*policies.Set{} // a set is immutable, and reading one takes a while

func parsed(t *testing.T, text string) *policies.Set {
	t.Helper()
	if s := sets[text]; s != nil {
		return s
	}
	s, problems := policies.Parse("policies.yaml", []byte(text))
	if problems.HasErrors() {
		t.Fatal(problems)
	}
	sets[text] = s
	return s
}

// price is a feed: a number, or an error.
type price struct {
	value float64
	err   error
	reads int
	block uint64
}

func (p *price) Read(_ context.Context, m gov.Label) (gov.Measured, error) {
	p.reads++
	return gov.Measured{Value: p.value, Block: gov.Block{Number: p.block}, Source: string(m) + " = feed, agreed by 2 of 3"}, p.err
}

// memory keeps what is saved as the store does, written and read, or fails.
type memory struct {
	list   []byte
	sights []byte
	alerts []dossier.Alert
	saves  int
	err    error
}

func kept[T any](b []byte) (list []T, err error) {
	if b == nil {
		return nil, nil
	}
	err = json.Unmarshal(b, &list)
	return list, err
}

func (m *memory) Watches(context.Context) ([]gov.Watch, error) { return kept[gov.Watch](m.list) }

func (m *memory) SaveWatches(_ context.Context, list []gov.Watch, told []gov.Firing) (err error) {
	if m.err != nil {
		return m.err
	}
	m.saves++
	m.list, err = json.Marshal(list)
	for _, f := range told {
		m.alerts = append(m.alerts, dossier.AlarmAlert(f))
	}
	return err
}

func (m *memory) Sights(context.Context) ([]gov.Sight, error) { return kept[gov.Sight](m.sights) }

func (m *memory) SaveSights(_ context.Context, list, told []gov.Sight) (err error) {
	if m.err != nil {
		return m.err
	}
	m.sights, err = json.Marshal(list)
	for _, s := range told {
		m.alerts = append(m.alerts, dossier.SightAlert(s, time.Unix(int64(max(s.Raised, s.Ended)), 0)))
	}
	return err
}

// emergencies are the alerts about rules.
func (m *memory) emergencies() (out []dossier.Alert) {
	for _, a := range m.alerts {
		if a.Event == dossier.AlertEmergency {
			out = append(out, a)
		}
	}
	return out
}

type rig struct {
	t    *testing.T
	feed *price
	mem  *memory
	desk *risk.Desk
	open []risk.Subject
	wall int64
	text string
}

func newRig(t *testing.T) *rig {
	r := &rig{t: t, feed: &price{value: 2000}, mem: &memory{}, text: rules}
	r.restart()
	return r
}

func (r *rig) restart() {
	r.desk = risk.New(risk.Config{Set: parsed(r.t, r.text), Metrics: []risk.Metric{{Name: "price", Every: time.Minute}}, Reader: r.feed, Memory: r.mem,
		Subjects: func(context.Context) ([]risk.Subject, error) { return r.open, nil }, Now: func() time.Time { return time.Unix(start+r.wall, 0) }})
}

const start = 1_700_000_000

func at(seconds int64) gov.Head {
	return gov.Head{Latest: gov.Block{Number: uint64(1000 + seconds), Time: gov.UnixTime(start + seconds)}}
}

// tick says what is told, as "rule result", or "rule state" of what is over.
func (r *rig) tick(seconds int64, want ...string) {
	r.t.Helper()
	r.wall, r.feed.block = seconds, uint64(1000+seconds)
	told, err := r.desk.Tick(r.t.Context(), at(seconds))
	if err != nil {
		r.t.Fatal(err)
	}
	var got []string
	for _, f := range told {
		word := string(f.Alarm.Result)
		if f.State == gov.AlarmResolved || f.State == gov.AlarmKnown {
			word = string(f.State)
		}
		got = append(got, fmt.Sprintf("%s %s", f.Alarm.Rule, word))
	}
	if strings.Join(got, ", ") != strings.Join(want, ", ") {
		r.t.Errorf("at %d: %v, want %v", seconds, got, want)
	}
}

func TestRuleFiresOnceAfterItsFor(t *testing.T) {
	r := newRig(t)
	r.tick(0)
	r.feed.value = 800
	r.tick(60)
	r.tick(659)
	r.tick(660, "crash true")
	r.tick(700)
	r.tick(9000)
	if len(r.mem.alerts) != 1 || r.mem.alerts[0].Severity != gov.Critical || r.mem.alerts[0].Event != dossier.AlertEmergency {
		t.Fatalf("%+v", r.mem.alerts)
	}
	r.feed.value = 1000 // over
	r.tick(9100, "crash resolved")
	r.feed.value = 700
	r.tick(9200)
	r.tick(9800, "crash true")
	if r.mem.alerts[0].ID == r.mem.alerts[2].ID {
		t.Error("two firings have one id")
	}
}

func TestFalseInBetweenRestartsTheClock(t *testing.T) {
	r := newRig(t)
	r.feed.value = 800
	r.tick(0)
	r.feed.value = 1000
	r.tick(300)
	r.feed.value = 800
	r.tick(360)
	r.tick(900)
	r.tick(960, "crash true")
}

func TestUnknownIsToldAndDoesNotClearTheClock(t *testing.T) {
	r := newRig(t)
	r.feed.value = 800
	r.tick(0)
	r.feed.err = errors.New("timeout")
	r.tick(120)
	r.tick(600) // true for ten minutes is not known yet
	r.feed.err = nil
	r.tick(630, "crash true")
	r.feed.err = errors.New("timeout")
	r.tick(700)
	r.tick(1299)
	r.tick(1300, "crash unknown")
	r.tick(1400)
	r.feed.err = nil
	r.tick(1500) // fired before, and it was not false since
}

func TestTruthOfLongAgoDoesNotCount(t *testing.T) {
	r := newRig(t)
	r.feed.value = 800
	r.tick(0)
	r.restart() // and a day passes
	r.tick(86400)
	r.tick(87000, "crash true")
}

func TestRestartKeepsClocksAndFiring(t *testing.T) {
	r := newRig(t)
	r.feed.value = 800
	r.tick(0)
	r.restart()
	r.tick(600, "crash true")
	r.restart()
	r.tick(700)
	if len(r.mem.alerts) != 1 {
		t.Errorf("%d alerts", len(r.mem.alerts))
	}
}

func TestWhatCannotBeStoredFiresAgainWithTheSameID(t *testing.T) {
	r := newRig(t)
	r.feed.value = 800
	r.tick(0)
	r.mem.err = errors.New("disk full")
	if _, err := r.desk.Tick(t.Context(), at(600)); err == nil {
		t.Fatal("no error")
	}
	r.mem.err = nil
	r.tick(612, "crash true")
	want := dossier.AlarmAlert(gov.Firing{Alarm: gov.Alarm{Rule: "crash", Result: gov.True}, Since: start}).ID
	if r.mem.alerts[0].ID != want {
		t.Error("another id")
	}
}

func TestNumbersAreReadAsOftenAsTold(t *testing.T) {
	r := newRig(t)
	for s := range int64(10) {
		r.tick(s * 12)
	}
	if r.feed.reads != 2 {
		t.Errorf("%d readings in 108 s, every: 1m", r.feed.reads)
	}
	if r.mem.saves != 0 {
		t.Errorf("%d writes while nothing happens", r.mem.saves)
	}
}

// G38: rules about facts speak of open proposals, each for itself, and alerts are all that they can do.
func TestG38RulesAboutFactsSpeakOfEachProposal(t *testing.T) {
	r := newRig(t)
	id := func(n uint64) gov.ProposalID { return gov.ProposalID{Chain: 1, Number: gov.NewAmount(n)} }
	with := func(n uint64, bps float64) risk.Subject {
		s := risk.Subject{ID: id(n)}
		s.Facts.Effects.Status = gov.Known(gov.EffectsExecuted)
		s.Facts.Treasury.OutflowBps = gov.Known(bps)
		return s
	}
	r.tick(0)
	r.open = []risk.Subject{with(1, 10), with(2, 9500)}
	r.tick(12, "drain true")
	if p := r.mem.alerts[0].Proposal; p == nil || *p != id(2) {
		t.Errorf("about %v", p)
	}
	r.open = append(r.open, risk.Subject{ID: id(3)}, with(4, 9999))
	r.tick(24, "drain true")
	r.tick(324, "drain unknown") // of 3 nothing is known
	r.open = nil
	r.tick(400, "drain resolved", "drain known", "drain resolved") // 2, 3, 4: they are open no more
	for _, a := range r.mem.alerts {
		if a.Event != dossier.AlertEmergency {
			t.Errorf("%+v", a)
		}
	}
}

// TestG45AlarmSurvivesAKill kills the process right after the alarm is raised, before anything is delivered.
func TestG45AlarmSurvivesAKill(t *testing.T) {
	if dir := os.Getenv("LEGATE_RISK_DIR"); dir != "" {
		db, outbox := openOutbox(t, dir)
		defer db.Close()
		desk := risk.New(risk.Config{Set: set(t), Metrics: []risk.Metric{{Name: "price"}}, Reader: &price{value: 100}, Memory: outbox})
		for _, s := range []int64{0, 700} {
			if _, err := desk.Tick(t.Context(), at(s)); err != nil {
				t.Fatal(err)
			}
		}
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}
	dir := t.TempDir()
	for range 3 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestG45AlarmSurvivesAKill$")
		cmd.Env = append(os.Environ(), "LEGATE_RISK_DIR="+dir)
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	db, outbox := openOutbox(t, dir)
	defer db.Close()
	list, err := outbox.Pending(t.Context(), "pager", 10)
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != 1 || list[0].Alert.Title != "emergency: crash" {
		t.Fatalf("%d alarms after three runs that were killed", len(list))
	}
}

func openOutbox(t *testing.T, dir string) (*journal.DB, *journal.Outbox) {
	t.Helper()
	db, err := journal.Open(t.Context(), "sqlite:legate.db", dir, journal.Daemon)
	if err != nil {
		t.Fatal(err)
	}
	outbox, err := db.Outbox(t.Context(), []string{"pager"})
	if err != nil {
		t.Fatal(err)
	}
	return db, outbox
}
