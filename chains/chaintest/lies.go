package chaintest

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
)

// blockArg is the position of the block parameter of methods that read state or blocks.
var blockArg = map[string]int{
	"eth_call": 1, "eth_getBalance": 1, "eth_getCode": 1, "eth_getTransactionCount": 1, "eth_getStorageAt": 2,
	"eth_getBlockByNumber": 0, "eth_createAccessList": 1, "eth_estimateGas": 1, "eth_getProof": 2,
}

var readsState = map[string]bool{
	"eth_call": true, "eth_getBalance": true, "eth_getCode": true, "eth_getTransactionCount": true,
	"eth_getStorageAt": true, "eth_createAccessList": true, "eth_getProof": true,
}

// lie passes a call on and applies the faults of the node to question and answer.
func (p *Proxy) lie(r *http.Request, f Faults, a ask) (json.RawMessage, *nodeFailure, error) {
	switch {
	case a.Method == "eth_chainId" && f.ChainID != 0:
		return quote(hexutil.EncodeUint64(f.ChainID)), nil, nil
	case a.Method == "net_version" && f.ChainID != 0:
		return quote(hexutil.Uint64(f.ChainID).String()), nil, nil
	case f.Pruned && readsState[a.Method]:
		return nil, &nodeFailure{Code: -32000, Message: "missing trie node 5b6a1c0e (path ) state is not available"}, nil
	case f.NoHashParam && hasHashParam(a):
		return nil, &nodeFailure{Code: -32602, Message: "invalid argument 1: json: cannot unmarshal object into Go value of type string"}, nil
	}
	if forged, ok := forgedState(f, a); ok {
		return forged, nil, nil
	}
	if f.Lag > 0 {
		return p.lagging(r, f, a)
	}
	return p.honest(r, f, a)
}

func (p *Proxy) honest(r *http.Request, f Faults, a ask) (json.RawMessage, *nodeFailure, error) {
	if a.Method == "eth_getLogs" && f.MaxRange > 0 && span(a) > f.MaxRange {
		return nil, &nodeFailure{Code: -32602, Message: "exceeds the range allowed: block range is too wide"}, nil
	}
	result, fail, err := p.forward(r, a.Method, a.Params)
	if err != nil || fail != nil || a.Method != "eth_getLogs" || f.DropLogs == nil {
		return result, fail, err
	}
	return dropLogs(result, f.DropLogs), nil, nil
}

// lagging answers as a node does whose head is Lag blocks behind.
func (p *Proxy) lagging(r *http.Request, f Faults, a ask) (json.RawMessage, *nodeFailure, error) {
	raw, fail, err := p.forward(r, "eth_blockNumber", nil)
	if err != nil || fail != nil {
		return nil, fail, err
	}
	var head hexutil.Uint64
	if err := json.Unmarshal(raw, &head); err != nil {
		return nil, nil, err
	}
	cut := uint64(head) - min(uint64(head), f.Lag)
	if a.Method == "eth_blockNumber" {
		return quote(hexutil.EncodeUint64(cut)), nil, nil
	}
	if pos, ok := blockArg[a.Method]; ok && pos < len(a.Params) {
		known, err := p.clamp(r, &a, pos, cut)
		if err != nil {
			return nil, nil, err
		}
		if !known && a.Method == "eth_getBlockByNumber" {
			return json.RawMessage("null"), nil, nil
		}
		if !known {
			return nil, &nodeFailure{Code: -32000, Message: "header not found"}, nil
		}
	}
	if a.Method == "eth_getLogs" {
		clampLogs(&a, cut)
	}
	result, fail, err := p.honest(r, f, a)
	if a.Method == "eth_getBlockByHash" && err == nil && fail == nil && numberOf(result) > cut {
		result = json.RawMessage("null")
	}
	return result, fail, err
}

// clamp rewrites the block parameter to what the late node sees; known is false where it has no such block.
func (p *Proxy) clamp(r *http.Request, a *ask, pos int, cut uint64) (known bool, err error) {
	params := append([]json.RawMessage(nil), a.Params...)
	a.Params = params
	var obj struct{ BlockHash *common.Hash }
	if json.Unmarshal(params[pos], &obj) == nil && obj.BlockHash != nil {
		hash, _ := json.Marshal(obj.BlockHash)
		block, _, err := p.forward(r, "eth_getBlockByHash", []json.RawMessage{hash, json.RawMessage("false")})
		return err == nil && string(block) != "null" && numberOf(block) <= cut, err
	}
	var tag string
	if json.Unmarshal(params[pos], &tag) != nil {
		return true, nil
	}
	if strings.HasPrefix(tag, "0x") {
		n, err := hexutil.DecodeUint64(tag)
		return err != nil || n <= cut, nil
	}
	if tag == "earliest" {
		return true, nil
	}
	at := cut
	if tag == "safe" || tag == "finalized" {
		block, fail, err := p.forward(r, "eth_getBlockByNumber", []json.RawMessage{params[pos], json.RawMessage("false")})
		if err != nil {
			return false, err
		}
		if fail != nil || string(block) == "null" {
			return false, nil
		}
		at = min(cut, numberOf(block))
	}
	params[pos] = quote(hexutil.EncodeUint64(at))
	return true, nil
}

func clampLogs(a *ask, cut uint64) {
	var filter map[string]any
	if len(a.Params) == 0 || json.Unmarshal(a.Params[0], &filter) != nil {
		return
	}
	for _, end := range []string{"fromBlock", "toBlock"} {
		s, _ := filter[end].(string)
		if n, err := hexutil.DecodeUint64(s); s == "latest" || err == nil && n > cut {
			filter[end] = hexutil.EncodeUint64(cut)
		}
	}
	raw, err := json.Marshal(filter)
	if err == nil {
		a.Params = []json.RawMessage{raw}
	}
}

func numberOf(block json.RawMessage) uint64 {
	var b struct{ Number hexutil.Uint64 }
	_ = json.Unmarshal(block, &b) // a null block has number 0
	return uint64(b.Number)
}

func hasHashParam(a ask) bool {
	pos, ok := blockArg[a.Method]
	return ok && pos < len(a.Params) && strings.HasPrefix(strings.TrimSpace(string(a.Params[pos])), "{")
}

func forgedState(f Faults, a ask) (json.RawMessage, bool) {
	var account common.Address
	if len(a.Params) == 0 || json.Unmarshal(a.Params[0], &account) != nil {
		return nil, false
	}
	switch a.Method {
	case "eth_getCode":
		code, ok := f.Code[account]
		return quote(hexutil.Encode(code)), ok
	case "eth_getStorageAt":
		var slot string
		if len(a.Params) < 2 || json.Unmarshal(a.Params[1], &slot) != nil {
			return nil, false
		}
		value, ok := f.Storage[Slot{account, common.HexToHash(slot)}]
		return quote(value.Hex()), ok
	}
	return nil, false
}

func dropLogs(result json.RawMessage, drop func(map[string]any) bool) json.RawMessage {
	var logs []map[string]any
	if json.Unmarshal(result, &logs) != nil {
		return result
	}
	kept := []map[string]any{}
	for _, l := range logs {
		if !drop(l) {
			kept = append(kept, l)
		}
	}
	out, err := json.Marshal(kept)
	if err != nil {
		return result
	}
	return out
}

func span(a ask) uint64 {
	var f struct{ FromBlock, ToBlock *hexutil.Uint64 }
	if len(a.Params) == 0 || json.Unmarshal(a.Params[0], &f) != nil || f.FromBlock == nil || f.ToBlock == nil || *f.ToBlock < *f.FromBlock {
		return 0
	}
	return uint64(*f.ToBlock-*f.FromBlock) + 1
}

func quote(s string) json.RawMessage { return json.RawMessage(`"` + s + `"`) }
