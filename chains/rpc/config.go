package rpc

import (
	"fmt"
	"log/slog"
	"net/http"
	"time"
)

// Defaults of Config.
const (
	DefaultTimeout     = 15 * time.Second
	DefaultMaxResponse = 64 << 20 // bytes; a 10,000-log answer is 9 MB
	DefaultMaxBatch    = 100      // requests; hosted nodes refuse more
	DefaultMaxLag      = 8        // blocks
)

// Config says which endpoints serve a chain and how they may be used.
type Config struct {
	ChainID     uint64            // as in eip155:N; 0 takes what the endpoints agree on (one-off commands)
	Endpoints   []Endpoint        // at least one; the order is the preference
	Agree       int               // sources that must give the same answer (package quorum); 0 is 1 with one operator, else 2
	Finality    Finality          // zero: finalized
	Timeout     time.Duration     // of one HTTP round trip; 0: DefaultTimeout
	MaxResponse int64             // bytes of one answer after decompression; 0: DefaultMaxResponse
	Rate        float64           // requests a second for each endpoint; 0: no limit
	MaxBatch    int               // requests in one HTTP round trip; 0: DefaultMaxBatch; 1: never batch
	MaxLag      uint64            // blocks an endpoint may lag before it is asked last and is no Source; 0: DefaultMaxLag
	Log         *slog.Logger      // nil: silent
	Transport   http.RoundTripper // nil: a pooled transport of its own
	Jitter      func() float64    // in [0,1), spreads back-off (-0.5 removes it, for tests); nil: math/rand/v2
}

// withDefaults fills what is unset, and checks the rest.
func (c Config) withDefaults() (Config, error) {
	if len(c.Endpoints) == 0 {
		return c, fmt.Errorf("%w: no rpc endpoint is configured", ErrNoEndpoint)
	}
	operators := map[string]bool{}
	for i, e := range c.Endpoints {
		if err := e.check(); err != nil {
			return c, fmt.Errorf("rpc endpoint %d: %w", i+1, err)
		}
		operators[operatorOf(e.HTTP)] = true
	}
	if c.Agree == 0 {
		c.Agree = min(len(operators), 2)
	}
	if c.Agree < 0 || c.Agree > len(operators) {
		return c, fmt.Errorf("agree is %d, but the rpc endpoints have %d operators (another host is another operator)", c.Agree, len(operators))
	}
	if c.Timeout < 0 || c.MaxResponse < 0 || c.Rate < 0 || c.MaxBatch < 0 {
		return c, fmt.Errorf("rpc timeout, response size, rate and batch size must not be negative")
	}
	if c.Timeout == 0 {
		c.Timeout = DefaultTimeout
	}
	if c.MaxResponse == 0 {
		c.MaxResponse = DefaultMaxResponse
	}
	if c.MaxBatch == 0 {
		c.MaxBatch = DefaultMaxBatch
	}
	if c.MaxLag == 0 {
		c.MaxLag = DefaultMaxLag
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Transport == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.MaxIdleConnsPerHost = 16
		c.Transport = t
	}
	return c, nil
}
