package main

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common/hexutil"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/chaintest"
	"github.com/legate-dao/legate/chains/devchain"
	"github.com/legate-dao/legate/chains/rpc"
	"github.com/legate-dao/legate/policies"
)

// spoilt is a demo's world of its own behind three endpoints of which two must agree, each a proxy that a test may have
// lie, and the daemon's own world over them.
type spoilt struct {
	*demoWorld
	t        *testing.T
	proxies  [3]*chaintest.Proxy
	world    plainWorld
	conf     Config
	set      *policies.Set
	log      *output
	proposer *devchain.Session
}

func newSpoilt(t *testing.T) *spoilt {
	t.Helper()
	dir := t.TempDir()
	s := &spoilt{t: t, log: &output{}}
	s.demoWorld = may(startDemoWorld(t.Context(), dir, periods(true)))(t)
	t.Cleanup(func() { s.chain.Close() })
	must(t, s.writeFiles(t.Context(), "127.0.0.1:0"))
	text := string(may(os.ReadFile(dir + "/legate.yaml"))(t))
	urls := []string{}
	for i := range s.proxies {
		s.proxies[i] = chaintest.NewProxy(t, s.chain.HTTP())
		urls = append(urls, fmt.Sprintf("%q", s.proxies[i].URL()))
	}
	for old, now := range map[string]string{
		fmt.Sprintf("[{http: %q, ws: %q}]", s.chain.HTTP(), s.chain.WS()): "[" + strings.Join(urls, ", ") + "]\n    agree: 2",
		"    finality: 3\n": "    finality: finalized\n",
	} {
		if !strings.Contains(text, old) {
			t.Fatalf("the demo's configuration has no %q any more: adapt the test", old)
		}
		text = strings.Replace(text, old, now, 1)
	}
	must(t, os.WriteFile(dir+"/legate.yaml", []byte(text), 0o600))
	s.conf = may(readConfig(dir + "/legate.yaml"))(t)
	s.set = may(readPolicies(s.conf))(t)
	s.dial()
	s.proposer = may(s.chain.Session(t.Context(), accountProposer))(t)
	t.Cleanup(s.proposer.Close)
	return s
}

// dial opens the world again, over honest endpoints.
func (s *spoilt) dial() {
	s.t.Helper()
	s.lie()
	s.world = plainWorld{may(openWorld(s.t.Context(), s.conf, slog.New(slog.NewJSONHandler(s.log, nil))))(s.t)}
	s.t.Cleanup(s.world.close)
	s.world.voter = gov.Address(devchain.Address(accountVoter))
	s.world.holder = func(name gov.Label) gov.Holder { return may(voice{set: s.set}.Holder(name))(s.t) }
}

// client is over all three endpoints.
func (s *spoilt) client() *rpc.Client { return s.world.clients[s.id().Chain] }

// id is harbor, which counts in blocks.
func (s *spoilt) id() gov.ProposalID {
	return gov.ProposalID{Chain: gov.ChainID(s.chain.ChainID().Uint64()), Governor: gov.Address(s.daos["harbor"].Governor)}
}

// lie sets the faults of the endpoints, in order; those that are not given are honest.
func (s *spoilt) lie(faults ...chaintest.Faults) {
	for i, p := range s.proxies {
		p.Set(chaintest.Faults{})
		if i < len(faults) {
			p.Set(faults[i])
		}
	}
}

// propose makes the proposal of a case of the demo on harbor, and reads it back from the chain.
func (s *spoilt) propose(i int, text string) (gov.Proposal, *devchain.Proposal) {
	s.t.Helper()
	actions := may(demoCases[i].actions(s.demoWorld))(s.t)
	made := may(s.proposer.Propose(s.t.Context(), s.daos["harbor"], actions, text))(s.t)
	return s.read(made), made
}

// read reads a proposal on harbor back from the chain.
func (s *spoilt) read(made *devchain.Proposal) gov.Proposal {
	s.t.Helper()
	g := may(s.world.of(s.id()))(s.t)
	head := may(s.client().Latest(s.t.Context()))(s.t)
	seen := may(findProposal(s.t.Context(), s.client(), g.governor, may(gov.ParseAmount(made.ID.String()))(s.t), head))(s.t)
	return seen.Proposal
}

func (s *spoilt) mine(n int) {
	s.t.Helper()
	must(s.t, s.chain.Mine(s.t.Context(), n))
}

// latest is the newest block by an honest endpoint.
func (s *spoilt) latest() gov.Block {
	s.t.Helper()
	h := may(s.client().Latest(s.t.Context()))(s.t)
	return gov.Block{Number: h.Number, Hash: h.Hash, Time: gov.UnixTime(h.Time)}
}

// calls makes an endpoint answer a number to every call of a function, given by its selector.
func calls(selector string, answer uint64) chaintest.Faults {
	return chaintest.Faults{Rewrite: func(method string, params []json.RawMessage, result json.RawMessage) json.RawMessage {
		if method != "eth_call" || !strings.Contains(string(params[0]), `"0x`+selector) {
			return result
		}
		return json.RawMessage(fmt.Sprintf(`"0x%064x"`, answer))
	}}
}

// stuckAt makes an endpoint tell of one block as the final one, whatever is mined.
func (s *spoilt) stuckAt(final uint64) chaintest.Faults {
	s.t.Helper()
	var block json.RawMessage
	must(s.t, s.client().Call(s.t.Context(), &block, "eth_getBlockByNumber", hexutil.EncodeUint64(final), false))
	return chaintest.Faults{Rewrite: func(method string, params []json.RawMessage, result json.RawMessage) json.RawMessage {
		if method == "eth_getBlockByNumber" && string(params[0]) == `"finalized"` {
			return block
		}
		return result
	}}
}

// elsewhere makes an endpoint tell of another block at a height.
func elsewhere(number uint64, hash byte) chaintest.Faults {
	return chaintest.Faults{Rewrite: func(method string, params []json.RawMessage, result json.RawMessage) json.RawMessage {
		var block map[string]any
		if method != "eth_getBlockByNumber" || string(params[0]) != fmt.Sprintf("%q", hexutil.EncodeUint64(number)) || json.Unmarshal(result, &block) != nil {
			return result
		}
		block["hash"] = fmt.Sprintf("0x%064x", hash)
		out, err := json.Marshal(block)
		if err != nil {
			panic(err)
		}
		return out
	}}
}

const (
	selectorState    = "3e4f49e6" // state(uint256)
	selectorDeadline = "c01f9e37" // proposalDeadline(uint256)
)
