package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/schemas"
)

func schemaCommand(c *console) *cobra.Command {
	s := schemaPrinter{console: c}
	cmd := &cobra.Command{
		Use:   "schema [saga|test|tenant|config]",
		Short: "Print the JSON Schemas that editors complete and check with",
		Long: `Print the JSON Schemas that editors complete and check with: of definitions
(saga), of their tests (test), of tenants (tenant) and of sagad.yaml (config).
Without a name they are listed.

With --manifests the schemas of definitions and tests offer the activities of
your plugins: their names and what they are for behind call, their fields in
with and in the outputs of mocks.`,
		Example: `  sagad schema
  sagad schema saga > saga.v1.json
  sagad schema --dir .sagad/schemas
  sagad schema --dir .sagad/schemas --manifests definitions/plugins.json`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return fmt.Errorf("%q is too much; name one schema, or write all with --dir", args[1])
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error { return s.run(args) },
	}
	cmd.Flags().StringVar(&s.dir, "dir", "", "write the schema, or all of them, into the folder `DIR`")
	cmd.Flags().StringArrayVar(&s.manifests, "manifests", nil, "`FILE` of plugin manifests, or a folder with a "+manifestFile+" in or above it; may be repeated")
	s.format = formatFlag(cmd)
	return cmd
}

// schemaPrinter is one `sagad schema`.
type schemaPrinter struct {
	console   *console
	format    *format
	dir       string
	manifests []string
}

func (s *schemaPrinter) run(args []string) error {
	chosen := schemas.All()
	if len(args) == 1 {
		one, err := schemaNamed(args[0])
		if err != nil {
			return err
		}
		chosen = []schemas.Published{one}
	}
	if err := s.specialise(chosen); err != nil {
		return err
	}
	switch {
	case s.dir != "":
		return s.write(chosen)
	case len(args) == 1:
		_, err := s.console.out.Write(chosen[0].Bytes)
		return err
	case len(s.manifests) > 0:
		return errors.New("--manifests stands with the name of a schema, saga or test, or with --dir")
	}
	return s.list(chosen)
}

func schemaNamed(name string) (schemas.Published, error) {
	var names []string
	for _, p := range schemas.All() {
		if p.Name == name {
			return p, nil
		}
		names = append(names, p.Name)
	}
	if near := dsl.Suggest(name, names); near != "" {
		return schemas.Published{}, fmt.Errorf("there is no schema %q; did you mean %s?", name, near)
	}
	return schemas.Published{}, fmt.Errorf("there is no schema %q; they are %s", name, strings.Join(names, ", "))
}

// specialise makes the chosen schemas those of the activities in the manifests.
func (s *schemaPrinter) specialise(chosen []schemas.Published) error {
	if len(s.manifests) == 0 {
		return nil
	}
	manifests, err := s.read()
	if err != nil {
		return err
	}
	for i, p := range chosen {
		switch p.Name {
		case "saga":
			chosen[i].Bytes, err = dsl.SagaSchema(manifests)
		case "test":
			chosen[i].Bytes, err = dsl.TestSchema(manifests)
		default:
			if len(chosen) == 1 {
				return fmt.Errorf("--manifests is for the schemas saga and test; %s knows no activities", p.Name)
			}
		}
		if err != nil {
			return fmt.Errorf("%s: %w", strings.Join(s.manifests, ", "), err)
		}
	}
	return nil
}

// read gives all the manifests that were named.
func (s *schemaPrinter) read() ([]dsl.Manifest, error) {
	var all []dsl.Manifest
	var files manifestFiles
	for _, name := range s.manifests {
		var found []dsl.Manifest
		info, err := os.Stat(name)
		switch {
		case err == nil && info.IsDir():
			var ok bool
			if found, ok, err = files.near(filepath.Join(name, manifestFile)); err == nil && !ok {
				err = fmt.Errorf("there is no %s in %s or above it; write it with `sagad plugin list -o json`", manifestFile, name)
			}
		default:
			found, err = files.load(name)
		}
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

// list tells which schemas there are.
func (s *schemaPrinter) list(all []schemas.Published) error {
	type entry struct {
		Name string `json:"name"`
		File string `json:"file"`
		For  string `json:"for"`
	}
	var list []entry
	for _, p := range all {
		list = append(list, entry{p.Name, p.File, p.For})
		if !s.format.json() {
			s.console.say("%-8s %-16s %s", p.Name, p.File, p.For)
		}
	}
	if s.format.json() {
		return printJSON(s.console.out, list)
	}
	return nil
}

// write puts the schemas into the folder, and names the files that it wrote.
func (s *schemaPrinter) write(chosen []schemas.Published) error {
	if err := os.MkdirAll(s.dir, 0o777); err != nil {
		return fmt.Errorf("--dir: %w", err)
	}
	files := []string{}
	for _, p := range chosen {
		file := filepath.Join(s.dir, p.File)
		old, err := os.ReadFile(file)
		switch {
		case err == nil:
			err = replaceFile(file, old, p.Bytes)
		case errors.Is(err, fs.ErrNotExist):
			err = os.WriteFile(file, p.Bytes, 0o666)
		}
		if err != nil {
			return fmt.Errorf("write %s: %w", file, err)
		}
		files = append(files, file)
		if !s.format.json() {
			s.console.say("%s", file)
		}
	}
	if s.format.json() {
		return printJSON(s.console.out, files)
	}
	return nil
}
