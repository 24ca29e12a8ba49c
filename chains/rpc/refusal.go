package rpc

import (
	"errors"
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

// refusal is what an error says about a smaller log request.
type refusal int

const (
	final   refusal = iota // a smaller range does not mend it: a rate limit, a lost connection, our own context
	refused                // the node would not: worth asking for less, down to one block
	gaveUp                 // nobody answered in time, or what failed may have nothing to do with the range: worth one smaller try
)

// refusalOf judges the error of a log request. Providers refuse wide ranges in any words, codes and statuses, and
// invent new ones; so everything that may be a refusal is one, but for what surely is not.
func refusalOf(err error) refusal {
	switch Classify(err) {
	case None, RateLimited, Canceled, WrongChain, Disagreement:
		return final
	case Timeout:
		return gaveUp
	}
	var (
		node *NodeError
		page *HTTPError
	)
	switch {
	case errors.As(err, &node):
		return node.refusal()
	case errors.As(err, &page):
		return page.refusal()
	case errors.Is(err, ErrTooLarge):
		return refused
	}
	return final
}

func (e *NodeError) refusal() refusal {
	switch text := strings.ToLower(e.Message + " " + e.Detail); Classify(e) {
	case Unsupported, NoState, NotFound:
		// Said of a method or a block, and sometimes of a range: "archive", "not available on your plan".
		if !containsAny(text, rangeTexts) || strings.Contains(text, "head") {
			return gaveUp
		}
	}
	return refused
}

func (e *HTTPError) refusal() refusal {
	switch e.Status {
	case http.StatusUnauthorized, http.StatusNotFound, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return gaveUp
	}
	if e.Status >= 520 { // what gateways say of the node behind them
		return gaveUp
	}
	return refused
}

// saidBy is the text of a refusal as it came, for reading numbers in it.
func saidBy(err error) string {
	var (
		node *NodeError
		page *HTTPError
	)
	switch {
	case errors.As(err, &node):
		return node.said
	case errors.As(err, &page):
		return page.said
	}
	return ""
}

const digits = `(0x[0-9a-fA-F]{1,16}|[0-9]{1,19})`

var (
	anyPair   = regexp.MustCompile(digits + `["'\]]*\s*(?:,|-|–|—|\.\.+|:|to\b|and\b)\s*(?:toBlock\W*)?["'\[]*` + digits)
	anyNumber = regexp.MustCompile(`(0x[0-9a-fA-F]{1,16}|[0-9][0-9_,']*)\s?([kK]\b)?`)
	thousands = regexp.MustCompile(`^[0-9]{1,3}(?:[_,'][0-9]{3})+$`)
)

// suggested is the width that a refusal of some blocks names, in whatever wording: a range to try or a limit. ok is
// false where nothing in it is clearly below what was asked; a wrong guess costs one more request.
func suggested(text string, asked uint64) (width uint64, ok bool) {
	sensible := func(n uint64) bool { return n > 0 && n <= asked-asked/8 && n < asked }
	for _, m := range anyPair.FindAllStringSubmatch(text, 8) {
		from, ok := parseNumber(m[1])
		to, fits := parseNumber(m[2])
		if ok && fits && to > from && sensible(to-from+1) && !thousands.MatchString(m[1]+","+m[2]) {
			return to - from + 1, true
		}
	}
	for _, m := range anyNumber.FindAllStringSubmatch(text, 32) {
		n, ok := parseNumber(m[1])
		if m[2] != "" {
			n *= 1000
		}
		if ok && sensible(n) {
			width = max(width, n)
		}
	}
	return width, width > 0
}

// parseNumber reads hex or decimal digits, with thousands set apart or not.
func parseNumber(text string) (uint64, bool) {
	if thousands.MatchString(text) {
		text = strings.NewReplacer("_", "", ",", "", "'", "").Replace(text)
	}
	n, err := strconv.ParseUint(strings.TrimRight(text, "_,'"), 0, 63)
	if err != nil {
		n, err = strconv.ParseUint(strings.TrimLeft(strings.TrimRight(text, "_,'"), "0"), 10, 63)
	}
	return n, err == nil
}

// narrower is the next width after a refusal: what the refusal suggests while hints are still believed, else half,
// and a quarter where each try costs a time-out.
func narrower(err error, asked uint64, hints bool) uint64 {
	if refusalOf(err) == gaveUp {
		return max(asked/4, 1)
	}
	if width, ok := suggested(saidBy(err), asked); ok && hints {
		return width
	}
	return max(asked/2, 1)
}

// refusedAlone is the error of one block that is still refused. What the block itself is the reason for keeps its
// class: another endpoint may have it.
func (n *node) refusedAlone(err error, block uint64) error {
	switch Classify(err) {
	case NoState, NotFound, Timeout:
		return err
	case Malformed:
		if page := (*HTTPError)(nil); errors.As(err, &page) && page.Status < 300 {
			return err // a page instead of an answer has nothing to do with logs
		}
	}
	return &RefusedError{Host: n.name, Block: block, Text: err.Error()}
}
