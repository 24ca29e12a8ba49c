package governor_test

import (
	"bytes"
	"errors"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/governor"
	"github.com/legate-dao/legate/chains/rpc"
)

var topicCreated = crypto.Keccak256Hash([]byte("ProposalCreated(uint256,address,address[],uint256[],string[],bytes[],uint256,uint256,string)"))

func arguments(types ...string) abi.Arguments {
	var out abi.Arguments
	for _, name := range types {
		t, err := abi.NewType(name, "", nil)
		if err != nil {
			panic(err)
		}
		out = append(out, abi.Argument{Type: t})
	}
	return out
}

var (
	createdABI = arguments("uint256", "address", "address[]", "uint256[]", "string[]", "bytes[]", "uint256", "uint256", "string")
	contentABI = arguments("address[]", "uint256[]", "bytes[]", "bytes32")
)

func oz() governor.Governor {
	return governor.Governor{Chain: 1, Address: gov.Address{1}, Flavour: gov.OpenZeppelin5, Clock: gov.ClockBlock}
}

// createdLog packs with go-ethereum's encoder what a governor would log.
func createdLog(t testing.TB, targets []common.Address, values []*big.Int, signatures []string, calldatas [][]byte, text string) rpc.Log {
	t.Helper()
	data, err := createdABI.Pack(big.NewInt(7), common.Address{9}, targets, values, signatures, calldatas, big.NewInt(100), big.NewInt(200), text)
	if err != nil {
		t.Fatal(err)
	}
	return rpc.Log{Address: common.Address(oz().Address), Topics: []common.Hash{topicCreated}, Data: data, BlockNumber: 5, BlockHash: common.Hash{5}}
}

func decode(t testing.TB, l rpc.Log) dossier.Seen {
	t.Helper()
	e, err := oz().Decode(l)
	if err != nil {
		t.Fatal(err)
	}
	return e.(governor.Created).Seen
}

// The content's encoding is what go-ethereum's encoder makes of the same lists, for calldata of all lengths.
func TestContentEncoding(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for n := range 40 {
		var targets []common.Address
		var values []*big.Int
		var calldatas [][]byte
		var actions []gov.Action
		for range n % 7 {
			data := make([]byte, rng.IntN(100))
			for i := range data {
				data[i] = byte(rng.Uint32())
			}
			a := gov.Action{To: gov.Address{byte(rng.Uint32())}, Value: gov.NewAmount(rng.Uint64()), Calldata: gov.CalldataOf(data)}
			actions = append(actions, a)
			targets, values, calldatas = append(targets, common.Address(a.To)), append(values, a.Value.Int().ToBig()), append(calldatas, data)
		}
		hash := common.Hash{byte(n)}
		want, err := contentABI.Pack(targets, values, calldatas, hash)
		must(t, err)
		if got := gov.EncodeContent(actions, hash); !bytes.Equal(got, want) {
			t.Fatalf("%d actions:\n got %x\nwant %x", len(actions), got, want)
		}
	}
}

func TestCreatedInFull(t *testing.T) {
	text := "# A title\nbody"
	s := decode(t, createdLog(t, []common.Address{{1}, {2}}, []*big.Int{big.NewInt(3), big.NewInt(0)},
		[]string{"", "set(uint256)"}, [][]byte{{1, 2, 3}, {4}}, text))
	p := s.Proposal
	if p.TooLarge || len(p.Actions) != 2 || s.Text.Description != dossier.Untrusted(text) || s.Text.Title != "A title" || len(s.Text.Flags) != 0 {
		t.Fatalf("%+v", s)
	}
	want := append(crypto.Keccak256([]byte("set(uint256)"))[:4], 4)
	if !bytes.Equal(p.Actions[1].Calldata.Bytes(), want) || !p.Actions[1].Signed || p.Actions[0].Signed {
		t.Errorf("actions %+v", p.Actions)
	}
	if !slices.Equal(s.Shown.Signatures, []dossier.Untrusted{"", "set(uint256)"}) {
		t.Errorf("signatures %q", s.Shown.Signatures)
	}
	equal(t, "content hash", p.ContentHash, gov.ContentHash(p.Actions, crypto.Keccak256Hash([]byte(text))))
	equal(t, "start", p.Starts, 100)
	equal(t, "end", p.Ends, 200)
}

// Too much is a proposal that is marked, not an error, and its hashes are still those of the whole. Its actions are kept
// as far as they are no more than MaxKept.
func TestTooLargeIsNoError(t *testing.T) {
	lists := func(n int) ([]common.Address, []*big.Int, []string, [][]byte) {
		return make([]common.Address, n), slices.Repeat([]*big.Int{new(big.Int)}, n), make([]string, n), make([][]byte, n)
	}
	long := strings.Repeat("ä", governor.MaxDescription)
	for _, x := range []struct {
		what      string
		actions   int
		text      string
		signature string
		flag      bool
		large     bool
		kept      bool
	}{
		{"the most actions", governor.MaxActions, "t", "", false, false, true},
		{"one action too many", governor.MaxActions + 1, "t", "", false, true, true},
		{"too long a text", 1, long, "", true, true, true},
		{"too long a signature", 1, "t", strings.Repeat("f", dossier.MaxSignature+1), false, true, true},
		{"more than is kept", 12_000, "t", "", false, true, false},
		{"a signature longer than is kept", 1, "t", strings.Repeat("f", governor.MaxKept), false, true, false},
	} {
		targets, values, signatures, calldatas := lists(x.actions)
		signatures[0] = x.signature
		s := decode(t, createdLog(t, targets, values, signatures, calldatas, x.text))
		p := s.Proposal
		if p.TooLarge != x.large || (len(p.Actions) == x.actions) != x.kept || slices.Contains(s.Text.Flags, gov.FlagTooLong) != x.flag {
			t.Errorf("%s: too large %v, %d actions, flags %v", x.what, p.TooLarge, len(p.Actions), s.Text.Flags)
		}
		if len(s.Text.Description) > governor.MaxDescription || !utf8.ValidString(string(s.Text.Description)) {
			t.Errorf("%s: text of %d bytes", x.what, len(s.Text.Description))
		}
		equal(t, x.what+": hash of the text", p.DescriptionHash, crypto.Keccak256Hash([]byte(x.text)))
		whole := make([]gov.Action, x.actions)
		if x.signature != "" {
			whole[0].Calldata = gov.CalldataOf(crypto.Keccak256([]byte(x.signature))[:4])
		}
		equal(t, x.what+": hash of the content", p.ContentHash, gov.ContentHash(whole, p.DescriptionHash))
		if _, err := oz().Steps(p); errors.Is(err, governor.ErrTooLarge) == x.kept {
			t.Errorf("%s: steps: %v", x.what, err)
		}
	}
	huge := createdLog(t, nil, nil, nil, nil, strings.Repeat("x", governor.MaxLog))
	if s := decode(t, huge); !s.Proposal.TooLarge || s.Proposal.Ends != 200 || s.Proposal.ContentHash != gov.ContentHash(nil, crypto.Keccak256Hash([]byte(strings.Repeat("x", governor.MaxLog)))) {
		t.Errorf("log of %d bytes: %+v", len(huge.Data), s.Proposal)
	}
}

// Every word of a valid log replaced by numbers that point outside: never a panic, never a loss.
func TestCreatedWithHostileWords(t *testing.T) {
	good := createdLog(t, []common.Address{{1}, {2}}, []*big.Int{big.NewInt(3), big.NewInt(0)}, []string{"", "f()"}, [][]byte{{1}, {2}}, "text")
	hostile := []common.Hash{
		common.BigToHash(big.NewInt(1)), common.BigToHash(big.NewInt(int64(len(good.Data)))), common.BigToHash(big.NewInt(1 << 40)),
		common.MaxHash, common.BigToHash(new(big.Int).Lsh(big.NewInt(1), 63)), common.BigToHash(new(big.Int).SetUint64(1<<64 - 32)),
	}
	for at := 0; at < len(good.Data); at += 32 {
		for _, h := range hostile {
			bad := good
			bad.Data = slices.Clone(good.Data)
			copy(bad.Data[at:], h[:])
			e, err := oz().Decode(bad)
			if err != nil {
				if !errors.Is(err, governor.ErrLog) {
					t.Errorf("word %d: %v", at/32, err)
				}
				if at/32 != 1 && at/32 != 6 && at/32 != 7 { // proposer, start, end
					t.Errorf("word %d = %s: the proposal is lost: %v", at/32, h, err)
				}
				continue
			}
			if s := e.(governor.Created).Seen; s.Proposal.TooLarge && len(s.Proposal.Actions) > 0 {
				t.Errorf("word %d: half a proposal", at/32)
			}
		}
	}
	for n := range len(good.Data) {
		short := good
		short.Data = good.Data[:n]
		if e, err := oz().Decode(short); err == nil && n < len(good.Data)-32 && !e.(governor.Created).Seen.Proposal.TooLarge {
			t.Fatalf("cut to %d of %d bytes, read as complete", n, len(good.Data))
		}
	}
}

// A thousand actions that share one long calldata do not come out larger than the log.
func TestSharedBytesDoNotMultiply(t *testing.T) {
	const n = 1000
	targets, values := make([]common.Address, n), slices.Repeat([]*big.Int{new(big.Int)}, n)
	calldatas := make([][]byte, n)
	calldatas[n-1] = make([]byte, 1<<20)
	l := createdLog(t, targets, values, make([]string, n), calldatas, "t")
	// Point every calldata at the last one.
	list := int(new(big.Int).SetBytes(l.Data[5*32:6*32]).Int64()) + 32
	last := l.Data[list+(n-1)*32 : list+n*32]
	for i := range n - 1 {
		copy(l.Data[list+i*32:], last)
	}
	if s := decode(t, l); !s.Proposal.TooLarge {
		t.Errorf("%d actions of 1 MiB each from a log of %d bytes", len(s.Proposal.Actions), len(l.Data))
	}
}

func TestTitle(t *testing.T) {
	for in, want := range map[dossier.Untrusted]dossier.Untrusted{
		"":                   "",
		"\n\n":               "",
		"one line":           "one line",
		"first\n# Heading\n": "Heading",
		"##   Spaced ##\nx":  "Spaced",
		"###\nreal line":     "###",
		"#hashtag":           "hashtag",
		"  \n\t plain\nmore": "plain",
		"\r\n# Windows\r\nx": "Windows",
		"# \xff\xfe":         "\xff\xfe",
		dossier.Untrusted(strings.Repeat("ä", 300)): dossier.Untrusted(strings.Repeat("ä", governor.MaxTitle/2)),
	} {
		if got := governor.Title(in); got != want {
			t.Errorf("title of %.20q is %q, want %q", in, got, want)
		}
	}
}

// An id that is counted is told from one that is a hash, and a hash of other content is refused.
func TestBinding(t *testing.T) {
	p := gov.Proposal{Flavour: gov.OpenZeppelin5, Actions: []gov.Action{{Value: gov.NewAmount(1)}}}
	p.ContentHash = gov.ContentHash(p.Actions, p.DescriptionHash)
	hash := amount(p.ContentHash.Big())
	for _, x := range []struct {
		what       string
		number     gov.Amount
		sequential bool
		want       governor.Binding
		err        error
	}{
		{"the hash", hash, false, governor.ByHash, nil},
		{"a small number", gov.NewAmount(12), false, governor.ByLog, nil},
		{"a small number where the contract counts", gov.NewAmount(12), true, governor.ByLog, nil},
		{"another hash", amount(new(big.Int).Add(p.ContentHash.Big(), big.NewInt(1))), false, "", governor.ErrOtherContent},
	} {
		g := oz()
		g.Sequential = x.sequential
		p.ID = gov.ProposalID{Chain: 1, Governor: g.Address, Number: x.number}
		got, err := g.Binding(p)
		if got != x.want || !errors.Is(err, x.err) {
			t.Errorf("%s: %q, %v", x.what, got, err)
		}
	}
}

// FuzzDecodeCreated: whatever the data, no panic; what is read as complete hashes to its content.
func FuzzDecodeCreated(f *testing.F) {
	good := createdLog(f, []common.Address{{1}, {2}}, []*big.Int{big.NewInt(3), big.NewInt(0)}, []string{"", "f()"}, [][]byte{{1}, {2}}, "# text")
	f.Add(good.Data)
	f.Add(createdLog(f, nil, nil, nil, nil, "").Data)
	f.Add(good.Data[:288])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		l := good
		l.Data = data
		e, err := oz().Decode(l)
		if err != nil {
			return
		}
		s := e.(governor.Created).Seen
		size := len(s.Text.Description)
		for _, a := range s.Proposal.Actions {
			size += a.Calldata.Len()
		}
		if size > len(data)+4*len(s.Proposal.Actions) {
			t.Errorf("%d bytes out of %d", size, len(data))
		}
		if !s.Proposal.TooLarge && s.Proposal.ContentHash != gov.ContentHash(s.Proposal.Actions, s.Proposal.DescriptionHash) {
			t.Error("the content hash is not that of the actions")
		}
	})
}
