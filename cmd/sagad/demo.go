package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sagad/sagad/cmd/sagad/progress"
	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
)

const demoData = defaultData + "/demo"

// confirmAfter is how long the demo's customer takes to confirm a payment; the
// demo tenant allows three seconds.
const confirmAfter = 800 * time.Millisecond

func demoCommand(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Watch three payments: one settles, one is rejected, one is never confirmed",
		Long: `Watch three cross-border payments on embedded Temporal and plugin processes: one settles, one is rejected by the settlement network so that what
was done is compensated, and one is never confirmed by its customer. The money
in the ledger is shown and checked before and after each.

It ends by itself; exit code 1 says that something was not as expected.`,
		Example: `  sagad demo
  sagad demo --data /tmp/demo -o json`,
		Args: needs(),
	}
	d := &demo{console: c, flags: sharedFlags(cmd), format: formatFlag(cmd)}
	d.flags.makesData = true
	data := cmd.Flags().Lookup("data")
	data.DefValue, d.flags.data = demoData, demoData
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return d.run(cmd.Context()) }
	return cmd
}

// demo is one `sagad demo`.
type demo struct {
	console *console
	flags   *flags
	format  *format

	launch *launch // what all payments have in common
	folder string
	money  *books
	style  progress.Style
}

// payment is one of the three.
type payment struct {
	title, story string
	file         string
	confirmed    bool // the customer confirms
	outcome      string
	step, code   string   // of the cause
	trace        []string // what the trace ends with
	moves        bool     // the money moves
}

var payments = []payment{
	{
		title: "A payment that settles", story: "its customer has to confirm it, and does",
		file: "confirmed.json", confirmed: true, outcome: engine.OutcomeCompleted,
		trace: []string{"submit", "settle"}, moves: true,
	},
	{
		title: "A payment that the settlement network rejects", story: "the quote and the hold are compensated, the last first",
		file: "rejected.json", outcome: engine.OutcomeCompensated, step: "submit", code: "LIMIT_EXCEEDED",
	},
	{
		title: "A payment that its customer never confirms", story: "after three seconds it ends, before any money is touched",
		file: "unconfirmed.json", outcome: engine.OutcomeCompensated, step: "confirm", code: engine.CodeTimeout,
		trace: []string{"screen", "confirm!"},
	},
}

// report is what the demo says of one payment as JSON.
type report struct {
	Title    string        `json:"title"`
	Result   engine.Result `json:"result"`
	Before   []balance     `json:"before"`
	After    []balance     `json:"after"`
	Problems []string      `json:"problems"`
}

func (d *demo) run(ctx context.Context) error {
	d.style = d.console.style()
	if err := d.open(ctx); err != nil {
		return err
	}
	defer d.launch.close()
	d.say("%s", d.style.Bold("Three cross-border payments"))
	d.say("Temporal and %d plugin processes run on %s; the definition is %s.", len(d.launch.stack.Manifests()), d.launch.settings.Data, d.launch.file)
	var reports []report
	failed := 0
	for n, p := range payments {
		d.say("\n%s %s: %s", d.style.Bold(fmt.Sprintf("%d.", n+1)), d.style.Bold(p.title), p.story)
		r, err := d.pay(ctx, p)
		if err != nil {
			return err
		}
		failed += len(r.Problems)
		reports = append(reports, r)
	}
	if d.format.json() {
		if err := printJSON(d.console.out, reports); err != nil {
			return err
		}
	} else {
		d.farewell(reports)
	}
	if failed > 0 {
		return outcomeError{fmt.Sprintf("%d things were not as expected", failed)}
	}
	return nil
}

func (d *demo) say(format string, args ...any) {
	if !d.format.json() {
		d.console.say(format, args...)
	}
}

// open finds the definition and starts what runs it.
func (d *demo) open(ctx context.Context) error {
	definitions := d.flags.definitions
	if definitions == "" {
		definitions = "definitions"
		if _, err := os.Stat(definitions); err != nil { // not run from the checkout
			definitions = filepath.Join(filepath.Dir(filepath.Dir(besideProgram())), "definitions")
		}
	}
	d.folder = filepath.Join(definitions, "examples", "cross-border-payment")
	file := filepath.Join(d.folder, "payment.yaml")
	if _, err := os.Stat(file); err != nil {
		return fmt.Errorf("the shipped definitions are not here: %w; name their folder with --definitions", unreadable("definition", file, err))
	}
	s, err := d.flags.resolve(d.console, file)
	if err != nil {
		return err
	}
	d.launch = &launch{console: d.console, settings: s, file: file}
	if err := d.start(ctx); err != nil {
		d.launch.close()
		return err
	}
	return nil
}

func (d *demo) start(ctx context.Context) error {
	l := d.launch
	if err := l.read(d.input(payments[0]), ""); err != nil {
		return err
	}
	if err := l.prepare(ctx); err != nil {
		return err
	}
	if err := l.stack.StartWorker(ctx); err != nil {
		return err
	}
	if err := l.stack.Connect(ctx); err != nil {
		return err
	}
	if err := l.stack.StartPlugins(ctx, ledgerPlugin); err != nil { // if a `sagad dev` has the others
		return err
	}
	d.money = &books{host: l.stack.Host()}
	return nil
}

func (d *demo) input(p payment) string { return filepath.Join(d.folder, "testdata", p.file) }

// pay runs one payment, from the books before it to the books after it. It gets
// an ID of its own, so that the demo can be run again.
func (d *demo) pay(ctx context.Context, p payment) (report, error) {
	r := report{Title: p.title, Problems: []string{}}
	input, err := readJSON(d.console, "input", d.input(p))
	if err != nil {
		return r, err
	}
	data, _ := input.(map[string]any)
	data["paymentId"] = fmt.Sprintf("%v-%s", data["paymentId"], time.Now().UTC().Format("060102-150405"))
	if r.Before, err = d.money.balances(ctx); err != nil {
		return r, err
	}
	r.Result, err = d.attend(ctx, p, data)
	if err != nil {
		return r, err
	}
	if r.After, err = d.money.balances(ctx); err != nil {
		return r, err
	}
	r.Problems = append(r.Problems, p.check(r.Result)...)
	r.Problems = append(r.Problems, p.checkMoney(data, r.Before, r.After)...)
	if !d.format.json() {
		progress.Result(d.console.out, d.style, r.Result, d.launch.settings.again)
		d.money.table(d.console.out, d.style, p.account(data, r.Before), r.Before, r.After)
		d.verdict(r.Problems)
	}
	return r, nil
}

func (d *demo) verdict(problems []string) {
	if len(problems) == 0 {
		d.say("  %s as expected", d.style.Green("✓"))
	}
	for _, problem := range problems {
		d.say("  %s %s", d.style.Red("✗"), problem)
	}
}

func (d *demo) attend(ctx context.Context, p payment, input map[string]any) (engine.Result, error) {
	one := *d.launch
	var err error
	if one.start, one.search, err = engine.Prepare(one.plan, one.settings.target(), input); err != nil {
		return engine.Result{}, one.refused(err)
	}
	printer := d.console.printer(d.format.json())
	defer printer.Close()
	printer.Plan(one.plan)
	a := &attendance{console: d.console, printer: printer}
	if p.confirmed {
		id := fmt.Sprint(input["paymentId"])
		a.messages = []dsl.Message{{At: confirmAfter, Name: "sca.completed", ID: "sca-" + id, Data: map[string]any{"paymentId": id, "method": "app"}}}
	}
	if a.saga, err = one.begin(ctx, newFeed(printer)); err != nil {
		return engine.Result{}, err
	}
	r, err := a.attend(ctx)
	if errors.Is(err, errLeft) {
		return r, outcomeError{"left " + a.saga.id() + ": " + a.saga.left()}
	}
	return r, err
}

// check says what of a result is not as expected.
func (p payment) check(r engine.Result) (problems []string) {
	if r.Outcome != p.outcome {
		problems = append(problems, fmt.Sprintf("expected the payment to end %s, it is %s", p.outcome, r.Outcome))
	}
	step, code := "", ""
	if r.Cause != nil {
		step, code = r.Cause.Path, r.Cause.Code
	}
	if step != p.step || code != p.code {
		problems = append(problems, fmt.Sprintf("expected the cause %q %q, it is %q %q", p.step, p.code, step, code))
	}
	if trace := p.expectedTrace(r); len(trace) > len(r.Trace) || !slices.Equal(trace, r.Trace[len(r.Trace)-len(trace):]) {
		problems = append(problems, fmt.Sprintf("expected the trace to end %v, it is %v", trace, r.Trace))
	}
	return problems
}

// expectedTrace is the end of the trace. The hold and the quote run at the same
// time, so their compensations come in the reverse of whichever order they
// completed in.
func (p payment) expectedTrace(r engine.Result) []string {
	if p.trace != nil {
		return p.trace
	}
	if slices.Index(r.Trace, "hold") > slices.Index(r.Trace, "quote") {
		return []string{"quote", "hold", "submit!", "~hold", "~quote"}
	}
	return []string{"hold", "quote", "submit!", "~quote", "~hold"}
}

// farewell says how to look further.
func (d *demo) farewell(reports []report) {
	self := progress.Quote(os.Args[0])
	if filepath.Base(self) == self {
		self = "sagad"
	}
	hint := func(words ...string) string {
		return self + strings.TrimPrefix(d.launch.settings.hint(words...), "sagad")
	}
	d.say("\n%s", d.style.Bold("Look further"))
	d.say("  %s", hint("list"))
	d.say("  %s", hint("show", reports[1].Result.ID))
	d.say("  %s graph %s", self, progress.Quote(d.launch.file))
	d.say("  %s   stays up with Temporal's web UI on http://127.0.0.1:%d", hint("dev"), defaultUIPort)
}
