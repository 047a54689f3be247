package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/sagad/sagad/dsl"
)

// manifestFile is what `sagad plugin list -o json` writes, kept beside
// definitions so that they can be checked without the plugins.
const manifestFile = "plugins.json"

// manifestFiles reads files of manifests, each once. The zero value is ready to
// use.
type manifestFiles struct {
	loaded   map[string][]dsl.Manifest
	catalogs map[*dsl.Manifest]*dsl.Catalog // by the first manifest
}

// catalog compiles manifests once.
func (f *manifestFiles) catalog(manifests []dsl.Manifest) *dsl.Catalog {
	var first *dsl.Manifest
	if len(manifests) > 0 {
		first = &manifests[0]
	}
	if f.catalogs[first] == nil {
		if f.catalogs == nil {
			f.catalogs = make(map[*dsl.Manifest]*dsl.Catalog)
		}
		f.catalogs[first] = dsl.NewCatalog(manifests)
	}
	return f.catalogs[first]
}

// near gives the manifests beside or above a file. found is false if there are
// none.
func (f *manifestFiles) near(file string) (manifests []dsl.Manifest, found bool, err error) {
	abs, err := filepath.Abs(file)
	if err != nil {
		return nil, false, err
	}
	for dir := filepath.Dir(abs); ; dir = filepath.Dir(dir) {
		m, err := f.load(filepath.Join(dir, manifestFile))
		if !errors.Is(err, fs.ErrNotExist) {
			return m, true, err
		}
		if dir == filepath.Dir(dir) {
			return []dsl.Manifest{}, false, nil
		}
	}
}

// load reads a file of manifests.
func (f *manifestFiles) load(file string) ([]dsl.Manifest, error) {
	if m, ok := f.loaded[file]; ok {
		return m, nil
	}
	text, err := readFile("manifests", file)
	if err != nil {
		return nil, err
	}
	var m []dsl.Manifest
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, fmt.Errorf("%s holds no manifests; write it with `sagad plugin list -o json`", file)
	}
	if f.loaded == nil {
		f.loaded = make(map[string][]dsl.Manifest)
	}
	f.loaded[file] = m
	return m, nil
}
