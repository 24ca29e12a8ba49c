package notify

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/legate-dao/legate/agent/dossier"
)

// Advice is what helps after a failed delivery.
type Advice int

const (
	// Later: the same again, soon. The zero value, since that is what most failures want.
	Later Advice = iota
	// Broken: the channel is not usable as configured; the same again, seldom, and a person must look.
	Broken
	// Refuse: this alert is not taken as it is; after a few tries the next one.
	Refuse
)

// Fault is a failed delivery with what to do about it. Its text holds no address, token or key.
type Fault struct {
	Advice Advice
	// After is how long the other side asked to be left alone; 0 if it did not say.
	After time.Duration
	What  string
}

// Error is what failed.
func (f *Fault) Error() string { return f.What }

// longestAfter bounds what another side may ask for.
const longestAfter = time.Hour

// statusFault is what an HTTP status means for a delivery; nil for one that took it.
func statusFault(status int, header http.Header) error {
	f := &Fault{What: fmt.Sprintf("the other side answered %d %s", status, http.StatusText(status)), After: retryAfter(header)}
	switch {
	case status >= 200 && status < 300:
		return nil
	case status == http.StatusRequestTimeout, status == http.StatusTooEarly, status == http.StatusTooManyRequests, status >= 500:
		f.Advice = Later
	case status == http.StatusBadRequest, status == http.StatusRequestEntityTooLarge, status == http.StatusUnsupportedMediaType,
		status == http.StatusUnprocessableEntity, status == http.StatusRequestHeaderFieldsTooLarge:
		f.Advice = Refuse
	default:
		f.Advice = Broken // 401, 403, 404, 410, a redirect: the address or the key is wrong
	}
	return f
}

// retryAfter reads Retry-After: seconds, with or without a fraction, or a date, which is compared with the answer's
// own Date, since nobody's clock is ours. 0 where it says nothing that can be used.
func retryAfter(h http.Header) time.Duration {
	text := strings.TrimSpace(h.Get("Retry-After"))
	if until, err := http.ParseTime(text); err == nil {
		now, err := http.ParseTime(h.Get("Date"))
		if err != nil || !until.After(now) {
			return 0
		}
		return min(until.Sub(now), longestAfter)
	}
	return seconds(text)
}

// seconds reads a number of seconds, at most [longestAfter]; 0 for what is none.
func seconds(text string) time.Duration {
	s, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if errors.Is(err, strconv.ErrRange) {
		err = nil // it is infinite then, which is bounded below
	}
	if err != nil || !(s > 0) {
		return 0
	}
	return min(time.Duration(min(s, longestAfter.Seconds())*float64(time.Second)), longestAfter)
}

// wireFault is an error of the way to the other side, without its address.
func wireFault(err error) error {
	var f *Fault
	if errors.As(err, &f) {
		return f
	}
	var at *url.Error
	if errors.As(err, &at) {
		err = at.Err
	}
	what := "the other side cannot be reached"
	var dns *net.DNSError
	var op *net.OpError
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		what = "the other side did not answer in time"
	case errors.As(err, &dns):
		what = "the other side's name was not found"
	case errors.As(err, &op):
		what = "the other side cannot be reached: " + op.Op + " failed"
		if op.Op == "dial" {
			what = "the other side does not take connections"
		}
	}
	return &Fault{Advice: Later, What: what}
}

// said is what another side's answer said, made inert and without a secret that it may repeat.
func said(text string, secrets ...string) string {
	for _, s := range secrets {
		if s != "" {
			text = strings.ReplaceAll(text, s, "[redacted]")
		}
	}
	return dossier.Untrusted(text).Quote(160)
}
