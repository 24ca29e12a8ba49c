package risk_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/risk"
)

// fields are an alert's JSON as a receiver reads it.
func fields(t *testing.T, a dossier.Alert) map[string]any {
	t.Helper()
	text, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]any
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestG52AnAlarmSaysWhatItKnowsAndItsEnd(t *testing.T) {
	r := newRig(t)
	r.tick(0)
	r.feed.value = 850
	r.tick(60)
	r.feed.value = 800
	r.tick(660, "crash true")
	r.feed.value = 1000
	r.tick(960, "crash resolved")
	if len(r.mem.alerts) != 2 {
		t.Fatalf("%d alerts", len(r.mem.alerts))
	}
	first, last := fields(t, r.mem.alerts[0]), fields(t, r.mem.alerts[1])
	since := time.Unix(start+60, 0).UTC().Format(time.RFC3339)
	for key, want := range map[string]any{
		"event": "emergency", "severity": "critical", "rule": "crash", "state": "firing", "expression": `metrics["price"] < 900`,
		"value": 800.0, "limit": 900.0, "before": 2000.0, "since": since, "block": 1060.0, "metric": "price", "title": "emergency: crash",
	} {
		if first[key] != want {
			t.Errorf("firing: %s is %v, want %v", key, first[key], want)
		}
	}
	for key, want := range map[string]any{
		"event": "emergency", "severity": "critical", "rule": "crash", "state": "resolved", "expression": `metrics["price"] < 900`,
		"value": 1000.0, "limit": 900.0, "before": 800.0, "since": since, "block": 1060.0, "metric": "price", "lasted_seconds": 900.0, "title": "emergency: crash resolved",
	} {
		if last[key] != want {
			t.Errorf("resolved: %s is %v, want %v", key, last[key], want)
		}
	}
	lines := strings.Join(r.mem.alerts[0].Lines, "\n")
	for _, want := range []string{"2023-11-14 22:14 UTC (block 1060)", "Value 800, limit 900, before 2000.", "Source: price = feed, agreed by 2 of 3"} {
		if !strings.Contains(lines, want) {
			t.Errorf("the lines do not say %q:\n%s", want, lines)
		}
	}
	if lines = strings.Join(r.mem.alerts[1].Lines, "\n"); !strings.Contains(lines, "after 15m0s") {
		t.Errorf("the end does not say how long it lasted:\n%s", lines)
	}
}

// A firing alarm whose number cannot be read is not over, through restarts too.
func TestG52UnknownIsNotResolved(t *testing.T) {
	r := newRig(t)
	r.feed.value = 800
	r.tick(0)
	r.tick(600, "crash true")
	r.feed.err = errors.New("timeout")
	r.tick(660)
	r.restart()
	r.tick(700)
	r.tick(1259)
	r.tick(1260, "crash unknown")
	blind := r.mem.alerts[len(r.mem.alerts)-1]
	if f := fields(t, blind); f["state"] != "firing" || f["value"] != 800.0 || f["unreadable_since"] != time.Unix(start+660, 0).UTC().Format(time.RFC3339) {
		t.Errorf("%v", f)
	}
	if !strings.Contains(strings.Join(blind.Lines, "\n"), "cannot be read since 2023-11-14 22:24 UTC") {
		t.Errorf("%q", blind.Lines)
	}
	r.tick(9000)
	r.feed.err = nil
	r.tick(9060) // still true
	r.feed.value = 1000
	r.tick(9120, "crash resolved")
	if n := len(r.mem.emergencies()); n != 3 {
		t.Errorf("%d alerts about the rule, want that it fires, cannot be read, is over", n)
	}
}

func TestG52ARuleThatCannotBeEvaluatedSaysWhenItCanBe(t *testing.T) {
	r := newRig(t)
	r.tick(0)
	r.feed.err = errors.New("timeout")
	r.tick(60)
	r.tick(660, "crash unknown")
	r.restart()
	r.tick(720)
	r.feed.err = nil
	r.tick(780, "crash known")
	r.tick(840)
	list := r.mem.emergencies()
	if len(list) != 2 || list[0].State != gov.AlarmUnknown || list[1].State != gov.AlarmKnown || *list[1].Lasted != 720 {
		t.Fatalf("%+v", list)
	}
}

// A number that cannot be read for three intervals is told, critical where a rule reads it, and its end is told.
func TestG52ABlindMonitorIsAnAlarm(t *testing.T) {
	r := newRig(t)
	r.tick(0)
	r.feed.err = &risk.Unreadable{Why: "the call reverts", Err: errors.New("execution reverted: <@everyone>")}
	sights := func() (out []dossier.Alert) {
		for _, a := range r.mem.alerts {
			if a.Event == dossier.AlertSystem {
				out = append(out, a)
			}
		}
		return out
	}
	r.tick(60)
	r.tick(120)
	r.restart() // the count goes on
	r.tick(180)
	r.tick(239)
	if n := len(sights()); n != 0 {
		t.Fatalf("%d alerts before three intervals", n)
	}
	r.tick(240)
	r.tick(300)
	r.restart()
	r.tick(301)
	list := sights()
	if len(list) != 1 || list[0].Severity != gov.Critical || list[0].State != gov.AlarmFiring || *list[0].Metric != "price" {
		t.Fatalf("%+v", list)
	}
	text := strings.Join(list[0].Lines, "\n")
	if !strings.Contains(text, "The call reverts.") || strings.Contains(text, "everyone") || !strings.Contains(text, "crash,drain") {
		t.Errorf("%s", text)
	}
	if n := r.desk.Numbers(); !n[0].Fails {
		t.Errorf("%+v", n)
	}
	r.feed.err = nil
	r.tick(360)
	r.tick(420)
	list = sights()
	if len(list) != 2 || list[1].State != gov.AlarmResolved || *list[1].Lasted != 300 || !strings.Contains(list[1].Title, "can be read again") {
		t.Fatalf("%+v", list)
	}
	if n := r.desk.Numbers(); n[0].Fails || n[0].Read.Value != 2000 || n[0].At.Unix() != start+420 {
		t.Errorf("%+v", n)
	}
}

// A chain that gives no head gives no ticks of its own; the wall clock tells that nothing is read.
func TestG52ADeadChainIsABlindMonitor(t *testing.T) {
	r := newRig(t)
	r.tick(0)
	r.feed.err = errors.New("connection refused")
	for s := int64(30); s <= 300; s += 30 {
		r.wall = s
		if _, err := r.desk.Tick(t.Context(), gov.Head{}); err != nil {
			t.Fatal(err)
		}
	}
	if len(r.mem.alerts) != 1 || r.mem.alerts[0].Event != dossier.AlertSystem {
		t.Fatalf("%+v", r.mem.alerts)
	}
}

// A number that no rule reads is a warning when it cannot be read; without any rule it is watched all the same.
func TestG52ANumberWithoutARuleIsWatched(t *testing.T) {
	r := newRig(t)
	r.text = rules[:strings.Index(rules, "emergency:")]
	r.restart()
	r.feed.err = errors.New("no code")
	for s := int64(0); s <= 240; s += 60 {
		r.tick(s)
	}
	if len(r.mem.alerts) != 1 || r.mem.alerts[0].Severity != gov.Warning {
		t.Fatalf("%+v", r.mem.alerts)
	}
}

// A rule that is taken out of the policies while it fires is over, and says why.
func TestG52ARuleThatIsTakenOutIsOver(t *testing.T) {
	r := newRig(t)
	r.feed.value = 800
	r.tick(0)
	r.tick(600, "crash true")
	r.text = rules[:strings.Index(rules, "emergency:")]
	r.restart()
	r.tick(700, "crash resolved")
	if last := r.mem.alerts[1]; !strings.Contains(strings.Join(last.Lines, " "), "not in the policies any more") || last.ID == r.mem.alerts[0].ID {
		t.Errorf("%+v", last)
	}
	r.tick(800)
}

// Rules of any form say what they read: two sides where there are two, else all values.
func TestG52WhatARuleReads(t *testing.T) {
	for _, c := range []struct {
		when                 string
		value, limit, metric any
		values               int
	}{
		{`metrics["price"] < 900`, 800.0, 900.0, "price", 0},
		{`900.5 >= metrics["price"]`, 800.0, 900.5, "price", 0},
		{`metrics["price"] != 0.0`, 800.0, 0.0, "price", 0},
		{`metrics["price"] > -5`, 800.0, -5.0, "price", 0},
		{`metrics["price"] < 900 || metrics["price"] > 5000`, nil, nil, "price", 1},
		{`metrics["price"] * 2 < 1800`, nil, nil, "price", 1},
		{`!(metrics["price"] > 900)`, nil, nil, "price", 1},
		{`metrics["price"] < metrics["other"]`, nil, nil, "other,price", 2},
		{`treasury.outflow_bps < 9000`, 10.0, 9000.0, nil, 0},
		{`true`, nil, nil, nil, 0},
	} {
		text := rules[:strings.Index(rules, "emergency:")] + fmt.Sprintf("emergency:\n  - {name: r, when: '%s', for: 0s, do: [{alert: critical}]}\n", c.when)
		s := risk.Subject{ID: gov.ProposalID{Chain: 1, Number: gov.NewAmount(1)}, Governor: "harbor"}
		s.Facts.Effects.Status = gov.Known(gov.EffectsExecuted)
		s.Facts.Treasury.OutflowBps = gov.Known(10.0)
		mem := &memory{}
		desk := risk.New(risk.Config{
			Set: parsed(t, text), Metrics: []risk.Metric{{Name: "price"}, {Name: "other"}}, Reader: &two{}, Memory: mem,
			Subjects: func(context.Context) ([]risk.Subject, error) { return []risk.Subject{s}, nil },
		})
		if _, err := desk.Tick(t.Context(), at(0)); err != nil {
			t.Fatal(err)
		}
		if len(mem.alerts) != 1 {
			t.Fatalf("%s: %d alerts", c.when, len(mem.alerts))
		}
		f := fields(t, mem.alerts[0])
		values, _ := f["values"].(map[string]any)
		if f["value"] != c.value || f["limit"] != c.limit || f["metric"] != c.metric || len(values) != c.values || f["expression"] != c.when {
			t.Errorf("%s: %v", c.when, f)
		}
	}
}

// TestG52RandomLives draws prices, failures, restarts, kills between state and delivery, and failing disks, and
// compares what is told with a model of three lines: firing after ten minutes of truth, over at the first falsehood.
func TestG52RandomLives(t *testing.T) {
	const lives, steps = 300, 120
	fired, over := 0, 0
	for seed := range uint64(lives) {
		random := rand.New(rand.NewPCG(seed, 52))
		r := newRig(t)
		r.text = strings.Replace(rules, "\n  - {name: drain", "\n#", 1)
		r.restart()
		var want []string
		since, on, now := int64(-1), false, int64(0)
		for range steps {
			now += 61 + random.Int64N(240)
			down, failing := random.IntN(2) == 0, random.IntN(6) == 0
			r.feed.value, r.feed.err = 2000, nil
			if down {
				r.feed.value = 800
			}
			if failing {
				r.feed.err = errors.New("timeout")
			}
			switch {
			case failing:
			case down && since < 0:
				since = now
			case !down:
				if on {
					want = append(want, fmt.Sprint("resolved ", start+since))
				}
				since, on = -1, false
			}
			if !failing && down && !on && now-since >= 600 {
				on = true
				want = append(want, fmt.Sprint("firing ", start+since))
			}
			if random.IntN(4) == 0 {
				r.restart()
			}
			r.wall, r.feed.block = now, uint64(1000+now)
			for r.mem.err = map[bool]error{true: errors.New("disk full")}[random.IntN(5) == 0]; ; r.mem.err = nil {
				if _, err := r.desk.Tick(t.Context(), at(now)); err == nil {
					break
				} else if r.mem.err == nil {
					t.Fatal(err)
				}
				if random.IntN(2) == 0 {
					r.restart()
				}
			}
		}
		var got []string
		ids := map[string]bool{}
		for _, a := range r.mem.emergencies() {
			if ids[a.ID] {
				t.Errorf("life %d: id %s twice", seed, a.ID)
			}
			ids[a.ID] = true
			if a.State == gov.AlarmResolved || a.State == gov.AlarmFiring && a.Blind == nil {
				got = append(got, fmt.Sprint(a.State, " ", int64(a.Since)))
			}
		}
		if strings.Join(got, ", ") != strings.Join(want, ", ") {
			t.Fatalf("life %d:\n got %q\nwant %q", seed, got, want)
		}
		for _, w := range want {
			if strings.HasPrefix(w, "firing") {
				fired++
			} else {
				over++
			}
		}
	}
	if fired < lives || over < lives/2 {
		t.Fatalf("only %d alarms and %d ends were drawn", fired, over)
	}
	t.Logf("n = %d lives of %d readings: %d alarms, %d ends, 0 lost, 0 twice", lives, steps, fired, over)
}

// two gives two numbers.
type two struct{}

func (two) Read(_ context.Context, m gov.Label) (gov.Measured, error) {
	return gov.Measured{Value: map[gov.Label]float64{"price": 800, "other": 900}[m]}, nil
}

// hanging never answers for one number.
type hanging struct{ price }

func (h *hanging) Read(ctx context.Context, m gov.Label) (gov.Measured, error) {
	if m == "dead" {
		<-ctx.Done()
		return gov.Measured{}, ctx.Err()
	}
	return h.price.Read(ctx, m)
}

// A number that hangs keeps no other from being read, and is blind in the end.
func TestG52OneThatHangsHidesNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem, feed := &memory{}, &hanging{price{value: 800}}
		desk := risk.New(risk.Config{Set: set(t), Metrics: []risk.Metric{{Name: "dead", Every: time.Minute}, {Name: "price", Every: time.Minute}}, Reader: feed, Memory: mem})
		began := time.Now()
		for s := int64(0); s <= 720; s += 60 {
			if _, err := desk.Tick(t.Context(), at(s)); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(began); took > 13*20*time.Second {
			t.Errorf("13 ticks took %s", took)
		}
		var titles []string
		for _, a := range mem.alerts {
			titles = append(titles, a.Title)
		}
		if got := strings.Join(titles, ", "); got != "legate: the watched number dead cannot be read, emergency: crash" {
			t.Errorf("%s", got)
		}
	})
}

// What an earlier release stored goes on: what had fired fires, for whoever reads the store too and from the first look
// on, and is over when it is false.
func TestG52ClocksOfAnEarlierRelease(t *testing.T) {
	for _, ago := range []int64{900, 5} {
		t.Run(fmt.Sprint(ago), func(t *testing.T) { clocksOfAnEarlierRelease(t, ago) })
	}
}

func clocksOfAnEarlierRelease(t *testing.T, ago int64) {
	r := newRig(t)
	since, last := time.Unix(start-900, 0).UTC().Format(time.RFC3339), time.Unix(start-ago, 0).UTC().Format(time.RFC3339)
	r.mem.list = []byte(`[{"rule":"crash","about":"","result":"true","since":"` + since + `","last":"` + last + `","fired":true}]`)
	r.restart()
	r.feed.value = 800
	r.tick(0)
	if len(r.mem.alerts) != 0 {
		t.Fatalf("%+v", r.mem.alerts)
	}
	list, err := r.mem.Watches(t.Context())
	if err != nil || len(list) != 1 || list[0].State != gov.AlarmFiring || list[0].Told == nil {
		t.Fatalf("%+v %v", list, err)
	}
	r.feed.value = 1000
	r.tick(60, "crash resolved")
	want := dossier.AlarmAlert(gov.Firing{Alarm: gov.Alarm{Rule: "crash", Result: gov.True}, Since: start - 900}).ID
	if a := dossier.AlarmAlert(*list[0].Told); a.ID != want || r.mem.alerts[0].ID == want {
		t.Error("another id than the alarm that was told")
	}
}

// An episode begins at no moment at which another ended, so that no two have one id.
func TestG52TwoEpisodesAtOneMoment(t *testing.T) {
	r := newRig(t)
	r.text = rules[:strings.Index(rules, "emergency:")] + "emergency:\n  - {name: big, when: 'treasury.outflow_bps > 9000', for: 0s, do: [{alert: critical}]}\n"
	r.restart()
	s := risk.Subject{ID: gov.ProposalID{Chain: 1, Number: gov.NewAmount(1)}, Governor: "harbor"}
	s.Facts.Effects.Status = gov.Known(gov.EffectsExecuted)
	bps := func(v float64) {
		s.Facts.Treasury.OutflowBps = gov.Known(v)
		r.open = []risk.Subject{s}
	}
	bps(9500)
	r.tick(0, "big true")
	bps(10)
	r.tick(0, "big resolved")
	bps(9500)
	r.tick(0)
	r.tick(1, "big true")
	ids := map[string]bool{}
	for _, a := range r.mem.alerts {
		ids[a.ID] = true
		if a.Governor != "harbor" || a.Proposal == nil {
			t.Errorf("%+v", a)
		}
	}
	if len(ids) != 3 {
		t.Errorf("%d ids of three alerts", len(ids))
	}
}

// panicking is a reader with a fault of its own.
type panicking struct{}

func (panicking) Read(context.Context, gov.Label) (gov.Measured, error) { panic("no such feed") }

// A reader that panics is a number that cannot be read, and is told.
func TestG52AReaderThatPanicsIsABlindMonitor(t *testing.T) {
	mem := &memory{}
	wall := int64(0)
	desk := risk.New(risk.Config{
		Set: set(t), Metrics: []risk.Metric{{Name: "price", Every: time.Minute}}, Reader: panicking{}, Memory: mem,
		Now: func() time.Time { return time.Unix(start+wall, 0) },
	})
	for ; wall <= 180; wall += 60 {
		if _, err := desk.Tick(t.Context(), at(wall)); err != nil {
			t.Fatal(err)
		}
	}
	if len(mem.alerts) != 1 || !strings.Contains(mem.alerts[0].Lines[0], "fails in the program itself") {
		t.Fatalf("%+v", mem.alerts)
	}
}
