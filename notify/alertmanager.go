package notify

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
)

// alertmanager speaks version 2 of Alertmanager's API. It forgets what it is not told again, so a state that goes on
// is repeated with an end in the future, and a state that is over is told with its end, as Prometheus does.
type alertmanager struct {
	name    string
	address string
	client  *http.Client
	resend  time.Duration
	now     func() time.Time

	mu sync.Mutex
	// newest is when the newest episode of each series began: an older one that comes late says nothing any more.
	newest map[string]gov.UnixTime
}

// Prometheus sends what is on each minute, and lets it end after four times that.
const (
	resendEvery = time.Minute
	endsAfter   = 4
)

func openAlertmanager(c Config) (Channel, error) {
	u, err := parseAddress(c.URL)
	if err != nil {
		return nil, err
	}
	m := &alertmanager{
		name: c.Name, address: u.JoinPath("api/v2/alerts").String(), client: newClient(nil), resend: c.Resend, now: time.Now, newest: map[string]gov.UnixTime{},
	}
	if m.resend <= 0 {
		m.resend = resendEvery
	}
	return m, nil
}

func (m *alertmanager) Name() string { return m.name }

// Every is how often what is on is told again.
func (m *alertmanager) Every() time.Duration { return m.resend }

// amAlert is one alert as Alertmanager takes it. Without endsAt it ends by Alertmanager's own resolve_timeout,
// counted from when it arrives: an event that comes late is still told.
type amAlert struct {
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	StartsAt    time.Time         `json:"startsAt"`
	EndsAt      *time.Time        `json:"endsAt,omitempty"`
}

// Send posts one alert. The id of an event is a label, so that two events are never taken for one, and one that comes
// twice is. What is a state has the same labels as long as it goes on, and when it is over.
func (m *alertmanager) Send(ctx context.Context, a dossier.Alert) error {
	if m.late(a) {
		return nil
	}
	return m.post(ctx, []dossier.Alert{a})
}

// Repeat tells what is on now.
func (m *alertmanager) Repeat(ctx context.Context, on []dossier.Alert) error {
	fresh := make([]dossier.Alert, 0, len(on))
	for _, a := range on {
		if !m.late(a) {
			fresh = append(fresh, a)
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	return m.post(ctx, fresh)
}

// late says whether a newer episode of the same series was told.
func (m *alertmanager) late(a dossier.Alert) bool {
	if a.Emergency == nil {
		return false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	series := seriesOf(a)
	if a.Since < m.newest[series] {
		return true
	}
	m.newest[series] = a.Since
	return false
}

func (m *alertmanager) post(ctx context.Context, alerts []dossier.Alert) error {
	list := make([]amAlert, len(alerts))
	for i, a := range alerts {
		list[i] = m.render(a)
	}
	body, err := jsonBody(list)
	if err != nil {
		return &Fault{Advice: Refuse, What: "the alert cannot be written as JSON"}
	}
	return post(ctx, m.client, m.address, body, nil)
}

// seriesOf is what a state is a series of, apart from its labels' order.
func seriesOf(a dossier.Alert) string {
	l := stateLabels(a)
	return strings.Join([]string{l["alertname"], l["rule"], l["metric"], l["proposal"]}, "\n")
}

// stateLabels never hold what changes while the state goes on.
func stateLabels(a dossier.Alert) map[string]string {
	labels := map[string]string{"alertname": "legate_emergency", "event": string(a.Event), "severity": string(a.Severity)}
	switch {
	case a.Event != dossier.AlertEmergency:
		labels["alertname"] = "legate_metric_unreadable"
	case a.State == gov.AlarmUnknown, a.State == gov.AlarmKnown:
		labels["alertname"] = "legate_emergency_unknown"
	}
	if a.Rule != "" {
		labels["rule"] = string(a.Rule)
	}
	if a.Metric != nil {
		labels["metric"] = *a.Metric
	}
	if a.Governor != "" {
		labels["governor"] = string(a.Governor)
	}
	if a.Proposal != nil {
		labels["proposal"] = a.Proposal.String()
	}
	return labels
}

func (m *alertmanager) render(a dossier.Alert) amAlert {
	out := amAlert{StartsAt: a.Time, Annotations: map[string]string{"summary": dossier.Untrusted(a.Title).Line(300)}}
	lines := inertLines(a.Lines)
	if a.Emergency == nil {
		out.Labels = map[string]string{"alertname": "legate_" + string(a.Event), "event": string(a.Event), "severity": string(a.Severity), "legate_id": a.ID}
		if a.Proposal != nil {
			out.Labels["proposal"] = a.Proposal.String()
			if governor, _, ok := strings.Cut(a.Title, "/"); ok {
				out.Labels["governor"] = governor
			}
		}
		out.Annotations["description"] = strings.Join(lines, "\n")
		return out
	}
	// the operator's expression stands as it is: nothing of it is active here
	if a.Expression != "" {
		for i := range lines {
			lines[i] = strings.ReplaceAll(lines[i], dossier.PlainExpression(a.Expression), a.Expression)
		}
		out.Annotations["expression"] = a.Expression
	}
	out.Labels = stateLabels(a)
	out.Annotations["description"] = strings.Join(lines, "\n")
	out.Annotations["legate_id"] = a.ID
	if a.Raised != 0 {
		out.StartsAt = a.Raised.Time()
	}
	ends := a.Time
	if a.On() {
		ends = m.now().Add(endsAfter * m.resend).UTC().Truncate(time.Millisecond)
	}
	out.EndsAt = &ends
	if !out.StartsAt.Before(ends) { // it began and ended within one second; Alertmanager refuses an end that is no later
		out.StartsAt = ends.Add(-time.Second)
	}
	return out
}

func inertLines(lines []string) []string {
	out := make([]string, len(lines))
	for i, l := range lines {
		out[i] = dossier.Untrusted(l).Line(600)
	}
	return out
}
