package rpc

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"sort"
	"strings"
)

// Endpoint is where one node listens. Both addresses are secrets: the path, the query and the user part often
// hold an API key. All formatting verbs, JSON and slog show scheme://host:port only.
type Endpoint struct {
	HTTP string // http:// or https://; required
	WS   string // ws:// or wss://; optional, for new heads
}

// String is the redacted HTTP address.
func (e Endpoint) String() string { return redact(e.HTTP) }

// GoString is String: %#v must not show a key either.
func (e Endpoint) GoString() string { return "rpc.Endpoint(" + e.String() + ")" }

// Format shows the redacted address for every verb.
func (e Endpoint) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(e.String())) }

// MarshalText is the redacted address, so that JSON and slog cannot show more.
func (e Endpoint) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

// check says what is wrong with the addresses, without repeating them.
func (e Endpoint) check() error {
	if err := checkURL(e.HTTP, "http", "https"); err != nil {
		return fmt.Errorf("http address: %w", err)
	}
	if e.WS == "" {
		return nil
	}
	if err := checkURL(e.WS, "ws", "wss"); err != nil {
		return fmt.Errorf("ws address: %w", err)
	}
	return nil
}

func checkURL(raw string, schemes ...string) error {
	u, err := url.Parse(raw)
	if err != nil {
		return fmt.Errorf("not a URL (not shown, it may hold a key)")
	}
	want := strings.Join(schemes, ":// or ") + "://"
	for _, s := range schemes {
		if u.Scheme == s {
			if u.Hostname() == "" {
				return fmt.Errorf("no host in %s", redact(raw))
			}
			return nil
		}
	}
	return fmt.Errorf("must begin with %s", want)
}

// redact keeps the scheme, host and port of a URL.
func redact(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return "[unreadable address]"
	}
	return u.Scheme + "://" + u.Host
}

// hostOf is the host and, where it is given, the port of a URL: the name of an endpoint in errors and records.
func hostOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return "[unreadable address]"
	}
	return strings.ToLower(u.Host)
}

// operatorOf names who runs an endpoint: the host, and on loopback, where several nodes of a test or a tunnel
// live side by side, the port as well.
func operatorOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	if !isLoopback(host) {
		return host
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return net.JoinHostPort("loopback", port)
}

func isLoopback(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// secretsOf lists the parts of a URL that must not come back in an answer, longest first. A node or a proxy in
// front of it likes to repeat the path it was asked for.
func secretsOf(raws ...string) []string {
	seen := map[string]bool{}
	add := func(s string, least int) {
		if len(s) >= least {
			seen[s] = true
		}
	}
	for _, raw := range raws {
		u, err := url.Parse(raw)
		if err != nil {
			continue
		}
		add(raw, 1)
		add(u.RequestURI(), 8)
		add(u.RawQuery, 4)
		if u.User != nil {
			add(u.User.String(), 1)
			add(u.User.Username(), 4)
			pass, _ := u.User.Password()
			add(pass, 4)
		}
		for _, values := range u.Query() {
			for _, v := range values {
				add(v, 6)
			}
		}
		for _, part := range strings.FieldsFunc(u.Path, func(r rune) bool { return r == '/' }) {
			add(part, 8)
		}
		for _, part := range strings.Split(u.EscapedPath(), "/") {
			add(part, 8)
		}
	}
	out := make([]string, 0, len(seen))
	for s := range seen {
		out = append(out, s)
	}
	sort.Slice(out, func(i, j int) bool {
		if len(out[i]) != len(out[j]) {
			return len(out[i]) > len(out[j])
		}
		return out[i] < out[j]
	})
	return out
}

// scrub takes secrets out of a stranger's text.
func scrub(text string, secrets []string) string {
	for _, s := range secrets {
		text = strings.ReplaceAll(text, s, "[redacted]")
	}
	return text
}

// printable keeps at most limit printable ASCII characters of a stranger's text; other runs become one space.
func printable(text string, limit int) string {
	var b strings.Builder
	space := false
	for _, r := range text {
		if r <= ' ' || r > '~' {
			space = b.Len() > 0
			continue
		}
		if space {
			b.WriteByte(' ')
			space = false
		}
		if b.Len() >= limit {
			return b.String() + "..."
		}
		b.WriteRune(r)
	}
	return b.String()
}
