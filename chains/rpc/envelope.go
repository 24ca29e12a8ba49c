package rpc

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// maxDepth bounds the nesting of an answer before it is parsed. A call trace nests two levels for each of the
// EVM's 1024 frames, and nothing else comes near.
const maxDepth = 2600

// envelope is one JSON-RPC answer.
type envelope struct {
	ID     json.RawMessage `json:"id"`
	Result json.RawMessage `json:"result"`
	Error  *wireError      `json:"error"`
}

// wireError is the error member of an answer. Gateways write it in more ways than JSON-RPC allows: as a plain
// string, with a code in quotes, with a message that is an object.
type wireError struct {
	Code    int
	Message string
	Data    json.RawMessage
}

// UnmarshalJSON reads what is there and leaves the rest zero. Whatever stands in the error member is an error.
func (e *wireError) UnmarshalJSON(raw []byte) error {
	var parts struct{ Code, Message, Data json.RawMessage }
	if json.Unmarshal(raw, &parts) != nil {
		*e = wireError{Message: textOf(raw)}
		return nil
	}
	*e = wireError{Code: codeOf(parts.Code), Message: textOf(parts.Message), Data: parts.Data}
	return nil
}

// codeOf is a code as a number or as a number in quotes; 0 where it is neither.
func codeOf(raw json.RawMessage) int {
	code, err := strconv.Atoi(strings.Trim(string(raw), `"`))
	if err != nil {
		return 0
	}
	return code
}

type question struct {
	Version string `json:"jsonrpc"`
	ID      uint64 `json:"id"`
	Method  string `json:"method"`
	Params  []any  `json:"params"`
}

// encode writes the questions as one body: an object for one, an array for several, with ids first, first+1, …
func encode(reqs []*Request, first uint64, single bool) ([]byte, error) {
	qs := make([]question, len(reqs))
	for i, r := range reqs {
		args := r.Args
		if args == nil {
			args = []any{}
		}
		qs[i] = question{Version: "2.0", ID: first + uint64(i), Method: r.Method, Params: args}
	}
	if single {
		return json.Marshal(qs[0])
	}
	return json.Marshal(qs)
}

// checkDepth walks the bytes once and refuses nesting beyond maxDepth, so that no parser recurses on a
// stranger's behalf.
func checkDepth(raw []byte) error {
	depth := 0
	for i := 0; i < len(raw); i++ {
		switch raw[i] {
		case '"':
			end, ok := skipString(raw, i)
			if !ok {
				return fmt.Errorf("%w: a string does not end", ErrMalformed)
			}
			i = end - 1
		case '{', '[':
			if depth++; depth > maxDepth {
				return fmt.Errorf("%w: nested deeper than %d", ErrMalformed, maxDepth)
			}
		case '}', ']':
			depth--
		}
	}
	return nil
}

// skipString returns the index after the string that begins at raw[i].
func skipString(raw []byte, i int) (int, bool) {
	for i++; i < len(raw); {
		n := bytes.IndexByte(raw[i:], '"')
		if n < 0 {
			return 0, false
		}
		end := i + n
		back := 0
		for end-1-back >= i && raw[end-1-back] == '\\' {
			back++
		}
		if back%2 == 0 {
			return end + 1, true
		}
		i = end + 1
	}
	return 0, false
}

// splitOne finds id, result and error in one answer object. It only takes apart the outermost object and leaves
// judging the parts to their decoders; anything unexpected goes to encoding/json.
func splitOne(raw []byte) (envelope, error) {
	if env, ok := splitFast(raw); ok {
		return env, nil
	}
	var env envelope
	if err := json.Unmarshal(raw, &env); err != nil {
		return envelope{}, fmt.Errorf("%w: %s", ErrMalformed, printable(err.Error(), 120))
	}
	return env, nil
}

// splitFast handles the shape every node sends on success: string keys without escapes, no error member. The
// value of result is skipped by counting brackets outside of strings; its decoder validates it.
func splitFast(raw []byte) (envelope, bool) {
	var env envelope
	i := skipSpace(raw, 0)
	if i >= len(raw) || raw[i] != '{' {
		return env, false
	}
	i++
	for {
		i = skipSpace(raw, i)
		if i >= len(raw) || raw[i] != '"' {
			return env, false
		}
		end, ok := skipString(raw, i)
		if !ok {
			return env, false
		}
		key := string(raw[i+1 : end-1])
		i = skipSpace(raw, end)
		if i >= len(raw) || raw[i] != ':' {
			return env, false
		}
		i = skipSpace(raw, i+1)
		end, ok = skipValue(raw, i)
		if !ok {
			return env, false
		}
		switch key {
		case "id":
			env.ID = raw[i:end]
		case "result":
			if env.Result != nil {
				return env, false
			}
			env.Result = raw[i:end]
		case "jsonrpc":
		default:
			return env, false
		}
		i = skipSpace(raw, end)
		if i >= len(raw) {
			return env, false
		}
		if raw[i] == '}' {
			return env, skipSpace(raw, i+1) == len(raw) && env.Result != nil
		}
		if raw[i] != ',' {
			return env, false
		}
		i++
	}
}

func skipSpace(raw []byte, i int) int {
	for i < len(raw) && (raw[i] == ' ' || raw[i] == '\n' || raw[i] == '\r' || raw[i] == '\t') {
		i++
	}
	return i
}

// skipValue returns the index after the value at raw[i], by brackets only.
func skipValue(raw []byte, i int) (int, bool) {
	if i >= len(raw) {
		return 0, false
	}
	switch raw[i] {
	case '"':
		return skipString(raw, i)
	case '{', '[':
		return skipNested(raw, i)
	}
	start := i
	for i < len(raw) && raw[i] != ',' && raw[i] != '}' && raw[i] != ']' && raw[i] > ' ' {
		i++
	}
	return i, i > start
}

func skipNested(raw []byte, i int) (int, bool) {
	depth := 0
	for i < len(raw) {
		switch raw[i] {
		case '"':
			end, ok := skipString(raw, i)
			if !ok {
				return 0, false
			}
			i = end
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		i++
		if depth == 0 {
			return i, true
		}
	}
	return 0, false
}
