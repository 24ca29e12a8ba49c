package main

import (
	"context"
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"github.com/ethereum/go-ethereum/common"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/risk"
	"github.com/legate-dao/legate/chains/quorum"
	"github.com/legate-dao/legate/chains/rpc"
)

// metricReader reads watched numbers on chain, from as many sources as must agree.
type metricReader struct {
	panels  map[gov.ChainID]*quorum.Panel
	metrics map[gov.Label]MetricConfig
}

func newMetricReader(panels map[gov.ChainID]*quorum.Panel, list []MetricConfig) metricReader {
	r := metricReader{panels, map[gov.Label]MetricConfig{}}
	for _, m := range list {
		r.metrics[gov.Label(m.Name)] = m
	}
	return r
}

// Read calls the contract at the newest block that enough operators have. Its error is a [*risk.Unreadable].
func (r metricReader) Read(ctx context.Context, name gov.Label) (gov.Measured, error) {
	m := r.metrics[name]
	panel := r.panels[gov.ChainID(m.Chain.ID())]
	if panel == nil {
		return gov.Measured{}, &risk.Unreadable{Why: "its chain cannot be read"}
	}
	agreed, err := headOf(ctx, panel)
	if err != nil {
		return gov.Measured{}, &risk.Unreadable{Why: wordsOf(err, "the newest block"), Err: err}
	}
	head := agreed.Value()
	selector := m.Call.method.Selector()
	answer, err := quorum.Ask(ctx, panel, func(ctx context.Context, c rpc.Caller) (string, error) {
		out, err := rpc.CallContract(ctx, c, common.Address(m.Call.target), selector[:], head.Hash)
		return string(out), err
	})
	if err != nil {
		return gov.Measured{}, &risk.Unreadable{Why: wordsOf(err, "the number"), Err: err}
	}
	value, why := m.decode([]byte(answer.Value()))
	if why != "" && answer.Value() == "" {
		why = codeless(ctx, panel, m, head.Hash)
	}
	if why != "" {
		return gov.Measured{}, &risk.Unreadable{Why: why}
	}
	return gov.Measured{
		Value: value, Block: gov.Block{Number: head.Number, Hash: head.Hash, Time: gov.UnixTime(head.Time)},
		Source: fmt.Sprintf("%s = %s on %s, %s", name, m.Call, m.Chain, agreedBy(answer.Agreement())),
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
func codeless(ctx context.Context, panel *quorum.Panel, m MetricConfig, at common.Hash) string {
	has, err := quorum.Ask(ctx, panel, func(ctx context.Context, c rpc.Caller) (bool, error) {
		code, err := rpc.Code(ctx, c, common.Address(m.Call.target), at)
		return len(code) > 0, err
	})
	if err == nil && !has.Value() {
		return "there is no code behind " + common.Address(m.Call.target).Hex()
	}
	return "it returned nothing; the contract may not have this function"
}

// agreedBy names the operators that gave an answer, and says where it is the word of one.
func agreedBy(a quorum.Agreement) string {
	hosts := strings.Join(a.Agreeing, ", ")
	if a.Same < 2 {
		return "unverified, from " + hosts
	}
	return fmt.Sprintf("agreed by %d of %d: %s", a.Same, a.Asked, hosts)
}

// wordsOf says in words of the program why something could not be asked.
func wordsOf(err error, what string) string {
	disagree, ok := quorum.Disagreement(err)
	if ok {
		if disagree.Answers > 1 {
			return "the endpoints disagree about " + what
		}
		if disagree.Answers > 0 || len(disagree.Failed) == 0 {
			return "too few endpoints answer"
		}
		err = disagree.Failed[0].Err
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
