package devchain

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/ethereum/go-ethereum/rpc"
)

var genesisTime = time.Unix(1_750_000_000, 0)

func start(t *testing.T, cfg Config) *Chain {
	t.Helper()
	if cfg.GenesisTime.IsZero() {
		cfg.GenesisTime = genesisTime
	}
	c, err := Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func dial(t *testing.T, url string, account int) *Session {
	t.Helper()
	s, err := Dial(t.Context(), url, Account(account))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func header(t *testing.T, c *Chain) *types.Header {
	t.Helper()
	h, err := c.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestThousandBlocksTwelveSecondsApart(t *testing.T) {
	c := start(t, Config{})
	from := time.Now()
	if err := c.Mine(t.Context(), 1000); err != nil {
		t.Fatal(err)
	}
	took := time.Since(from)
	t.Logf("1000 blocks in %v: %.0f blocks/s", took, 1000/took.Seconds())
	client, err := ethclient.Dial(c.HTTP())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for n := uint64(0); n <= 1000; n += 50 {
		h, err := client.HeaderByNumber(t.Context(), new(big.Int).SetUint64(n))
		if err != nil {
			t.Fatal(err)
		}
		if want := uint64(genesisTime.Unix()) + 12*n; h.Time != want {
			t.Fatalf("block %d has time %d, want %d", n, h.Time, want)
		}
	}
	// Old state must still be there: it is an archive.
	balance, err := client.BalanceAt(t.Context(), Address(3), big.NewInt(1))
	if err != nil {
		t.Fatal(err)
	}
	if balance.Cmp(fundedBalance()) != 0 {
		t.Fatalf("account 3 had %v at block 1", balance)
	}
	for tag, want := range map[rpc.BlockNumber]uint64{rpc.SafeBlockNumber: 968, rpc.FinalizedBlockNumber: 936} {
		h, err := client.HeaderByNumber(t.Context(), big.NewInt(int64(tag)))
		if err != nil {
			t.Fatal(err)
		}
		if h.Number.Uint64() != want {
			t.Errorf("block %v is %d, want %d", tag, h.Number, want)
		}
	}
}

func TestDefaultGenesisEndsAboutNow(t *testing.T) {
	c, err := Start(Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	end := time.Unix(int64(header(t, c).Time), 0).Add(1000 * 12 * time.Second)
	if off := time.Since(end).Abs(); off > time.Minute {
		t.Errorf("block 1000 would be %v from now", off)
	}
}

func TestAdvanceIsOneJump(t *testing.T) {
	c := start(t, Config{})
	before := header(t, c)
	if err := c.Advance(t.Context(), 36*time.Hour); err != nil {
		t.Fatal(err)
	}
	after := header(t, c)
	if after.Number.Uint64() != before.Number.Uint64()+1 || after.Time != before.Time+36*3600 {
		t.Errorf("from block %d at %d to block %d at %d", before.Number, before.Time, after.Number, after.Time)
	}
	if err := c.Advance(t.Context(), time.Millisecond); err == nil {
		t.Error("a jump below one second was taken")
	}
}

func TestAutomineTwelveSecondsAndFunds(t *testing.T) {
	c := start(t, Config{ChainID: 4242})
	s := dial(t, c.HTTP(), 0)
	if s.ChainID.Int64() != 4242 || c.ChainID().Int64() != 4242 {
		t.Fatalf("chain id %v and %v", s.ChainID, c.ChainID())
	}
	to := common.HexToAddress("0x1234")
	for i := range uint64(3) {
		receipt, err := s.Send(t.Context(), &to, big.NewInt(5), nil)
		if err != nil {
			t.Fatal(err)
		}
		if receipt.BlockNumber.Uint64() != i+1 {
			t.Errorf("transaction %d is in block %v", i, receipt.BlockNumber)
		}
	}
	if h := header(t, c); h.Time != uint64(genesisTime.Unix())+36 {
		t.Errorf("three blocks later it is %d", h.Time)
	}
}

func TestWebSocketHeads(t *testing.T) {
	c := start(t, Config{})
	client, err := ethclient.DialContext(t.Context(), c.WS())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	heads := make(chan *types.Header, 4)
	sub, err := client.SubscribeNewHead(t.Context(), heads)
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Unsubscribe()
	if err := c.Mine(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	for want := uint64(1); want <= 2; want++ {
		select {
		case h := <-heads:
			if h.Number.Uint64() != want {
				t.Errorf("head %d came, want %d", h.Number, want)
			}
		case <-t.Context().Done():
			t.Fatal("no head came")
		}
	}
}

func TestReorgReplacesBlocksAndForgetsTransactions(t *testing.T) {
	for _, keep := range []bool{false, true} {
		c := start(t, Config{ReorgKeepsTransactions: keep})
		s := dial(t, c.HTTP(), 0)
		if err := c.Mine(t.Context(), 5); err != nil {
			t.Fatal(err)
		}
		to := common.HexToAddress("0x1234")
		receipt, err := s.Send(t.Context(), &to, big.NewInt(5), nil)
		if err != nil {
			t.Fatal(err)
		}
		before := header(t, c)
		if err := c.Reorg(t.Context(), 3); err != nil {
			t.Fatal(err)
		}
		after := header(t, c)
		if after.Number.Uint64() < before.Number.Uint64()+1 {
			t.Fatalf("head went from %d to %d", before.Number, after.Number)
		}
		dropped, err := s.Client.HeaderByNumber(t.Context(), before.Number)
		if err != nil {
			t.Fatal(err)
		}
		if dropped.Hash() == before.Hash() || dropped.Time != before.Time {
			t.Fatalf("block %d was %v and is %v, time %d and %d", before.Number, before.Hash(), dropped.Hash(), before.Time, dropped.Time)
		}
		if keep {
			if err := c.Mine(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
		}
		_, err = s.Client.TransactionReceipt(t.Context(), receipt.TxHash)
		if (err == nil) != keep {
			t.Errorf("keep=%v: receipt of the dropped transaction: %v", keep, err)
		}
		pending, err := s.Client.PendingTransactionCount(t.Context())
		if err != nil || pending != 0 {
			t.Errorf("keep=%v: %d transactions pending, error %v", keep, pending, err)
		}
	}
}

func TestReorgBelowFinalized(t *testing.T) {
	c := start(t, Config{})
	if err := c.Mine(t.Context(), 200); err != nil {
		t.Fatal(err)
	}
	if err := c.Reorg(t.Context(), 150); err != nil {
		t.Fatal(err)
	}
	if h := header(t, c); h.Number.Uint64() != 201 {
		t.Errorf("head is %d", h.Number)
	}
	if err := c.Reorg(t.Context(), 202); err == nil {
		t.Error("a reorg below genesis was taken")
	}
}

func TestSameCallsGiveSameBlocks(t *testing.T) {
	var hashes [2]common.Hash
	for i := range hashes {
		c := start(t, Config{})
		for _, step := range []func() error{
			func() error { return c.Mine(t.Context(), 3) },
			func() error { return c.Reorg(t.Context(), 2) },
			func() error { return c.Advance(t.Context(), time.Hour) },
		} {
			if err := step(); err != nil {
				t.Fatal(err)
			}
		}
		hashes[i] = header(t, c).Hash()
	}
	if hashes[0] != hashes[1] {
		t.Errorf("heads %v and %v", hashes[0], hashes[1])
	}
}

func TestEngineMethods(t *testing.T) {
	c := start(t, Config{})
	client, err := rpc.Dial(c.HTTP())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	call := func(out any, method string, args ...any) {
		t.Helper()
		if err := client.CallContext(t.Context(), out, method, args...); err != nil {
			t.Fatalf("%s: %v", method, err)
		}
	}
	expect := func(number, seconds uint64) {
		t.Helper()
		h := header(t, c)
		if h.Number.Uint64() != number || h.Time-uint64(genesisTime.Unix()) != seconds {
			t.Fatalf("head is block %d at genesis+%d, want %d at +%d", h.Number, h.Time-uint64(genesisTime.Unix()), number, seconds)
		}
	}
	call(nil, "evm_mine")
	expect(1, 12)
	call(nil, "anvil_mine", "0x3", 5)
	expect(4, 27)
	call(nil, "evm_increaseTime", 100)
	call(nil, "evm_mine")
	expect(5, 127)
	call(nil, "evm_setNextBlockTimestamp", uint64(genesisTime.Unix())+500)
	call(nil, "evm_mine", map[string]any{"blocks": 2})
	expect(7, 512)
	var id string
	call(&id, "evm_snapshot")
	call(nil, "anvil_mine", 4)
	var done bool
	call(&done, "evm_revert", id)
	expect(7, 512)
	if !done {
		t.Error("evm_revert said false")
	}
	call(nil, "anvil_reorg", 2, []any{})
	expect(7, 151) // blocks 6 and 7 again, 12 s each after block 5

	account, slot, value := common.HexToAddress("0xabcd"), common.HexToHash("0x7"), common.HexToHash("0x99")
	call(nil, "anvil_setBalance", account, "0x64")
	call(nil, "anvil_setCode", account, "0x5f54")
	call(nil, "anvil_setStorageAt", account, slot, value) // padded with zeros
	call(nil, "anvil_setNonce", account, "0x9")
	if err := c.Mine(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	eth := ethclient.NewClient(client)
	balance, err := eth.BalanceAt(t.Context(), account, nil)
	if err != nil || balance.Int64() != 100 {
		t.Errorf("balance %v, %v", balance, err)
	}
	nonce, err := eth.NonceAt(t.Context(), account, nil)
	if err != nil || nonce != 9 {
		t.Errorf("nonce %v, %v", nonce, err)
	}
	stored, err := eth.StorageAt(t.Context(), account, slot, nil)
	if err != nil || common.BytesToHash(stored) != value {
		t.Errorf("slot 7 holds %x, %v", stored, err)
	}
	var proof map[string]any
	call(&proof, "eth_getProof", account, []string{slot.Hex()}, "latest")
	var trace map[string]any
	call(&trace, "debug_traceCall", map[string]any{"to": account}, "latest", map[string]any{"tracer": "callTracer"})
	var simulated []any
	call(&simulated, "eth_simulateV1", map[string]any{"blockStateCalls": []any{map[string]any{"calls": []any{map[string]any{"to": account}}}}}, "latest")
	for _, bad := range [][]any{{"anvil_mine", "many"}, {"anvil_mine", -1}, {"evm_setNextBlockTimestamp", 5}, {"anvil_reorg", 10_000}, {"anvil_reorg", 0}} {
		if err := client.CallContext(t.Context(), nil, bad[0].(string), bad[1:]...); err == nil {
			t.Errorf("%v was taken", bad)
		}
	}
}

func TestNoAutomineWaitsForMine(t *testing.T) {
	c := start(t, Config{NoAutomine: true})
	s := dial(t, c.HTTP(), 0)
	to := common.HexToAddress("0x1234")
	tx, err := s.sign(t.Context(), &to, big.NewInt(1), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Client.SendTransaction(t.Context(), tx); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Client.TransactionReceipt(t.Context(), tx.Hash()); err == nil {
		t.Fatal("mined without a word")
	}
	if err := c.Mine(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Client.TransactionReceipt(t.Context(), tx.Hash()); err != nil {
		t.Errorf("not mined: %v", err)
	}
}

func TestCloseFreesThePort(t *testing.T) {
	c, err := Start(Config{})
	if err != nil {
		t.Fatal(err)
	}
	url := c.HTTP()
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if response, err := http.Get(url); err == nil {
		response.Body.Close()
		t.Error("it still answers")
	}
	if err := c.Mine(context.Background(), 1); err == nil {
		t.Error("a closed chain mined")
	}
}

func TestBadConfigIsRefused(t *testing.T) {
	for name, cfg := range map[string]Config{
		"fraction": {BlockTime: 1500 * time.Millisecond},
		"port":     {Port: 70_000},
		"finality": {SafeLag: 10, FinalityLag: 5},
		"genesis":  {GenesisTime: time.Unix(-5, 0)},
	} {
		if c, err := Start(cfg); err == nil {
			c.Close()
			t.Errorf("%s: taken", name)
		}
	}
}

// TestManyTransactionsDuringMining guards against a deadlock: the pool waits for
// its listener, and who makes blocks waits for the pool.
func TestManyTransactionsDuringMining(t *testing.T) {
	c := start(t, Config{})
	const senders, each = 10, 20
	mined := make(chan error, 1)
	stop := make(chan struct{})
	go func() {
		for {
			select {
			case <-stop:
				mined <- nil
				return
			default:
			}
			if err := c.Mine(t.Context(), 50); err != nil {
				mined <- err
				return
			}
		}
	}()
	var group sync.WaitGroup
	for i := range senders {
		s := dial(t, c.HTTP(), i)
		group.Go(func() {
			to := common.HexToAddress("0x1234")
			for range each {
				if _, err := s.Send(t.Context(), &to, big.NewInt(1), nil); err != nil {
					t.Errorf("sender %d: %v", i, err)
					return
				}
			}
		})
	}
	group.Wait()
	close(stop)
	if err := <-mined; err != nil {
		t.Error(err)
	}
	s := dial(t, c.HTTP(), 0)
	balance, err := s.Client.BalanceAt(t.Context(), common.HexToAddress("0x1234"), nil)
	if err != nil || balance.Int64() != senders*each {
		t.Errorf("%v of %d transactions are in, error %v", balance, senders*each, err)
	}
}

// TestBurstWhileTheMakerOfBlocksIsBusy holds the block maker's lock while more
// transactions arrive than the listener's channel holds.
func TestBurstWhileTheMakerOfBlocksIsBusy(t *testing.T) {
	c := start(t, Config{})
	s := dial(t, c.HTTP(), 0)
	to := common.HexToAddress("0x1234")
	const burst = 200
	var raw []*types.Transaction
	for nonce := range uint64(burst) {
		raw = append(raw, types.MustSignNewTx(s.Key, types.LatestSignerForChainID(s.ChainID), &types.DynamicFeeTx{
			ChainID: s.ChainID, Nonce: nonce, To: &to, Value: big.NewInt(1), Gas: 21_000, GasTipCap: big.NewInt(1), GasFeeCap: big.NewInt(10 * gwei),
		}))
	}
	if err := holding(c, func() error {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		for i, tx := range raw {
			if err := s.Client.SendTransaction(ctx, tx); err != nil {
				return fmt.Errorf("transaction %d: %w", i, err)
			}
		}
		synced := make(chan error, 1)
		go func() { synced <- c.be.TxPool().Sync() }()
		select {
		case err := <-synced:
			return err
		case <-ctx.Done():
			return errors.New("the pool stands still")
		}
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.wait(t.Context(), raw[burst-1].Hash()); err != nil {
		t.Error(err)
	}
}

// TestUnlockedAccounts: whoever reaches the port sends for the funded accounts, and for no other.
func TestUnlockedAccounts(t *testing.T) {
	c := start(t, Config{})
	client, err := rpc.Dial(c.HTTP())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	var accounts []common.Address
	if err := client.CallContext(t.Context(), &accounts, "eth_accounts"); err != nil || len(accounts) != AccountCount || accounts[3] != Address(3) {
		t.Fatalf("accounts: %v, %v", accounts, err)
	}
	stranger := common.HexToAddress("0xbeef")
	send := func(from common.Address) (hash common.Hash, err error) {
		err = client.CallContext(t.Context(), &hash, "eth_sendTransaction", map[string]any{"from": from, "to": stranger, "value": "0x64"})
		return hash, err
	}
	hash, err := send(accounts[3])
	if err != nil {
		t.Fatal(err)
	}
	s, err := c.Session(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.wait(t.Context(), hash); err != nil {
		t.Fatal(err)
	}
	if has, err := s.Client.BalanceAt(t.Context(), stranger, nil); err != nil || has.Int64() != 100 {
		t.Errorf("the target has %v, %v", has, err)
	}
	if _, err := send(stranger); err == nil || !strings.Contains(err.Error(), "not one of the 20 accounts") {
		t.Errorf("a stranger sent: %v", err)
	}
}

// holding does something while nobody can make blocks.
func holding(c *Chain, do func() error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return do()
}

func TestDataDirKeepsTheChain(t *testing.T) {
	cfg := Config{DataDir: t.TempDir(), GenesisTime: genesisTime}
	c, err := Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Mine(t.Context(), 70); err != nil {
		t.Fatal(err)
	}
	want := header(t, c).Hash()
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	again := start(t, cfg)
	if h := header(t, again); h.Hash() != want {
		t.Errorf("head is block %d %v, want %v", h.Number, h.Hash(), want)
	}
	if err := again.Reorg(t.Context(), 69); err != nil {
		t.Error(err)
	}
}
