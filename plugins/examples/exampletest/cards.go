package exampletest

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sagad/sagad/plugins"
	"github.com/sagad/sagad/plugins/examples/testcards"
)

func errorKind(err error) plugins.Kind {
	var typed *plugins.Error
	if !errors.As(err, &typed) {
		return ""
	}
	return typed.Kind
}

// late makes stragglers arrive only when the returned function is called,
// which returns when they have come and gone. They arrive at the end of a test
// that fails before, too.
func (r *run) late() (arrive func()) {
	gate := make(chan struct{})
	r.p.Wait = func(ctx context.Context) error {
		if ctx.Value(cutKey{}) != nil {
			return nil // a slow call, not a straggler
		}
		<-gate
		return nil
	}
	open := sync.OnceFunc(func() { close(gate) })
	r.t.Cleanup(open)
	return func() {
		open()
		r.p.Stop()
	}
}

// actionCard plays a card at the action. After every attempt that is in doubt
// the probe tells the truth, and at the end the compensation leaves nothing.
func (e Effect) actionCard(t *testing.T, b testcards.Behaviour) {
	card := testcards.Card{Point: e.Action, Behaviour: b}
	r := e.start(t, testcards.Minor(card))
	arrive := r.late()
	want := expected(card, false)
	var done []int
	answers, out := r.script(r.act, func(n int) {
		done = append(done, r.count())
		if e.Probe != 0 {
			r.truthful(n)
		}
	})
	if diff := cmp.Diff(want, expectation{answers, done}, cmp.AllowUnexported(expectation{})); diff != "" {
		t.Fatalf("attempts (-want +got):\n%s", diff)
	}
	if e.Compensation != 0 {
		if _, err := r.compensate(1, out); err != nil {
			t.Fatal(err)
		}
		r.want(0)
	}
	standing := r.count()
	arrive()
	r.want(standing)
}

// truthful asks the probe after attempt n.
func (r *run) truthful(n int) {
	r.t.Helper()
	applied, _, err := r.probe(n)
	if err != nil || applied == nil || *applied != (r.count() == 1) {
		r.t.Fatalf("after attempt %d the probe answered %v, %v; %d effects stand", n, applied, err, r.count())
	}
}

// compensationCard plays a card at the compensation of an action that
// succeeded.
func (e Effect) compensationCard(t *testing.T, b testcards.Behaviour) {
	card := testcards.Card{Point: e.Compensation, Behaviour: b}
	r := e.start(t, testcards.Minor(card))
	arrive := r.late()
	out, err := r.act(1)
	if err != nil {
		t.Fatal(err)
	}
	want := expected(card, true)
	var done []int
	attempt := func(n int) ([]byte, error) { return r.compensate(n, out) }
	answers, _ := r.script(attempt, func(int) { done = append(done, 1-r.count()) })
	if b == testcards.Reject {
		more, _ := r.script(attempt, func(int) { done = append(done, 1-r.count()) })
		answers = append(answers, more...)
	}
	if diff := cmp.Diff(want, expectation{answers, done}, cmp.AllowUnexported(expectation{})); diff != "" {
		t.Fatalf("attempts (-want +got):\n%s", diff)
	}
	standing := r.count()
	arrive()
	if b != testcards.Down && b != testcards.Permanent {
		standing = 0
	}
	r.want(standing)
}

// probeCard plays a card at the probe of an action that succeeded.
func (e Effect) probeCard(t *testing.T, b testcards.Behaviour) {
	r := e.start(t, testcards.Minor(testcards.Card{Point: e.Probe, Behaviour: b}))
	r.late()
	if _, err := r.act(1); err != nil {
		t.Fatal(err)
	}
	retry := "retry " + testcards.CodeTemporary
	want := map[testcards.Behaviour][]string{
		testcards.Permanent:   {"permanent " + testcards.CodePermanent},
		testcards.Reject:      {"null", "null", "null", "null"},
		testcards.Flaky:       {"null", "null", "true"},
		testcards.Slow:        {"true"},
		testcards.CrashBefore: {"crash", "true"},
		testcards.Down:        {retry, retry, retry, retry},
	}[b]
	var got []string
	for range want {
		applied, _, err := r.probe(1)
		switch {
		case err != nil:
			got = append(got, Answer(err))
		case applied == nil:
			got = append(got, "null")
		default:
			got = append(got, map[bool]string{true: "true", false: "false"}[*applied])
		}
		if Answer(err) == "crash" {
			r.p.Restart()
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
	r.want(1)
}
