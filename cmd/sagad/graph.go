package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sagad/sagad/cmd/sagad/progress"
	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/dsl/graph"
	"github.com/sagad/sagad/engine"
)

func graphCommand(c *console) *cobra.Command {
	d := &drawer{console: c, format: graphMermaid}
	cmd := &cobra.Command{
		Use:   "graph FILE | --saga ID",
		Short: "Draw a definition, or how a saga stands",
		Long: `Draw a definition: as a Mermaid flowchart, as DOT for Graphviz, or as an SVG that
stands alone. Branches have lanes, compensations are the way back, and the point
of no return is marked.

With --saga it is the definition that the saga runs, with the state of every
step, its attempts, times and error codes, and of a foreach how many items stand
where.`,
		Example: `  sagad graph payment.yaml
  sagad graph payment.yaml --out payment.svg
  sagad graph batch.yaml --children --format dot | dot -Tpdf > batch.pdf
  sagad graph --saga demo/cross-border-payment/p-1 --out p-1.svg`,
	}
	d.flags = sharedFlags(cmd)
	set := cmd.Flags()
	set.VarP(&d.format, "format", "o", "what to print")
	set.StringVar(&d.out, "out", "", "write to a `FILE`; its ending, .svg, .dot, .gv, .mmd or .json, chooses the format")
	set.StringVar(&d.saga, "saga", "", "draw how the saga with this `ID` stands")
	set.BoolVar(&d.children, "children", false, "draw the steps of child sagas, too")
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		switch {
		case d.saga == "" && cmd.Flags().Changed("saga"):
			return errors.New("--saga is empty; it is the ID of a saga, TENANT/SAGA/KEY")
		case d.saga != "" && len(args) > 0:
			return fmt.Errorf("%s and --saga are both there; name a definition or a saga, which brings its own definition", args[0])
		case d.saga != "":
			return nil
		}
		return needs("FILE")(cmd, args)
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := d.chooseFormat(); err != nil {
			return err
		}
		if d.saga != "" {
			return d.drawSaga(cmd.Context())
		}
		return d.drawFile(args[0])
	}
	return cmd
}

// graphFormat is the flag --format of graph.
type graphFormat string

const (
	graphMermaid graphFormat = "mermaid"
	graphDOT     graphFormat = "dot"
	graphSVG     graphFormat = "svg"
	graphJSON    graphFormat = "json"
)

// String gives the value.
func (f *graphFormat) String() string { return string(*f) }

// Type names the values.
func (f *graphFormat) Type() string { return "mermaid|dot|svg|json" }

// Set takes a value.
func (f *graphFormat) Set(s string) error {
	switch g := graphFormat(s); g {
	case graphMermaid, graphDOT, graphSVG, graphJSON:
		*f = g
		return nil
	}
	return errors.New("it is mermaid, dot, svg or json")
}

// graphEndings are the endings of files by what is in them.
var graphEndings = map[string]graphFormat{
	".svg": graphSVG, ".dot": graphDOT, ".gv": graphDOT, ".mmd": graphMermaid, ".mermaid": graphMermaid, ".json": graphJSON,
}

// drawer is one `sagad graph`.
type drawer struct {
	console   *console
	flags     *flags
	format    graphFormat
	out, saga string
	children  bool
}

// chooseFormat takes the format from the ending of the file, unless it is given.
func (d *drawer) chooseFormat() error {
	if d.out == "" || d.flags.cmd.Flags().Changed("format") {
		return nil
	}
	ending := strings.ToLower(filepath.Ext(d.out))
	format, ok := graphEndings[ending]
	if !ok {
		return fmt.Errorf("--out %s: its ending does not say what to draw; end it in .svg, .dot, .gv, .mmd or .json, or give --format", d.out)
	}
	d.format = format
	return nil
}

func (d *drawer) drawFile(file string) error {
	s, err := d.flags.checking()
	if err != nil {
		return err
	}
	definition, err := readDefinition(file)
	if err != nil {
		return err
	}
	plan, diagnostics := definition.compile(s, nil, false)
	if plan == nil {
		return diagnostics
	}
	return d.draw(plan, nil)
}

// drawSaga draws how a saga stands. Like show, it only looks.
func (d *drawer) drawSaga(ctx context.Context) error {
	var none format
	i := &instance{console: d.console, flags: d.flags, format: &none, id: engine.CanonicalID(d.saga)}
	if err := i.open(ctx); err != nil {
		return err
	}
	defer i.close()
	r, err := i.result(ctx)
	if err != nil {
		return err
	}
	plan, err := i.stack.Client().Plan(ctx, i.id)
	if err != nil {
		return i.explain(err)
	}
	return d.draw(plan, progress.Overlay(plan, r))
}

// draw writes the drawing.
func (d *drawer) draw(plan *dsl.Plan, run *graph.Run) error {
	g := graph.Of(plan, graph.Options{Children: d.children, Run: run})
	var text strings.Builder
	switch d.format {
	case graphSVG:
		text.WriteString(g.SVG())
	case graphDOT:
		text.WriteString(g.DOT())
	case graphJSON:
		all := map[string]string{"saga": plan.Saga, "digest": plan.Digest, "mermaid": g.Mermaid(), "dot": g.DOT(), "svg": g.SVG()}
		if run != nil {
			all["id"] = run.ID
		}
		if err := printJSON(&text, all); err != nil {
			return err
		}
	default:
		text.WriteString(g.Mermaid())
	}
	if d.out == "" {
		_, err := d.console.out.Write([]byte(text.String()))
		return err
	}
	return writeDrawing(d.out, []byte(text.String()))
}

// writeDrawing writes a file that may be there already.
func writeDrawing(name string, text []byte) error {
	err := os.WriteFile(name, text, 0o644)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("--out: there is no folder %s; make it first", filepath.Dir(name))
	case err != nil:
		return fmt.Errorf("--out: %w", err)
	}
	return nil
}
