package book

import "github.com/legate-dao/legate/agent/gov"

// Form says how further calls lie in a method's arguments.
type Form uint8

// The forms.
const (
	// Single is one call: target, value, data.
	Single Form = iota + 1
	// Batch is parallel arrays of targets, values and data.
	Batch
	// Tuples is one array of tuples; the positions of Inner are those within a tuple.
	Tuples
	// Packed is Safe's packed list: operation (1 byte), to (20), value (32), length (32), data.
	Packed
	// Self is an array of calls to the target itself, by delegatecall.
	Self
	// Setup is one delegatecall, made only when there is data: the initialisation of an upgrade.
	Setup
)

// None marks an argument that a wrapper does not have.
const None = -1

// Inner says which arguments of a wrapper hold further calls. Positions count from 0; None where there is none.
type Inner struct {
	Form                                    Form
	List                                    int // of Tuples and Self: the array
	To, Value, Data, Operation, TextualName int
	// Deferred: the inner calls run later than the call, or never; a dry run of the call does not show them.
	Deferred bool
}

func single(to, value, data int) Inner {
	return Inner{Form: Single, List: None, To: to, Value: value, Data: data, Operation: None, TextualName: None}
}

func (i Inner) as(f Form) Inner              { i.Form = f; return i }
func (i Inner) operation(position int) Inner { i.Operation = position; return i }
func (i Inner) textual(position int) Inner   { i.TextualName = position; return i }
func (i Inner) list(position int) Inner      { i.List = position; return i }
func (i Inner) deferred() Inner              { i.Deferred = true; return i }

// wrappers are the methods whose arguments are calls, from the same tables as the signatures.
var wrappers = selectors(map[gov.Signature]Inner{
	// TimelockController.
	"schedule(address,uint256,bytes,bytes32,bytes32,uint256)":            single(0, 1, 2).deferred(),
	"scheduleBatch(address[],uint256[],bytes[],bytes32,bytes32,uint256)": single(0, 1, 2).as(Batch).deferred(),
	"execute(address,uint256,bytes,bytes32,bytes32)":                     single(0, 1, 2),
	"executeBatch(address[],uint256[],bytes[],bytes32,bytes32)":          single(0, 1, 2).as(Batch),
	// Compound's Timelock.
	"queueTransaction(address,uint256,string,bytes,uint256)":   single(0, 1, 3).textual(2).deferred(),
	"executeTransaction(address,uint256,string,bytes,uint256)": single(0, 1, 3).textual(2),
	// Governors.
	"relay(address,uint256,bytes)":                         single(0, 1, 2),
	"propose(address[],uint256[],bytes[],string)":          single(0, 1, 2).as(Batch).deferred(),
	"propose(address[],uint256[],string[],bytes[],string)": single(0, 1, 3).as(Batch).textual(2).deferred(),
	"queue(address[],uint256[],bytes[],bytes32)":           single(0, 1, 2).as(Batch).deferred(),
	"execute(address[],uint256[],bytes[],bytes32)":         single(0, 1, 2).as(Batch),
	// Safe.
	"execTransaction(address,uint256,bytes,uint8,uint256,uint256,uint256,address,address,bytes)": single(0, 1, 2).operation(3),
	"execTransactionFromModule(address,uint256,bytes,uint8)":                                     single(0, 1, 2).operation(3),
	"execTransactionFromModuleReturnData(address,uint256,bytes,uint8)":                           single(0, 1, 2).operation(3),
	"multiSend(bytes)": single(None, None, 0).as(Packed),
	// Multicall.
	"aggregate((address,bytes)[])":                    single(0, None, 1).as(Tuples).list(0),
	"tryAggregate(bool,(address,bytes)[])":            single(0, None, 1).as(Tuples).list(1),
	"aggregate3((address,bool,bytes)[])":              single(0, None, 2).as(Tuples).list(0),
	"aggregate3Value((address,bool,uint256,bytes)[])": single(0, 2, 3).as(Tuples).list(0),
	"multicall(bytes[])":                              single(None, None, None).as(Self).list(0),
	"multicall(uint256,bytes[])":                      single(None, None, None).as(Self).list(1),
	// Upgrades with a call.
	"upgradeToAndCall(address,bytes)":                      single(0, None, 1).as(Setup),
	"upgradeAndCall(address,address,bytes)":                single(1, None, 2).as(Setup),
	"diamondCut((address,uint8,bytes4[])[],address,bytes)": single(1, None, 2).as(Setup),
})

func selectors(bySignature map[gov.Signature]Inner) map[gov.Selector]Inner {
	out := make(map[gov.Selector]Inner, len(bySignature))
	for signature, inner := range bySignature {
		selector := SelectorOf(signature)
		m, there := own[selector]
		if !there || m.method.Signature != signature {
			panic("chains/book: the wrapper " + string(signature) + " is not in the own table")
		}
		out[selector] = inner
	}
	return out
}

// Wraps says where the further calls of a method lie; ok is false for a method that holds none. The method's signature
// must be the table's own: a bound ABI with another function under the same selector wraps nothing.
func Wraps(m Method) (Inner, bool) {
	inner, ok := wrappers[m.Selector()]
	return inner, ok && own[m.Selector()].method.Signature == m.Signature
}
