package notify

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/nicholas-fedor/shoutrrr/pkg/router"
	"github.com/nicholas-fedor/shoutrrr/pkg/types"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/supervise"
)

// shoutrrr sends plain text to one service. One channel is one address, so that a failing one repeats no other.
type shoutrrr struct {
	name    string
	scheme  string
	sender  *router.ServiceRouter
	watcher *lastStatus
}

// longestText fits the services that take least; those that take pictures or cards have a channel of their own.
const longestText = 1500

func openShoutrrr(c Config) (Channel, error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Scheme == "" {
		return nil, errors.New("the address is not one of shoutrrr, such as slack://…")
	}
	s := &shoutrrr{name: c.Name, scheme: u.Scheme}
	client := newClient(func(rt http.RoundTripper) http.RoundTripper {
		s.watcher = &lastStatus{next: rt}
		return s.watcher
	})
	// its errors repeat the address, so only the scheme is said
	s.sender, err = router.NewWithOptions(nil, types.SenderOptions{HTTPClient: client, Timeout: sendTimeout}, c.URL)
	if err != nil {
		return nil, errors.New("shoutrrr does not take the " + said(u.Scheme) + " address; its form is at https://shoutrrr.nickfedor.com/services/overview/")
	}
	return s, nil
}

func (s *shoutrrr) Name() string { return s.name }

// Send sends title and lines. What shoutrrr says when it fails may hold the address, so it is not repeated:
// the status that the service answered says what helps.
func (s *shoutrrr) Send(ctx context.Context, a dossier.Alert) error {
	s.watcher.set(nil)
	text := strings.TrimSpace(plainText(a, longestText))
	done := make(chan []error, 1)
	go func() { // it has a time limit, and takes no context
		var errs []error
		failed := supervise.Catch(func() error { errs = s.sender.Send(text, &types.Params{}); return nil })
		done <- append(errs, failed)
	}()
	select {
	case <-ctx.Done():
		<-done
		return wireFault(ctx.Err())
	case errs := <-done:
		if fault := s.watcher.get(); fault != nil {
			return fault // also of a redirect, which some services take for success
		}
		if errors.Join(errs...) == nil {
			return nil
		}
	}
	return &Fault{Advice: Later, What: "the service " + said(s.scheme) + " could not be given the alert"}
}

// lastStatus keeps what the last answer means.
type lastStatus struct {
	next  http.RoundTripper
	mu    sync.Mutex
	fault error
}

func (l *lastStatus) set(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fault = err
}

func (l *lastStatus) get() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.fault
}

// RoundTrip passes a request on.
func (l *lastStatus) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := l.next.RoundTrip(req)
	if err != nil {
		l.set(wireFault(err))
		return resp, err
	}
	l.set(statusFault(resp.StatusCode, resp.Header))
	return resp, nil
}
