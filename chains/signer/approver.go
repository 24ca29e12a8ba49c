package signer

import (
	"context"

	"github.com/legate-dao/legate/agent/approval"
	"github.com/legate-dao/legate/agent/gov"
)

// Approver is a holder's own key, for the command by which a person answers. It signs answers and
// nothing else.
type Approver struct{ key key }

// OpenApprover opens the key that ref names. An error may wrap [ErrPassphrase] or [ErrKind].
func OpenApprover(ctx context.Context, ref string, pass Passphrase, dir string) (*Approver, error) {
	k, err := openKey(ctx, ref, pass, dir)
	if err != nil {
		return nil, err
	}
	return &Approver{k}, nil
}

// Address is the account that answers.
func (a *Approver) Address() gov.Address { return a.key.address() }

// Answer signs an answer; Approver and Signature are filled in.
func (a *Approver) Answer(ctx context.Context, answer gov.Approval) (gov.Approval, error) {
	return approval.Build(answer, func(h gov.Hash) ([]byte, error) { return a.key.signHash(ctx, h) })
}
