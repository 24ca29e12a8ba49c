package chains_test

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"math/rand/v2"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains"
	"github.com/legate-dao/legate/chains/governor"
	"github.com/legate-dao/legate/chains/quorum"
	"github.com/legate-dao/legate/chains/rpc"
)

var (
	daoAddress   = gov.Address{19: 0xda}
	topicCreated = crypto.Keccak256Hash([]byte("ProposalCreated(uint256,address,address[],uint256[],string[],bytes[],uint256,uint256,string)"))
)

// dao is a governor with counted ids, as a detection would have found it.
func dao() governor.Governor {
	return governor.Governor{
		Chain: 1, Address: daoAddress, Name: "dao", Flavour: gov.OpenZeppelin5, Clock: gov.ClockBlock, Executor: daoAddress,
		HasClock: true, HeaderClock: true, Sequential: true,
	}
}

// block is one block of the truth.
type block struct {
	number uint64
	hash   gov.Hash
	parent gov.Hash
	time   uint64
	logs   []rpc.Log
}

// truth is a chain in memory: what really happened, of which sources tell.
type truth struct {
	blocks []block
	salt   uint64
	final  uint64 // the mark that nodes report; never goes back unless a test breaks it
	from   uint64 // block of the deployment
	nextID uint64
	twin   gov.Address // a second governor that proposals go to by turns; zero: there is none
}

func newTruth(from uint64) *truth {
	t := &truth{from: from}
	t.mine()
	return t
}

func (t *truth) head() block { return t.blocks[len(t.blocks)-1] }

func (t *truth) mine(logs ...rpc.Log) {
	b := block{number: uint64(len(t.blocks)), time: 1_700_000_000 + 12*uint64(len(t.blocks))}
	if len(t.blocks) > 0 {
		b.parent = t.head().hash
	}
	t.salt++
	var seed [48]byte
	copy(seed[:], b.parent[:])
	binary.BigEndian.PutUint64(seed[32:], b.number)
	binary.BigEndian.PutUint64(seed[40:], t.salt)
	b.hash = crypto.Keccak256Hash(seed[:])
	for i, l := range logs {
		l.BlockNumber, l.BlockHash, l.Index = b.number, b.hash, uint64(i)
		b.logs = append(b.logs, l)
	}
	t.blocks = append(t.blocks, b)
}

// drop takes the newest blocks away; their counted ids come again.
func (t *truth) drop(n uint64) {
	kept := uint64(len(t.blocks)) - n
	for _, b := range t.blocks[kept:] {
		t.nextID -= uint64(len(b.logs))
	}
	t.blocks = t.blocks[:kept]
}

// finalise marks the block at a distance from the head.
func (t *truth) finalise(lag uint64) {
	if n := t.head().number; n >= lag {
		t.final = max(t.final, n-lag)
	}
}

// created is the creation log of a proposal with one action of the given value.
func created(id, value uint64, description string) rpc.Log {
	word := func(n uint64) []byte { return common.BigToHash(new(big.Int).SetUint64(n)).Bytes() }
	text := common.RightPadBytes([]byte(description), (len(description)+31)/32*32)
	var d []byte
	for _, n := range []uint64{id, 0xabc, 9 * 32, 11 * 32, 13 * 32, 14 * 32, 100, 200, 17 * 32} {
		d = append(d, word(n)...)
	}
	d = append(append(d, word(1)...), word(0xbeef)...) // targets
	d = append(append(d, word(1)...), word(value)...)  // values
	d = append(d, word(0)...)                          // signatures: none
	d = append(append(append(d, word(1)...), word(32)...), word(0)...)
	d = append(append(d, word(uint64(len(description)))...), text...)
	return rpc.Log{Address: common.Address(daoAddress), Topics: []common.Hash{topicCreated}, Data: d}
}

// propose mines a block with a new proposal.
func (t *truth) propose(value uint64) {
	t.nextID++
	l := created(t.nextID, value, fmt.Sprintf("# Proposal %d", t.nextID))
	if !t.twin.IsZero() && t.nextID%2 == 0 {
		l.Address = common.Address(t.twin)
	}
	t.mine(l)
}

// snapshot is that of a proposal that was created up to a height, else 0.
func (t *truth) snapshot(id, upTo uint64) uint64 {
	for _, b := range t.blocks[:upTo+1] {
		for _, l := range b.logs {
			if new(big.Int).SetBytes(l.Data[:32]).Uint64() == id {
				return 100
			}
		}
	}
	return 0
}

// byHash finds a canonical block, newest first.
func (t *truth) byHash(hash gov.Hash) *block {
	for i := len(t.blocks) - 1; i >= 0; i-- {
		if t.blocks[i].hash == hash {
			return &t.blocks[i]
		}
	}
	return nil
}

// proposals are the ids and content hashes up to a height.
func (t *truth) proposals(upTo uint64) map[string]gov.Hash {
	out := map[string]gov.Hash{}
	for _, b := range t.blocks {
		if b.number > upTo {
			break
		}
		for _, l := range b.logs {
			g := dao()
			g.Address = gov.Address(l.Address)
			e, err := g.Decode(l)
			if c, ok := e.(governor.Created); err == nil && ok {
				out[c.Seen.Proposal.ID.String()] = c.Seen.Proposal.ContentHash
			}
		}
	}
	return out
}

// source is one endpoint's view of the truth, with its faults.
type source struct {
	name  string
	truth *truth
	rng   *rand.Rand
	// lag is how many blocks it is behind; faults are probabilities of an answer.
	lag                   uint64
	fails, empty, timeOut float64
	maxLogs, maxBlocks    uint64 // limits of a log request; 0: none
	requests              map[string]int
	prunedBelow           uint64
	forge                 func(f rpc.Filter) []rpc.Log
	lie                   func([]rpc.Log) []rpc.Log   // on every answer with logs
	head                  func(rpc.Header) rpc.Header // on every newest block
	broken                bool                        // every request fails
}

var errDown = errors.New("connection refused")

func (s *source) Name() string { return s.name }

func (s *source) top() uint64 {
	h := s.truth.head().number
	return h - min(h, s.lag)
}

func (s *source) chance(p float64) bool { return p > 0 && s.rng.Float64() < p }

func (s *source) Batch(ctx context.Context, reqs []rpc.Request) error {
	if s.broken || s.chance(s.fails) {
		return errDown
	}
	for i := range reqs {
		reqs[i].Err = s.answer(reqs[i].Result, reqs[i].Method, reqs[i].Args)
	}
	return nil
}

func (s *source) Call(ctx context.Context, result any, method string, args ...any) error {
	if s.broken || s.chance(s.fails) {
		return errDown
	}
	return s.answer(result, method, args)
}

func (s *source) answer(result any, method string, args []any) error {
	if s.requests == nil {
		s.requests = map[string]int{}
	}
	s.requests[method]++
	switch method {
	case "eth_getBlockByNumber":
		n, ok := args[0].(hexutil.Uint64)
		switch args[0] {
		case "latest":
			n, ok = hexutil.Uint64(s.top()), true
		case "finalized":
			n, ok = hexutil.Uint64(min(s.truth.final, s.top())), true
		}
		if args[0] == "latest" && s.head != nil {
			h := s.head(s.truth.blocks[n].header())
			return rpc.Decode(block{number: h.Number, hash: h.Hash, parent: h.ParentHash, time: h.Time}.json(), result)
		}
		if !ok || uint64(n) > s.top() {
			return rpc.Decode([]byte("null"), result)
		}
		return rpc.Decode(s.truth.blocks[n].json(), result)
	case "eth_getLogs":
		return s.logs(result, args[0].(rpc.Filter))
	case "eth_getCode":
		b := s.truth.byHash(args[1].(rpc.AtHash).Hash)
		switch {
		case b == nil:
			return rpc.ErrNotFound
		case b.number < s.prunedBelow:
			return fmt.Errorf("missing trie node: %w", rpc.ErrNoState)
		case b.number >= s.truth.from:
			return rpc.Decode([]byte(`"0x60"`), result)
		}
		return rpc.Decode([]byte(`"0x"`), result)
	case "eth_call":
		b := s.truth.byHash(args[1].(rpc.AtHash).Hash)
		if b == nil {
			return rpc.ErrNotFound
		}
		switch {
		case b.number < s.prunedBelow:
			return fmt.Errorf("missing trie node: %w", rpc.ErrNoState)
		case b.number < s.truth.from:
			return rpc.Decode([]byte(`"0x"`), result)
		}
		n := b.number // clock()
		if data := args[0].(rpc.CallArgs).Data; len(data) == 36 {
			n = s.truth.snapshot(new(big.Int).SetBytes(data[4:]).Uint64(), b.number) // proposalSnapshot(id)
		}
		return rpc.Decode([]byte(`"`+common.BigToHash(new(big.Int).SetUint64(n)).Hex()+`"`), result)
	}
	return fmt.Errorf("the fake does not know %s", method)
}

func (s *source) logs(result any, f rpc.Filter) error {
	if s.chance(s.timeOut) {
		return context.DeadlineExceeded
	}
	list := []map[string]any{}
	from, to := min(f.From, s.top()+1), min(f.To, s.top())
	if f.BlockHash != nil {
		b := s.truth.byHash(*f.BlockHash)
		if b == nil || b.number > s.top() {
			return fmt.Errorf("unknown block: %w", rpc.ErrNotFound)
		}
		from, to = b.number, b.number
	}
	if s.maxBlocks > 0 && f.BlockHash == nil && f.To-f.From+1 > s.maxBlocks {
		return fmt.Errorf("block range too wide: %w", rpc.ErrRange)
	}
	add := func(l rpc.Log) {
		list = append(list, map[string]any{
			"address": l.Address, "topics": l.Topics, "data": hexutil.Bytes(l.Data), "blockNumber": hexutil.Uint64(l.BlockNumber),
			"blockHash": l.BlockHash, "transactionHash": l.TxHash, "transactionIndex": "0x0", "logIndex": hexutil.Uint64(l.Index), "removed": false,
		})
	}
	var logs []rpc.Log
	for _, b := range s.truth.blocks[from : to+1] {
		logs = append(logs, b.logs...)
	}
	if s.lie != nil {
		logs = s.lie(logs)
	}
	for _, l := range logs {
		if f.Matches(&l) {
			add(l)
		}
	}
	if s.forge != nil {
		for _, l := range s.forge(f) {
			if f.Matches(&l) {
				add(l)
			}
		}
	}
	if s.maxLogs > 0 && uint64(len(list)) > s.maxLogs {
		return fmt.Errorf("query returned more than %d results: %w", s.maxLogs, rpc.ErrRange)
	}
	if s.chance(s.empty) {
		list = list[:0]
	}
	raw, err := json.Marshal(list)
	if err != nil {
		return err
	}
	return rpc.Decode(raw, result)
}

func (b block) json() []byte {
	raw, err := json.Marshal(map[string]any{
		"number": hexutil.Uint64(b.number), "hash": b.hash, "parentHash": b.parent, "timestamp": hexutil.Uint64(b.time),
	})
	if err != nil {
		panic(err)
	}
	return raw
}

func (b block) header() rpc.Header {
	return rpc.Header{Number: b.number, Hash: b.hash, ParentHash: b.parent, Time: b.time}
}

// fakeClient is several sources as the watcher sees them. What is not agreed comes from the first.
type fakeClient struct {
	*source           // answers Call and Batch
	all     []*source // are asked to agree, where need is above 1
	need    int
	behind  uint64 // finality as a number of blocks; 0: the truth's tag
}

// client is the watcher's view: each question goes to the sources of the moment.
func (c *fakeClient) client() *chains.Client {
	finality := rpc.Finalized
	if c.behind > 0 {
		finality = rpc.Behind(c.behind)
	}
	return chains.NewClient(quorum.NewPanel(c.need, func() (members []quorum.Member) {
		if c.need <= 1 {
			return []quorum.Member{c.source}
		}
		for _, s := range c.all {
			members = append(members, s)
		}
		return members
	}, nil), finality, nil)
}
