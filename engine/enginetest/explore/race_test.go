//go:build race

package explore

// The race detector makes exploring five times as slow, and finds nothing in what
// one goroutine does: one fault less has to do.
func init() { *faults = -1 }
