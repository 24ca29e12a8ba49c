package supervise

import "sync"

// Group is a [sync.WaitGroup] whose functions may panic: the panic happens in Wait, where whoever waits can catch it,
// and not in a goroutine, where it would end the program. The zero Group is ready for use.
type Group struct {
	wg sync.WaitGroup

	mu    sync.Mutex
	first *Panic
}

// Go calls f in a goroutine of its own.
func (g *Group) Go(f func()) {
	g.wg.Go(func() {
		err := Catch(func() error { f(); return nil })
		if p, ok := Panicked(err); ok {
			g.mu.Lock()
			defer g.mu.Unlock()
			if g.first == nil {
				g.first = p
			}
		}
	})
}

// Wait waits for all functions. It panics with the first [*Panic] of theirs.
func (g *Group) Wait() {
	g.wg.Wait()
	if g.first != nil {
		panic(g.first)
	}
}
