package facts_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/book"
	"github.com/legate-dao/legate/chains/devchain"
	"github.com/legate-dao/legate/chains/facts"
)

var (
	governorAt = gov.Address{1, 1}
	timelockAt = gov.Address{2, 2}
	tokenAt    = gov.Address{3, 3}
	bookedAt   = gov.Address{4, 4}
	safeAt     = gov.Address{5, 5}
	sendAt     = gov.Address{6, 6}
	movedAt    = gov.Address{7, 7}
	unbookedAt = gov.Address{8, 8}
	nobodyAt   = gov.Address{9, 9}
)

func codeOf(a gov.Address) book.Code { return book.Code{Hash: crypto.Keccak256Hash(a[:])} }

// options is a DAO with a token, a Safe, a MultiSend and a moved contract in the book.
func options() facts.Options {
	erc20, _ := book.Shipped("erc20")
	safe, _ := book.Shipped("safe")
	send, _ := book.Shipped("multisend")
	return facts.Options{
		DAO:     gov.DAO{Governor: governorAt, Timelock: timelockAt, Token: tokenAt, Executor: timelockAt},
		Flavour: gov.OpenZeppelin5,
		Book: book.Of(
			book.Entry{Address: bookedAt, Label: "USD", ABI: erc20, CodeHash: codeOf(bookedAt).Hash},
			book.Entry{Address: safeAt, Label: "Safe", ABI: safe, CodeHash: codeOf(safeAt).Hash},
			book.Entry{Address: sendAt, Label: "MultiSend", ABI: send, CodeHash: codeOf(sendAt).Hash},
			book.Entry{Address: movedAt, Label: "Moved", ABI: erc20, CodeHash: gov.Hash{1}},
			book.Entry{Address: nobodyAt, Label: "only a label", ABI: erc20},
		),
		Code: func(a gov.Address) (book.Code, bool) {
			switch a {
			case governorAt, timelockAt, tokenAt, bookedAt, safeAt, sendAt, movedAt, unbookedAt, nobodyAt:
				return codeOf(a), true
			}
			return book.Code{}, true
		},
	}
}

func pack(t testing.TB, contract, method string, args ...any) []byte {
	t.Helper()
	data, err := devchain.Pack(contract, method, args...)
	must(t, err)
	return data
}

func decodeOne(t *testing.T, o facts.Options, to gov.Address, data []byte) (gov.Call, map[string]dossier.ShownCall) {
	t.Helper()
	got, err := facts.Decode([]gov.Action{{To: to, Calldata: gov.CalldataOf(data)}}, o)
	must(t, err)
	return got.Calls[0], got.Shown
}

func transfer(t testing.TB) []byte {
	return pack(t, "StableToken", "transfer", stranger, big.NewInt(1000))
}

// TestG37KnownIsAPair: target and selector together, with the recorded code, and the bytes that an encoder writes.
func TestG37KnownIsAPair(t *testing.T) {
	good := transfer(t)
	dirty := bytes.Clone(good)
	dirty[5] = 1 // above the 20 bytes of the address
	for _, c := range []struct {
		name  string
		to    gov.Address
		data  []byte
		known bool
		kind  gov.Kind
	}{
		{"booked", bookedAt, good, true, gov.KindTransfer},
		{"the DAO's token", tokenAt, good, true, gov.KindTransfer},
		{"in no book", unbookedAt, good, false, gov.KindTransfer},
		{"booked with other code", movedAt, good, false, gov.KindTransfer},
		{"a label only", nobodyAt, good, false, gov.KindTransfer},
		{"booked, a selector not in its ABI", bookedAt, pack(t, "VotesToken", "mint", stranger, big.NewInt(1)), false, gov.KindMint},
		{"trailing bytes", bookedAt, append(bytes.Clone(good), 0), false, gov.KindTransfer},
		{"dirty address", bookedAt, dirty, false, gov.KindTransfer},
		{"cut short", bookedAt, good[:len(good)-1], false, gov.KindTransfer},
		{"three bytes", bookedAt, good[:3], false, gov.KindUnknown},
		{"value to a person", gov.Address(stranger), nil, true, gov.KindNative},
		{"value to booked", bookedAt, nil, true, gov.KindNative},
		{"value to unbooked code", unbookedAt, nil, false, gov.KindNative},
		{"value to a label", nobodyAt, nil, false, gov.KindNative},
		{"data to a person", gov.Address(stranger), good, false, gov.KindTransfer},
		{"the DAO's timelock", timelockAt, pack(t, "TimelockController", "updateDelay", big.NewInt(1)), true, gov.KindTimelock},
		{"a role of the timelock", timelockAt, pack(t, "TimelockController", "grantRole", [32]byte{}, stranger), true, gov.KindTimelock},
		{"the DAO's governor", governorAt, pack(t, "DevGovernor", "setVotingPeriod", uint32(1)), true, gov.KindGovernor},
		{"another governor's rule", unbookedAt, pack(t, "DevGovernor", "setVotingPeriod", uint32(1)), false, gov.KindParameter},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, _ := decodeOne(t, options(), c.to, c.data)
			same(t, "known", got.Known, c.known)
			same(t, "kind", got.Kind, c.kind)
			same(t, "data hash", got.DataHash, gov.CalldataOf(c.data).Hash())
		})
	}
	t.Run("code that could not be read", func(t *testing.T) {
		o := options()
		o.Code = func(gov.Address) (book.Code, bool) { return book.Code{}, false }
		got, _ := decodeOne(t, o, gov.Address(stranger), nil)
		same(t, "known", got.Known, false)
	})
}

// TestG37EverySelectorOnAnUnknownTarget: no selector makes a target known that is in no book, with any arguments, and
// also not inside a wrapper.
func TestG37EverySelectorOnAnUnknownTarget(t *testing.T) {
	const n, seed = 100_000, 7
	r := rand.New(rand.NewPCG(seed, 0))
	o := options()
	shipped := []gov.Selector{}
	for _, name := range book.Names() {
		a, _ := book.Shipped(name.Name)
		for _, m := range a.Methods() {
			shipped = append(shipped, m.Selector())
		}
	}
	for i := range n {
		data := make([]byte, 4, 68)
		binary.BigEndian.PutUint32(data, r.Uint32())
		if i < len(shipped) {
			copy(data, shipped[i][:])
		}
		for range r.IntN(8) {
			data = append(data, make([]byte, 8)...)
		}
		if i%100 == 0 && i > 0 { // through a known Safe
			data = pack(t, "MockSafe", "execTransaction", common.Address(unbookedAt), new(big.Int), data, uint8(0),
				new(big.Int), new(big.Int), new(big.Int), common.Address{}, common.Address{}, []byte{})
			got, _ := decodeOne(t, o, safeAt, data)
			if len(got.Children) != 1 || got.Children[0].Known {
				t.Fatalf("%x inside a Safe: %+v", data, got)
			}
			continue
		}
		a := gov.Action{To: unbookedAt, Calldata: gov.CalldataOf(data)}
		got, err := facts.DecodeKnown(a, o)
		must(t, err)
		if got {
			t.Fatalf("%x on a target in no book is known", data)
		}
	}
	t.Logf("n=%d seed=%d: %d shipped selectors, the rest random; none known", n, seed, len(shipped))
}

func packed(operation byte, to gov.Address, value int64, data []byte) []byte {
	out := append([]byte{operation}, to[:]...)
	out = append(out, common.LeftPadBytes(big.NewInt(value).Bytes(), 32)...)
	out = append(out, common.LeftPadBytes(big.NewInt(int64(len(data))).Bytes(), 32)...)
	return append(out, data...)
}

func exec(t testing.TB, to gov.Address, data []byte, operation uint8) []byte {
	return pack(t, "MockSafe", "execTransaction", common.Address(to), new(big.Int), data, operation,
		new(big.Int), new(big.Int), new(big.Int), common.Address{}, common.Address{}, []byte{})
}

// TestNestedCalls decodes a Safe that delegates to a MultiSend with two calls.
func TestNestedCalls(t *testing.T) {
	batch := append(packed(0, bookedAt, 0, transfer(t)), packed(0, gov.Address(stranger), 5, nil)...)
	data := exec(t, sendAt, pack(t, "MultiSend", "multiSend", batch), 1)
	got, _ := decodeOne(t, options(), safeAt, data)
	leaves := gov.Leaves([]gov.Call{got})
	if len(leaves) != 2 || leaves[0].Depth != 2 || !leaves[0].Call.Known || leaves[0].Call.Kind != gov.KindTransfer ||
		!leaves[1].Call.Known || leaves[1].Call.Kind != gov.KindNative || leaves[1].Call.Value != gov.NewAmount(5) {
		t.Errorf("leaves = %+v", leaves)
	}
	if send := got.Children[0]; !send.Delegatecall || !send.Known || got.Decoded != gov.DecodedFull {
		t.Errorf("the MultiSend = %+v, the Safe %s", send, got.Decoded)
	}

	t.Run("a wrapper that is not known makes nothing inside known", func(t *testing.T) {
		got, _ := decodeOne(t, options(), unbookedAt, data)
		for _, l := range gov.Leaves([]gov.Call{got}) {
			if l.Call.Known {
				t.Errorf("known inside: %+v", l.Call)
			}
		}
	})
	t.Run("cut short", func(t *testing.T) {
		bad := exec(t, sendAt, pack(t, "MultiSend", "multiSend", batch[:len(batch)-10]), 1)
		got, _ := decodeOne(t, options(), safeAt, bad)
		leaves := gov.Leaves([]gov.Call{got})
		if len(leaves) != 1 || leaves[0].Call.Known || got.Decoded != gov.DecodedPartial {
			t.Errorf("leaves = %+v", leaves)
		}
	})
	t.Run("an operation that is neither call nor delegatecall", func(t *testing.T) {
		got, _ := decodeOne(t, options(), safeAt, exec(t, bookedAt, transfer(t), 2))
		if got.Known || len(got.Children) != 0 {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("what is scheduled is not known", func(t *testing.T) {
		data := pack(t, "TimelockController", "schedule", common.Address(bookedAt), new(big.Int), transfer(t), [32]byte{}, [32]byte{}, big.NewInt(1))
		got, _ := decodeOne(t, options(), timelockAt, data)
		if len(got.Children) != 1 || got.Children[0].Known || got.Children[0].Kind != gov.KindTransfer {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("what is executed at once is", func(t *testing.T) {
		data := pack(t, "TimelockController", "executeBatch", []common.Address{common.Address(bookedAt), stranger}, []*big.Int{new(big.Int), big.NewInt(3)},
			[][]byte{transfer(t), {}}, [32]byte{}, [32]byte{})
		got, _ := decodeOne(t, options(), timelockAt, data)
		if len(got.Children) != 2 || !got.Children[0].Known || !got.Children[1].Known {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("Compound's textual signatures", func(t *testing.T) {
		o := options()
		o.Flavour = gov.GovernorBravo
		data := pack(t, "UniTimelock", "executeTransaction", common.Address(bookedAt), new(big.Int), "transfer(address,uint256)", transfer(t)[4:], big.NewInt(9))
		got, _ := decodeOne(t, o, timelockAt, data)
		if len(got.Children) != 1 || !got.Children[0].Known || got.Children[0].DataHash != gov.CalldataOf(transfer(t)).Hash() {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("relay", func(t *testing.T) {
		data := pack(t, "DevGovernor", "relay", common.Address(bookedAt), new(big.Int), transfer(t))
		got, _ := decodeOne(t, options(), governorAt, data)
		if got.Kind != gov.KindGovernor || len(got.Children) != 1 || !got.Children[0].Known {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("nested propose", func(t *testing.T) {
		data := pack(t, "DevGovernor", "propose", []common.Address{common.Address(bookedAt)}, []*big.Int{new(big.Int)}, [][]byte{transfer(t)}, "again")
		got, shown := decodeOne(t, options(), governorAt, data)
		if len(got.Children) != 1 || got.Children[0].Known {
			t.Errorf("got %+v", got)
		}
		if args := shown["0"].Args; len(args) != 4 || args[3].Value != "again" {
			t.Errorf("shown = %+v, want the description in full", args)
		}
		if text := got.Args[3].Value; text.Size != 5 || text.Hash != crypto.Keccak256Hash([]byte("again")) {
			t.Errorf("the facts keep %+v of the description", text)
		}
	})
}

// TestMulticalls decodes the other wrappers of the own table from hand-written signatures.
func TestMulticalls(t *testing.T) {
	word := func(n int64) []byte { return common.LeftPadBytes(big.NewInt(n).Bytes(), 32) }
	text := func(b []byte) []byte {
		return append(word(int64(len(b))), append(bytes.Clone(b), make([]byte, (32-len(b)%32)%32)...)...)
	}
	selector := func(s gov.Signature) []byte { x := book.SelectorOf(s); return x[:] }
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	inner := transfer(t)
	to := common.LeftPadBytes(bookedAt[:], 32)
	for _, c := range []struct {
		name string
		data []byte
		to   gov.Address
	}{
		{"aggregate", join(selector("aggregate((address,bytes)[])"), word(32), word(1), word(32), to, word(64), text(inner)), bookedAt},
		{"aggregate3", join(selector("aggregate3((address,bool,bytes)[])"), word(32), word(1), word(32), to, word(1), word(96), text(inner)), bookedAt},
		{"aggregate3Value", join(selector("aggregate3Value((address,bool,uint256,bytes)[])"), word(32), word(1), word(32), to, word(1), word(7), word(128), text(inner)), bookedAt},
		{"multicall to itself", join(selector("multicall(bytes[])"), word(32), word(1), word(32), text(inner)), unbookedAt},
	} {
		got, _ := decodeOne(t, options(), unbookedAt, c.data)
		if len(got.Children) != 1 || got.Children[0].To != c.to || got.Children[0].Signature != "transfer(address,uint256)" || got.Decoded != gov.DecodedFull {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}

// TestG32DecodeIsBounded: depth, number, bytes and lengths that lie.
func TestG32DecodeIsBounded(t *testing.T) {
	data := transfer(t)
	for range facts.MaxDepth + 1 {
		data = exec(t, safeAt, data, 0)
	}
	many := make([]gov.Action, 100_000)
	big4 := gov.Action{Calldata: gov.CalldataOf(make([]byte, facts.MaxCalldata+1))}
	for name, actions := range map[string][]gov.Action{
		"depth": {{To: safeAt, Calldata: gov.CalldataOf(data)}}, "number": many, "bytes": {big4},
	} {
		if _, err := facts.Decode(actions, options()); !errors.Is(err, facts.ErrTooLarge) {
			t.Errorf("%s: err = %v, want too large", name, err)
		}
	}
	bomb := append(book_(t, "multicall(bytes[])"), bytes.Repeat([]byte{0}, 31)...)
	bomb = append(bomb, 32)
	for _, length := range []string{"ff", "7fffffffffffffff", "ffffffff", "00010000"} {
		b := append(bytes.Clone(bomb), common.LeftPadBytes(common.FromHex(strings.Repeat(length, 1)), 32)...)
		got, _ := decodeOne(t, options(), unbookedAt, b)
		if len(got.Children) != 0 || got.Known || got.Decoded != gov.DecodedNone {
			t.Errorf("length %s: %+v", length, got)
		}
	}
	// A thousand elements that all point to the same 20 kB.
	overlap := append(bytes.Clone(bomb), common.LeftPadBytes(big.NewInt(1000).Bytes(), 32)...)
	for range 1000 {
		overlap = append(overlap, common.LeftPadBytes(big.NewInt(32*1000).Bytes(), 32)...)
	}
	overlap = append(overlap, common.LeftPadBytes(big.NewInt(20_000).Bytes(), 32)...)
	overlap = append(overlap, make([]byte, 20_000)...)
	actions := []gov.Action{{To: unbookedAt, Calldata: gov.CalldataOf(overlap)}}
	if got, err := facts.Decode(actions, options()); !errors.Is(err, facts.ErrTooLarge) {
		t.Errorf("overlapping strings: %v, %d calls", err, len(got.Calls))
	}
	// A survey opens it, up to its own bounds; what is behind is looked at, and what was left closed is said.
	actions = append(slices.Repeat(actions, 100), gov.Action{To: tokenAt, Calldata: gov.CalldataOf(transfer(t))})
	began := time.Now()
	got := facts.Survey(actions, options())
	if !got.Cut || !slices.Contains(got.Kinds, gov.KindTransfer) || len(got.Excerpt) != 1 || time.Since(began) > 20*time.Second {
		t.Errorf("a survey of them: cut %v, kinds %v, excerpt of %d, took %s", got.Cut, got.Kinds, len(got.Excerpt), time.Since(began))
	}
	t.Logf("a survey of 100 000 overlapping calls took %s", time.Since(began))
}

func book_(t testing.TB, s gov.Signature) []byte {
	t.Helper()
	x := book.SelectorOf(s)
	return x[:]
}

// TestOfflineDecode: without a chain nothing is known, and public names are shown.
func TestOfflineDecode(t *testing.T) {
	got, _ := decodeOne(t, facts.Options{}, tokenAt, transfer(t))
	if got.Known || got.Kind != gov.KindTransfer || got.Signature != "transfer(address,uint256)" {
		t.Errorf("got %+v", got)
	}
	// setText(bytes32,string,string) stands in the own table; submitProposal is in the public one only.
	data := append(book_(t, "requestWithdrawals(uint256[],address)"), common.FromHex("00000000000000000000000000000000000000000000000000000000000000400000000000000000000000000000000000000000000000000000000000000007"+
		"00000000000000000000000000000000000000000000000000000000000000010000000000000000000000000000000000000000000000000000000000000005")...)
	got, shown := decodeOne(t, facts.Options{}, tokenAt, data)
	if got.Kind != gov.KindUnknown || got.Signature != "" || len(got.Args) != 0 {
		t.Errorf("the facts took a public name: %+v", got)
	}
	if s := shown["0"]; len(s.Candidates) == 0 || s.Candidates[0] != "requestWithdrawals(uint256[],address)" || len(s.Args) != 2 {
		t.Errorf("shown = %+v", s)
	}
}

// TestOfflineDecodeByTheBook: without a chain the book's names and types are shown, and still nothing is known by them;
// an entry without code hash stays a label.
func TestOfflineDecodeByTheBook(t *testing.T) {
	const entry = "version: 1\nentries:\n  - {address: \"0x00000000000000000000000000000000000000B1\", label: Thing, abi: [\"function swap((address to,uint256[] n)[] legs, bool deep)\"]%s}\n"
	data := append(book_(t, "swap((address,uint256[])[],bool)"), common.FromHex(
		"0000000000000000000000000000000000000000000000000000000000000040"+"0000000000000000000000000000000000000000000000000000000000000001"+
			"0000000000000000000000000000000000000000000000000000000000000001"+"0000000000000000000000000000000000000000000000000000000000000020"+
			"00000000000000000000000000000000000000000000000000000000000000b1"+"0000000000000000000000000000000000000000000000000000000000000040"+
			"0000000000000000000000000000000000000000000000000000000000000001"+"0000000000000000000000000000000000000000000000000000000000000007")...)
	at := gov.Address(common.HexToAddress("0xb1"))
	for _, c := range []struct {
		hash   string
		unread bool
		want   gov.Decoded
	}{
		{`, code_hash: "0x1111111111111111111111111111111111111111111111111111111111111111"`, true, gov.DecodedFull},
		{`, code_hash: "0x1111111111111111111111111111111111111111111111111111111111111111"`, false, gov.DecodedNone},
		{"", true, gov.DecodedNone},
	} {
		b, problems := book.Parse("book.yaml", []byte(fmt.Sprintf(entry, c.hash)), nil)
		if problems.HasErrors() {
			t.Fatal(problems.Detail())
		}
		got, _ := decodeOne(t, facts.Options{Book: b, Unread: c.unread}, at, data)
		if got.Known || got.Decoded != c.want || got.Label != "Thing" {
			t.Errorf("%+v: %+v", c, got)
		}
		if c.want == gov.DecodedFull && (len(got.Args) != 2 || got.Args[0].Name != "legs" || got.Args[0].Type != "(address,uint256[])[]") {
			t.Errorf("arguments %+v", got.Args)
		}
	}
}

// FuzzDecode: no bytes make the decoder fail otherwise than by its limits, and what it calls known is booked or owned.
func FuzzDecode(f *testing.F) {
	f.Add(transfer(f), byte(3))
	f.Add(exec(f, sendAt, pack(f, "MultiSend", "multiSend", packed(0, bookedAt, 0, transfer(f))), 1), byte(4))
	f.Add(pack(f, "DevGovernor", "propose", []common.Address{stranger}, []*big.Int{new(big.Int)}, [][]byte{transfer(f)}, "x"), byte(0))
	f.Add([]byte{}, byte(7))
	targets := []gov.Address{governorAt, timelockAt, tokenAt, bookedAt, safeAt, sendAt, movedAt, unbookedAt}
	o := options()
	f.Fuzz(func(t *testing.T, data []byte, target byte) {
		a := gov.Action{To: targets[int(target)%len(targets)], Calldata: gov.CalldataOf(data)}
		got, err := facts.Decode([]gov.Action{a}, o)
		if errors.Is(err, facts.ErrTooLarge) {
			return
		}
		must(t, err)
		var walk func(calls []gov.Call)
		walk = func(calls []gov.Call) {
			for _, c := range calls {
				if c.Known && (c.To == unbookedAt || c.To == movedAt) {
					t.Fatalf("%s is known: %+v", c.To, c)
				}
				if c.Known && c.Decoded == gov.DecodedNone {
					t.Fatalf("known without being decoded: %+v", c)
				}
				walk(c.Children)
			}
		}
		walk(got.Calls)
		if again, _ := facts.Decode([]gov.Action{a}, o); digest(t, got.Calls) != digest(t, again.Calls) {
			t.Fatal("two decodings differ")
		}
	})
}

// TestG32MutatedCalldata cuts, flips and splices real calldata: the decoder never panics, and what differs from what an
// encoder writes is not known.
func TestG32MutatedCalldata(t *testing.T) {
	const n, seed = 20_000, 11
	r := rand.New(rand.NewPCG(seed, 0))
	o := options()
	seeds := []struct {
		to   gov.Address
		data []byte
	}{
		{bookedAt, transfer(t)},
		{safeAt, exec(t, sendAt, pack(t, "MultiSend", "multiSend", append(packed(0, bookedAt, 0, transfer(t)), packed(0, tokenAt, 0, transfer(t))...)), 1)},
		{timelockAt, pack(t, "TimelockController", "executeBatch", []common.Address{common.Address(bookedAt)}, []*big.Int{new(big.Int)}, [][]byte{transfer(t)}, [32]byte{}, [32]byte{})},
		{governorAt, pack(t, "DevGovernor", "propose", []common.Address{common.Address(bookedAt)}, []*big.Int{new(big.Int)}, [][]byte{transfer(t)}, "x")},
	}
	decoded := 0
	for range n {
		s := seeds[r.IntN(len(seeds))]
		data := bytes.Clone(s.data)
		for range 1 + r.IntN(3) {
			switch at := r.IntN(len(data)); r.IntN(4) {
			case 0:
				data[at] ^= 1 << r.IntN(8)
			case 1:
				data = data[:max(4, at)]
			case 2:
				data = append(data[:at:at], append(make([]byte, 32), data[at:]...)...)
			case 3:
				copy(data[at:], data[r.IntN(len(data)):])
			}
		}
		got, err := facts.Decode([]gov.Action{{To: s.to, Calldata: gov.CalldataOf(data)}}, o)
		if errors.Is(err, facts.ErrTooLarge) {
			continue
		}
		must(t, err)
		c := got.Calls[0]
		if c.Decoded != gov.DecodedNone {
			decoded++
		}
		if c.Known && len(data)%32 != 4 {
			t.Fatalf("%x is known: no encoder writes that length", data)
		}
		if c.Known && c.Decoded == gov.DecodedNone {
			t.Fatalf("%x is known without being decoded", data)
		}
	}
	t.Logf("n=%d seed=%d: %d decoded in part or in full", n, seed, decoded)
}

func digest(t testing.TB, v any) gov.Digest {
	t.Helper()
	d, err := gov.DigestOf(v)
	must(t, err)
	return d
}
