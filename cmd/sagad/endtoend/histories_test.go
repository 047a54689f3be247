package endtoend

import (
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"

	"github.com/sagad/sagad/engine/enginetest"
	"github.com/sagad/sagad/engine/temporal"
)

// The frozen histories. engine/temporal replays them with every change, and
// proves that none is ever changed or removed.
var (
	corpus   = filepath.Join("..", "..", "..", "engine", "temporal", "testdata", "histories")
	manifest = filepath.Join(corpus, "SHA256SUMS")
	record   = flag.Bool("record", false, "record the histories of the table that the corpus does not have yet")
)

// TestHistories proves that the corpus has every history of the table. With
// -record (make histories) it runs what is missing on the real server and adds
// it; a file that is there is never touched.
func TestHistories(t *testing.T) {
	var missing []frozen
	for _, f := range frozenHistories() {
		if _, err := os.Stat(f.file()); errors.Is(err, fs.ErrNotExist) {
			missing = append(missing, f)
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if !*record || len(missing) == 0 {
		for _, f := range missing {
			t.Errorf("%s is missing: make histories", f.file())
		}
		return
	}
	servers := map[int][]frozen{}
	for _, f := range missing {
		servers[f.suggestAfter] = append(servers[f.suggestAfter], f)
	}
	for after, all := range servers {
		t.Run(fmt.Sprintf("suggest after %d", after), func(t *testing.T) { recordAll(t, after, all) })
	}
}

// recordAll records histories on a server of their own.
func recordAll(t *testing.T, suggestAfter int, all []frozen) {
	c := dialAs(t, startSuggesting(t, suggestAfter).Address(), "worker") // whose name stands in every event
	w := &worlds{byID: map[string]*enginetest.World{}, wakes: map[string]chan struct{}{}}
	startWorker(t, c, temporal.WorkerOptions{Tenant: "demo", Region: "eu-west-1", Invoker: w, Observe: w.observe})
	var n atomic.Int64
	t.Run("record", func(t *testing.T) {
		for _, f := range all {
			t.Run(f.name, func(t *testing.T) {
				t.Parallel()
				f.run(t, c, w, fmt.Sprintf("-%d", n.Add(1)))
			})
		}
	})
}

// run runs a scenario and freezes what Temporal keeps of it and of its children.
func (f frozen) run(t *testing.T, c client.Client, w *worlds, suffix string) {
	s := f.scenario.Prepare(t, suffix)
	if f.raw != nil {
		go f.raw(t, c, s.Start.ID)
	}
	got := drive(t, c, w, s)
	f.scenario.Check(t, s, got)
	runs, err := temporal.NewClient(c).Histories(t.Context(), s.Start.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range got.Result.Steps {
		if step.Child == "" {
			continue
		}
		more, err := temporal.NewClient(c).Histories(t.Context(), step.Child)
		if err != nil && !errors.Is(err, temporal.ErrNotFound) { // or it could not be started
			t.Fatal(err)
		}
		runs = append(runs, more...)
	}
	if t.Failed() {
		return
	}
	for i, history := range runs {
		file := f.file()
		if i > 0 {
			file = strings.Replace(file, ".json", fmt.Sprintf(".%d.json", i+1), 1)
		}
		forgetMachine(history)
		freeze(t, file, history)
	}
}

// forgetMachine takes out what names the machine a history was recorded on.
func forgetMachine(history *historypb.History) {
	for _, e := range history.GetEvents() {
		queue := e.GetWorkflowTaskScheduledEventAttributes().GetTaskQueue()
		if queue.GetKind() == enumspb.TASK_QUEUE_KIND_STICKY {
			queue.Name = "sticky"
		}
	}
}

// freeze adds a file to the corpus and its sum to the manifest.
func freeze(t *testing.T, file string, history *historypb.History) {
	t.Helper()
	out, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(temporal.WriteHistory(out, history, true), out.Close()); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	sums, err := os.OpenFile(manifest, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	_, err = fmt.Fprintf(sums, "%x  %s\n", sha256.Sum256(data), filepath.Base(file))
	if err := errors.Join(err, sums.Close()); err != nil {
		t.Fatal(err)
	}
	t.Logf("recorded %s, %d events", file, len(history.GetEvents()))
}

// frozen is a history of the corpus: the scenario that was recorded, under the
// name of the construct it is about.
type frozen struct {
	name     string
	scenario *enginetest.Case
	raw      func(t *testing.T, c client.Client, id string) // what comes past sagad's own client

	suggestAfter int // events after which the server suggests to continue as new; 0: its own number
}

func (f frozen) file() string { return filepath.Join(corpus, f.name+".json.gz") }

// frozenHistories is the whole table: cases of the suite under short names, and
// scenarios that only histories need.
func frozenHistories() []frozen {
	all := slices.Clone(ownHistories)
	for _, named := range caseHistories {
		i := slices.IndexFunc(enginetest.Cases, func(c enginetest.Case) bool { return c.Name == named.scenario })
		if i < 0 {
			panic("there is no case " + named.scenario)
		}
		all = append(all, frozen{name: named.file, scenario: &enginetest.Cases[i]})
	}
	for _, named := range continuedHistories {
		i := slices.IndexFunc(enginetest.Cases, func(c enginetest.Case) bool { return c.Name == named.scenario })
		if i < 0 {
			panic("there is no case " + named.scenario)
		}
		all = append(all, frozen{name: named.file, scenario: &enginetest.Cases[i], suggestAfter: suggestSoon})
	}
	return all
}
