package devchain

import (
	"errors"
	"fmt"
	"sync"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/rpc"
)

// customErrors are the Solidity errors of every compiled contract by selector.
var customErrors = sync.OnceValue(func() map[[4]byte]abi.Error {
	all := map[[4]byte]abi.Error{}
	names, err := Names()
	if err != nil {
		return all
	}
	for _, name := range names {
		parsed, _ := Artifact(name)
		for _, e := range parsed.Errors {
			all[[4]byte(e.ID[:4])] = e
		}
	}
	return all
})

// explain adds the decoded reason to a node's error that carries revert data.
func explain(err error) error {
	var carrier rpc.DataError
	if !errors.As(err, &carrier) {
		return err
	}
	text, ok := carrier.ErrorData().(string)
	if !ok {
		return err
	}
	data, bad := hexutil.Decode(text)
	if bad != nil || len(data) < 4 {
		return err
	}
	if reason, bad := abi.UnpackRevert(data); bad == nil {
		return fmt.Errorf("%w (%s)", err, reason)
	}
	e, known := customErrors()[[4]byte(data[:4])]
	if !known {
		return fmt.Errorf("%w (unknown error %#x)", err, data[:4])
	}
	args, bad := e.Inputs.Unpack(data[4:])
	if bad != nil {
		return fmt.Errorf("%w (%s)", err, e.Sig)
	}
	return fmt.Errorf("%w (%s%v)", err, e.Name, args)
}
