package chains

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/rpc"
)

// Client is what a watcher needs of a chain's endpoints. [Over] makes it of an [rpc.Client].
type Client interface {
	rpc.Caller
	// Latest is the newest header of the preferred endpoint.
	Latest(ctx context.Context) (rpc.Header, error)
	// Final is the newest final header that enough sources agree on.
	Final(ctx context.Context) (rpc.Header, error)
	// Behind is finality as a distance from the head; ok is false where the node tells it by a tag.
	Behind() (blocks uint64, ok bool)
	// AgreedLogs are the logs of a range on which enough sources agree; each source must have the block last
	// as the end of the range. minority are the sources that said something else.
	AgreedLogs(ctx context.Context, f rpc.Filter, last gov.Hash) (logs []rpc.Log, minority []string, err error)
	// AgreedHash is the hash of the canonical block at a height by enough sources.
	AgreedHash(ctx context.Context, number uint64) (gov.Hash, error)
	// Verified says whether more than one source must agree.
	Verified() bool
	// SubscribeHeads yields new heads as hints; nil when there is no such signal.
	SubscribeHeads(ctx context.Context) <-chan rpc.Header
}

// Over makes the watcher's view of a client.
func Over(c *rpc.Client) Client { return agreeing{c} }

type agreeing struct{ *rpc.Client }

func (a agreeing) Verified() bool { return a.Need() > 1 }

func (a agreeing) Behind() (uint64, bool) {
	f := a.Finality()
	if f == rpc.LatestTag {
		return 0, true
	}
	return f.Blocks(), !f.IsTag()
}

func (a agreeing) Final(ctx context.Context) (rpc.Header, error) {
	if !a.Verified() {
		return a.Client.Final(ctx)
	}
	h, _, err := a.AgreedFinal(ctx)
	return h, err
}

func (a agreeing) AgreedHash(ctx context.Context, number uint64) (gov.Hash, error) {
	h, _, err := rpc.Agree(ctx, a.Client, a.Need(), func(ctx context.Context, c rpc.Caller) (gov.Hash, error) {
		h, err := rpc.HeaderByNumber(ctx, c, number)
		return h.Hash, err
	})
	return h, err
}

func (a agreeing) AgreedLogs(ctx context.Context, f rpc.Filter, last gov.Hash) ([]rpc.Log, []string, error) {
	logs, agreement, err := rpc.AgreeBy(ctx, a.Client, a.Need(), digestLogs, func(ctx context.Context, c rpc.Caller) ([]rpc.Log, error) {
		return LogsUpTo(ctx, c, f, last)
	})
	return logs, agreement.Minority, err
}

// digestLogs is a hash of everything that matters in a set of logs.
func digestLogs(logs []rpc.Log) gov.Hash {
	h := crypto.NewKeccakState()
	number := func(n uint64) { h.Write(binary.BigEndian.AppendUint64(nil, n)) }
	for _, l := range logs {
		h.Write(l.Address[:])
		number(uint64(len(l.Topics)))
		for _, t := range l.Topics {
			h.Write(t[:])
		}
		number(uint64(len(l.Data)))
		h.Write(l.Data)
		number(l.BlockNumber)
		h.Write(l.BlockHash[:])
		h.Write(l.TxHash[:])
		number(l.Index)
	}
	return gov.Hash(h.Sum(nil))
}

// LogsUpTo asks for the logs of a range and, in the same conversation, for the block at its end. A node that
// does not have that block yet answers a range with what it has, often with nothing: that is no answer.
func LogsUpTo(ctx context.Context, c rpc.Caller, f rpc.Filter, last gov.Hash) ([]rpc.Log, error) {
	t := &together{c: c, number: f.To}
	logs, err := rpc.Logs(ctx, t, f)
	if err != nil {
		return nil, err
	}
	if t.end.Hash != last {
		return nil, fmt.Errorf("logs of blocks %d to %d: %w: there block %d is %s, not %s", f.From, f.To, rpc.ErrNotFound, f.To, t.end.Hash, last)
	}
	return logs, nil
}

// together adds a question for a block to each call.
type together struct {
	c      rpc.Caller
	number uint64
	end    rpc.Header
}

// Call asks the method and the block in one batch.
func (t *together) Call(ctx context.Context, result any, method string, args ...any) error {
	reqs := []rpc.Request{
		{Method: method, Args: args, Result: result},
		{Method: "eth_getBlockByNumber", Args: []any{hexutil.Uint64(t.number), false}, Result: header{&t.end}},
	}
	if err := t.c.Batch(ctx, reqs); err != nil {
		return err
	}
	if reqs[0].Err != nil {
		return reqs[0].Err
	}
	if reqs[1].Err != nil {
		return fmt.Errorf("block %d at the end of the range: %w", t.number, reqs[1].Err)
	}
	return nil
}

// Batch is that of the caller beneath.
func (t *together) Batch(ctx context.Context, reqs []rpc.Request) error { return t.c.Batch(ctx, reqs) }
