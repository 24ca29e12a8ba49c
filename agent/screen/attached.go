package screen

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/legate-dao/legate/agent/dossier"
)

// maxValueDepth bounds the walk into arrays and tuples of arguments; the decoder bounds them too.
const maxValueDepth = 32

// collector gathers the strings inside decoded arguments.
type collector struct {
	out  []string
	seen map[string]bool
}

// add keeps a string of at least two bytes that was not there yet.
func (c *collector) add(s string) {
	if len(s) < 2 || c.seen[s] {
		return
	}
	c.seen[s] = true
	c.out = append(c.out, s)
}

// value walks a decoded value. Numbers and addresses are no text; bytes are read for the words in them.
func (c *collector) value(v any, depth int) {
	if depth > maxValueDepth {
		return
	}
	switch v := v.(type) {
	case string:
		c.text(v)
	case dossier.Untrusted:
		c.text(string(v))
	case []byte:
		c.bytes(v)
	case []any:
		for _, item := range v {
			c.value(item, depth+1)
		}
	case []string:
		for _, item := range v {
			c.text(item)
		}
	case map[string]any:
		for _, k := range sortedKeys(v) {
			c.add(k)
			c.value(v[k], depth+1)
		}
	case json.RawMessage:
		var decoded any
		if json.Unmarshal(v, &decoded) == nil {
			c.value(decoded, depth+1)
		}
	case bool, nil, int, int64, uint64, float64, json.Number:
	default:
		// A form that the decoder did not have when this was written: its JSON says what is in it.
		raw, err := json.Marshal(v)
		var decoded any
		if err == nil && json.Unmarshal(raw, &decoded) == nil {
			c.value(decoded, depth+1)
			return
		}
		c.text(fmt.Sprint(v))
	}
}

// text takes a string as it is, unless it is a number or the hex of bytes.
func (c *collector) text(s string) {
	if strings.Trim(s, "-0123456789") == "" {
		return
	}
	if digits, ok := strings.CutPrefix(s, "0x"); ok && len(digits)%2 == 0 {
		if raw, err := hex.DecodeString(digits[:min(len(digits), 2*Budget)]); err == nil {
			c.bytes(raw)
			return
		}
	}
	c.add(s)
}

// minRun is the shortest run of readable bytes that is taken for words: shorter ones stand in any code.
const minRun = 12

// bytes takes the readable runs of raw bytes.
func (c *collector) bytes(raw []byte) {
	for len(raw) > 0 {
		n := readable(raw)
		if n >= minRun {
			c.add(string(raw[:n]))
		}
		raw = raw[max(n, 1):]
	}
}

// readable is the length of the valid text at the start of raw.
func readable(raw []byte) int {
	n := 0
	for n < len(raw) {
		r, size := utf8.DecodeRune(raw[n:])
		if r == utf8.RuneError && size <= 1 || r < 0x20 && r != '\n' && r != '\t' && r != '\r' || r == 0x7f {
			break
		}
		n += size
	}
	return n
}
