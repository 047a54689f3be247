package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/sagad/sagad/cmd/sagad/progress"
	"github.com/sagad/sagad/dsl"
)

func diffCommand(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "diff OLD NEW",
		Short: "Say what a change of a definition means",
		Long: `Compare two definitions, or with --git REV the one of a file at a revision with
the one it holds now. What is compared are the compiled plans: formatting,
comments and the order of keys are no difference.

The differences are in groups, those first that need most care: order (what
runs, and in which order), compensation (actions, effects, and what takes them
back), types (data that is taken, passed on and given), timing, texts.

Exit codes: 0 the plans are equal; 1 they differ; 2 one of the files cannot be
read or has errors.`,
		Example: `  sagad diff payment.yaml payment-new.yaml
  sagad diff --git main payment.yaml
  sagad diff payment.yaml payment-new.yaml -o json | jq .compensation`,
	}
	f, out := configFlag(cmd), formatFlag(cmd)
	rev := cmd.Flags().String("git", "", "compare with FILE as it was at the revision `REV`, its schemas and child sagas too")
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if *rev != "" {
			return needs("FILE")(cmd, args)
		}
		return needs("OLD", "NEW")(cmd, args)
	}
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		s, err := f.checking()
		if err != nil {
			return err
		}
		was, err := earlier(s, args[0], *rev)
		if err != nil {
			return err
		}
		is, err := planOf(s, args[len(args)-1])
		if err != nil {
			return err
		}
		return compared(c, out, was, is)
	}
	return cmd
}

// earlier gives the plan to compare with.
func earlier(s *settings, file, rev string) (*dsl.Plan, error) {
	if rev == "" {
		return planOf(s, file)
	}
	old, err := checkout(s, file, rev)
	if err != nil {
		return nil, err
	}
	defer old.forget()
	at := *s
	at.definitions, at.libraries = old.folder, nil
	plan, err := planOf(&at, old.file)
	if diagnostics := (dsl.Diagnostics{}); errors.As(err, &diagnostics) {
		for i := range diagnostics {
			diagnostics[i].File = strings.Replace(diagnostics[i].File, old.file, file+" at "+rev, 1)
		}
	}
	return plan, err
}

// planOf compiles a definition on its own.
func planOf(s *settings, file string) (*dsl.Plan, error) {
	d, err := readDefinition(file)
	if err != nil {
		return nil, err
	}
	plan, diagnostics := d.compile(s, nil, false)
	if plan == nil {
		return nil, diagnostics
	}
	return plan, nil
}

// comparison is what `sagad diff -o json` prints.
type comparison struct {
	Old          planName     `json:"old"`
	New          planName     `json:"new"`
	Order        bool         `json:"order"`
	Compensation bool         `json:"compensation"`
	Types        bool         `json:"types"`
	Changes      []dsl.Change `json:"changes"`
	Meaning      []string     `json:"meaning"` // sentences for people
}

// planName names a plan.
type planName struct {
	Saga    string `json:"saga"`
	Version string `json:"version"`
	Digest  string `json:"digest"`
}

func compared(c *console, out *format, was, is *dsl.Plan) error {
	changes := dsl.Diff(was, is)
	touched := func(class dsl.ChangeClass) bool {
		return slices.ContainsFunc(changes, func(c dsl.Change) bool { return c.Class == class })
	}
	result := comparison{
		Old: planName{was.Saga, was.Version, was.Digest}, New: planName{is.Saga, is.Version, is.Digest},
		Order: touched(dsl.ChangeOrder), Compensation: touched(dsl.ChangeCompensation), Types: touched(dsl.ChangeTypes),
		Changes: append([]dsl.Change{}, changes...), Meaning: meaning(changes, is.Saga),
	}
	if out.json() {
		if err := printJSON(c.out, result); err != nil {
			return err
		}
	} else {
		result.print(c)
	}
	if len(changes) > 0 {
		return outcomeError{}
	}
	return nil
}

// classTitles say what the classes are about.
var classTitles = map[dsl.ChangeClass]string{
	dsl.ChangeOrder:        "what runs, and in which order",
	dsl.ChangeCompensation: "actions, their effects, and what takes them back",
	dsl.ChangeTypes:        "data that is taken, passed on and given",
	dsl.ChangeTiming:       "time limits, retries and concurrency",
	dsl.ChangeTexts:        "what only people read",
}

func (r *comparison) print(c *console) {
	if len(r.Changes) == 0 {
		return
	}
	style := c.style()
	width := 0
	for _, change := range r.Changes {
		width = max(width, utf8.RuneCountInString(r.path(change)))
	}
	width = min(width, maxPathColumn)
	class := dsl.ChangeClass("")
	for _, change := range r.Changes {
		if change.Class != class {
			if class != "" {
				c.say("")
			}
			class = change.Class
			c.say("%s  %s", style.Bold(string(class)), style.Dim(classTitles[class]))
		}
		path := progress.Clean(r.path(change))
		c.say("  %s%s  %s  %s", path, strings.Repeat(" ", max(width-utf8.RuneCountInString(path), 0)), kindWord(style, change.Kind), progress.Clean(change.Text))
	}
	c.say("")
	for _, line := range r.Meaning {
		c.say("%s", line)
	}
}

// maxPathColumn is how far the texts stand from the edge at most: longer paths
// push theirs away.
const maxPathColumn = 40

// path is where a change is, with the child saga that it is in.
func (r *comparison) path(change dsl.Change) string {
	if change.Saga != r.New.Saga {
		return change.Saga + ": " + change.Path
	}
	return change.Path
}

func kindWord(style progress.Style, kind dsl.ChangeKind) string {
	word := fmt.Sprintf("%-8s", kind)
	switch kind {
	case dsl.ChangeAdded, dsl.ChangeLooser:
		return style.Green(word)
	case dsl.ChangeRemoved, dsl.ChangeStricter:
		return style.Red(word)
	}
	return style.Yellow(word)
}

// meaning says what the changes are to those who run, start and read sagas.
func meaning(changes []dsl.Change, saga string) []string {
	if len(changes) == 0 {
		return nil
	}
	var touched, not []string
	for _, class := range []dsl.ChangeClass{dsl.ChangeOrder, dsl.ChangeCompensation, dsl.ChangeTypes} {
		if slices.ContainsFunc(changes, func(c dsl.Change) bool { return c.Class == class }) {
			touched = append(touched, string(class))
		} else {
			not = append(not, string(class))
		}
	}
	for _, class := range []dsl.ChangeClass{dsl.ChangeTiming, dsl.ChangeTexts} {
		if slices.ContainsFunc(changes, func(c dsl.Change) bool { return c.Class == class }) {
			touched = append(touched, string(class))
		}
	}
	lines := []string{"Touched: " + listed(touched, "nothing") + ". Not touched: " + listed(not, "nothing") + "."}
	lines = append(lines, "Sagas that run keep the plan they started with; what starts from now on follows the new one.")
	return append(lines, forCallers(changes, saga)...)
}

func listed(list []string, none string) string {
	if len(list) == 0 {
		return none
	}
	return strings.Join(list, ", ")
}

// forCallers says what changes for whoever starts sagas, sends them messages and
// reads their output.
func forCallers(changes []dsl.Change, saga string) []string {
	var input, messages, renamed, key, output bool
	looser := false
	for _, c := range changes {
		if c.Class != dsl.ChangeTypes {
			continue
		}
		within := func(path string) bool {
			return c.Path == path || strings.HasPrefix(c.Path, path+".") || strings.HasPrefix(c.Path, path+"[")
		}
		refuses := c.Kind != dsl.ChangeLooser
		switch {
		case strings.Contains(c.Path, ".await.schema") || strings.Contains(c.Path, ".await.signal") || strings.Contains(c.Path, ".await.where"):
			messages = messages || refuses
		case c.Saga != saga: // of a child; its caller is this definition
		case within("input"):
			input, looser = input || refuses, looser || !refuses
		case c.Path == "saga":
			renamed = true
		case c.Path == "key":
			key = true
		case within("output") || strings.HasSuffix(c.Path, ".complete.output"):
			output = true
		}
	}
	var lines []string
	say := func(yes bool, line string) {
		if yes {
			lines = append(lines, line)
		}
	}
	say(input, "Callers: an input that was accepted before may be refused now.")
	say(looser && !input, "Callers: every input that was accepted before still is.")
	say(key, "Callers: the key is another one, so starts that gave the same saga may give two, or the other way round.")
	say(renamed, "Callers: the saga has another name, so what was started before is not found by its key.")
	say(messages, "Senders: a message that was taken before may be refused or passed over now.")
	say(output, "Readers: the output is another one.")
	return lines
}
