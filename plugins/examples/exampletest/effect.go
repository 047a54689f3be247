package exampletest

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sagad/sagad/plugins"
	"github.com/sagad/sagad/plugins/examples/store"
	"github.com/sagad/sagad/plugins/examples/testcards"
)

// ordinary is an amount that holds no test cards.
const ordinary = 1234

// maxAttempts is after how many attempts a script gives up.
const maxAttempts = 4

// Effect is an action of an example plugin, with what compensates and what
// probes it, as the suite of Run drives it. Inputs are encoded as JSON.
type Effect struct {
	Plugin New
	Name   string // of the plugin, and of its database
	Action testcards.Point
	// Prepare makes what the action needs, on other paths of its saga, for the
	// amount in minor units, and returns the action's input.
	Prepare func(t testing.TB, p *Process, step Step, minor int64) any
	// Count is a query of the number of effects in the database that stand,
	// that is, are not compensated.
	Count string

	Compensation testcards.Point                 // 0 when there is none
	Compensate   func(step Step, out []byte) any // its input; out is nil when the action gave no output
	Probe        testcards.Point                 // 0 when there is none
	Ask          func(step Step) any             // its input
}

// Run puts the action through the suite.
func (e Effect) Run(t *testing.T) {
	t.Run("the same key twice has one effect", e.repeated)
	t.Run("a broken input is rejected", e.brokenInput)
	t.Run("a late request that nothing fences has its effect", e.straggler)
	if e.Compensation != 0 {
		t.Run("compensated once", e.compensated)
		t.Run("a compensation without its action fences it", e.nullCompensated)
		t.Run("a late request after the compensation has no effect", e.lateRequest)
	}
	if e.Probe != 0 {
		t.Run("a probe that says no keeps its promise", e.fenced)
		t.Run("a probe of something else is refused", e.misused)
	}
	for _, b := range e.Action.Behaviours() {
		t.Run("card "+b.String(), func(t *testing.T) { e.actionCard(t, b) })
	}
	if e.Compensation != 0 {
		for _, b := range e.Compensation.Behaviours() {
			t.Run("compensation card "+b.String(), func(t *testing.T) { e.compensationCard(t, b) })
		}
	}
	if e.Probe != 0 {
		for _, b := range e.Probe.Behaviours() {
			t.Run("probe card "+b.String(), func(t *testing.T) { e.probeCard(t, b) })
		}
	}
}

// run is one step of a fresh plugin.
type run struct {
	Effect
	t     *testing.T
	p     *Process
	step  Step
	input any
	db    *sql.DB
	// before is what Prepare already counts for.
	before int
}

func (e Effect) start(t *testing.T, minor int64) *run {
	r := &run{Effect: e, t: t, p: Start(t, e.Plugin, t.TempDir()), step: Step{Saga: "s-1", Path: "step"}}
	r.input = e.Prepare(t, r.p, r.step, minor)
	db, err := store.OpenReadOnly(t.Context(), r.p.DataDir, e.Name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	r.db = db
	r.before = r.count()
	return r
}

func (r *run) count() int {
	r.t.Helper()
	var n int
	if err := r.db.QueryRowContext(r.t.Context(), r.Count).Scan(&n); err != nil {
		r.t.Fatal(err)
	}
	return n - r.before
}

func (r *run) want(effects int) {
	r.t.Helper()
	if got := r.count(); got != effects {
		r.t.Fatalf("%d effects stand, want %d", got, effects)
	}
}

func (r *run) act(attempt int) ([]byte, error) {
	return r.p.Invoke(r.Action.String(), r.step.Action(attempt), r.input)
}

func (r *run) compensate(attempt int, out []byte) ([]byte, error) {
	return r.p.Invoke(r.Compensation.String(), r.step.Compensation(attempt), r.Compensate(r.step, out))
}

func (r *run) probe(attempt int) (applied *bool, out []byte, err error) {
	answer, err := Invoke[struct {
		Applied *bool           `json:"applied"`
		Output  json.RawMessage `json:"output"`
	}](r.p, r.Probe.String(), r.step.Probe(attempt), r.Ask(r.step))
	return answer.Applied, answer.Output, err
}

// script runs attempts until one succeeds or is not to be retried, restarts
// the plugin after each crash, and returns the answers.
func (r *run) script(attempt func(n int) ([]byte, error), after func(n int)) (answers []string, out []byte) {
	r.t.Helper()
	for n := 1; n <= maxAttempts; n++ {
		out, err := attempt(n)
		answers = append(answers, Answer(err))
		if Answer(err) == "crash" {
			r.p.Restart()
		}
		after(n)
		if err == nil {
			return answers, out
		}
		if kind := errorKind(err); kind == plugins.KindReject || kind == plugins.KindPermanent {
			break
		}
	}
	return answers, nil
}

func (e Effect) repeated(t *testing.T) {
	r := e.start(t, ordinary)
	first, err := r.act(1)
	if err != nil {
		t.Fatal(err)
	}
	r.want(1)
	r.p.Restart()
	second, err := r.act(2)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(first), string(second)); diff != "" {
		t.Errorf("the second answer differs (-first +second):\n%s", diff)
	}
	r.want(1)
}

func (e Effect) brokenInput(t *testing.T) {
	r := e.start(t, ordinary)
	_, err := r.p.Invoke(e.Action.String(), r.step.Action(1), map[string]any{"nonsense": true})
	if got, want := Answer(err), "reject "+plugins.CodeInvalidInput; got != want {
		t.Errorf("answer %q, want %q", got, want)
	}
	r.want(0)
}

func (e Effect) compensated(t *testing.T) {
	r := e.start(t, ordinary)
	out, err := r.act(1)
	if err != nil {
		t.Fatal(err)
	}
	first, err := r.compensate(1, out)
	if err != nil {
		t.Fatal(err)
	}
	r.want(0)
	second, err := r.compensate(2, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(first), string(second)); diff != "" {
		t.Errorf("the second answer differs (-first +second):\n%s", diff)
	}
	r.want(0)
}

func (e Effect) nullCompensated(t *testing.T) {
	r := e.start(t, ordinary)
	if _, err := r.compensate(1, nil); err != nil {
		t.Fatal(err)
	}
	_, err := r.act(1)
	if got, want := Answer(err), "reject FENCED"; got != want {
		t.Errorf("the late action answered %q, want %q", got, want)
	}
	r.want(0)
}

// straggler shows that the late requests of the other tests are real.
func (e Effect) straggler(t *testing.T) {
	r := e.start(t, testcards.Minor(testcards.Card{Point: e.Action, Behaviour: testcards.Straggler}))
	arrive := r.late()
	if _, err := r.act(1); err == nil {
		t.Fatal("the straggler answered")
	}
	r.want(0)
	arrive()
	r.want(1)
}

// lateRequest lets the request of an attempt that was cut off arrive after
// its compensation.
func (e Effect) lateRequest(t *testing.T) {
	r := e.start(t, testcards.Minor(testcards.Card{Point: e.Action, Behaviour: testcards.Straggler}))
	arrive := r.late()
	_, err := r.act(1)
	if got, want := Answer(err), "retry "+testcards.CodeAnswerLost; got != want {
		t.Fatalf("answer %q, want %q", got, want)
	}
	if _, err := r.compensate(1, nil); err != nil {
		t.Fatal(err)
	}
	arrive()
	r.want(0)
}

func (e Effect) fenced(t *testing.T) {
	r := e.start(t, ordinary)
	applied, _, err := r.probe(1)
	if err != nil || applied == nil || *applied {
		t.Fatalf("the probe of nothing answered %v, %v; want false", applied, err)
	}
	_, err = r.act(1)
	if got, want := Answer(err), "reject FENCED"; got != want {
		t.Errorf("the attempt that was probed answered %q, want %q", got, want)
	}
	r.want(0)
	if _, err := r.act(2); err != nil {
		t.Fatalf("the attempt after the probe: %v", err)
	}
	r.want(1)
}

func (e Effect) misused(t *testing.T) {
	r := e.start(t, ordinary)
	_, err := r.p.Invoke(e.Probe.String(), r.step.Action(1), e.Ask(r.step))
	if got, want := Answer(err), "reject NOT_A_PROBE"; got != want {
		t.Errorf("as an action: %q, want %q", got, want)
	}
	other := Step{Saga: r.step.Saga, Path: "other"}
	_, err = r.p.Invoke(e.Probe.String(), r.step.Probe(1), e.Ask(other))
	if got, want := Answer(err), "reject KEY_MISMATCH"; got != want {
		t.Errorf("about another step: %q, want %q", got, want)
	}
	if _, err := r.act(1); err != nil {
		t.Errorf("the action after the refused probes: %v", err)
	}
}

// expectation is what a card makes of the attempts: their answers, and how
// often the operation has taken place after each of them.
type expectation struct {
	answers []string
	done    []int
}

func expected(c testcards.Card, compensation bool) expectation {
	retry, lost := "retry "+testcards.CodeTemporary, "retry "+testcards.CodeAnswerLost
	reject := "reject " + c.Point.Code()
	switch c.Behaviour {
	case testcards.Permanent:
		return expectation{[]string{"permanent " + testcards.CodePermanent}, []int{0}}
	case testcards.Reject:
		if compensation { // the second is the operator's retry
			return expectation{[]string{reject, "ok"}, []int{0, 1}}
		}
		return expectation{[]string{reject}, []int{0}}
	case testcards.Flaky:
		return expectation{[]string{retry, retry, "ok"}, []int{0, 0, 1}}
	case testcards.Slow:
		return expectation{[]string{"ok"}, []int{1}}
	case testcards.Lost, testcards.Silent:
		return expectation{[]string{lost, "ok"}, []int{1, 1}}
	case testcards.CrashBefore:
		return expectation{[]string{"crash", "ok"}, []int{0, 1}}
	case testcards.CrashAfter:
		return expectation{[]string{"crash", "ok"}, []int{1, 1}}
	case testcards.Down:
		return expectation{[]string{retry, retry, retry, retry}, []int{0, 0, 0, 0}}
	case testcards.Straggler:
		return expectation{[]string{lost, "ok"}, []int{0, 1}}
	}
	panic(fmt.Sprintf("no expectation for %s", c.Behaviour))
}
