package signer

import (
	"context"
	"crypto/ecdsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"strings"

	"github.com/ethereum/go-ethereum/accounts/keystore"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/legate-dao/legate/agent/gov"
)

// maxKeystore bounds a key file in bytes; real ones have some 500.
const maxKeystore = 64 << 10

// keystoreKey is a key that was unlocked once, at start.
type keystoreKey struct {
	secret *ecdsa.PrivateKey
	addr   gov.Address
}

func openKeystore(_ context.Context, path string, pass Passphrase, dir string) (key, error) {
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	raw, err := readKeystore(path)
	if err != nil {
		return nil, fmt.Errorf("open keystore: %w", err)
	}
	var names struct {
		Address string `json:"address"`
	}
	if err := json.Unmarshal(raw, &names); err != nil {
		return nil, fmt.Errorf("open keystore %s: it is not JSON", path)
	}
	k, err := keystore.DecryptKey(raw, pass.reveal())
	if errors.Is(err, keystore.ErrDecrypt) {
		return nil, fmt.Errorf("open keystore %s: %w", path, ErrPassphrase)
	}
	if err != nil { // without its text, which may quote the file
		return nil, fmt.Errorf("open keystore %s: it is not an encrypted key file of version 3", path)
	}
	addr := gov.Address(crypto.PubkeyToAddress(k.PrivateKey.PublicKey))
	if says := strings.TrimPrefix(names.Address, "0x"); says != "" && !strings.EqualFold(says, addr.Hex()[2:]) {
		return nil, fmt.Errorf("open keystore %s: it names another address than its key has, %s", path, addr)
	}
	return &keystoreKey{k.PrivateKey, addr}, nil
}

func readKeystore(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxKeystore+1))
	if err == nil && len(raw) > maxKeystore {
		err = fmt.Errorf("%s has more than %d bytes", path, maxKeystore)
	}
	return raw, err
}

func (k *keystoreKey) address() gov.Address { return k.addr }

func (k *keystoreKey) signTx(_ context.Context, tx *types.Transaction, chain *big.Int) (*types.Transaction, error) {
	signed, err := types.SignTx(tx, types.LatestSignerForChainID(chain), k.secret)
	if err != nil {
		return nil, errors.New("the key could not sign the transaction")
	}
	return signed, nil
}

func (k *keystoreKey) signHash(_ context.Context, h gov.Hash) ([]byte, error) {
	sig, err := crypto.Sign(h[:], k.secret)
	if err != nil {
		return nil, errors.New("the key could not sign")
	}
	return sig, nil
}
