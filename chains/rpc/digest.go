package rpc

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"

	"github.com/ethereum/go-ethereum/common"
)

// LogsDigest is one comparable value for all that a list of logs says, in its order: the key with which sources
// agree on logs (package quorum).
func LogsDigest(logs []Log) common.Hash {
	h := sha256.New()
	number(h, uint64(len(logs)))
	for i := range logs {
		l := &logs[i]
		h.Write(l.Address[:])
		number(h, uint64(len(l.Topics)))
		for _, t := range l.Topics {
			h.Write(t[:])
		}
		number(h, uint64(len(l.Data)))
		h.Write(l.Data)
		h.Write(l.BlockHash[:])
		h.Write(l.TxHash[:])
		number(h, l.BlockNumber)
		number(h, l.TxIndex)
		number(h, l.Index)
		if l.Removed {
			number(h, 1)
		} else {
			number(h, 0)
		}
	}
	return common.Hash(h.Sum(nil))
}

func number(h hash.Hash, n uint64) {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], n)
	h.Write(b[:])
}
