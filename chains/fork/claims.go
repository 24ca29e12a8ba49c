package fork

import (
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/holiman/uint256"

	"github.com/legate-dao/legate/agent/gov"
)

// claim is a right over an owner's tokens that a call asks for, uses or gives back. Where to look, not what is.
type claim struct {
	right
	amount gov.Amount // zero: the call does not say
	used   bool       // it moved tokens by a right that was there
}

// right names an allowance, or an operator.
type right struct {
	token, owner, spender gov.Address
	via                   gov.Address // Permit2 or the like; zero: the token itself
	operator              *operators  // nil: an allowance
	id                    gov.Amount  // of the one NFT, where operator is oneNFT
}

// operators is a way to ask whether somebody may move all an owner's tokens.
type operators struct {
	ask   gov.Selector
	swap  bool // the operator comes first
	byID  bool // asks for the operator of one id
	event common.Hash
}

func selector(signature string) gov.Selector {
	return gov.Selector(crypto.Keccak256([]byte(signature)))
}
func topic(signature string) common.Hash { return crypto.Keccak256Hash([]byte(signature)) }

// The ways of operators: ERC-721 and ERC-1155, ERC-777, ERC-6909, and the approval of one NFT.
var (
	nftOperators = &operators{ask: selector("isApprovedForAll(address,address)"), event: topic("ApprovalForAll(address,address,bool)")}
	operators777 = &operators{ask: selector("isOperatorFor(address,address)"), swap: true, event: topic("AuthorizedOperator(address,address)")}
	operators690 = &operators{ask: selector("isOperator(address,address)"), event: topic("OperatorSet(address,address,bool)")}
	oneNFT       = &operators{ask: selector("getApproved(uint256)"), byID: true}
)

var (
	balanceOf       = selector("balanceOf(address)")
	allowanceOf     = selector("allowance(address,address)")
	allowancePermit = selector("allowance(address,address,address)")

	topicTransfer   = topic("Transfer(address,address,uint256)")
	topicApproval   = topic("Approval(address,address,uint256)")
	topicDeposit    = topic("Deposit(address,uint256)")
	topicWithdrawal = topic("Withdrawal(address,uint256)")
	// Permit2 says that somebody allowed, and that somebody's signature did.
	topicPermit2Approval = topic("Approval(address,address,address,uint160,uint48)")
	topicPermit2Permit   = topic("Permit(address,address,address,uint160,uint48,uint48)")
)

// claimers read a claim from a call's arguments, by selector.
var claimers = map[gov.Selector]func(f gov.Frame, a args) claim{
	selector("approve(address,uint256)"):                                      approves,
	selector("approveAndCall(address,uint256)"):                               approves,
	selector("approveAndCall(address,uint256,bytes)"):                         approves,
	selector("increaseAllowance(address,uint256)"):                            changes,
	selector("decreaseAllowance(address,uint256)"):                            changes,
	selector("increaseApproval(address,uint256)"):                             changes,
	selector("decreaseApproval(address,uint256)"):                             changes,
	selector("permit(address,address,uint256,uint256,uint8,bytes32,bytes32)"): permits,
	selector("permit(address,address,uint256,uint256,bytes)"):                 permits,
	selector("permit(address,address,uint256,uint256,bool,uint8,bytes32,bytes32)"): func(f gov.Frame, a args) claim {
		return claim{right: right{token: f.To, owner: a.address(0), spender: a.address(1)}} // DAI: all or nothing
	},
	selector("transferFrom(address,address,uint256)"): func(f gov.Frame, a args) claim {
		return claim{right: right{token: f.To, owner: a.address(0), spender: f.From}, used: true}
	},
	selector("setApprovalForAll(address,bool)"): func(f gov.Frame, a args) claim {
		return claim{right: right{token: f.To, owner: f.From, spender: a.address(0), operator: nftOperators}}
	},
	selector("approve(address,address,uint160,uint48)"): func(f gov.Frame, a args) claim {
		return claim{right: right{token: a.address(0), owner: f.From, spender: a.address(1), via: f.To}, amount: a.amount(2)}
	},
	selector("transferFrom(address,address,uint160,address)"): func(f gov.Frame, a args) claim {
		return claim{right: right{token: a.address(3), owner: a.address(0), spender: f.From, via: f.To}, used: true}
	},
}

func approves(f gov.Frame, a args) claim {
	return claim{right: right{token: f.To, owner: f.From, spender: a.address(0)}, amount: a.amount(1)}
}

func changes(f gov.Frame, a args) claim {
	return claim{right: right{token: f.To, owner: f.From, spender: a.address(0)}}
}

func permits(f gov.Frame, a args) claim {
	return claim{right: right{token: f.To, owner: a.address(0), spender: a.address(1)}, amount: a.amount(2)}
}

// claimOf is the claim that a call makes, if any.
func claimOf(f gov.Frame, input []byte) *claim {
	if f.Selector == nil {
		return nil
	}
	read, ok := claimers[*f.Selector]
	if !ok {
		return nil
	}
	c := read(f, args(input[4:]))
	return &c
}

// args are ABI words; one that is not there is zero, as a contract would read it or refuse it.
type args []byte

func (a args) word(i int) (w [32]byte) {
	if len(a) > 32*i {
		copy(w[:], a[32*i:])
	}
	return w
}

func (a args) address(i int) gov.Address {
	w := a.word(i)
	return gov.Address(w[12:])
}

func (a args) amount(i int) gov.Amount {
	w := a.word(i)
	return gov.AmountOf(new(uint256.Int).SetBytes32(w[:]))
}

// wordsOf are a log's arguments, indexed ones first, as the contract chose to index them.
func wordsOf(l *types.Log) args {
	var a args
	for _, t := range l.Topics[1:] {
		a = append(a, t[:]...)
	}
	return append(a, l.Data...)
}

// logClaims are the rights that a log speaks of.
func logClaim(l *types.Log) (claim, bool) {
	if len(l.Topics) == 0 {
		return claim{}, false
	}
	a, token := wordsOf(l), gov.Address(l.Address)
	switch l.Topics[0] {
	case topicApproval:
		if len(l.Topics) == 4 {
			return claim{right: right{token: token, owner: a.address(0), spender: a.address(1), operator: oneNFT, id: a.amount(2)}}, true
		}
		return claim{right: right{token: token, owner: a.address(0), spender: a.address(1)}, amount: a.amount(2)}, true
	case topicPermit2Approval, topicPermit2Permit:
		return claim{right: right{token: a.address(1), owner: a.address(0), spender: a.address(2), via: token}, amount: a.amount(3)}, true
	case nftOperators.event, operators690.event:
		way := nftOperators
		if l.Topics[0] == operators690.event {
			way = operators690
		}
		return claim{right: right{token: token, owner: a.address(0), spender: a.address(1), operator: way}}, true
	case operators777.event:
		return claim{right: right{token: token, owner: a.address(1), spender: a.address(0), operator: operators777}}, true
	}
	return claim{}, false
}

// holders are the accounts whose balance of the log's own token it speaks of; ok is false where it is of no token.
func holders(l *types.Log) (accounts []gov.Address, ok bool) {
	if len(l.Topics) == 0 {
		return nil, false
	}
	a := wordsOf(l)
	switch l.Topics[0] {
	case topicTransfer:
		return []gov.Address{a.address(0), a.address(1)}, true
	case topicDeposit, topicWithdrawal:
		return []gov.Address{a.address(0)}, true
	case topicApproval:
		return nil, true
	}
	return nil, false
}
