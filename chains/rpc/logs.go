package rpc

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
)

// Log is an event as the chain holds it.
type Log struct {
	Address     common.Address
	Topics      []common.Hash // up to 4
	Data        []byte
	BlockNumber uint64
	BlockHash   common.Hash
	TxHash      common.Hash
	TxIndex     uint64
	Index       uint64 // within the block
	Removed     bool
}

// Filter says which logs. BlockHash, where set, replaces the range.
type Filter struct {
	Addresses []common.Address // any of; empty: all
	Topics    [][]common.Hash  // by position, any of each; an empty position: all
	From, To  uint64           // blocks, both included
	BlockHash *common.Hash
}

// MarshalJSON writes the filter object of eth_getLogs.
func (f Filter) MarshalJSON() ([]byte, error) {
	out := struct {
		Address   []common.Address `json:"address,omitempty"`
		Topics    []any            `json:"topics,omitempty"`
		From      *hexutil.Uint64  `json:"fromBlock,omitempty"`
		To        *hexutil.Uint64  `json:"toBlock,omitempty"`
		BlockHash *common.Hash     `json:"blockHash,omitempty"`
	}{Address: f.Addresses, BlockHash: f.BlockHash}
	for _, any := range f.Topics {
		switch len(any) {
		case 0:
			out.Topics = append(out.Topics, nil)
		case 1:
			out.Topics = append(out.Topics, any[0])
		default:
			out.Topics = append(out.Topics, any)
		}
	}
	if f.BlockHash == nil {
		out.From, out.To = (*hexutil.Uint64)(&f.From), (*hexutil.Uint64)(&f.To)
	}
	return json.Marshal(out)
}

// Matches says whether a log is one the filter asks for.
func (f Filter) Matches(l *Log) bool {
	if f.BlockHash != nil {
		if l.BlockHash != *f.BlockHash {
			return false
		}
	} else if l.BlockNumber < f.From || l.BlockNumber > f.To {
		return false
	}
	if len(f.Addresses) > 0 && !slices.Contains(f.Addresses, l.Address) {
		return false
	}
	if len(f.Topics) > len(l.Topics) {
		return false
	}
	for i, any := range f.Topics {
		if len(any) > 0 && !slices.Contains(any, l.Topics[i]) {
			return false
		}
	}
	return true
}

// Logs asks for logs and returns them in chain order. An endpoint that refuses so wide a range is asked for it in
// pieces, as wide as it is known to answer. ErrRange says that this takes more than a few dozen pieces, or more time
// than there is: the caller asks for less. What is refused for one block alone is a *RefusedError. A log that the
// filter did not ask for, or one that comes twice, is ErrMalformed.
func Logs(ctx context.Context, c Caller, f Filter) ([]Log, error) {
	if f.BlockHash == nil && f.To < f.From {
		return nil, fmt.Errorf("logs of blocks %d to %d: the range is empty", f.From, f.To)
	}
	var logs logList
	if err := c.Call(ctx, &logs, "eth_getLogs", f); err != nil {
		return nil, f.explain(ctx, err)
	}
	if err := f.verify(logs); err != nil {
		return nil, fmt.Errorf("logs of %s: %w", f.span(), err)
	}
	return logs, nil
}

// explain turns "too much" into ErrRange. A plain time-out counts as that only where a range can still be halved.
func (f Filter) explain(ctx context.Context, err error) error {
	class := Classify(err)
	many := f.BlockHash == nil && f.To > f.From
	if class == Range || class == Timeout && many && ctx.Err() == nil {
		return fmt.Errorf("logs of %s: %w: %w", f.span(), ErrRange, err)
	}
	return fmt.Errorf("logs of %s: %w", f.span(), err)
}

func (f Filter) span() string {
	if f.BlockHash != nil {
		return "block " + f.BlockHash.String()
	}
	return fmt.Sprintf("blocks %d to %d", f.From, f.To)
}

// verify sorts the logs and checks each against the filter.
func (f Filter) verify(logs []Log) error {
	if !slices.IsSortedFunc(logs, logOrder) {
		slices.SortFunc(logs, logOrder)
	}
	for i := range logs {
		if !f.Matches(&logs[i]) {
			return fmt.Errorf("%w: log %d of block %d was not asked for", ErrMalformed, logs[i].Index, logs[i].BlockNumber)
		}
		if i > 0 && logOrder(logs[i-1], logs[i]) == 0 {
			return fmt.Errorf("%w: log %d of block %d comes twice", ErrMalformed, logs[i].Index, logs[i].BlockNumber)
		}
	}
	return nil
}

func logOrder(a, b Log) int {
	if a.BlockNumber != b.BlockNumber {
		if a.BlockNumber < b.BlockNumber {
			return -1
		}
		return 1
	}
	switch {
	case a.Index < b.Index:
		return -1
	case a.Index > b.Index:
		return 1
	}
	return 0
}

// logList is the result of eth_getLogs.
type logList []Log

// DecodeResult implements RawResult: the scanner where the shape is the usual one, else encoding/json.
func (l *logList) DecodeResult(raw []byte) error {
	if logs, ok := scanLogs(raw); ok {
		*l = logs
		return nil
	}
	return l.UnmarshalJSON(raw)
}

type logJSON struct {
	Address     *common.Address `json:"address"`
	Topics      []common.Hash   `json:"topics"`
	Data        *hexutil.Bytes  `json:"data"`
	BlockNumber *hexutil.Uint64 `json:"blockNumber"`
	BlockHash   *common.Hash    `json:"blockHash"`
	TxHash      *common.Hash    `json:"transactionHash"`
	TxIndex     *hexutil.Uint64 `json:"transactionIndex"`
	Index       *hexutil.Uint64 `json:"logIndex"`
	Removed     bool            `json:"removed"`
}

const maxTopics = 4

// UnmarshalJSON is the slow and complete way.
func (l *logList) UnmarshalJSON(raw []byte) error {
	var in []logJSON
	if err := json.Unmarshal(raw, &in); err != nil {
		return fmt.Errorf("%w: logs: %s", ErrMalformed, printable(err.Error(), 160))
	}
	if in == nil {
		return fmt.Errorf("%w: logs: null", ErrMalformed)
	}
	out := make([]Log, len(in))
	for i := range in {
		j := &in[i]
		if j.Topics == nil || j.Data == nil || j.Address == nil || j.BlockNumber == nil || j.BlockHash == nil || j.TxHash == nil || j.TxIndex == nil || j.Index == nil {
			return fmt.Errorf("%w: log %d lacks address, topics, data, block, transaction or index", ErrMalformed, i)
		}
		if len(j.Topics) > maxTopics {
			return fmt.Errorf("%w: log %d has %d topics", ErrMalformed, i, len(j.Topics))
		}
		out[i] = Log{
			Address: *j.Address, Topics: j.Topics, Data: *j.Data, BlockNumber: uint64(*j.BlockNumber), BlockHash: *j.BlockHash,
			TxHash: *j.TxHash, TxIndex: uint64(*j.TxIndex), Index: uint64(*j.Index), Removed: j.Removed,
		}
	}
	*l = out
	return nil
}
