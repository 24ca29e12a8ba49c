package impact

// Form says how further calls lie in a function's arguments.
type Form uint8

// The forms.
const (
	// Single is one call: target, value, data.
	Single Form = iota + 1
	// Batch is parallel arrays of targets, values and data.
	Batch
	// Tuples is one array of tuples; the positions of Opens are those within a tuple.
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

// Opens says which arguments of a function hold further calls. Positions count from 0; None where there is none.
type Opens struct {
	Form                                    Form
	List                                    int // of Tuples and Self: the array
	To, Value, Data, Operation, TextualName int
	// Delegate: the inner call is a delegatecall, without an argument that says so.
	Delegate bool
	// Deferred: the inner calls run later than the call, or never; a dry run of the call does not show them.
	Deferred bool
}

func single(to, value, data int) Opens {
	return Opens{Form: Single, List: None, To: to, Value: value, Data: data, Operation: None, TextualName: None}
}

func (o Opens) as(f Form) Opens              { o.Form = f; return o }
func (o Opens) operation(position int) Opens { o.Operation = position; return o }
func (o Opens) textual(position int) Opens   { o.TextualName = position; return o }
func (o Opens) list(position int) Opens      { o.List = position; return o }
func (o Opens) delegate() Opens              { o.Delegate = true; return o }
func (o Opens) deferred() Opens              { o.Deferred = true; return o }
