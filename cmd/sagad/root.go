package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// newRoot gives the command with everything beneath it.
func newRoot(c *console) *cobra.Command {
	root := &cobra.Command{
		Use:   "sagad",
		Short: "Run sagas that are written in YAML",
		Long: `sagad runs business transactions that span several services: steps in YAML,
each with its compensation, carried out by plugins, on Temporal or on your
laptop alone.

Exit codes: 0 the saga completed, or the check passed; 1 the saga ended
otherwise or is parked; 2 wrong usage, bad input, or something needed is not
there.`,
		Example: `  sagad demo
  sagad lint definitions
  sagad run definitions/examples/cross-border-payment/payment.yaml \
        --input definitions/examples/cross-border-payment/testdata/settles.json`,
		SilenceErrors: true, SilenceUsage: true,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return noCommand(cmd, args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(c.in)
	root.SetOut(c.out)
	root.SetErr(c.err)
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(flagError)
	root.SetHelpCommand(helpCommand(root))
	addCommands(c, root)
	return root
}

// addCommands adds all commands, by who uses them.
func addCommands(c *console, root *cobra.Command) {
	group := func(id, title string, commands ...*cobra.Command) {
		root.AddGroup(&cobra.Group{ID: id, Title: title})
		for _, cmd := range commands {
			cmd.GroupID = id
		}
		root.AddCommand(commands...)
	}
	group("definitions", "Write definitions:",
		newCommand(c), lintCommand(c), explainCommand(c), testCommand(c), graphCommand(c), fmtCommand(c), diffCommand(c), schemaCommand(c))
	group("sagas", "Run sagas:",
		runCommand(c), demoCommand(c), devCommand(c), startCommand(c), listCommand(c), showCommand(c), watchCommand(c), signalCommand(c), cancelCommand(c))
	group("operators", "Decide for sagas that are stuck:",
		retryCommand(c), skipCommand(c), resolveCommand(c), recoverCommand(c))
	group("engine", "Plugins and versions:",
		pluginCommand(c), replayCommand(c), versionCommand(c))
	root.SetHelpCommandGroupID("engine")
}

// needs says how many arguments a command takes, in its own words.
func needs(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < len(names):
			return fmt.Errorf("%s is missing; see `%s --help`", names[len(args)], cmd.CommandPath())
		case len(args) > len(names):
			return fmt.Errorf("%q is too much; see `%s --help`", args[len(names)], cmd.CommandPath())
		}
		return nil
	}
}

// format is the flag -o.
type format string

const (
	formatText format = "text"
	formatJSON format = "json"
)

// String gives the value.
func (f *format) String() string { return string(*f) }

// Type names the values.
func (f *format) Type() string { return "text|json" }

// Set takes a value.
func (f *format) Set(s string) error {
	switch format(s) {
	case formatText, formatJSON:
		*f = format(s)
		return nil
	}
	return fmt.Errorf("it is text or json")
}

func (f *format) json() bool { return *f == formatJSON }

func formatFlag(cmd *cobra.Command) *format {
	f := formatText
	cmd.Flags().VarP(&f, "format", "o", "what to print")
	return &f
}

// printJSON writes one value.
func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
