package notify

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/legate-dao/legate/agent/dossier"
)

// alertmanager speaks version 2 of Alertmanager's API.
type alertmanager struct {
	name    string
	address string
	client  *http.Client
}

func openAlertmanager(c Config) (Channel, error) {
	u, err := parseAddress(c.URL)
	if err != nil {
		return nil, err
	}
	return &alertmanager{c.Name, u.JoinPath("api/v2/alerts").String(), newClient(nil)}, nil
}

func (m *alertmanager) Name() string { return m.name }

// amAlert is one alert as Alertmanager takes it. Without endsAt it ends by Alertmanager's own resolve_timeout,
// counted from when it arrives: an alert that comes late is still told.
type amAlert struct {
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	StartsAt    time.Time         `json:"startsAt"`
}

// Send posts one alert. Its id is a label, so that two alerts are never taken for one, and one alert that
// comes twice is.
func (m *alertmanager) Send(ctx context.Context, a dossier.Alert) error {
	labels := map[string]string{"alertname": "legate_" + string(a.Event), "event": string(a.Event), "severity": string(a.Severity), "legate_id": a.ID}
	if a.Proposal != nil {
		labels["proposal"] = a.Proposal.String()
		if governor, _, ok := strings.Cut(a.Title, "/"); ok {
			labels["governor"] = governor
		}
	}
	body, err := json.Marshal([]amAlert{{
		Labels: labels, StartsAt: a.Time,
		Annotations: map[string]string{"summary": dossier.Untrusted(a.Title).Line(300), "description": strings.Join(inertLines(a.Lines), "\n")},
	}})
	if err != nil {
		return &Fault{Advice: Refuse, What: "the alert cannot be written as JSON"}
	}
	return post(ctx, m.client, m.address, body, nil)
}

func inertLines(lines []string) []string {
	out := make([]string, len(lines))
	for i, l := range lines {
		out[i] = dossier.Untrusted(l).Line(600)
	}
	return out
}
