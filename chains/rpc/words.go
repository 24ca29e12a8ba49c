package rpc

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
)

const (
	maxWords  = 2000 // bytes of words that are taken from a stranger's JSON
	maxHexLen = 66   // characters of a hex string that still says something to a person: a hash
)

// executes reports whether a method runs a contract's code, so that what an error carries may be the contract's.
func executes(method string) bool {
	switch method {
	case "eth_call", "eth_estimateGas", "eth_createAccessList":
		return true
	}
	return strings.HasPrefix(method, "debug_trace") || strings.HasPrefix(method, "trace_")
}

// textOf is what a JSON value says in words: its strings, numbers and names in their order, however nested. Long
// hex is data and left out. The answer is cut to maxWords bytes.
func textOf(raw json.RawMessage) string {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var out strings.Builder
	for out.Len() < maxWords {
		token, err := d.Token()
		if err != nil {
			break
		}
		word := ""
		switch t := token.(type) {
		case string:
			word = t
		case json.Number:
			word = t.String()
		case bool:
			word = strconv.FormatBool(t)
		}
		if word == "" || strings.HasPrefix(word, "0x") && len(word) > maxHexLen {
			continue
		}
		if out.Len() > 0 {
			out.WriteByte(' ')
		}
		out.WriteString(word)
	}
	text := out.String()
	return text[:min(len(text), maxWords)]
}

// words is a stranger's text for people and for Classify. Text without one ASCII letter or digit, such as another
// script's, is written with escapes rather than lost.
func words(text string) string {
	plain := printable(text, messageLen)
	if text == "" || strings.ContainsFunc(plain, func(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }) {
		return plain
	}
	quoted := strconv.QuoteToASCII(text)
	return printable(quoted[1:len(quoted)-1], messageLen)
}
