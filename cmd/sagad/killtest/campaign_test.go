// Package killtest kills the worker process at every boundary of a saga's way:
// before and after each answer to the server, and after each task that it was
// given. Whatever the boundary, the saga ends as it does without the kill, with
// the same keys and the same books.
package killtest

import (
	"flag"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sagad/sagad/cmd/sagad/embedded"
	"github.com/sagad/sagad/plugins/examples/ledger"
)

var (
	every = flag.Int("every", 8, "kill at every n-th boundary; 1: at all of them")
	first = flag.Int("first", 0, "first boundary, from 0; the others follow from it")
	atime = flag.Int("concurrent", 8, "sagas at the same time")
)

// campaign is a definition and an input.
type campaign struct {
	name, definition, input string
	together                string        // pattern of the steps that may close in any order
	cancelAt                time.Duration // the saga is cancelled when it waits for so long; 0: never
	suggestAfter            int           // events after which the server suggests to continue as new
}

const (
	payment = "definitions/examples/cross-border-payment/payment.yaml"
	order   = "definitions/examples/order-fulfilment/order.yaml"
	batch   = "definitions/examples/settlement-batch/batch.yaml"
	// transfer takes back what it did in a scope and goes on another way.
	transfer = "cmd/sagad/killtest/testdata/transfer.yaml"
)

// campaigns are each way forward, and back.
var campaigns = []campaign{
	{name: "payment, forward", definition: payment, input: "settles", together: `^(hold|quote)$`},
	{name: "payment, backward", definition: payment, input: "rejected", together: `^(hold|quote)$`},
	{name: "order, forward", definition: order, input: "ships"},
	{name: "order, backward", definition: order, input: "carrier-refuses"},
	{name: "batch of children, forward", definition: batch, input: "batch-settles", together: `^(pay|settle)\[`},
	{name: "batch of children, backward", definition: batch, input: "batch-rejected", together: `^(pay|settle)\[`},
	{name: "payment continued as new, backward", definition: payment, input: "rejected", together: `^(hold|quote)$`, suggestAfter: 12},
	{name: "transfer, back and then forward", definition: transfer, input: "falls-back", together: `^(hold|settle)\[`},
	{name: "transfer, cancelled", definition: transfer, input: "unsigned", together: `^(hold|settle)\[`, cancelAt: 50 * time.Minute},
}

// TestKillAtEveryBoundary is the campaign, or every n-th boundary of it.
func TestKillAtEveryBoundary(t *testing.T) {
	servers := map[int]*embedded.Server{}
	for _, c := range campaigns {
		if servers[c.suggestAfter] == nil {
			servers[c.suggestAfter] = startServer(t, c.suggestAfter)
		}
		t.Run(c.name, func(t *testing.T) {
			t.Parallel() // they mostly wait for what is lost to be given up
			r := newRig(t, servers[c.suggestAfter], &c)
			whole := r.run(t, orders{})
			if len(whole.problems) > 0 {
				t.Fatalf("without a kill: %v", whole.problems)
			}
			var at []int64
			for i := int64(*first) + 1; i <= whole.boundaries; i += int64(*every) {
				at = append(at, i)
			}
			killed := r.kill(t, at, false, whole)
			t.Logf("%d boundaries, killed at %d of %d", whole.boundaries, killed, len(at))
			// What runs side by side may be told to the server in fewer tasks, so that
			// the last boundaries are not always there.
			if killed < len(at)*9/10 {
				t.Errorf("only %d of %d workers came as far as they should have been killed", killed, len(at))
			}
		})
	}
}

// The campaign finds an engine that does not keep its keys: money stays reserved
// that nobody knows of.
func TestCampaignFindsLostKeys(t *testing.T) {
	r := newRig(t, startServer(t, 0), &campaigns[0])
	whole := r.run(t, orders{})
	// At one of these an activity has had its effect and its answer is lost.
	var at []int64
	for i := int64(1); i <= whole.boundaries; i++ {
		if strings.HasSuffix(whole.names[i-1], "before RespondActivityTaskCompleted") {
			at = append(at, i)
		}
	}
	quiet := &recorder{TB: t, looked: ledger.ErrDangling.Error()}
	for range 4 { // on a busy machine calls come in another order, and a kill may miss
		if r.kill(quiet, at[:3], true, whole); quiet.found.Load() > 0 { // later ones park the saga
			break
		}
	}
	if quiet.found.Load() == 0 {
		t.Error("keys changed with the process, and nobody noticed")
	}
}

// recorder counts the failures that say what is looked for.
type recorder struct {
	testing.TB
	looked string
	found  atomic.Int64
}

func (r *recorder) Errorf(format string, args ...any) {
	if strings.Contains(fmt.Sprintf(format, args...), r.looked) {
		r.found.Add(1)
	}
}

// The comparison tells what only happened in another order from what is wrong.
func TestComparison(t *testing.T) {
	r := &rig{together: pattern(`^(hold|quote)$`)}
	forward := []string{"screen", "hold", "quote", "submit!", "~quote", "~hold"}
	for _, c := range []struct {
		name  string
		trace []string
		same  bool
	}{
		{"itself", forward, true},
		{"side by side", []string{"screen", "quote", "hold", "submit!", "~hold", "~quote"}, true},
		{"a step before its turn", []string{"hold", "screen", "quote", "submit!", "~quote", "~hold"}, false},
		{"a compensation missing", []string{"screen", "hold", "quote", "submit!", "~hold"}, false},
		{"a step twice", []string{"screen", "hold", "hold", "quote", "submit!", "~quote", "~hold"}, false},
		{"in the order of completion", []string{"screen", "hold", "quote", "submit!", "~hold", "~quote"}, false},
	} {
		same := r.sequence(c.trace) == r.sequence(forward) && outOfOrder(c.trace) == ""
		if same != c.same {
			t.Errorf("%s: the same %t, want %t", c.name, same, c.same)
		}
	}
	const one, other = "k1-3:k1-3/p/x:submit:action:20261126T010101Z:0", "k1-14:k1-14/p/x:submit:action:20261126T010109Z:0"
	if a, b := neutral(one, "k1-3"), neutral(other, "k1-14"); a != b {
		t.Errorf("%s and %s differ by more than the run", a, b)
	}
	if a, b := neutral(one, "k1-3"), neutral(one[:len(one)-1]+"1", "k1-3"); a == b {
		t.Error("a key of another generation is taken for the same")
	}
}
