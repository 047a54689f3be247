package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/plugins"
)

// definition is a definition's file.
type definition struct {
	file string
	text []byte

	catalog *dsl.Catalog // stands for the manifests if it is there
	tenants []dsl.Tenant // whose data must stay in their regions; nil: it does not matter
}

func readDefinition(file string) (*definition, error) {
	text, err := readFile("definition", file)
	if err != nil {
		return nil, err
	}
	return &definition{file: file, text: text}, nil
}

// compile checks the definition against manifests. With required every
// activity must be in one of them.
func (d *definition) compile(s *settings, manifests []dsl.Manifest, required bool) (*dsl.Plan, dsl.Diagnostics) {
	return dsl.Compile(dsl.Source{Name: d.file, Data: d.text}, dsl.Options{
		Manifests: manifests, RequireActivities: required,
		SearchAttributes: dsl.SearchAttributes(s.Search), Files: os.DirFS(filepath.Dir(d.file)), Sagas: s.library(d.file),
		Catalog: d.catalog, Tenants: d.tenants,
	})
}

// pluginsOf gives the names of the plugins that a plan calls, and its child
// sagas.
func pluginsOf(plan *dsl.Plan) []string {
	var names []string
	add := func(activity string) {
		if name, _, _ := strings.Cut(activity, "."); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	var walk func(steps []*dsl.Step)
	walk = func(steps []*dsl.Step) {
		for _, step := range steps {
			if c := step.Call; c != nil {
				add(c.Activity)
				if c.Compensate != nil {
					add(c.Compensate.Activity)
				}
				if c.Probe != nil {
					add(c.Probe.Activity)
				}
			}
			for _, inner := range step.Blocks() {
				walk(inner)
			}
		}
	}
	walk(plan.Steps)
	for _, child := range plan.Sagas() {
		walk(child.Steps)
	}
	slices.Sort(names)
	return names
}

// manifestsFor gives manifests in the form that the compiler takes.
func manifestsFor(all []plugins.Manifest) []dsl.Manifest {
	list := make([]dsl.Manifest, len(all))
	for i, m := range all {
		list[i] = dsl.Manifest{Plugin: m.Plugin, Version: m.Version, Protocol: m.Protocol}
		for _, a := range m.Activities {
			list[i].Activities = append(list[i].Activities, dsl.ManifestActivity{
				Name: a.Name, Description: a.Description, Input: a.Input, Output: a.Output, Errors: a.Errors, Sensitive: a.Sensitive,
				SensitiveOutput: a.SensitiveOutput, Regions: a.Regions,
			})
		}
	}
	return list
}

// readJSON reads a file of JSON data; "-" is standard input. role is what the
// file is for.
func readJSON(c *console, role, file string) (any, error) {
	var text []byte
	var err error
	name := file
	if file == "-" {
		name = "standard input"
		text, err = io.ReadAll(io.LimitReader(c.in, dsl.MaxJSONBytes+1))
	} else {
		text, err = readFile(role, file)
	}
	if trimmed := strings.TrimSpace(file); err != nil && (strings.HasPrefix(trimmed, "{") || strings.HasPrefix(trimmed, "[")) {
		return nil, fmt.Errorf("%s: JSON stands where the name of a file belongs; put it into a file, or send it to standard input and write -", role)
	}
	if err != nil {
		return nil, err
	}
	value, err := dsl.ParseJSON(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %s: %w", role, name, err)
	}
	return value, nil
}
