package supervise

import (
	"errors"
	"fmt"
	"path"
	"runtime"
	"runtime/debug"
	"strings"
)

// Panic is a panic as an error.
type Panic struct {
	Value any
	// Where is the function and line that panicked.
	Where string
	Stack []byte
}

// Error says what panicked and where, without the stack: the same panic has the same text.
func (p *Panic) Error() string { return fmt.Sprintf("panic at %s: %v", p.Where, p.Value) }

// Catch calls f and returns its error; a panic of f is returned as a [*Panic].
func Catch(f func() error) (err error) {
	defer func() {
		switch v := recover().(type) {
		case nil:
		case *Panic: // of a [Group]
			err = v
		default:
			err = &Panic{Value: v, Where: where(), Stack: debug.Stack()}
		}
	}()
	return f()
}

// Panicked returns the panic that an error is of, and whether it is of one.
func Panicked(err error) (*Panic, bool) {
	var p *Panic
	ok := errors.As(err, &p)
	return p, ok
}

// where is the frame that panicked: the first that is not of the runtime, above the deferred call.
func where() string {
	pcs := make([]uintptr, 32)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs)])
	for {
		f, more := frames.Next()
		if !strings.HasPrefix(f.Function, "runtime.") {
			return fmt.Sprintf("%s (%s:%d)", path.Base(f.Function), path.Base(f.File), f.Line)
		}
		if !more {
			return "unknown"
		}
	}
}
