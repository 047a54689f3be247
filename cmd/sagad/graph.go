package main

import (
	"github.com/spf13/cobra"

	"github.com/sagad/sagad/dsl"
)

func graphCommand(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "graph FILE",
		Short: "Draw a definition as a Mermaid flowchart",
		Example: `  sagad graph payment.yaml
  sagad graph payment.yaml -o json`,
		Args: needs("FILE"),
	}
	f, out := configFlag(cmd), formatFlag(cmd)
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		s, err := f.checking()
		if err != nil {
			return err
		}
		d, err := readDefinition(args[0])
		if err != nil {
			return err
		}
		plan, diagnostics := d.compile(s, nil, false)
		if plan == nil {
			return diagnostics
		}
		drawing := dsl.Mermaid(plan)
		if out.json() {
			return printJSON(c.out, map[string]string{"saga": plan.Saga, "digest": plan.Digest, "mermaid": drawing})
		}
		_, err = c.out.Write([]byte(drawing))
		return err
	}
	return cmd
}
