package devchain

import (
	"context"
	"encoding/binary"
	"math/big"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
)

// TestAddressesArePinned keeps the demo's addresses: its documents print them.
func TestAddressesArePinned(t *testing.T) {
	for flavour, want := range map[Flavour][3]string{ // token, timelock, governor
		Bravo:    {"0x5de9cAe672A1968a70E4a8350fC3B857a2954fb7", "0xa8d345855Db113216076056437e29b5506fF8347", "0x9FBC54451302DEfB23De51544533A883760dA234"},
		OZ5Block: {"0xa8d345855Db113216076056437e29b5506fF8347", "0x5de9cAe672A1968a70E4a8350fC3B857a2954fb7", "0xB21a61eA581F2d83C415c3042e76810cc1691AAC"},
	} {
		c := start(t, Config{})
		dao, err := DeployDAO(t.Context(), dial(t, c.HTTP(), 0), DAOConfig{Flavour: flavour})
		if err != nil {
			t.Fatal(err)
		}
		got := [3]string{dao.Token.Hex(), dao.Timelock.Hex(), dao.Governor.Hex()}
		if got != want {
			t.Errorf("%s: %v, want %v", flavour, got, want)
		}
	}
}

func TestAccountsArePinned(t *testing.T) {
	if got := Address(0).Hex(); got != "0x9DE630CAc5bfb2160e132849b5B7b8AA9908ae20" {
		t.Errorf("account 0 is %s", got)
	}
}

// TestEveryParameterOfTheBoxReadsBack sets every parameter and reads it with the
// getter that stands behind it in the source.
func TestEveryParameterOfTheBoxReadsBack(t *testing.T) {
	c := start(t, Config{})
	s := dial(t, c.HTTP(), 0)
	box, err := s.Deploy(t.Context(), "ParamBox", s.From)
	if err != nil {
		t.Fatal(err)
	}
	parsed, _ := Artifact("ParamBox")
	seen := 0
	for name, method := range parsed.Methods {
		if method.IsConstant() || name == "transferOwnership" || name == "renounceOwnership" {
			continue
		}
		seen++
		if name == "_setMarketBorrowCaps" || name == "configureReserveAsCollateral" {
			continue // see TestParametersOfTheBoxWithOddShapes
		}
		getter := getterOf(t, parsed, name)
		args, keys, want := argumentsFor(t, method)
		if _, err := s.Transact(t.Context(), box, "ParamBox", name, args...); err != nil {
			t.Fatalf("%s: %v", method.Sig, err)
		}
		got, err := s.Call(t.Context(), box, "ParamBox", getter, keys...)
		if err != nil || len(got) != 1 {
			t.Fatalf("%s: %v, error %v", getter, got, err)
		}
		if !sameValue(got[0], want) {
			t.Errorf("%s set %v, %s reads %v", name, want, getter, got[0])
		}
	}
	if seen < 34 {
		t.Errorf("the box has %d setters, want at least 34", seen)
	}
	t.Logf("%d setters", seen)
}

func sameValue(a, b any) bool {
	x, xok := a.(*big.Int)
	y, yok := b.(*big.Int)
	if xok && yok {
		return x.Cmp(y) == 0
	}
	return a == b
}

var setterThenGetter = regexp.MustCompile(`function (\w+)\([^)]*\) external \{[^}]*\}\s+function (\w+)\([^)]*\) external view`)

func boxGetters(t *testing.T) map[string]string {
	t.Helper()
	source, err := os.ReadFile("contracts/ParamBox.sol")
	if err != nil {
		t.Fatal(err)
	}
	getters := map[string]string{}
	for _, m := range setterThenGetter.FindAllStringSubmatch(string(source), -1) {
		getters[m[1]] = m[2]
	}
	return getters
}

// getterOf finds the reader of a setter: the one declared right behind it in the
// source.
func getterOf(t *testing.T, parsed abi.ABI, setter string) string {
	t.Helper()
	getter, ok := boxGetters(t)[setter]
	if !ok {
		t.Fatalf("no getter behind %s", setter)
	}
	if _, ok := parsed.Methods[getter]; !ok {
		t.Fatalf("%s is not in the ABI", getter)
	}
	return getter
}

// argumentsFor makes arguments of a setter: 0x11.. for the keys and a small value
// at the end.
func argumentsFor(t *testing.T, method abi.Method) (args, keys []any, value any) {
	t.Helper()
	last := len(method.Inputs) - 1
	for i := range last {
		keys = append(keys, common.HexToAddress(strings.Repeat("11", i+1)))
	}
	switch kind := method.Inputs[last].Type; {
	case kind.T == abi.AddressTy:
		value = common.HexToAddress("0x99")
	case kind.T == abi.BoolTy:
		value = true
	case kind.T == abi.UintTy && kind.Size == 32:
		value = uint32(7)
	case kind.T == abi.UintTy && kind.Size == 64:
		value = uint64(7)
	case kind.T == abi.UintTy:
		value = big.NewInt(7)
	default:
		t.Fatalf("%s: last argument is %v", method.Sig, kind)
	}
	return append(append([]any{}, keys...), value), keys, value
}

func TestParametersOfTheBoxWithOddShapes(t *testing.T) {
	c := start(t, Config{})
	s := dial(t, c.HTTP(), 0)
	ctx := t.Context()
	box, err := s.Deploy(ctx, "ParamBox", s.From)
	if err != nil {
		t.Fatal(err)
	}
	a, b := common.HexToAddress("0xa1"), common.HexToAddress("0xb2")
	steps(t,
		sending(ctx, s, box, "ParamBox", "_setMarketBorrowCaps", []common.Address{a, b}, []*big.Int{big.NewInt(5), big.NewInt(6)}),
		sending(ctx, s, box, "ParamBox", "configureReserveAsCollateral", a, big.NewInt(7500), big.NewInt(8000), big.NewInt(10500)),
		sending(ctx, s, box, "ParamBox", "setReserveFactor", a, big.NewInt(1000)),
		sending(ctx, s, box, "ParamBox", "setSupplyCap", a, big.NewInt(44)),
	)
	if got, err := Read[*big.Int](ctx, s, box, "ParamBox", "borrowCaps", b); err != nil || got.Int64() != 6 {
		t.Errorf("borrow cap of b is %v, error %v", got, err)
	}
	data, err := s.Call(ctx, box, "ParamBox", "getReserveConfigurationData", a)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range map[int]int64{1: 7500, 2: 8000, 3: 10500, 4: 1000} {
		if data[i].(*big.Int).Int64() != want {
			t.Errorf("field %d is %v, want %d", i, data[i], want)
		}
	}
	caps, err := s.Call(ctx, box, "ParamBox", "getReserveCaps", a)
	if err != nil || caps[1].(*big.Int).Int64() != 44 {
		t.Errorf("caps %v, error %v", caps, err)
	}
	if _, err := s.As(Account(1)).Transact(ctx, box, "ParamBox", "setVotingPeriod", uint32(3)); err == nil {
		t.Error("a stranger set a parameter")
	}
}

func sending(ctx context.Context, s *Session, at common.Address, contract, method string, args ...any) func() error {
	return func() error { return second(s.Transact(ctx, at, contract, method, args...)) }
}

func dollars(n int64) *big.Int { return big.NewInt(n * 1e6) }

// TestMarketLendsAndLiquidates: account 1 supplies dollars, account 2 borrows
// them on tokens, the price falls, account 1 liquidates.
func TestMarketLendsAndLiquidates(t *testing.T) {
	c := start(t, Config{})
	s := dial(t, c.HTTP(), 0)
	ctx := t.Context()
	dao, err := DeployDAO(ctx, s, DAOConfig{})
	if err != nil {
		t.Fatal(err)
	}
	lender, borrower := s.As(Account(1)), s.As(Account(2))
	m := dao.Market
	steps(t,
		sending(ctx, s, dao.Stable, "StableToken", "transfer", lender.From, dollars(10_000)),
		sending(ctx, s, dao.Token, "VotesToken", "transfer", borrower.From, Tokens(1000)),
		sending(ctx, lender, dao.Stable, "StableToken", "approve", m, dollars(10_000)),
		sending(ctx, lender, m, "Market", "supply", dao.Stable, dollars(5000)),
		sending(ctx, borrower, dao.Token, "VotesToken", "approve", m, Tokens(1000)),
		sending(ctx, borrower, m, "Market", "supply", dao.Token, Tokens(1000)),
		sending(ctx, borrower, m, "Market", "borrow", dao.Stable, dollars(1300)),
	)
	// 1000 tokens at 2 with a factor of 0.7 carry 1400.
	if _, err := borrower.Transact(ctx, m, "Market", "borrow", dao.Stable, dollars(200)); err == nil || !strings.Contains(err.Error(), "Undercollateralised") {
		t.Errorf("borrowed too much: %v", err)
	}
	if _, err := lender.Transact(ctx, m, "Market", "liquidate", borrower.From, dao.Stable, dollars(100), dao.Token); err == nil || !strings.Contains(err.Error(), "Healthy") {
		t.Errorf("liquidated a healthy account: %v", err)
	}
	if _, err := lender.Transact(ctx, m, "Market", "supply", dao.Stable, dollars(1_999_999)); err == nil || !strings.Contains(err.Error(), "CapReached") {
		t.Errorf("supplied over the cap: %v", err)
	}
	steps(t,
		func() error { return s.AdvanceBy(ctx, 365*24*3600e9) },
		sending(ctx, borrower, m, "Market", "repay", dao.Stable, dollars(0)),
		sending(ctx, s, dao.Oracle, "PriceOracle", "setPrice", dao.Token, Tokens(1)),
	)
	debt, err := Read[*big.Int](ctx, s, m, "Market", "borrowBalance", dao.Stable, borrower.From)
	if err != nil || debt.Cmp(dollars(1365)) < 0 || debt.Cmp(dollars(1366)) > 0 {
		t.Errorf("a year at 5 %% makes %v of 1300 dollars, error %v", debt, err)
	}
	before, err := Read[*big.Int](ctx, s, dao.Token, "VotesToken", "balanceOf", lender.From)
	if err != nil {
		t.Fatal(err)
	}
	steps(t, sending(ctx, lender, m, "Market", "liquidate", borrower.From, dao.Stable, dollars(500), dao.Token))
	after, err := Read[*big.Int](ctx, s, dao.Token, "VotesToken", "balanceOf", lender.From)
	if err != nil || after.Sub(after, before).Cmp(Tokens(540)) != 0 {
		t.Errorf("seized %v tokens, want 540 (500 dollars and 8 %%), error %v", after, err)
	}
	reserves, err := Read[*big.Int](ctx, s, m, "Market", "totalReserves", dao.Stable)
	if err != nil || reserves.Cmp(dollars(6)) < 0 || reserves.Cmp(dollars(7)) > 0 {
		t.Errorf("reserves are %v, want a tenth of the interest, error %v", reserves, err)
	}
}

// TestProposalUpgradesAndRaisesPowers lets one proposal do what privileged
// proposals do: upgrade the proxy and the beacon, mint, raise the cap, give a
// role, administer the Safe, approve through Permit2 and call the unknown.
func TestProposalUpgradesAndRaisesPowers(t *testing.T) {
	c := start(t, Config{})
	s := dial(t, c.HTTP(), 0)
	ctx := t.Context()
	dao, err := DeployDAO(ctx, s, DAOConfig{})
	if err != nil {
		t.Fatal(err)
	}
	steps(t, func() error { return s.Delegate(ctx, dao, s.From) }, func() error { return s.MineBlocks(ctx, 1) })
	stranger := Address(9)
	enable := action(t, dao.Safe, "MockSafe", "enableModule", stranger).Calldata
	batch := packedCall(dao.Safe, enable)
	carry(t, s, dao, "everything at once",
		action(t, dao.Market, "Market", "upgradeToAndCall", dao.MarketV2, []byte{}),
		action(t, dao.Market, "MarketV2", "setFlashFee", big.NewInt(1e15)),
		action(t, dao.Beacon, "UpgradeableBeacon", "upgradeTo", dao.BeaconImp2),
		action(t, dao.Token, "VotesToken", "setCap", Tokens(50_000_000)),
		action(t, dao.Token, "VotesToken", "mint", stranger, Tokens(20_000_000)),
		action(t, dao.Timelock, "TimelockController", "grantRole", role("PROPOSER_ROLE"), stranger),
		action(t, dao.NFT, "DevNFT", "transferFrom", dao.Timelock, stranger, common.Big1),
		action(t, dao.Permit2, "MockPermit2", "approve", dao.Token, stranger, Tokens(5), big.NewInt(1<<40)),
		action(t, dao.Governor, "DevGovernor", "setVotingPeriod", uint32(77)),
		action(t, dao.Safe, "MockSafe", "execTransaction", dao.MultiSend, common.Big0,
			action(t, dao.MultiSend, "MultiSend", "multiSend", batch).Calldata, uint8(1),
			common.Big0, common.Big0, common.Big0, common.Address{}, common.Address{}, []byte{}),
		Action{Target: dao.Opaque, Signature: "zq7_k9Wobble(uint256,bytes)", Calldata: action(t, dao.Opaque, "OpaqueTarget", "zq7_k9Wobble", big.NewInt(4), []byte{1}).Calldata[4:]},
	)
	expectValue(t, s, dao.Market, "Market", "version", big.NewInt(2))
	expectValue(t, s, dao.Market, "MarketV2", "flashFee", big.NewInt(1e15))
	expectValue(t, s, dao.BeaconProxy, "BeaconTarget", "version", big.NewInt(2))
	expectValue(t, s, dao.Token, "VotesToken", "cap", Tokens(50_000_000))
	expectValue(t, s, dao.Token, "VotesToken", "balanceOf", Tokens(20_000_000), stranger)
	expectValue(t, s, dao.Timelock, "TimelockController", "hasRole", true, role("PROPOSER_ROLE"), stranger)
	expectValue(t, s, dao.NFT, "DevNFT", "ownerOf", stranger, common.Big1)
	expectValue(t, s, dao.Governor, "DevGovernor", "votingPeriod", big.NewInt(77))
	expectValue(t, s, dao.Safe, "MockSafe", "isModuleEnabled", true, stranger)
	expectValue(t, s, dao.Opaque, "OpaqueTarget", "zq7Level", big.NewInt(4))
	allowance, err := s.Call(ctx, dao.Permit2, "MockPermit2", "allowance", dao.Timelock, dao.Token, stranger)
	if err != nil || len(allowance) != 3 || allowance[0].(*big.Int).Cmp(Tokens(5)) != 0 {
		t.Errorf("Permit2 allowance %v, error %v", allowance, err)
	}
}

// packedCall is one plain call in MultiSend's packing.
func packedCall(to common.Address, data []byte) []byte {
	out := append([]byte{0}, to.Bytes()...)
	out = append(out, make([]byte, 32+24)...)
	out = binary.BigEndian.AppendUint64(out, uint64(len(data)))
	return append(out, data...)
}

func expectValue(t *testing.T, s *Session, at common.Address, contract, method string, want any, args ...any) {
	t.Helper()
	got, err := s.Call(t.Context(), at, contract, method, args...)
	if err != nil || len(got) != 1 || !sameValue(got[0], want) {
		t.Errorf("%s.%s reads %v, want %v, error %v", contract, method, got, want, err)
	}
}

func TestBombsFailAsTheyShould(t *testing.T) {
	c := start(t, Config{})
	s := dial(t, c.HTTP(), 0)
	ctx := t.Context()
	bomb, err := s.Deploy(ctx, "Bomb")
	if err != nil {
		t.Fatal(err)
	}
	for method, want := range map[string]string{
		"burnAllGas":  "gas",
		"invalid":     "invalid opcode",
		"revertPlain": "revert",
		"panic":       "division or modulo by zero",
	} {
		if _, err := s.Transact(ctx, bomb, "Bomb", method); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", method, err)
		}
	}
	if _, err := s.Transact(ctx, bomb, "Bomb", "revertReason", "no such luck"); err == nil || !strings.Contains(err.Error(), "no such luck") {
		t.Errorf("revertReason: %v", err)
	}
	if _, err := s.Send(ctx, &bomb, nil, []byte{1, 2, 3, 4, 5}); err == nil || !strings.Contains(err.Error(), "Boom") {
		t.Errorf("unknown selector: %v", err)
	}
}

// TestMinedRevertTellsTheReason sends with a fixed gas limit, past the estimate.
func TestMinedRevertTellsTheReason(t *testing.T) {
	c := start(t, Config{})
	s := dial(t, c.HTTP(), 0)
	ctx := t.Context()
	nft, err := s.Deploy(ctx, "DevNFT", Address(5))
	if err != nil {
		t.Fatal(err)
	}
	receipt, tx := sendBlindly(t, s, nft, action(t, nft, "DevNFT", "mint", s.From, common.Big1).Calldata)
	if receipt.Status != 0 {
		t.Fatal("the transaction went through")
	}
	if err := s.whyReverted(ctx, tx, receipt); !strings.Contains(err.Error(), "OwnableUnauthorizedAccount") {
		t.Errorf("reason: %v", err)
	}
}

// sendBlindly sends without an estimate, which would refuse a revert.
func sendBlindly(t *testing.T, s *Session, to common.Address, data []byte) (*types.Receipt, *types.Transaction) {
	t.Helper()
	nonce, err := s.Client.PendingNonceAt(t.Context(), s.From)
	if err != nil {
		t.Fatal(err)
	}
	tx := types.MustSignNewTx(s.Key, types.LatestSignerForChainID(s.ChainID), &types.DynamicFeeTx{
		ChainID: s.ChainID, Nonce: nonce, To: &to, Data: data, Gas: 200_000,
		GasTipCap: big.NewInt(1), GasFeeCap: big.NewInt(10 * gwei),
	})
	if err := s.Client.SendTransaction(t.Context(), tx); err != nil {
		t.Fatal(err)
	}
	receipt, err := s.wait(t.Context(), tx.Hash())
	if err != nil {
		t.Fatal(err)
	}
	return receipt, tx
}
