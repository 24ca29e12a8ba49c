package facts

import (
	"context"
	"errors"
	"fmt"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/book"
)

// askWord calls a getter with word arguments and takes the first word of the answer; ok is false where the contract has
// no such getter.
func askWord(ctx context.Context, s book.State, to gov.Address, getter gov.Signature, args ...gov.Hash) (gov.Value, bool, error) {
	var keys []byte
	for _, a := range args {
		keys = append(keys, a[:]...)
	}
	v, ok, err := word(ctx, s, to, Getter{getter, 0}, keys)
	if err != nil {
		return v, false, fmt.Errorf("ask %s for %s: %w", to, getter, err)
	}
	return v, ok, nil
}

// askAmount is askWord for a getter that must be there.
func askAmount(ctx context.Context, s book.State, to gov.Address, getter gov.Signature, args ...gov.Hash) (gov.Amount, error) {
	v, ok, err := askWord(ctx, s, to, getter, args...)
	if err == nil && !ok {
		err = fmt.Errorf("ask %s for %s: %w", to, getter, errNoGetter)
	}
	return v.Amount(), err
}

// firstOf asks for the first of several getters that the contract has.
func firstOf(ctx context.Context, s book.State, to gov.Address, getters ...gov.Signature) (gov.Amount, error) {
	for _, getter := range getters {
		n, err := askAmount(ctx, s, to, getter)
		if err == nil || !errors.Is(err, errNoGetter) {
			return n, err
		}
	}
	return gov.Amount{}, fmt.Errorf("ask %s for %s: %w", to, getters[0], errNoGetter)
}

// addressWord is an address as an argument.
func addressWord(a gov.Address) (w gov.Hash) {
	copy(w[12:], a[:])
	return w
}
