package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/ethereum/go-ethereum/common"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/risk"
	"github.com/legate-dao/legate/chains/rpc"
)

// metricReader reads watched numbers on chain, from as many sources as must agree.
type metricReader struct {
	clients map[gov.ChainID]*rpc.Client
	metrics map[gov.Label]MetricConfig
}

func newMetricReader(clients map[gov.ChainID]*rpc.Client, list []MetricConfig) metricReader {
	r := metricReader{clients, map[gov.Label]MetricConfig{}}
	for _, m := range list {
		r.metrics[gov.Label(m.Name)] = m
	}
	return r
}

// Read calls the contract at the newest block that enough operators have. Its error is a [*risk.Unreadable].
func (r metricReader) Read(ctx context.Context, name gov.Label) (gov.Measured, error) {
	m := r.metrics[name]
	client := r.clients[gov.ChainID(m.Chain.ID())]
	if client == nil {
		return gov.Measured{}, &risk.Unreadable{Why: "its chain cannot be read"}
	}
	head, err := agreedHead(ctx, client)
	if err != nil {
		return gov.Measured{}, &risk.Unreadable{Why: wordsOf(err, "the newest block"), Err: err}
	}
	selector := m.Call.method.Selector()
	answer, agreement, err := rpc.Agree(ctx, client, client.Need(), func(ctx context.Context, c rpc.Caller) (string, error) {
		out, err := rpc.CallContract(ctx, c, common.Address(m.Call.target), selector[:], head.Hash)
		return string(out), err
	})
	if err != nil {
		return gov.Measured{}, &risk.Unreadable{Why: wordsOf(err, "the number"), Err: err}
	}
	value, why := m.decode([]byte(answer))
	if why != "" && answer == "" {
		why = r.codeless(ctx, client, m, head.Hash)
	}
	if why != "" {
		return gov.Measured{}, &risk.Unreadable{Why: why}
	}
	return gov.Measured{
		Value: value, Block: gov.Block{Number: head.Number, Hash: head.Hash, Time: gov.UnixTime(head.Time)},
		Source: fmt.Sprintf("%s = %s on %s, %s", name, m.Call, m.Chain, agreedBy(client, agreement)),
	}, nil
}

// decode is the number of an answer, in the unit of the scale; why says what is wrong with it.
func (m MetricConfig) decode(answer []byte) (value float64, why string) {
	if len(answer) != 32 {
		return 0, fmt.Sprintf("it returned %d bytes, not one number", len(answer))
	}
	n := new(big.Int).SetBytes(answer)
	if m.Call.signed && n.Bit(255) == 1 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), 256))
	}
	bits := m.Call.bits()
	if m.Call.signed {
		bits-- // for the sign
	}
	magnitude := n
	if n.Sign() < 0 {
		magnitude = new(big.Int).Not(n)
	}
	if magnitude.BitLen() > bits {
		return 0, "it returned a number that is none of the type in the configuration"
	}
	f, _ := new(big.Float).SetInt(n).Float64()
	return f * m.Scale, ""
}

// bits is the size of the number that the call returns.
func (c CallConfig) bits() int {
	_, result, _ := strings.Cut(c.text, "()(")
	n, err := strconv.Atoi(strings.TrimRight(strings.TrimLeft(result, "uint"), ")"))
	if err != nil {
		return 256 // int and uint
	}
	return n
}

// codeless says why an answer is empty.
func (r metricReader) codeless(ctx context.Context, client *rpc.Client, m MetricConfig, at common.Hash) string {
	has, _, err := rpc.Agree(ctx, client, client.Need(), func(ctx context.Context, c rpc.Caller) (bool, error) {
		code, err := rpc.Code(ctx, c, common.Address(m.Call.target), at)
		return len(code) > 0, err
	})
	if err == nil && !has {
		return "there is no code behind " + common.Address(m.Call.target).Hex()
	}
	return "it returned nothing; the contract may not have this function"
}

// agreedBy names the operators that gave an answer, and says where it is the word of one.
func agreedBy(client *rpc.Client, a rpc.Agreement) string {
	silent := slices.Clone(a.Minority)
	for _, e := range a.Errors {
		silent = append(silent, e.Source)
	}
	var hosts []string
	for _, s := range client.Sources() {
		if !slices.Contains(silent, s.Name()) {
			hosts = append(hosts, s.Name())
		}
	}
	if a.Same < 2 {
		return "unverified, from " + strings.Join(hosts, ", ")
	}
	return fmt.Sprintf("agreed by %d of %d: %s", a.Same, a.Sources, strings.Join(hosts, ", "))
}

// wordsOf says in words of the program why something could not be asked.
func wordsOf(err error, what string) string {
	var disagree *rpc.AgreementError
	if errors.As(err, &disagree) {
		if disagree.Kinds > 1 {
			return "the endpoints disagree about " + what
		}
		if disagree.Answers > 0 || len(disagree.Errors) == 0 {
			return "too few endpoints answer"
		}
		err = disagree.Errors[0].Err
	}
	switch rpc.Classify(err) {
	case rpc.Reverted:
		return "the call reverts"
	case rpc.NoState:
		return "the endpoints have no state of the newest block"
	case rpc.RateLimited:
		return "the endpoints refuse, because they are asked too often"
	case rpc.Timeout:
		return "the endpoints do not answer in time"
	}
	if disagree != nil {
		return "too few endpoints answer"
	}
	return "no endpoint answers"
}

// agreedHead is the newest block that as many operators have as must agree, by one hash: none of them alone can claim
// the future, or hold all others back. Where more than one must agree it is the block before, which they all have.
func agreedHead(ctx context.Context, client *rpc.Client) (rpc.Header, error) {
	need := client.Need()
	if need < 2 {
		return client.Latest(ctx)
	}
	sources := client.Sources()
	heights, errs := make([]uint64, len(sources)), make([]error, len(sources))
	var asking sync.WaitGroup
	for i, s := range sources {
		asking.Go(func() {
			h, err := rpc.HeaderByTag(ctx, s, "latest")
			heights[i], errs[i] = h.Number, err
		})
	}
	asking.Wait()
	var answered []uint64
	asked := rpc.Agreement{Sources: len(sources)}
	for i, s := range sources {
		if errs[i] == nil {
			answered = append(answered, heights[i])
			continue
		}
		asked.Errors = append(asked.Errors, rpc.SourceError{Source: s.Name(), Err: errs[i]})
	}
	if len(answered) < need {
		return rpc.Header{}, fmt.Errorf("the newest block: %w", &rpc.AgreementError{Need: need, Answers: len(answered), Kinds: min(len(answered), 1), Agreement: asked})
	}
	slices.SortFunc(answered, func(a, b uint64) int { return cmp.Compare(b, a) })
	height := answered[need-1]
	header, _, err := rpc.AgreeBy(ctx, client, need, func(h rpc.Header) common.Hash { return h.Hash }, func(ctx context.Context, c rpc.Caller) (rpc.Header, error) {
		return rpc.HeaderByNumber(ctx, c, max(height, 1)-1)
	})
	return header, err
}
