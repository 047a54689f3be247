package graph

import (
	"flag"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

// compare compares a text with a golden file.
func compare(t *testing.T, golden, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got); -update writes it:\n%s", golden, diff)
	}
}

// TestGoldens compares drawings with those that somebody has looked at.
func TestGoldens(t *testing.T) {
	all := plans(t)
	for name, g := range map[string]*Graph{
		"payment":    Of(all["payment"], Options{}),
		"everything": Of(all["everything"], Options{}),
		"hostile":    Of(all["hostile"], Options{}),
		"family":     Of(all["family"], Options{}),
		"children":   Of(all["family"], Options{Children: true}),
		"run":        Of(all["payment"], Options{Run: rejected}),
	} {
		compare(t, "testdata/"+name+".mmd", g.Mermaid())
		compare(t, "testdata/"+name+".dot", g.DOT())
		compare(t, "testdata/"+name+".svg", g.SVG())
	}
}

// TestPicturesOfTheDocs keeps the pictures on the pages as the program draws them.
func TestPicturesOfTheDocs(t *testing.T) {
	all := plans(t)
	for name, g := range map[string]*Graph{
		"payment":  Of(all["payment"], Options{}),
		"order":    Of(all["order"], Options{}),
		"rejected": Of(all["payment"], Options{Run: compensated}),
	} {
		compare(t, "../../docs/img/"+name+".svg", g.SVG())
	}
}

// compensated is a payment whose pivot was rejected.
var compensated = &Run{
	ID: "demo/cross-border-payment/p-rejected", Outcome: "compensated", State: StateCompensated,
	Facts: []string{"started 2026-11-23 10:00:00 UTC, 252ms", "cause submit: LIMIT_EXCEEDED: test card 66411: rails.submit rejects"},
	Steps: map[string]Status{
		"screen": {StateSucceeded, []string{"2 attempts", "163ms"}}, "confirm": {StateSkipped, nil},
		"hold": {StateCompensated, []string{"22ms"}}, "quote": {StateCompensated, []string{"22ms"}},
		"submit": {StateRejected, []string{"40ms", "LIMIT_EXCEEDED"}},
	},
	Backs: map[string]Status{"hold": {StateCompensated, []string{"at 252ms"}}, "quote": {StateCompensated, []string{"at 240ms"}}},
}

// rejected is a payment whose pivot was rejected, with a compensation that is
// stuck.
var rejected = &Run{
	ID: "demo/cross-border-payment/p-1", Outcome: "parked", State: StateParked,
	Facts: []string{"started 2026-11-23 10:00:00 UTC, 1.204s", "cause submit: LIMIT_EXCEEDED"},
	Steps: map[string]Status{
		"screen": {StateSucceeded, []string{"12ms"}}, "confirm": {StateSkipped, nil},
		"hold": {StateParked, []string{"8ms"}}, "quote": {StateCompensated, []string{"2 attempts", "240ms"}},
		"submit": {StateRejected, []string{"31ms", "LIMIT_EXCEEDED"}},
	},
	Backs: map[string]Status{"hold": {StateParked, []string{"7 attempts", "UNAVAILABLE"}}, "quote": {StateCompensated, []string{"at 320ms"}}},
}

// TestGraphvizTakesIt proves that DOT is what Graphviz reads.
func TestGraphvizTakesIt(t *testing.T) {
	dot, err := exec.LookPath("dot")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("there is no dot: install graphviz")
		}
		t.Skip("there is no dot, so nothing is proved: install graphviz")
	}
	for name, plan := range plans(t) {
		if name == "long" || name == "wide" {
			continue // it takes its time for them
		}
		for _, o := range []Options{{}, {Children: true}, {Run: &Run{ID: "a/b/c", Outcome: "completed"}}} {
			cmd := exec.CommandContext(t.Context(), dot, "-Tplain")
			cmd.Stdin = strings.NewReader(Of(plan, o).DOT())
			out, err := cmd.CombinedOutput()
			if err != nil || strings.Contains(string(out), "rror") && !strings.Contains(string(out), "error") {
				t.Errorf("%s: %v\n%s", name, err, out)
			}
		}
	}
}

// FuzzLabels draws steps with any name: the drawing stays well-formed, and text
// in its box.
func FuzzLabels(f *testing.F) {
	for _, text := range []string{"plain", "a \"b\" <c> & 'd' ]]> --> <!-- x", "\x00\x1b[31m\u202eabc", "漢字かな交じりの文章がとても長く続く", "👩‍👩‍👧‍👦 \xff\xfe", strings.Repeat("W", 500), strings.Repeat("a ", 300), " ", "﷽﷽﷽"} {
		f.Add(text, text)
	}
	f.Fuzz(func(t *testing.T, title, what string) {
		n := &Node{ID: "step_x", Path: "x", Title: title, What: what, Notes: []string{what}}
		back := &Node{ID: "back_x", Path: "x", Shape: ShapeBack, Title: "~" + title, What: what}
		gate := &Node{ID: "if_x", Path: "x", Shape: ShapeGate, Title: what}
		g := &Graph{Saga: title, Description: what, Key: what, Steps: List{{
			Node: n, Back: back, Gate: gate,
			Handlers: []Lane{{Name: what, Steps: List{{Node: &Node{ID: "step_y", Path: "y", Title: what}}}}},
		}}}
		g.Run = &Run{ID: title, Outcome: "parked", State: StateParked, Facts: []string{what}, Steps: map[string]Status{"x": {StateParked, []string{what}}}}
		if findings := check(g); len(findings) > 0 {
			t.Fatal(strings.Join(findings, "\n"))
		}
		if got := strings.Count(g.DOT(), "\n"); got < 8 {
			t.Fatalf("%d lines of DOT", got)
		}
	})
}
