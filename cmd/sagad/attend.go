package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/sagad/sagad/cmd/sagad/progress"
	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
)

// attendance is a command that stays with a saga until it closes or parks:
// it sends messages when their time has come, offers to send what the saga
// awaits, and turns Ctrl-C into a cancel.
type attendance struct {
	console  *console
	printer  *progress.Printer
	saga     saga
	stay     bool          // also when it is parked
	messages []dsl.Message // to be sent, in real time
	offers   *offers       // nil: nothing is offered
}

// attend stays with the saga. The error is errLeft if somebody left it open.
func (a *attendance) attend(ctx context.Context) (engine.Result, error) {
	interrupts := make(chan os.Signal, 2)
	signal.Notify(interrupts, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(interrupts)

	ctx, stop := context.WithCancel(ctx)
	defer stop()
	type end struct {
		result engine.Result
		err    error
	}
	ended := make(chan end, 1)
	go func() {
		result, err := a.saga.wait(ctx, !a.stay)
		ended <- end{result, err}
	}()
	for _, m := range a.messages {
		timer := time.AfterFunc(m.At, func() { a.send(ctx, m.To, engine.Signal{ID: m.ID, Name: m.Name, Data: m.Data}) })
		defer timer.Stop()
	}
	if a.offers != nil {
		go a.offers.serve(ctx, a)
	}
	cancelled := false
	for {
		select {
		case e := <-ended:
			return e.result, e.err
		case s := <-interrupts:
			if cancelled || s == syscall.SIGTERM {
				return engine.Result{}, errLeft
			}
			cancelled = true
			a.printer.Say("cancelling %s; what was done is compensated. Press Ctrl-C again to leave it as it is.", a.saga.id())
			go a.cancel(ctx)
		}
	}
}

// cancel asks the saga to turn around and tells its answer.
func (a *attendance) cancel(ctx context.Context) {
	reply, err := a.saga.cancel(ctx)
	a.tell("cancel", reply, err)
}

// send sends one message and tells how it went, never what was in it. It tells
// beforehand that it does: what follows from the message comes at once.
func (a *attendance) send(ctx context.Context, to string, m engine.Signal) {
	if data, err := dsl.MarshalCanonical(m.Data); err == nil {
		m.Size = len(data)
	}
	a.printer.Say("sending %s (%s)", m.Name, m.ID)
	if reply, err := a.saga.signal(ctx, to, m); err != nil || !reply.Accepted {
		a.tell("signal "+m.Name, reply, err)
	}
}

func (a *attendance) tell(what string, reply engine.Reply, err error) {
	switch {
	case errors.Is(err, context.Canceled): // the command is over
	case err != nil:
		a.printer.Say("%s failed: %v", what, err)
	case !reply.Accepted:
		a.printer.Say("%s refused: %s", what, progress.Reason(reply.Code, reply.Message))
	default:
		a.printer.Say("%s: %s", what, reply.Message)
	}
}

// finish prints the result, with the flags that lead to the same saga, and gives the error that belongs to it.
func finish(c *console, f *format, printer *progress.Printer, r engine.Result, again string) error {
	printer.Close()
	if f.json() {
		if err := printJSON(c.out, r); err != nil {
			return err
		}
	} else {
		progress.Result(c.out, c.style(), r, again)
	}
	return verdict(r)
}

// verdict is nil for a saga that completed.
func verdict(r engine.Result) error {
	if r.Outcome == engine.OutcomeCompleted {
		return nil
	}
	return outcomeError{}
}

// newID gives a random name for a message or command.
func newID(prefix string) string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return prefix + "-" + hex.EncodeToString(b[:])
}
