package devchain

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/ethereum/go-ethereum/rpc"
)

const (
	// receiptPoll is how often a session looks for a receipt. Automine answers
	// within milliseconds, on anvil as here.
	receiptPoll = 2 * time.Millisecond
	// receiptTimeout ends the wait for a receipt, so that a forgotten Mine on a
	// chain without automine is an error and not a hang.
	receiptTimeout = 30 * time.Second
	// txGasCap is the most one transaction may ask for since the Osaka rules.
	txGasCap = 16_777_216
	gwei     = 1_000_000_000
)

// Session sends transactions of one key to one JSON-RPC address: this package's
// chain, an anvil, or any other node. Its methods are for one goroutine.
type Session struct {
	Client  *ethclient.Client
	RPC     *rpc.Client
	Key     *ecdsa.PrivateKey
	From    common.Address
	ChainID *big.Int
}

// Dial connects to a JSON-RPC address, http:// or ws://.
func Dial(ctx context.Context, url string, key *ecdsa.PrivateKey) (*Session, error) {
	conn, err := rpc.DialContext(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", url, err)
	}
	s := &Session{Client: ethclient.NewClient(conn), RPC: conn}
	if s.ChainID, err = s.Client.ChainID(ctx); err != nil {
		conn.Close()
		return nil, fmt.Errorf("ask %s for its chain id: %w", url, err)
	}
	return s.As(key), nil
}

// As is the same connection with another key. Closing either closes both.
func (s *Session) As(key *ecdsa.PrivateKey) *Session {
	other := *s
	other.Key, other.From = key, crypto.PubkeyToAddress(key.PublicKey)
	return &other
}

// Close ends the connection.
func (s *Session) Close() { s.RPC.Close() }

// Deploy creates the compiled contract of that name and waits until it is there.
func (s *Session) Deploy(ctx context.Context, name string, args ...any) (common.Address, error) {
	c, err := Load(name)
	if err != nil {
		return common.Address{}, fmt.Errorf("deploy %s: %w", name, err)
	}
	packed, err := c.ABI.Pack("", args...)
	if err != nil {
		return common.Address{}, fmt.Errorf("deploy %s: encode constructor arguments: %w", name, err)
	}
	receipt, err := s.Send(ctx, nil, nil, append(append([]byte{}, c.Bytecode...), packed...))
	if err != nil {
		return common.Address{}, fmt.Errorf("deploy %s: %w", name, err)
	}
	return receipt.ContractAddress, nil
}

// Pack encodes a call of a method of the compiled contract.
func Pack(contract, method string, args ...any) ([]byte, error) {
	c, err := Load(contract)
	if err != nil {
		return nil, fmt.Errorf("encode %s.%s: %w", contract, method, err)
	}
	data, err := c.ABI.Pack(method, args...)
	if err != nil {
		return nil, fmt.Errorf("encode %s.%s: %w", contract, method, err)
	}
	return data, nil
}

// Transact calls a method of the contract at an address, whose ABI is that of
// the compiled contract, and waits for the receipt. A revert is an error that
// tells the reason.
func (s *Session) Transact(ctx context.Context, at common.Address, contract, method string, args ...any) (*types.Receipt, error) {
	return s.TransactValue(ctx, nil, at, contract, method, args...)
}

// TransactValue is Transact with native value, in wei.
func (s *Session) TransactValue(ctx context.Context, wei *big.Int, at common.Address, contract, method string, args ...any) (*types.Receipt, error) {
	data, err := Pack(contract, method, args...)
	if err != nil {
		return nil, err
	}
	receipt, err := s.Send(ctx, &at, wei, data)
	if err != nil {
		return nil, fmt.Errorf("call %s.%s at %v: %w", contract, method, at, err)
	}
	return receipt, nil
}

// Send sends one transaction and waits for its receipt; to nil creates a
// contract, wei nil is none. A revert is an error that tells the reason.
func (s *Session) Send(ctx context.Context, to *common.Address, wei *big.Int, data []byte) (*types.Receipt, error) {
	tx, err := s.sign(ctx, to, wei, data)
	if err != nil {
		return nil, err
	}
	if err := s.Client.SendTransaction(ctx, tx); err != nil {
		return nil, fmt.Errorf("send transaction: %w", err)
	}
	receipt, err := s.wait(ctx, tx.Hash())
	if err != nil {
		return nil, err
	}
	if receipt.Status != types.ReceiptStatusSuccessful {
		return receipt, s.whyReverted(ctx, tx, receipt)
	}
	return receipt, nil
}

func (s *Session) sign(ctx context.Context, to *common.Address, wei *big.Int, data []byte) (*types.Transaction, error) {
	gas, err := s.Client.EstimateGas(ctx, ethereum.CallMsg{From: s.From, To: to, Value: wei, Data: data})
	if err != nil {
		return nil, fmt.Errorf("estimate gas: %w", explain(err))
	}
	// The estimate is of the block before; a vote token's checkpoint of a new
	// block costs more.
	gas = max(gas, min(gas+gas*3/10+60_000, txGasCap))
	nonce, err := s.Client.PendingNonceAt(ctx, s.From)
	if err != nil {
		return nil, fmt.Errorf("read nonce of %v: %w", s.From, err)
	}
	head, err := s.Client.HeaderByNumber(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("read head: %w", err)
	}
	if head.BaseFee == nil {
		return nil, errors.New("the chain has no base fee: it is older than the London rules")
	}
	tip := big.NewInt(gwei)
	tx, err := types.SignNewTx(s.Key, types.LatestSignerForChainID(s.ChainID), &types.DynamicFeeTx{
		ChainID: s.ChainID, Nonce: nonce, To: to, Value: wei, Data: data, Gas: gas,
		GasTipCap: tip, GasFeeCap: new(big.Int).Add(tip, new(big.Int).Lsh(head.BaseFee, 1)),
	})
	if err != nil {
		return nil, fmt.Errorf("sign transaction: %w", err)
	}
	return tx, nil
}

func (s *Session) wait(ctx context.Context, hash common.Hash) (*types.Receipt, error) {
	ctx, cancel := context.WithTimeout(ctx, receiptTimeout)
	defer cancel()
	tick := time.NewTicker(receiptPoll)
	defer tick.Stop()
	for {
		receipt, err := s.Client.TransactionReceipt(ctx, hash)
		if err == nil {
			// a node may serve the receipt a moment before "latest" means its block
			var head uint64
			if head, err = s.Client.BlockNumber(ctx); err == nil && head >= receipt.BlockNumber.Uint64() {
				return receipt, nil
			}
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for receipt of %v: %w", hash, errors.Join(ctx.Err(), err))
		case <-tick.C:
		}
	}
}

// whyReverted runs a failed transaction again as a call to learn the reason.
func (s *Session) whyReverted(ctx context.Context, tx *types.Transaction, receipt *types.Receipt) error {
	msg := ethereum.CallMsg{From: s.From, To: tx.To(), Value: tx.Value(), Data: tx.Data(), Gas: tx.Gas()}
	_, err := s.Client.CallContract(ctx, msg, receipt.BlockNumber)
	if err == nil {
		err = fmt.Errorf("it does not revert when called again; it used %d of %d gas", receipt.GasUsed, tx.Gas())
	}
	return fmt.Errorf("transaction %v reverted: %w", tx.Hash(), explain(err))
}

// Call reads a method of the contract at an address on the latest block and
// returns its results.
func (s *Session) Call(ctx context.Context, at common.Address, contract, method string, args ...any) ([]any, error) {
	data, err := Pack(contract, method, args...)
	if err != nil {
		return nil, err
	}
	raw, err := s.Client.CallContract(ctx, ethereum.CallMsg{From: s.From, To: &at, Data: data}, nil)
	if err != nil {
		return nil, fmt.Errorf("read %s.%s at %v: %w", contract, method, at, explain(err))
	}
	parsed, _ := Artifact(contract)
	out, err := parsed.Unpack(method, raw)
	if err != nil {
		return nil, fmt.Errorf("decode answer of %s.%s at %v: %w", contract, method, at, err)
	}
	return out, nil
}

// Read is Call for a method with one result of type T.
func Read[T any](ctx context.Context, s *Session, at common.Address, contract, method string, args ...any) (T, error) {
	var zero T
	out, err := s.Call(ctx, at, contract, method, args...)
	if err != nil {
		return zero, err
	}
	if len(out) != 1 {
		return zero, fmt.Errorf("%s.%s answers with %d values, not one", contract, method, len(out))
	}
	value, ok := out[0].(T)
	if !ok {
		return zero, fmt.Errorf("%s.%s answers with %T, not %T", contract, method, out[0], zero)
	}
	return value, nil
}
