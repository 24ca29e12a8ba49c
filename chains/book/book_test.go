package book_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/google/go-cmp/cmp"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/book"
	"github.com/legate-dao/legate/chains/devchain"
	"github.com/legate-dao/legate/chains/rpc"
)

const (
	token = "0xc00e94Cb662C3520282E6f5717214004A7f26888"
	other = "0x3d9819210A31b4961b30EF54bE2aeD79B9c9Cd3B"
	impl  = "0x6d903f6003cca6255D85CcA4D3B5E5146dC33925"
	hash  = "0x1111111111111111111111111111111111111111111111111111111111111111"
)

func address(t *testing.T, s string) gov.Address {
	t.Helper()
	a, err := gov.ParseAddress(s)
	must(t, err)
	return a
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestParseAndKnown(t *testing.T) {
	dir := t.TempDir()
	must(t, os.MkdirAll(filepath.Join(dir, "abis"), 0o700))
	must(t, os.WriteFile(filepath.Join(dir, "abis", "c.json"), []byte(`[{"type":"function","name":"seize","stateMutability":"nonpayable","inputs":[{"name":"it","type":"tuple","components":[{"name":"a","type":"address"},{"name":"b","type":"uint256[2]"}]}],"outputs":[]}]`), 0o600))
	text := `version: 1
entries:
  - {address: "` + token + `", label: COMP, kind: token, decimals: 18, abi: erc20, code_hash: "` + hash + `"}
  - address: "` + other + `"
    label: Comptroller
    abi: abis/c.json
    code_hash: "` + hash + `"
    implementation: "` + impl + `"
    implementation_code_hash: "` + hash + `"
  - address: "` + impl + `"
    label: inline
    abi:
      - function poke(uint x, (address to,uint amount)[] calldata list) external returns (bool)
      - "swap(address payable to)"
`
	b, problems := book.Parse(filepath.Join(dir, "book.yaml"), []byte(text), os.ReadFile)
	must(t, problems.Err())
	h := common.HexToHash(hash)
	transfer, seize, poke := book.SelectorOf("transfer(address,uint256)"), book.SelectorOf("seize((address,uint256[2]))"), book.SelectorOf("poke(uint256,(address,uint256)[])")
	proxied := book.Code{Hash: h, Implementation: address(t, impl), ImplHash: h}
	for _, c := range []struct {
		name string
		at   string
		s    gov.Selector
		code book.Code
		want bool
	}{
		{"as recorded", token, transfer, book.Code{Hash: h}, true},
		{"other code", token, transfer, book.Code{Hash: gov.Hash{1}}, false},
		{"a proxy by now", token, transfer, proxied, false},
		{"a selector not in the ABI", token, seize, book.Code{Hash: h}, false},
		{"proxy as recorded", other, seize, proxied, true},
		{"other implementation", other, seize, book.Code{Hash: h, Implementation: address(t, token), ImplHash: h}, false},
		{"no implementation any more", other, seize, book.Code{Hash: h}, false},
		{"the implementation's code changed", other, seize, book.Code{Hash: h, Implementation: address(t, impl), ImplHash: gov.Hash{2}}, false},
		{"a label only", impl, poke, book.Code{Hash: h}, false},
		{"a label only, without code", impl, poke, book.Code{}, false},
	} {
		if _, got := b.Known(address(t, c.at), c.s, c.code); got != c.want {
			t.Errorf("%s: known = %v", c.name, got)
		}
	}
	if e, _ := b.Entry(address(t, token)); e.Decimals != gov.Known(uint8(18)) || e.Kind != book.Token || b.Label(e.Address) != "COMP" {
		t.Errorf("entry = %+v", e)
	}
	e, _ := b.Entry(address(t, impl))
	m, ok := e.ABI.Method(poke)
	if !ok || m.Inputs[1].Name != "list" || e.ABI.Len() != 2 || e.Decimals.IsKnown() {
		t.Errorf("inline entry = %+v, %+v", e, m)
	}
	var none *book.Book
	if _, ok := none.Known(e.Address, poke, book.Code{}); ok || none.Label(e.Address) != "" || none.Entries() != nil {
		t.Error("a nil book knows something")
	}
}

// TestG44BookProblems: all problems at once, each with its place.
func TestG44BookProblems(t *testing.T) {
	text := `version: 1
entries:
  - {address: "` + token + `", label: COMP, abi: erc21, code_hash: "0x12"}
  - {address: "0xc00e94cb662c3520282e6f5717214004a7f26888", label: x, knd: token}
`
	_, problems := book.Parse("book.yaml", []byte(text), os.ReadFile)
	if s := problems.Error(); !strings.Contains(s, "book.yaml:3:") || !strings.Contains(s, "0x and 64 hex digits") || !strings.Contains(s, "book.yaml:4:") || !strings.Contains(s, "knd") || !strings.Contains(s, token) {
		t.Errorf("problems:\n%s", s)
	}
	text = `version: 1
entries:
  - {address: "` + token + `", label: COMP, abi: erc21}
  - {address: "` + token + `", label: again, abi: missing.json}
  - {address: "` + other + `", label: "", implementation: "` + impl + `"}
  - {address: "` + impl + `", label: y, abi: ["function transfer(address to,uint257 amount)"]}
`
	b, problems := book.Parse("book.yaml", []byte(text), func(string) ([]byte, error) { return nil, errors.New("no such file") })
	if b != nil {
		t.Error("a book with problems was given out")
	}
	for _, want := range []string{`book.yaml:3:`, `no ABI "erc21" is shipped`, "did you mean erc20", "book.yaml:4:", "is in this file already", "no such file", "a label is 1 to", "a label only", "uint257"} {
		if !strings.Contains(problems.Error(), want) {
			t.Errorf("%q is not in\n%s", want, problems.Error())
		}
	}
}

func TestSignatures(t *testing.T) {
	for text, want := range map[string]string{
		"function transfer(address to,uint256 amount)": "transfer(address,uint256)",
		"transfer(address,uint)":                       "transfer(address,uint256)",
		"function f(tuple(address a, (int b, bytes4[] c)[2] d) calldata e) external payable virtual": "f((address,(int256,bytes4[])[2]))",
		"function g() view returns (uint256 x, (bool,bool) y);":                                      "g()",
		"function h(address payable to, string memory s)":                                            "h(address,string)",
	} {
		m, err := book.ParseSignature(text)
		if err != nil || string(m.Signature) != want {
			t.Errorf("%q = %q, %v; want %q", text, m.Signature, err, want)
		}
	}
	for _, text := range []string{"", "transfer", "transfer(address", "transfer(address,)", "f(uint7)", "f(bytes33)", "f(uint256[0])", "f(foo)", "f(uint256[99999])",
		"f(uint256) from mars", "1f()", strings.Repeat("(", 100), "f" + strings.Repeat("(", 40) + "uint256" + strings.Repeat(")", 40), "f(" + strings.Repeat("uint256,", 1000) + "uint256)"} {
		if m, err := book.ParseSignature(text); err == nil {
			t.Errorf("%.60q is taken as %s", text, m.Signature)
		}
	}
}

// TestShippedABIs agree with what the compiler says of the contracts at hand: same selectors, types and names of views.
func TestShippedABIs(t *testing.T) {
	for name, contract := range map[string]string{
		"governor": "DevGovernor", "bravo": "GovernorBravoDelegateV1", "timelock": "TimelockController", "compound-timelock": "UniTimelock",
		"erc20": "VotesToken", "erc20permit": "VotesToken", "erc20votes": "VotesToken", "accesscontrol": "VotesToken", "ownable": "StableToken", "erc721": "DevNFT",
		"safe": "MockSafe", "multisend": "MultiSend", "permit2": "MockPermit2",
	} {
		compiled, err := devchain.Load(contract)
		must(t, err)
		real, err := book.ParseJSON(compiled.RawABI)
		must(t, err)
		mine, ok := book.Shipped(name)
		if !ok {
			t.Fatalf("%s is not shipped", name)
		}
		both := 0
		for _, m := range real.Methods() {
			own, ok := mine.Method(m.Selector())
			if !ok {
				continue
			}
			both++
			if own.Signature != m.Signature || own.View != m.View {
				t.Errorf("%s: %s view %v, the compiler says %s view %v", name, own.Signature, own.View, m.Signature, m.View)
			}
		}
		if both < 1 || name != "multisend" && both < 3 {
			t.Errorf("%s has %d methods in common with %s", name, both, contract)
		}
		t.Logf("%s: %d of %d methods of %s", name, both, real.Len(), contract)
	}
}

func TestCandidates(t *testing.T) {
	if got := book.Candidates(book.SelectorOf("transfer(address,uint256)")); len(got) == 0 || got[0] != "transfer(address,uint256)" {
		t.Errorf("transfer: %v", got)
	}
	if got := book.Candidates(book.SelectorOf("requestWithdrawals(uint256[],address)")); len(got) == 0 || got[0] != "requestWithdrawals(uint256[],address)" {
		t.Errorf("from the extra table: %v", got)
	}
	if got := book.Candidates(book.SelectorOf("zq7_k9Wobble(uint256,bytes)")); len(got) != 0 {
		t.Errorf("a name of our own: %v", got)
	}
}

func world(t *testing.T) (*devchain.Session, *devchain.DAO, *rpc.Client) {
	t.Helper()
	c, err := devchain.Start(devchain.Config{})
	must(t, err)
	t.Cleanup(func() { must(t, c.Close()) })
	s, err := devchain.Dial(t.Context(), c.HTTP(), devchain.Account(0))
	must(t, err)
	t.Cleanup(s.Close)
	dao, err := devchain.DeployDAO(t.Context(), s, devchain.DAOConfig{Flavour: devchain.OZ5Block})
	must(t, err)
	client, err := rpc.Dial(t.Context(), rpc.Config{ChainID: 31337, Endpoints: []rpc.Endpoint{{HTTP: c.HTTP()}}, Finality: rpc.LatestTag})
	must(t, err)
	t.Cleanup(client.Close)
	return s, dao, client
}

func head(t *testing.T, s *devchain.Session) gov.Block {
	t.Helper()
	h, err := s.Client.HeaderByNumber(t.Context(), nil)
	must(t, err)
	return gov.Block{Number: h.Number.Uint64(), Hash: h.Hash(), Time: gov.UnixTime(h.Time)}
}

// TestProposeAndDiff: what `book add` proposes reads back as an entry that matches; when code moves, `book diff` says so.
func TestProposeAndDiff(t *testing.T) {
	s, dao, client := world(t)
	at := head(t, s)
	var yaml strings.Builder
	yaml.WriteString("version: 1\nentries:\n")
	for _, c := range []struct {
		label gov.Label
		at    common.Address
		abi   string
		impl  common.Address
	}{
		{"governor", dao.Governor, "governor", common.Address{}},
		{"timelock", dao.Timelock, "timelock", common.Address{}},
		{"stable: 'coin'", dao.Stable, "erc20", common.Address{}},
		{"market", dao.Market, "", dao.MarketImpl},
		{"beacon proxy", dao.BeaconProxy, "", dao.BeaconImpl},
	} {
		p, err := book.Propose(t.Context(), client, gov.Address(c.at), at)
		must(t, err)
		if p.ABIName != c.abi || common.Address(p.Implementation) != c.impl {
			t.Errorf("%s: ABI %q, implementation %s; want %q, %s", c.label, p.ABIName, p.Implementation, c.abi, c.impl)
		}
		text, err := p.YAML(c.label)
		must(t, err)
		yaml.WriteString(text)
	}
	b, problems := book.Parse("book.yaml", []byte(yaml.String()), os.ReadFile)
	if err := problems.Err(); err != nil {
		t.Fatalf("%v\n%s", err, yaml.String())
	}
	if e, _ := b.Entry(gov.Address(dao.Stable)); e.Decimals != gov.Known(uint8(6)) || e.Label != "stable: 'coin'" {
		t.Errorf("the token's entry: %+v", e)
	}
	moved, err := book.Diff(t.Context(), client, b, at)
	must(t, err)
	if len(moved) != 0 {
		t.Errorf("moved at once: %+v", moved)
	}
	must(t, s.RPC.CallContext(t.Context(), nil, "anvil_setCode", dao.Stable, hexutil.Bytes{0xfe}))
	must(t, s.RPC.CallContext(t.Context(), nil, "anvil_setStorageAt", dao.Market, book.ImplementationSlot, common.BytesToHash(dao.MarketV2[:])))
	if moved, err = book.Diff(t.Context(), client, b, head(t, s)); err != nil || len(moved) != 2 {
		t.Errorf("moved = %+v, %v; want the token and the market", moved, err)
	}
	if moved, err = book.Diff(t.Context(), client, b, at); err != nil || len(moved) != 0 {
		t.Errorf("at the old block: %+v, %v", moved, err)
	}
	if _, err := book.Propose(t.Context(), client, gov.Address{1}, at); err == nil || !strings.Contains(err.Error(), "no code") {
		t.Errorf("an account without code: %v", err)
	}
	if _, err := book.Propose(t.Context(), client, gov.Address(dao.Stable), gov.Block{Number: 5, Hash: gov.Hash{5}}); err == nil {
		t.Error("a block that does not exist answers")
	}
}

// safeProxy is code of the shape of a Safe's proxy: it delegates every call to the address in the slot that some
// instructions push.
func safeProxy(slot ...byte) []byte {
	code := hexutil.MustDecode("0x36600060003760006000366000" + "73ffffffffffffffffffffffffffffffffffffffff")
	code = append(append(code, slot...), hexutil.MustDecode("0x54165af43d600060003e")...)
	code = append(code, 0x60, byte(len(code)+7), 0x57, 0x3d, 0x60, 0, 0xfd)
	code = append(code, hexutil.MustDecode("0x5b3d6000f3fe")...)
	return append(code, hexutil.MustDecode("0xa165627a7a72305820f1f15555f1f1")...) // what follows the code is no instruction
}

func TestIsMasterCopyProxy(t *testing.T) {
	for name, c := range map[string]struct {
		code []byte
		want bool
	}{
		"push1":          {safeProxy(0x60, 0), true},
		"push0":          {safeProxy(0x5f), true},
		"other slot":     {safeProxy(0x60, 1), false},
		"reads another":  {append([]byte{0x60, 2, 0x54, 0x50}, safeProxy(0x5f)...), false},
		"writes":         {append([]byte{0x5f, 0x5f, 0x55}, safeProxy(0x5f)...), false},
		"calls":          {append([]byte{0xf1}, safeProxy(0x5f)...), false},
		"large":          {append(safeProxy(0x5f), make([]byte, 1024)...), false},
		"does not":       {hexutil.MustDecode("0x5f545f5260205ff3"), false},
		"nothing":        {nil, false},
		"cut in a push":  {[]byte{0x5f, 0x54, 0xf4, 0x7f, 1}, true},
		"slot as a data": {hexutil.MustDecode("0x615f5450f4"), false},
	} {
		if got := book.IsMasterCopyProxy(c.code); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestReadContract(t *testing.T) {
	s, dao, client := world(t)
	clone := common.HexToAddress("0x00000000000000000000000000000000000c104e")
	code := append(append(hexutil.MustDecode("0x363d3d373d3d3d363d73"), dao.Bomb[:]...), hexutil.MustDecode("0x5af43d82803e903d91602b57fd5bf3")...)
	must(t, s.RPC.CallContext(t.Context(), nil, "anvil_setCode", clone, hexutil.Bytes(code)))
	// A Safe's proxy delegates to what its first slot names; code that only looks a little like one is none.
	safe, owned := common.HexToAddress("0x00000000000000000000000000000000005afe01"), common.HexToAddress("0x00000000000000000000000000000000005afe02")
	must(t, s.RPC.CallContext(t.Context(), nil, "anvil_setCode", safe, hexutil.Bytes(safeProxy(0x60, 0x00))))
	must(t, s.RPC.CallContext(t.Context(), nil, "anvil_setCode", owned, hexutil.Bytes(safeProxy(0x60, 0x01))))
	for _, a := range []common.Address{safe, owned} {
		must(t, s.RPC.CallContext(t.Context(), nil, "anvil_setStorageAt", a, common.Hash{}, common.BytesToHash(dao.Bomb[:])))
	}
	state := book.At(client, head(t, s).Hash)
	type row struct {
		Impl                   common.Address
		SelfDestruct, Delegate bool
	}
	got, want := map[string]row{}, map[string]row{
		"token": {}, "bomb": {SelfDestruct: true}, "market": {dao.MarketImpl, false, true}, "beacon proxy": {dao.BeaconImpl, false, true}, "clone": {dao.Bomb, false, true}, "nobody": {},
		"safe": {dao.Bomb, false, true}, "other slot": {Delegate: true},
	}
	for name, a := range map[string]common.Address{"token": dao.Token, "bomb": dao.Bomb, "market": dao.Market, "beacon proxy": dao.BeaconProxy, "clone": clone, "nobody": {9}, "safe": safe, "other slot": owned} {
		c, err := book.ReadContract(t.Context(), state, gov.Address(a))
		must(t, err)
		got[name] = row{common.Address(c.Implementation), c.SelfDestruct, c.DelegateCall}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
