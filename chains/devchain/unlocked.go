package devchain

import (
	"context"
	"errors"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
)

// unlockedAPI adds to the eth namespace what a node with open accounts has. The funded accounts are
// open to whoever reaches the port, as on anvil: their keys are public knowledge.
type unlockedAPI struct{ c *Chain }

// Accounts (eth_accounts) lists the funded accounts.
func (a *unlockedAPI) Accounts() []common.Address {
	out := make([]common.Address, AccountCount)
	for i := range out {
		out[i] = Address(i)
	}
	return out
}

// unsigned is a transaction as eth_sendTransaction takes it. Nonce, gas and fees are found here.
type unsigned struct {
	From  common.Address  `json:"from"`
	To    *common.Address `json:"to"`
	Value *hexutil.Big    `json:"value"`
	Data  hexutil.Bytes   `json:"data"`
	Input hexutil.Bytes   `json:"input"`
}

// SendTransaction (eth_sendTransaction) signs for a funded account and sends. It fails with the reason
// when the call would revert.
func (a *unlockedAPI) SendTransaction(ctx context.Context, tx unsigned) (common.Hash, error) {
	data := tx.Input
	if len(data) == 0 {
		data = tx.Data
	}
	if len(data) == 0 && tx.To == nil {
		return common.Hash{}, errors.New("send transaction: it has neither a target nor data")
	}
	for i := range AccountCount {
		if Address(i) != tx.From {
			continue
		}
		s, err := a.c.Session(ctx, i)
		if err != nil {
			return common.Hash{}, err
		}
		defer s.Close()
		signed, err := s.sign(ctx, tx.To, (*big.Int)(tx.Value), data)
		if err != nil {
			return common.Hash{}, err
		}
		if err := s.Client.SendTransaction(ctx, signed); err != nil {
			return common.Hash{}, fmt.Errorf("send transaction: %w", err)
		}
		return signed.Hash(), nil
	}
	return common.Hash{}, fmt.Errorf("send transaction: %s is not one of the %d accounts of eth_accounts", tx.From, AccountCount)
}
