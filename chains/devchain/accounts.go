package devchain

import (
	"crypto/ecdsa"
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
)

// AccountCount is the number of funded accounts of a chain.
const AccountCount = 20

// Account returns the private key of funded test account i. The keys are public
// knowledge: key i is the Keccak-256 hash of the text "legate devchain account i"
// (i in decimal). Never send anything of value to them. It panics when i is not
// in [0, AccountCount).
func Account(i int) *ecdsa.PrivateKey {
	if i < 0 || i >= AccountCount {
		panic(fmt.Sprintf("devchain: account %d does not exist, there are %d", i, AccountCount))
	}
	key, err := crypto.ToECDSA(crypto.Keccak256(fmt.Appendf(nil, "legate devchain account %d", i)))
	if err != nil {
		panic(fmt.Sprintf("devchain: key of account %d: %v", i, err))
	}
	return key
}

// Address returns the address of funded test account i.
func Address(i int) common.Address {
	return crypto.PubkeyToAddress(Account(i).PublicKey)
}
