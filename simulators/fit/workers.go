package fit

import "runtime"

// workers is one for each processor.
func workers() int { return runtime.GOMAXPROCS(0) }
