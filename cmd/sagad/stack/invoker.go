package stack

import (
	"context"

	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
	"github.com/sagad/sagad/plugins"
	"github.com/sagad/sagad/plugins/host"
)

// invoker runs the engine's attempts through a plugin host.
type invoker struct {
	*payloads
	host *host.Host
}

var (
	_ engine.Invoker  = (*invoker)(nil)
	_ engine.Payloads = (*invoker)(nil)
)

var operations = map[engine.Op]plugins.Operation{
	engine.OpAction:       plugins.OperationAction,
	engine.OpCompensation: plugins.OperationCompensation,
	engine.OpProbe:        plugins.OperationProbe,
}

var classes = map[host.Class]engine.Class{
	host.Applied:   engine.Applied,
	host.Rejected:  engine.Rejected,
	host.NotSent:   engine.NotSent,
	host.Ambiguous: engine.Ambiguous,
}

// Invoke makes one attempt.
func (i *invoker) Invoke(ctx context.Context, saga *engine.Identity, inv *engine.Invocation) engine.Outcome {
	input, err := dsl.MarshalCanonical(inv.Input)
	if err != nil { // the engine's data always encodes
		return engine.Outcome{Class: engine.NotSent, Code: engine.CodeInvalidInput, Message: err.Error(), Final: true}
	}
	if name, found := dsl.SecretIn(inv.Input); found {
		message := "the secret " + name + " cannot be had: no store of secrets is configured"
		return engine.Outcome{Class: engine.NotSent, Code: engine.CodeSecret, Message: message, Final: true}
	}
	out := i.host.Invoke(ctx, host.Request{
		Activity: inv.Activity, Key: inv.Key, ActionKey: inv.ActionKey,
		Saga: saga.ID, Path: inv.Path, Operation: operations[inv.Op],
		Attempt: inv.Attempt, Generation: inv.Generation, StartedAt: saga.StartedAt,
		Input: input, Timeout: inv.Timeout, Sensitive: inv.Sensitive,
	})
	end := engine.Outcome{Class: classes[out.Class], Code: out.Code, Message: out.Message, Final: out.Final}
	if end.Class != engine.Applied || end.Code != "" {
		return end
	}
	if end.Output, err = dsl.ParseJSON(out.Output); err != nil { // such as a key that stands twice
		return engine.Outcome{Class: engine.Applied, Code: engine.CodeInvalidOutput, Message: err.Error(), Final: true}
	}
	return end
}
