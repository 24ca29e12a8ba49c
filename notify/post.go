package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// sendTimeout bounds one request.
const sendTimeout = 20 * time.Second

// newClient is an HTTP client that follows no redirect: a signed alert goes where it was configured to go.
func newClient(wrap func(http.RoundTripper) http.RoundTripper) *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 1
	transport.ResponseHeaderTimeout = sendTimeout
	var rt http.RoundTripper = transport
	if wrap != nil {
		rt = wrap(rt)
	}
	return &http.Client{Transport: rt, Timeout: sendTimeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// parseAddress reads an http or https address. Its errors do not repeat it.
func parseAddress(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, errors.New("the address is not of the form http://… or https://…")
	}
	return u, nil
}

// post sends a JSON body; the error says what helps.
func post(ctx context.Context, client *http.Client, address string, body []byte, header http.Header) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return &Fault{Advice: Broken, What: "the address cannot be used"}
	}
	for k, v := range header {
		req.Header[k] = v
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "legate")
	resp, err := client.Do(req)
	if err != nil {
		return wireFault(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if _, err := io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10)); err != nil && resp.StatusCode < 300 {
		return wireFault(fmt.Errorf("read the answer: %w", err))
	}
	return statusFault(resp.StatusCode, resp.Header)
}

// maxAnswer bounds an answer that somebody else reads whole.
const maxAnswer = 1 << 20

type boundedBody struct {
	io.Reader
	io.Closer
}

func bounded(resp *http.Response) io.ReadCloser {
	return boundedBody{io.LimitReader(resp.Body, maxAnswer), resp.Body}
}
