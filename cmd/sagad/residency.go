package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/sagad/sagad/dsl"
)

// tenantFiles reads the tenants beside definitions, each folder once: lint checks
// that sensitive data stays in their regions.
type tenantFiles struct {
	console *console
	only    string // the one tenant that matters; empty: all
	loaded  map[string][]dsl.Tenant
}

// of gives the tenants of the folder of definitions, none if it has none.
func (f *tenantFiles) of(folder string) ([]dsl.Tenant, error) {
	if tenants, ok := f.loaded[folder]; ok {
		return tenants, nil
	}
	names, err := f.names(filepath.Join(folder, tenantsFolder))
	if err != nil {
		return nil, err
	}
	var tenants []dsl.Tenant
	for _, file := range names {
		tenant, err := readTenantFile(file)
		switch {
		case err == nil:
			tenants = append(tenants, *tenant)
		case f.only != "":
			return nil, err
		default:
			f.console.note("%s cannot be used, so nothing is said of where the data of that tenant go; see `sagad lint %s`", shown(file), shown(file))
		}
	}
	if f.loaded == nil {
		f.loaded = make(map[string][]dsl.Tenant)
	}
	f.loaded[folder] = tenants
	return tenants, nil
}

// names gives the files of the tenants that matter.
func (f *tenantFiles) names(folder string) ([]string, error) {
	if f.only != "" {
		file := filepath.Join(folder, f.only+".yaml")
		if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("there is no tenant %s: %s is missing; write it, or name another with --tenant (%s)", f.only, shown(file), tenantsIn(folder))
		}
		return []string{file}, nil
	}
	return filepath.Glob(filepath.Join(folder, "*.yaml"))
}

// readTenantFile reads one tenant.
func readTenantFile(file string) (*dsl.Tenant, error) {
	text, err := readFile("tenant", file)
	if err != nil {
		return nil, err
	}
	tenant, diagnostics := dsl.ParseTenant(dsl.Source{Name: shown(file), Data: text}, knownZone)
	if tenant == nil {
		return nil, diagnostics
	}
	if want := strings.TrimSuffix(filepath.Base(file), ".yaml"); tenant.Name != want {
		return nil, fmt.Errorf("%s describes the tenant %s; a tenant's file has its name", shown(file), tenant.Name)
	}
	return tenant, nil
}
