package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	enumspb "go.temporal.io/api/enums/v1"

	"github.com/sagad/sagad/cmd/sagad/stack"
	"github.com/sagad/sagad/engine"
)

// request is what a saga was asked, as far as it matters for what would fit
// instead.
type request struct {
	name   string // for people
	path   string // of an operator's command
	signal string
}

// maxFitting is how many things that would fit a refusal names.
const maxFitting = 3

// fitting says what would fit in place of a request that was refused: the path of
// what is parked, the child that awaits a signal, the saga that a closed one's
// compensations are with, or recover. It is empty if nothing better is known.
func (i *instance) fitting(ctx context.Context, what request, reply engine.Reply) string {
	switch reply.Code {
	case engine.RefusedClosed, engine.RefusedNotParked, engine.RefusedNotAwaited:
	default:
		return ""
	}
	r, err := i.result(ctx)
	if err != nil { // the refusal stands without it
		return ""
	}
	switch {
	case reply.Code == engine.RefusedNotAwaited:
		return i.awaiting(r, what.signal)
	case reply.Code == engine.RefusedNotParked:
		return i.parkedAt(r, what)
	case r.Outcome == engine.OutcomeOrphaned && r.Root == "":
		return "take it up again with `" + i.settings.hint("recover", i.id) + "`"
	case r.Root != "":
		mend := "it is a child of " + r.Root + ", which goes on with what it has left"
		if what.path != "" {
			mend += ": `" + i.settings.hint(what.name, r.Root, pathIn(r, what.path)) + "`"
		}
		return mend
	}
	return ""
}

// pathIn gives the path of a step of a child that was named as its definition does.
func pathIn(r engine.Result, path string) string {
	for _, s := range r.Steps {
		if strings.HasSuffix(s.Path, "/"+path) {
			return s.Path
		}
	}
	return path
}

// parkedAt names what is parked, first what the path may have meant.
func (i *instance) parkedAt(r engine.Result, what request) string {
	var meant, all []string
	for _, p := range r.Parked {
		if slices.Contains(all, p.Path) {
			continue
		}
		all = append(all, p.Path)
		if strings.HasSuffix(p.Path, "/"+what.path) || strings.HasPrefix(p.Path, what.path+"/") || strings.HasPrefix(p.Path, what.path+"[") {
			meant = append(meant, p.Path)
		}
	}
	switch {
	case len(all) == 0 && r.Root != "":
		return "nothing is parked in " + r.ID + ", a child of " + r.Root
	case len(all) == 0:
		return "nothing is parked in it; it is " + r.Outcome
	case len(meant) == 0:
		meant = all
	}
	mends := make([]string, len(meant))
	for at, path := range meant {
		mends[at] = "`" + i.settings.hint(what.name, r.ID, path) + "`"
	}
	return "parked is " + several(meant) + ": " + several(mends)
}

// awaiting names the open children that await a signal.
func (i *instance) awaiting(r engine.Result, signal string) string {
	var steps, mends []string
	for _, s := range r.Steps {
		if s.State != engine.StateRunning || s.Signal != signal {
			continue
		}
		if child := r.Addressee(s.Path); child != r.ID {
			steps = append(steps, s.Path)
			mends = append(mends, "`"+i.settings.hint("signal", child, signal)+"`")
		}
	}
	if len(steps) == 0 {
		return ""
	}
	return "a child of it does, at " + several(steps) + ": " + several(mends)
}

// several lists some things, and says how many are left out.
func several(things []string) string {
	if more := len(things) - maxFitting; more > 0 {
		return strings.Join(things[:maxFitting], ", ") + fmt.Sprintf(" and %d more", more)
	}
	return strings.Join(things, ", ")
}

// orphaned says whether a saga was ended from outside.
func orphaned(ctx context.Context, st *stack.Stack, id string) bool {
	described, err := st.SDK().DescribeWorkflowExecution(ctx, id, "")
	if err != nil { // who asks says so without it
		return false
	}
	switch described.GetWorkflowExecutionInfo().GetStatus() {
	case enumspb.WORKFLOW_EXECUTION_STATUS_TERMINATED, enumspb.WORKFLOW_EXECUTION_STATUS_TIMED_OUT:
		return true
	}
	return false
}
