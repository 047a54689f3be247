package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/sagad/sagad/dsl"
)

// noCommand says that there is no such command below another one, and which was
// most likely meant.
func noCommand(below *cobra.Command, name string) error {
	var names []string
	for _, c := range below.Commands() {
		if !c.Hidden {
			names = append(names, c.Name())
		}
	}
	if near := dsl.Suggest(name, names); near != "" {
		return fmt.Errorf("there is no command %q; did you mean `%s %s`?", name, below.CommandPath(), near)
	}
	if below.HasParent() {
		return fmt.Errorf("there is no command %q; see `%s --help`", name, below.CommandPath())
	}
	return fmt.Errorf("there is no command %q; see `sagad help`", name)
}

// helpCommand shows the help of a command.
func helpCommand(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Show what a command does, and its flags",
		RunE: func(_ *cobra.Command, args []string) error {
			at := root
			for _, name := range args {
				next, rest, err := at.Find([]string{name})
				if err != nil || next == at || len(rest) > 0 {
					return noCommand(at, name)
				}
				at = next
			}
			at.InitDefaultHelpFlag() // as the flag itself does
			return at.Help()
		},
	}
}

// flagError says what is wrong with the flags of a command.
func flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	var value *pflag.InvalidValueError
	var missing *pflag.ValueRequiredError
	switch {
	case errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() == "":
		var names []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
		if near := dsl.Suggest(unknown.GetSpecifiedName(), names); near != "" {
			return fmt.Errorf("there is no flag --%s; did you mean --%s?", unknown.GetSpecifiedName(), near)
		}
		return fmt.Errorf("there is no flag --%s; see `%s --help`", unknown.GetSpecifiedName(), cmd.CommandPath())
	case errors.As(err, &unknown):
		return fmt.Errorf("there is no flag -%s; see `%s --help`", unknown.GetSpecifiedName(), cmd.CommandPath())
	case errors.As(err, &missing):
		return fmt.Errorf("--%s needs a value; see `%s --help`", missing.GetFlag().Name, cmd.CommandPath())
	case errors.As(err, &value):
		return fmt.Errorf("--%s %q: %s; see `%s --help`", value.GetFlag().Name, value.GetValue(), wanted(value), cmd.CommandPath())
	}
	return fmt.Errorf("%w; see `%s --help`", err, cmd.CommandPath())
}

// wanted says what a flag takes.
func wanted(e *pflag.InvalidValueError) string {
	switch e.GetFlag().Value.Type() {
	case "int":
		return "it is a whole number"
	case "bool":
		return "it is true or false"
	}
	return e.Unwrap().Error()
}
