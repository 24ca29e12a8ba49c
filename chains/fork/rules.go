package fork

import (
	"math/big"

	"github.com/ethereum/go-ethereum/params"

	"github.com/legate-dao/legate/agent/gov"
)

// notEquivalent says that a chain's virtual machine or block numbers differ from Ethereum's so that an in-process
// run would be wrong: Arbitrum One, Nova and Sepolia; zkSync Era and its test network.
func notEquivalent(id gov.ChainID) bool {
	switch id {
	case 42161, 42170, 421614, 324, 300:
		return true
	}
	return false
}

// Interprets says whether a chain's contracts can be run here.
func Interprets(id gov.ChainID) bool { return !notEquivalent(id) }

// RulesOf returns the fork rules of a chain. known is false where they are an assumption: every rule up to Osaka.
func RulesOf(id gov.ChainID) (rules *params.ChainConfig, known bool) {
	for _, c := range []*params.ChainConfig{params.MainnetChainConfig, params.SepoliaChainConfig, params.HoodiChainConfig} {
		if c.ChainID.Cmp(new(big.Int).SetUint64(uint64(id))) == 0 {
			return c, true
		}
	}
	c := *params.AllDevChainProtocolChanges
	c.ChainID = new(big.Int).SetUint64(uint64(id))
	// Bogota is unreleased, and its gas is up to twice that of any chain alive.
	c.BogotaTime = nil
	return &c, id == 31337 || id == 1337
}
