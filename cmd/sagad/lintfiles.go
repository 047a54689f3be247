package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sagad/sagad/dsl"
)

// filesOf gives the files that are named and those in the folders that are.
func (l *linter) filesOf(args []string) ([]string, error) {
	var files []string
	for _, arg := range args {
		info, err := os.Stat(arg)
		if err != nil {
			return nil, unreadable("definition", arg, err)
		}
		if !info.IsDir() {
			files = append(files, arg)
			continue
		}
		found, err := filesBelow(arg, func(path string) (bool, error) {
			if filepath.Ext(path) == ".yml" {
				l.console.note("%s is left out: names of definitions end in .yaml", path)
			}
			return filepath.Ext(path) == ".yaml", nil
		})
		if err != nil {
			return nil, err
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("%s has no .yaml files to check", arg)
		}
		files = append(files, found...)
	}
	slices.Sort(files)
	return slices.Compact(files), nil
}

// checkText checks a file as what it is by its name and its folder.
func (l *linter) checkText(s *settings, file string, text []byte) (dsl.Diagnostics, error) {
	src := dsl.Source{Name: file, Data: text}
	switch {
	case filepath.Base(filepath.Dir(file)) == tenantsFolder:
		return checkTenant(src), nil
	case filepath.Base(file) == defaultConfig:
		_, ds := dsl.ParseConfig(src)
		return ds, nil
	case strings.HasSuffix(file, testEnding):
		return l.checkTests(s, src)
	}
	manifests, err := l.manifestsFor(file)
	if err != nil {
		return nil, err
	}
	tenants, err := l.tenantsOf(s.library(file).root)
	if err != nil {
		return nil, err
	}
	_, ds := (&definition{file: file, text: text, catalog: l.catalog(manifests), tenants: tenants}).compile(s, manifests, false)
	return ds, nil
}

func checkTenant(src dsl.Source) dsl.Diagnostics {
	tenant, ds := dsl.ParseTenant(src, knownZone)
	if want := strings.TrimSuffix(filepath.Base(src.Name), filepath.Ext(src.Name)); tenant != nil && tenant.Name != want {
		ds = append(ds, dsl.Diagnostic{File: src.Name, Line: 1, Column: 1, EndLine: 1, EndColumn: 1, Severity: dsl.SeverityError,
			Code: dsl.CodeValue, Summary: "the file describes the tenant " + tenant.Name, Detail: "a tenant's file has its name"})
	}
	return ds
}

// checkTests checks tests by themselves and against the definition that they are
// about. What is wrong in the definition is said where it is checked itself.
func (l *linter) checkTests(s *settings, src dsl.Source) (dsl.Diagnostics, error) {
	tests, ds := dsl.ParseTests(src, os.DirFS(filepath.Dir(src.Name)))
	if tests == nil {
		return ds, nil
	}
	found, err := s.library(src.Name).Find(tests.Saga, src.Name)
	if err != nil {
		return append(ds, tests.NoDefinition(err)), nil
	}
	manifests, err := l.manifestsFor(found.Source.Name)
	if err != nil {
		return nil, err
	}
	plan, _ := (&definition{file: found.Source.Name, text: found.Source.Data, catalog: l.catalog(manifests)}).compile(s, manifests, false)
	if plan == nil {
		return ds, nil
	}
	return append(ds, tests.Check(plan, manifests)...), nil
}

// manifestsFor gives the manifests that were named, or else those beside or above
// a file.
func (l *linter) manifestsFor(file string) ([]dsl.Manifest, error) {
	if len(l.manifests) > 0 {
		return l.given, nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	manifests, found, err := l.files.near(file)
	l.blind = l.blind || !found && err == nil
	return manifests, err
}

func (l *linter) catalog(manifests []dsl.Manifest) *dsl.Catalog {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.files.catalog(manifests)
}

func (l *linter) tenantsOf(folder string) ([]dsl.Tenant, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.tenants.of(folder)
}
