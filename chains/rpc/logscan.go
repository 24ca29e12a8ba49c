package rpc

import (
	"bytes"

	"github.com/ethereum/go-ethereum/common"
)

// scanLogs reads the usual shape of an eth_getLogs answer in one pass, some twenty times faster than encoding/json
// does, which is what limits a back-fill. Anything it does not expect (an escape in a string, an odd number form, a
// repeated or missing field) makes it give up, and the answer goes to encoding/json, which has the last word on
// what is valid. FuzzLogs holds the two against each other.
func scanLogs(raw []byte) ([]Log, bool) {
	s := scanner{raw: raw}
	if !s.eat('[') {
		return nil, false
	}
	logs := make([]Log, 0, min(len(raw)/600+1, 1<<16))
	if s.eat(']') {
		return logs, s.atEnd()
	}
	for {
		var l Log
		if !s.log(&l) {
			return nil, false
		}
		logs = append(logs, l)
		if s.eat(',') {
			continue
		}
		return logs, s.eat(']') && s.atEnd()
	}
}

// scanner walks the bytes of an answer. Each method returns false where the bytes are not what it reads; the
// position is then of no use any more.
type scanner struct {
	raw []byte
	at  int
}

// eat skips white space and takes one expected byte.
func (s *scanner) eat(c byte) bool {
	s.at = skipSpace(s.raw, s.at)
	if s.at < len(s.raw) && s.raw[s.at] == c {
		s.at++
		return true
	}
	return false
}

func (s *scanner) atEnd() bool { return skipSpace(s.raw, s.at) == len(s.raw) }

// text takes a string and returns what is between its quotes. It does not look for escapes: every caller accepts
// only key names or hex digits, and a backslash is neither.
func (s *scanner) text() ([]byte, bool) {
	if !s.eat('"') {
		return nil, false
	}
	n := bytes.IndexByte(s.raw[s.at:], '"')
	if n < 0 {
		return nil, false
	}
	out := s.raw[s.at : s.at+n]
	s.at += n + 1
	return out, true
}

// The fields of a log, as bits of a set, to see that each needed one came once.
const (
	hasAddress = 1 << iota
	hasTopics
	hasData
	hasNumber
	hasBlock
	hasTx
	hasTxIndex
	hasIndex
	hasRemoved
	allFields = hasAddress | hasTopics | hasData | hasNumber | hasBlock | hasTx | hasTxIndex | hasIndex
)

func (s *scanner) log(l *Log) bool {
	if !s.eat('{') {
		return false
	}
	seen := 0
	for {
		key, ok := s.text()
		if !ok || !s.eat(':') {
			return false
		}
		field, ok := s.field(string(key), l)
		if !ok || seen&field != 0 {
			return false
		}
		seen |= field
		if s.eat(',') {
			continue
		}
		return s.eat('}') && seen&allFields == allFields
	}
}

// field reads the value of one key and says which field it was; 0 is a known field that we do not keep.
func (s *scanner) field(key string, l *Log) (field int, ok bool) {
	switch key {
	case "address":
		return hasAddress, s.fixed(l.Address[:])
	case "topics":
		return hasTopics, s.topics(l)
	case "data":
		return hasData, s.bytes(&l.Data)
	case "blockNumber":
		return hasNumber, s.quantity(&l.BlockNumber)
	case "blockHash":
		return hasBlock, s.fixed(l.BlockHash[:])
	case "transactionHash":
		return hasTx, s.fixed(l.TxHash[:])
	case "transactionIndex":
		return hasTxIndex, s.quantity(&l.TxIndex)
	case "logIndex":
		return hasIndex, s.quantity(&l.Index)
	case "removed":
		return hasRemoved, s.boolean(&l.Removed)
	case "blockTimestamp":
		var skip uint64
		return 0, s.quantity(&skip)
	}
	return 0, false
}

// fixed reads exactly the hex digits that fill out.
func (s *scanner) fixed(out []byte) bool {
	t, ok := s.text()
	return ok && len(t) == 2+2*len(out) && t[0] == '0' && t[1] == 'x' && unhex(out, t[2:])
}

func (s *scanner) bytes(out *[]byte) bool {
	t, ok := s.text()
	if !ok || len(t) < 2 || len(t)%2 != 0 || t[0] != '0' || t[1] != 'x' {
		return false
	}
	*out = make([]byte, (len(t)-2)/2)
	return unhex(*out, t[2:])
}

// quantity reads a number without leading zeros, up to 64 bits.
func (s *scanner) quantity(out *uint64) bool {
	t, ok := s.text()
	if !ok || len(t) < 3 || len(t) > 18 || t[0] != '0' || t[1] != 'x' || t[2] == '0' && len(t) > 3 {
		return false
	}
	var v uint64
	for _, c := range t[2:] {
		d := hexTable[c]
		if d == badDigit {
			return false
		}
		v = v<<4 | uint64(d)
	}
	*out = v
	return true
}

func (s *scanner) boolean(out *bool) bool {
	s.at = skipSpace(s.raw, s.at)
	rest := s.raw[s.at:]
	switch {
	case len(rest) >= 5 && string(rest[:5]) == "false":
		*out, s.at = false, s.at+5
	case len(rest) >= 4 && string(rest[:4]) == "true":
		*out, s.at = true, s.at+4
	default:
		return false
	}
	return true
}

func (s *scanner) topics(l *Log) bool {
	if !s.eat('[') {
		return false
	}
	if s.eat(']') {
		l.Topics = []common.Hash{}
		return true
	}
	var t [maxTopics]common.Hash
	for n := 0; n < maxTopics; n++ {
		if !s.fixed(t[n][:]) {
			return false
		}
		if s.eat(',') {
			continue
		}
		l.Topics = append(make([]common.Hash, 0, n+1), t[:n+1]...)
		return s.eat(']')
	}
	return false
}

const badDigit = 0xff

// hexTable is the value of each hex digit, badDigit elsewhere.
var hexTable = func() (t [256]byte) {
	for i := range t {
		t[i] = badDigit
	}
	for i := range 10 {
		t['0'+i] = byte(i)
	}
	for i := range 6 {
		t['a'+i], t['A'+i] = byte(10+i), byte(10+i)
	}
	return t
}()

func hexDigit(c byte) byte { return hexTable[c] }

// unhex decodes 2·len(out) hex digits.
func unhex(out, digits []byte) bool {
	var bad byte
	for i := range out {
		hi, lo := hexTable[digits[2*i]], hexTable[digits[2*i+1]]
		bad |= (hi | lo) & 0xf0
		out[i] = hi<<4 | lo
	}
	return bad == 0
}
