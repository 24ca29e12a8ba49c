package web

import (
	"context"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
)

// Metrics are counted from records by one observer; no stage knows of them. Every label is an enum of
// the program, so nobody outside can make new series.
type Metrics struct {
	registry    *prometheus.Registry
	records     *prometheus.CounterVec
	verdicts    *prometheus.CounterVec
	gates       *prometheus.CounterVec
	votes       *prometheus.CounterVec
	cast        *prometheus.CounterVec
	alarms      *prometheus.CounterVec
	unavailable *prometheus.CounterVec
	// seen counts records: pages that are open learn by it that there is something newer.
	seen atomic.Int64
}

// NewMetrics makes metrics with a registry of their own.
func NewMetrics() *Metrics {
	counter := func(name, help, label string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, []string{label})
	}
	m := &Metrics{
		registry:    prometheus.NewRegistry(),
		records:     counter("legate_records_total", "Records written, by type.", "type"),
		verdicts:    counter("legate_verdicts_total", "Decisions on final facts, by direction.", "direction"),
		gates:       counter("legate_gates_total", "Answers of the gate, by result.", "result"),
		votes:       counter("legate_votes_total", "Steps of our votes, by the status they reached.", "status"),
		cast:        counter("legate_votes_cast_total", "Votes that count, read from VoteCast in a final block, by support.", "support"),
		alarms:      counter("legate_alarms_total", "What needed a person, by kind.", "kind"),
		unavailable: counter("legate_facts_unavailable_total", "Parts of the facts that could not be had at a gathering, by reason.", "reason"),
	}
	m.registry.MustRegister(m.records, m.verdicts, m.gates, m.votes, m.cast, m.alarms, m.unavailable,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	for _, d := range []gov.Direction{gov.For, gov.Against, gov.Abstain, gov.Hold} {
		m.verdicts.WithLabelValues(d.String()) // a rate over a series that appears later is wrong at its start
	}
	return m
}

// Observe counts one record. It is called for each record once, after it is durable.
func (m *Metrics) Observe(r dossier.Record) {
	m.seen.Add(1)
	m.records.WithLabelValues(r.Type).Inc()
	switch e := r.Event.(type) {
	case dossier.WasGathered:
		for _, missing := range e.Gathered.Facts.Unavailable {
			m.unavailable.WithLabelValues(string(missing.Reason)).Inc()
		}
	case dossier.WasDecided:
		m.verdicts.WithLabelValues(e.Verdict.Direction.String()).Inc()
	case dossier.WasGated:
		m.gates.WithLabelValues(string(e.Gate.Result)).Inc()
	case dossier.WasRewound:
		m.alarms.WithLabelValues("proposal-rewound").Inc()
	case dossier.WasTakenBack:
		m.alarms.WithLabelValues("change-taken-back").Inc()
	case dossier.WasReopened:
		m.alarms.WithLabelValues("proposal-reopened").Inc()
	default:
		m.observeVote(e)
	}
}

func (m *Metrics) observeVote(e dossier.Event) {
	var status gov.VoteStatus
	alarm := ""
	switch e := e.(type) {
	case dossier.WasCanceled:
		status = gov.VoteCanceled
	case dossier.WasLocked:
		status = gov.VoteLocked
	case dossier.WasReleased:
		status, alarm = gov.VoteWaiting, "vote-released"
	case dossier.WasSigned:
		status = gov.VoteSigned
	case dossier.WasSent:
		status = gov.VoteSent
	case dossier.WasMined:
		status = gov.VoteMined
	case dossier.WasUnmined:
		status, alarm = gov.VoteSent, "vote-unmined"
	case dossier.WasFinal:
		status = gov.VoteFinal
		if support, ok := e.Receipt.Support.Get(); ok {
			m.cast.WithLabelValues(support.String()).Inc()
		}
	case dossier.WasReverted:
		status, alarm = gov.VoteReverted, "vote-reverted"
	case dossier.WasNotVoted:
		status = e.Status
		switch e.Why {
		case dossier.NoPower, dossier.NotDelegated, dossier.LedgerRefused:
			alarm = string(e.Why)
		}
	default:
		return
	}
	m.votes.WithLabelValues(string(status)).Inc()
	if alarm != "" {
		m.alarms.WithLabelValues(alarm).Inc()
	}
}

// Alarm counts what needs a person and is no record: a chain that cannot be followed, a step that fails.
func (m *Metrics) Alarm() { m.alarms.WithLabelValues("system").Inc() }

// handler shows these metrics and those that the reader's status gives at the moment of asking.
func (m *Metrics) handler(r Reader) http.Handler {
	now := prometheus.NewRegistry()
	now.MustRegister(statusCollector{r})
	return promhttp.HandlerFor(prometheus.Gatherers{m.registry, now}, promhttp.HandlerOpts{
		ErrorHandling: promhttp.ContinueOnError, MaxRequestsInFlight: 4, Timeout: answerTime,
	})
}

var (
	headDesc     = prometheus.NewDesc("legate_chain_head_block", "Newest block that was read.", []string{"chain"}, nil)
	finalDesc    = prometheus.NewDesc("legate_chain_final_block", "Newest finalized block that was read.", []string{"chain"}, nil)
	lagDesc      = prometheus.NewDesc("legate_chain_lag_seconds", "Wall clock minus time of the newest block that was read.", []string{"chain"}, nil)
	followedDesc = prometheus.NewDesc("legate_chain_followed", "1 when the chain is followed to its head.", []string{"chain"}, nil)
	ailingDesc   = prometheus.NewDesc("legate_endpoints_ailing", "Endpoints of a chain that differ from the others, are slow or fail.", []string{"chain", "what"}, nil)
	frozenDesc   = prometheus.NewDesc("legate_frozen", "1 when all signing is stopped.", nil, nil)
	liveDesc     = prometheus.NewDesc("legate_live", "1 when votes are sent.", nil, nil)
	valueDesc    = prometheus.NewDesc("legate_metric_value", "Watched number as it was read last.", []string{"metric"}, nil)
	ageDesc      = prometheus.NewDesc("legate_metric_age_seconds", "Seconds since a watched number could be read last.", []string{"metric"}, nil)
	blindDesc    = prometheus.NewDesc("legate_metric_readable", "1 while a watched number can be read.", []string{"metric"}, nil)
	ruleDesc     = prometheus.NewDesc("legate_rule_state", "1 for the state of an emergency rule, of several proposals the gravest.", []string{"rule", "state"}, nil)
	failedDesc   = prometheus.NewDesc("legate_deliveries_failed_total", "Tries to deliver an alert that failed.", []string{"channel"}, nil)
	waitingDesc  = prometheus.NewDesc("legate_alerts_waiting", "Alerts that a channel has not been given yet.", []string{"channel"}, nil)
	fileAgeDesc  = prometheus.NewDesc("legate_file_age_seconds", "Seconds since a table of the operator's was written.", []string{"governor", "kind"}, nil)
	openDesc     = prometheus.NewDesc("legate_proposals", "Proposals, by stage.", []string{"stage"}, nil)
)

// statusCollector reads the status when it is asked, and keeps nothing.
type statusCollector struct{ reader Reader }

// Describe sends nothing: which chains there are is known when they are read.
func (statusCollector) Describe(chan<- *prometheus.Desc) {}

func (c statusCollector) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	s, err := c.reader.Status(ctx)
	if err != nil {
		out <- prometheus.NewInvalidMetric(headDesc, err)
		return
	}
	for _, chain := range s.Chains {
		name := chain.Chain.String()
		gauge(headDesc, float64(chain.Head.Number), name)
		gauge(finalDesc, float64(chain.Final.Number), name)
		gauge(followedDesc, number(chain.Followed), name)
		if lag, ok := chain.Lag.Get(); ok {
			gauge(lagDesc, lag, name)
		}
		ailing := map[string]int{"differs": 0, "slow": 0, "failing": 0}
		for _, e := range chain.Endpoints {
			for what, since := range map[string]gov.Maybe[gov.UnixTime]{"differs": e.Differs, "slow": e.Slow, "failing": e.Failing} {
				if since.IsKnown() {
					ailing[what]++
				}
			}
		}
		for what, n := range ailing {
			gauge(ailingDesc, float64(n), name, what)
		}
	}
	gauge(liveDesc, number(s.Live))
	if frozen, ok := s.Frozen.Get(); ok {
		gauge(frozenDesc, number(frozen))
	}
	collectAlarms(s, out)
	list, err := c.reader.Proposals(ctx)
	if err != nil {
		out <- prometheus.NewInvalidMetric(openDesc, err)
		return
	}
	stages := map[dossier.Stage]int{}
	for _, p := range list {
		stages[p.Stage]++
	}
	for stage, n := range stages {
		gauge(openDesc, float64(n), string(stage))
	}
}

// ruleStates are the states of a rule, the gravest first.
var ruleStates = []gov.AlarmState{gov.AlarmFiring, gov.AlarmUnknown, gov.AlarmPending, gov.AlarmResolved, gov.AlarmInactive}

// collectAlarms shows watched numbers, rules, channels and tables. Labels are the operator's own names.
func collectAlarms(s Status, out chan<- prometheus.Metric) {
	send := func(d *prometheus.Desc, kind prometheus.ValueType, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, kind, v, labels...)
	}
	for _, m := range s.Metrics {
		name := string(m.Metric)
		if v, ok := m.Value.Get(); ok {
			send(valueDesc, prometheus.GaugeValue, v, name)
		}
		if age, ok := m.Age.Get(); ok {
			send(ageDesc, prometheus.GaugeValue, age, name)
		}
		send(blindDesc, prometheus.GaugeValue, number(m.Error == ""), name)
	}
	worst := map[gov.Label]int{}
	for _, a := range s.Alarms {
		at, seen := worst[a.Rule]
		if i := slices.Index(ruleStates, a.State); i >= 0 && (!seen || i < at) {
			worst[a.Rule] = i
		}
	}
	for rule, at := range worst {
		for i, state := range ruleStates {
			send(ruleDesc, prometheus.GaugeValue, number(i == at), string(rule), string(state))
		}
	}
	for _, d := range s.Deliveries {
		send(failedDesc, prometheus.CounterValue, float64(d.Failed), d.Channel)
		send(waitingDesc, prometheus.GaugeValue, float64(d.Waiting), d.Channel)
	}
	for _, f := range s.Files {
		send(fileAgeDesc, prometheus.GaugeValue, f.Age, string(f.Governor), f.Kind)
	}
}

func number(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
