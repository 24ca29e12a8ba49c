package notify

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/bwmarrin/discordgo"
)

// call is one request's kind: Discord counts each kind for itself.
type call string

const (
	callPost   call = "post"
	callEdit   call = "edit"
	callThread call = "thread"
	callLook   call = "look"
)

// exchange is one request of discordgo's, and the answer to it as it came: discordgo keeps of some answers neither
// status nor headers, and reads no HTML.
type exchange struct {
	call   call
	thread string // the thread that the request goes to; empty for none
	status int
	header http.Header
	body   []byte
}

type exchangeKey struct{}

// request makes one request, after the pause that Discord has asked for.
func (d *discord) request(ctx context.Context, c call, thread string, do func(discordgo.RequestOption) error) error {
	if err := d.pace.wait(ctx, c); err != nil {
		return err
	}
	x := &exchange{call: c, thread: thread}
	err := do(discordgo.WithContext(context.WithValue(ctx, exchangeKey{}, x)))
	switch {
	case x.status == 0 && err == nil:
		return &Fault{Advice: Later, What: "Discord's answer cannot be read"}
	case x.status == 0:
		var wire *url.Error
		if errors.As(err, &wire) {
			return wireFault(err)
		}
		return wireFault(context.Cause(ctx))
	case x.status < 200 || x.status >= 300:
		return refusalOf(x.status, x.header, x.body, c == callEdit, d.secrets)
	case err != nil: // an answer that is no JSON
		return &Fault{Advice: Later, What: "Discord's answer cannot be read"}
	}
	return nil
}

// pace sends discordgo's requests to the configured server, and keeps the pace that Discord asks for, so that
// discordgo itself never sleeps: its sleep takes no context.
type pace struct {
	next http.RoundTripper
	base *url.URL

	mu    sync.Mutex
	until map[call]time.Time // each kind of request for itself
	all   time.Time          // every request
}

// longestPace bounds a wait that Discord asks for in passing.
const longestPace = 15 * time.Second

// RoundTrip sends a request on.
func (p *pace) RoundTrip(req *http.Request) (*http.Response, error) {
	x, ok := req.Context().Value(exchangeKey{}).(*exchange)
	if !ok {
		return nil, errors.New("a request of discordgo's that was not asked for")
	}
	req = req.Clone(req.Context())
	req.URL.Scheme, req.URL.Host, req.Host = p.base.Scheme, p.base.Host, p.base.Host
	req.URL.Path = strings.TrimSuffix(p.base.Path, "/") + req.URL.Path
	if x.thread != "" {
		q := req.URL.Query()
		q.Set("thread_id", x.thread)
		req.URL.RawQuery = q.Encode()
	}
	resp, err := p.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(bounded(resp))
	if closed := resp.Body.Close(); err == nil {
		err = closed
	}
	if err != nil && resp.StatusCode < 300 {
		return nil, err
	}
	x.status, x.header, x.body = resp.StatusCode, resp.Header.Clone(), body
	p.heed(x)

	for k := range resp.Header {
		if strings.HasPrefix(strings.ToLower(k), "x-ratelimit-") {
			resp.Header.Del(k)
		}
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// heed notes what an answer says about the next request.
func (p *pace) heed(x *exchange) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.until == nil {
		p.until = map[call]time.Time{}
	}
	now := time.Now()
	if x.status == http.StatusTooManyRequests {
		after, global := limitOf(x.header, x.body)
		switch {
		case refusalOf(x.status, x.header, x.body, false, nil).about == aboutEdits: // of one message, not of the channel
		case global:
			p.all = now.Add(after)
		default:
			p.until[x.call] = now.Add(after)
		}
		return
	}
	if x.header.Get("X-RateLimit-Remaining") == "0" {
		p.until[x.call] = now.Add(min(seconds(x.header.Get("X-RateLimit-Reset-After")), longestPace))
	}
}

// wait waits until Discord wants the next request of a kind. A long pause is a fault: somebody else may be served in
// the meantime.
func (p *pace) wait(ctx context.Context, c call) error {
	p.mu.Lock()
	until := p.until[c]
	if p.all.After(until) {
		until = p.all
	}
	p.mu.Unlock()
	left := time.Until(until)
	if left <= 0 {
		return nil
	}
	if left > longestPace {
		return &Fault{Advice: Later, After: left, What: "Discord asked to be left alone for " + left.Round(time.Second).String()}
	}
	t := time.NewTimer(left)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return wireFault(ctx.Err())
	case <-t.C:
		return nil
	}
}
