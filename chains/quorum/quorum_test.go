package quorum_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/legate-dao/legate/chains/quorum"
	"github.com/legate-dao/legate/chains/rpc"
)

// said is a member that answers, fails, or waits first.
type said struct {
	name string
	n    int
	err  error
	wait time.Duration
	slow *[]string
}

func (s said) Name() string                               { return s.name }
func (s said) Batch(context.Context, []rpc.Request) error { return errors.New("not asked so") }
func (s said) Slow(time.Duration)                         { *s.slow = append(*s.slow, s.name) }
func (s said) Call(ctx context.Context, result any, _ string, _ ...any) error {
	select {
	case <-time.After(s.wait):
	case <-ctx.Done():
		return ctx.Err()
	}
	*result.(*int) = s.n
	return s.err
}

func ask(ctx context.Context, c rpc.Caller) (n int, err error) { return n, c.Call(ctx, &n, "x") }

func TestG48AskNeedsEnoughThatSayTheSame(t *testing.T) {
	revert := &rpc.NodeError{Host: "h", Method: "eth_call", Code: 3, Message: "execution reverted"}
	down := errors.New("connection refused")
	for _, c := range []struct {
		name     string
		members  []said
		need     int
		want     int
		minority []string
		slow     []string
		class    rpc.Class // of the error, where there is one
	}{
		{"two alike, one lies", []said{{n: 7}, {n: 7}, {n: 8}}, 2, 7, []string{"c"}, nil, rpc.None},
		{"two alike, one is down", []said{{n: 7}, {err: down}, {n: 7}}, 2, 7, nil, nil, rpc.None},
		{"two alike, one claims a revert", []said{{err: revert}, {n: 7}, {n: 7}}, 2, 7, []string{"a"}, nil, rpc.None},
		{"two revert, one claims a value", []said{{err: revert}, {n: 7}, {err: revert}}, 2, 0, nil, nil, rpc.Reverted},
		{"two alike, one hangs", []said{{n: 7}, {n: 7}, {n: 7, wait: time.Hour}}, 2, 7, nil, []string{"c"}, rpc.None},
		{"a slow one is still heard", []said{{n: 7, wait: time.Second}, {n: 7, wait: time.Second}, {n: 8, wait: 2 * time.Second}}, 2, 7, []string{"c"}, nil, rpc.None},
		{"all differ", []said{{n: 7}, {n: 8}, {n: 9}}, 2, 0, nil, nil, rpc.Disagreement},
		{"two camps of two", []said{{n: 7}, {n: 8}, {n: 7}, {n: 8}}, 2, 0, nil, nil, rpc.Disagreement},
		{"one of two is down", []said{{n: 7}, {err: down}}, 2, 0, nil, nil, rpc.Retry},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var slow []string
				panel := quorum.NewPanel(c.need, func() (out []quorum.Member) {
					for i, m := range c.members {
						m.name, m.slow = string(rune('a'+i)), &slow
						out = append(out, m)
					}
					return out
				}, nil)
				got, err := quorum.Ask(t.Context(), panel, ask)
				if class := rpc.Classify(err); class != c.class {
					t.Fatalf("error %v is of class %v, want %v", err, class, c.class)
				}
				if err != nil {
					return
				}
				by := got.Agreement()
				if got.Value() != c.want || !slices.Equal(by.Minority, c.minority) || !slices.Equal(by.Slow, c.slow) || !slices.Equal(slow, c.slow) {
					t.Errorf("got %d by %+v, slow %v; want %d, minority %v, slow %v", got.Value(), by, slow, c.want, c.minority, c.slow)
				}
			})
		})
	}
}

func TestG48NoAnswerIsNoValue(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("the zero Agreed has a value")
		}
	}()
	var none quorum.Agreed[int]
	_ = none.Value()
}
