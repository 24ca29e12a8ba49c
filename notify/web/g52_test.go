package web_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/notify/web"
)

// alarmed is a status in which something of each kind is not well.
func alarmed() web.Status {
	s := followed(true)
	s.Live, s.Frozen = true, gov.Known(false)
	metric := "eth-price"
	s.Alarms = []web.Alarm{
		{Rule: "crash", State: gov.AlarmFiring, Severity: gov.Critical, Expression: `metrics["eth-price"] < 900 && true`, Metric: &metric, Value: gov.Known(812.5), Limit: gov.Known(900.0),
			Since: 1_700_000_000, Block: gov.Known(uint64(77)), Blind: 1_700_000_600},
		{Rule: "drain", State: gov.AlarmPending, Severity: gov.Warning, Proposal: &testID},
		{Rule: "drain", State: gov.AlarmResolved, Severity: gov.Warning},
		{Rule: "calm", State: gov.AlarmInactive, Severity: gov.Warning},
	}
	s.Metrics = []web.Number{
		{Metric: "eth-price", Value: gov.Known(812.5), Age: gov.Known(700.0), Error: "the call reverts", Since: 1_700_000_600, Blind: true},
		{Metric: "tvl", Value: gov.Known(5.0), Age: gov.Known(3.0)},
		{Metric: "never"},
	}
	s.Files = []web.File{
		{Governor: "harbor", Kind: "prices", File: "prices.csv", Modified: time.Unix(1_690_000_000, 0), Age: 9 * 86400, Old: true},
		{Governor: "harbor", Kind: "book", File: "book.yaml", Modified: time.Unix(1_690_000_000, 0), Age: 9 * 86400, Changed: true},
	}
	s.Deliveries = []web.Delivery{{Channel: "pager", Waiting: 3, Failed: 12, Error: "the other side answered 503"}, {Channel: "hook"}}
	return s
}

// A daemon that follows every chain is ready, and says what does not work all the same.
func TestG52ReadyzSaysWhatIsDegraded(t *testing.T) {
	h := web.New(&store{status: alarmed()}, web.Config{})
	r := get(t, h, "/readyz")
	var answer struct {
		OK       bool     `json:"ok"`
		Degraded []string `json:"degraded"`
	}
	if err := json.Unmarshal([]byte(body(t, r)), &answer); err != nil || r.StatusCode != 200 || !answer.OK {
		t.Fatalf("%d %+v %v", r.StatusCode, answer, err)
	}
	all := strings.Join(answer.Degraded, "\n")
	for _, want := range []string{
		"metric eth-price cannot be read since 2023-11-14T22:23:20Z: the call reverts", "emergency rule crash fires, and cannot be evaluated since 2023-11-14T22:23:20Z",
		"channel pager cannot be given its alerts, 3 wait", "prices of harbor are 9 days old", "book of harbor changed on the disk since the start",
	} {
		if !strings.Contains(all, want) {
			t.Errorf("no %q in\n%s", want, all)
		}
	}
	if len(answer.Degraded) != 5 {
		t.Errorf("%d: %s", len(answer.Degraded), all)
	}
	if text := body(t, get(t, web.New(&store{status: followed(true)}, web.Config{}), "/readyz")); !strings.Contains(text, `"degraded":[]`) {
		t.Errorf("all is well, and /readyz says %s", text)
	}
}

func TestG52MetricsShowAlarms(t *testing.T) {
	text := body(t, get(t, web.New(&store{status: alarmed()}, web.Config{}), "/metrics"))
	for _, want := range []string{
		`legate_metric_value{metric="eth-price"} 812.5`, `legate_metric_age_seconds{metric="eth-price"} 700`, `legate_metric_readable{metric="eth-price"} 0`,
		`legate_metric_readable{metric="tvl"} 1`, `legate_rule_state{rule="crash",state="firing"} 1`, `legate_rule_state{rule="crash",state="inactive"} 0`,
		`legate_rule_state{rule="drain",state="pending"} 1`, `legate_rule_state{rule="drain",state="resolved"} 0`, `legate_rule_state{rule="calm",state="inactive"} 1`,
		`legate_deliveries_failed_total{channel="pager"} 12`, `legate_alerts_waiting{channel="pager"} 3`, `legate_alerts_waiting{channel="hook"} 0`,
		`# TYPE legate_deliveries_failed_total counter`,
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("no %q", want)
		}
	}
	if strings.Contains(text, `legate_metric_value{metric="never"}`) {
		t.Error("a number that was never read has a value")
	}
}

func TestG52PageShowsWhatFires(t *testing.T) {
	d := newDesk(t)
	d.status.Alarms, d.status.Metrics, d.status.Files = alarmed().Alarms, alarmed().Metrics, alarmed().Files
	for _, page := range []string{"/", "/p/meadow/132115"} {
		text := textOf(byID(pageOf(t, pagesOf(d), page), "banners"))
		for _, want := range []string{
			"Emergency: crash fires.", `(block 77): metrics["eth-price"] < 900 && true, value 812.5.`, "It cannot be read since 2023-11-14T22:23:20Z.",
			"Metric eth-price cannot be read since", "Prices of harbor are 9 days old.", "Book of harbor changed on the disk since the start",
		} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: no banner says %q: %s", page, want, text)
			}
		}
		if strings.Contains(text, "drain") {
			t.Errorf("%s: a rule that does not fire has a banner: %s", page, text)
		}
		if foot := textOf(byID(pageOf(t, pagesOf(d), page), "foot")); !strings.Contains(foot, "prices of harbor, written") {
			t.Errorf("%s: the foot does not say how old the prices are: %s", page, foot)
		}
	}
}
