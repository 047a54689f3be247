package local

import (
	"context"
	"sync"

	"github.com/sagad/sagad/engine"
)

// attempt is an invocation that runs, and the context it runs with. It ends
// with a cut, or with the saga's own context, which cuts every attempt. The
// channel is made when someone asks for it: most attempts are over before.
type attempt struct {
	context.Context // the saga's, for its values
	inv             *engine.Invocation

	mu   sync.Mutex
	done chan struct{}
	err  error
}

var _ context.Context = (*attempt)(nil)

// Done is closed when the attempt is cut.
func (a *attempt) Done() <-chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.done == nil {
		a.done = make(chan struct{})
		if a.err != nil {
			close(a.done)
		}
	}
	return a.done
}

// Err says why the attempt was cut, or gives nil.
func (a *attempt) Err() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.err
}

func (a *attempt) cut(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.err != nil {
		return
	}
	a.err = err
	if a.done != nil {
		close(a.done)
	}
}
