package checks

import (
	"testing"

	"github.com/legate-dao/legate/agent/gov"
)

func TestEnglish(t *testing.T) {
	for got, want := range map[string]string{
		count(1, "role changes", "roles change"): "1 role changes", count(0, "a", "b"): "0 b", count(1234, "role changes", "roles change"): "1,234 roles change",
		grouped("-1234567.5"): "-1,234,567.5", grouped("-123"): "-123", grouped("999"): "999", grouped("1000"): "1,000", grouped(""): "",
		percent(20): "0.2 %", percent(9500): "95 %", percent(0.4): "less than 0.01 %", percent(0): "0 %",
		dollars(99.5): "99.50 USD", dollars(1900000): "1,900,000 USD",
		seconds(0): "0 seconds", seconds(1): "1 second", seconds(90061): "1 day 1 hour 1 minute 1 second", seconds(172800): "2 days",
		ticks(gov.ClockBlock, 1): "1 block", ticks(gov.ClockBlock, 19710): "19,710 blocks", ticks(gov.ClockTimestamp, 3600): "1 hour",
		tokens("", 1): "1 token", tokens("", 0.5): "0.5 tokens", number(1e21): "1,000,000,000,000,000,000,000",
		coins(gov.NewAmount(1_500_000_000_000_000_000)): "1.5", coins(gov.NewAmount(1)): "0.000000000000000001",
		amountOf(gov.Native, gov.NewAmount(2_000_000_000_000_000_000)): "2 of the chain's coin",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
