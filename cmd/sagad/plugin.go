package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/sagad/sagad/cmd/sagad/stack"
	"github.com/sagad/sagad/plugins"
)

func pluginCommand(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "plugin",
		Short:   "See what plugins offer",
		Example: `  sagad plugin list`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return noCommand(cmd, args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(pluginListCommand(c))
	return cmd
}

func pluginListCommand(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the plugins and their activities",
		Long: `List the plugins and their activities. As JSON it is the manifests, which lint
reads from a file ` + manifestFile + ` beside or above the definitions.`,
		Example: `  sagad plugin list
  sagad plugin list -o json > definitions/` + manifestFile,
		Args: needs(),
	}
	f, out := pluginFlags(cmd), formatFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		manifests, err := listManifests(cmd.Context(), c, f)
		if err != nil {
			return err
		}
		if out.json() {
			if manifests == nil {
				manifests = []plugins.Manifest{}
			}
			return printJSON(c.out, manifests)
		}
		for _, m := range manifests {
			c.say("%s %s", c.style().Bold(m.Plugin), m.Version)
			for _, a := range m.Activities {
				c.say("  %-24s %s", a.Name, a.Description)
			}
		}
		return nil
	}
	return cmd
}

// listManifests starts the plugins for as long as it takes to ask them. They
// get a data directory of their own, so that a running process keeps its.
func listManifests(ctx context.Context, c *console, f *flags) (_ []plugins.Manifest, err error) {
	s, err := f.resolve(c, "")
	if err != nil {
		return nil, err
	}
	if s.Data, err = os.MkdirTemp("", "sagad-list-"); err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(s.Data) }() // the system removes it otherwise
	s.Temporal = stack.Embedded
	st, err := s.open(ctx)
	if err != nil {
		return nil, err
	}
	defer func() {
		if stopped := st.Close(); err == nil {
			err = stopped
		}
	}()
	if err := st.StartPlugins(ctx); err != nil {
		return nil, err
	}
	if len(st.Manifests()) == 0 {
		return nil, fmt.Errorf("there are no plugins in %s: build them into it, or name another folder with --plugins", s.Plugins)
	}
	return st.Manifests(), nil
}
