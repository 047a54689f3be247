// Package temporal runs sagas on Temporal: one workflow interprets any plan,
// and every attempt is an activity with exactly one try on the server, because
// the machine owns retries (S2).
//
// The workflow's type is the saga's name, an activity's type the activity's
// name, so that Temporal's own tools show a saga in the words of its
// definition. Nothing but the machine decides; this package carries its
// commands out and turns what happens into events.
package temporal

import (
	"strings"
	"time"

	"github.com/sagad/sagad/engine"
)

// Names that clients and workers of a saga share.
const (
	QueryView     = "sagad.view"    // gives the engine.Result as it stands
	QueryReport   = "sagad.report"  // gives what the saga would leave to a parent
	QueryInputs   = "sagad.inputs"  // takes an index, gives inputs of the compensations in that report from there on
	UpdateSignal  = "sagad.signal"  // takes an engine.Signal, gives an engine.Reply
	UpdateCancel  = "sagad.cancel"  // gives an engine.Reply
	UpdateOperate = "sagad.operate" // takes an engine.Operator, gives an engine.Reply
	SignalMessage = "sagad.signal"  // raw signal with an engine.Signal; refused ones are dropped
	SignalRecover = "sagad.recover" // raw signal after Recover, with who did it: open children may have closed unheard
)

// Types of the errors a saga's workflow ends with (S19). The details hold
// the whole result, packed.
const (
	ErrorCompensated = "SagaCompensated"
	ErrorResolved    = "SagaResolved"
)

// Search attributes that every saga carries, all keywords.
const (
	AttributeTenant = "SagadTenant"
	AttributeSaga   = "SagadSaga"
	AttributeState  = "SagadState" // running, compensating or parked while open; closed sagas keep their last
)

// Equals writes, for a query of Temporal's visibility, that a search attribute
// has a value.
func Equals(attribute, value string) string {
	return attribute + " = '" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(value) + "'"
}

// MaxPayload is the largest encoded input or output of an activity, in bytes.
const MaxPayload = engine.MaxPayload

// maxTaskBytes bounds the inputs of the activities that one workflow task
// schedules. The server takes no message of more than 4 MB; what goes over is
// scheduled by a later task.
const maxTaskBytes = 2 << 20

// timeoutMargin is how much later than the attempt's own time limit the server
// gives an attempt up: by then nothing of it runs any more (S4).
const timeoutMargin = 10 * time.Second

// TaskQueue is the task queue of a tenant in a region. It is derived here and
// never taken from a definition or a client.
func TaskQueue(tenant, region string) string {
	return "sagad:" + escapeQueue(tenant) + ":" + escapeQueue(region)
}

// RegionOf gives the region of a tenant's task queue; ok is false for a queue
// of anyone else.
func RegionOf(queue, tenant string) (region string, ok bool) {
	rest, ok := strings.CutPrefix(queue, TaskQueue(tenant, ""))
	return strings.NewReplacer("%3A", ":", "%25", "%").Replace(rest), ok
}

func escapeQueue(s string) string {
	return strings.NewReplacer("%", "%25", ":", "%3A").Replace(s)
}
