package strict

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Duration is a span of whole seconds, written `6h30m`, `2d`, `1d12h`, `0s`. A day has 24 hours.
type Duration time.Duration

const (
	durationPattern = `^(\d+d)?(\d+h)?(\d+m)?(\d+s)?$`
	longest         = 100 * 365 * 24 * time.Hour // longer is a typing error, and would not fit in time.Duration for long
)

var durationForm = regexp.MustCompile(durationPattern)

// ParseDuration reads the forms that a file may have.
func ParseDuration(text string) (Duration, error) {
	var d Duration
	err := d.ParseStrict(text)
	return d, err
}

// ParseStrict reads the forms that a file may have.
func (d *Duration) ParseStrict(text string) error {
	parts := durationForm.FindStringSubmatch(text)
	if parts == nil || text == "" {
		return mistake("whole numbers with d, h, m, s in this order: 2d, 6h30m, 0s", "%s is not a duration", quote(text))
	}
	var sum time.Duration
	for i, unit := range []time.Duration{24 * time.Hour, time.Hour, time.Minute, time.Second} {
		digits := strings.TrimRight(parts[i+1], "dhms")
		if digits == "" {
			continue
		}
		n, err := strconv.ParseInt(digits, 10, 64)
		if err != nil || n > int64(longest/unit) || sum+time.Duration(n)*unit > longest {
			return mistake("at most 36500d", "%s is too long", quote(text))
		}
		sum += time.Duration(n) * unit
	}
	*d = Duration(sum)
	return nil
}

// Std is the duration as the standard library has it.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// Seconds is the number of whole seconds.
func (d Duration) Seconds() int64 { return int64(time.Duration(d) / time.Second) }

// String is the shortest form that reads back as the same.
func (d Duration) String() string {
	rest := time.Duration(d)
	if rest < 0 {
		return "-" + Duration(-rest).String()
	}
	var b strings.Builder
	for _, u := range []struct {
		name string
		span time.Duration
	}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}} {
		if n := rest / u.span; n > 0 {
			fmt.Fprintf(&b, "%d%s", n, u.name)
			rest -= n * u.span
		}
	}
	if b.Len() == 0 {
		return "0s"
	}
	return b.String()
}

// MarshalText is String.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

func (*Duration) describe() string { return "a duration" }
