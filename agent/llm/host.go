package llm

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"
)

// place is the checked address of a server: scheme, host and port, nothing else.
type place struct {
	base     string
	loopback bool
}

// placeOf reads the address of a server. A path of /v1 is taken off; credentials, a query or any other
// path are refused, so that no secret stands in what is shown.
func placeOf(ref string, hosts []string) (place, error) {
	u, err := url.Parse(ref)
	if err != nil {
		return place{}, fmt.Errorf("the model server's address cannot be read as a URL")
	}
	path := strings.TrimSuffix(strings.TrimSuffix(u.Path, "/"), "/v1")
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return place{}, fmt.Errorf("the model server's address must begin with http:// or https://")
	case u.Hostname() == "":
		return place{}, fmt.Errorf("the model server's address names no host")
	case u.User != nil:
		return place{}, fmt.Errorf("the model server's address holds credentials; give the key apart from it")
	case path != "" || u.RawQuery != "" || u.Fragment != "":
		return place{}, fmt.Errorf("the model server's address has more than scheme, host and port")
	}
	p := place{base: u.Scheme + "://" + u.Host, loopback: isLoopback(u.Hostname())}
	if !p.loopback && !slices.ContainsFunc(hosts, func(h string) bool { return strings.EqualFold(h, u.Hostname()) }) {
		return place{}, fmt.Errorf("model server %s: %w", p.base, ErrHost)
	}
	return p, nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// transport reaches one server and nothing else: no proxy of the environment, and a name for this machine
// that resolves to another one is not dialled.
func (p place) transport() *http.Transport {
	dial := &net.Dialer{Timeout: 5 * time.Second}
	if p.loopback {
		dial.ControlContext = func(_ context.Context, _, address string, _ syscall.RawConn) error {
			host, _, err := net.SplitHostPort(address)
			if err == nil && isLoopback(host) {
				return nil
			}
			return fmt.Errorf("dial %s: %w", address, ErrHost)
		}
	}
	return &http.Transport{
		DialContext: dial.DialContext, MaxResponseHeaderBytes: 64 << 10, TLSHandshakeTimeout: 5 * time.Second,
		DisableKeepAlives: true, // a question cannot be sent twice, and one on a connection that the server just closed would be lost
	}
}
