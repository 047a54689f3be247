package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sagad/sagad/dsl"
)

const testEnding = "_test.yaml"

// testFilesOf gives the test files that are named, those in the folders that are,
// and those beside the definitions that are.
func testFilesOf(args []string) ([]string, error) {
	var files []string
	for _, arg := range args {
		info, err := os.Stat(arg)
		if err != nil {
			return nil, unreadable("tests", arg, err)
		}
		var found []string
		switch {
		case info.IsDir():
			found, err = testsBelow(arg)
		case strings.HasSuffix(arg, testEnding):
			found = []string{arg}
		default:
			found, err = testsBeside(arg)
		}
		if err != nil {
			return nil, err
		}
		files = append(files, found...)
	}
	slices.Sort(files)
	return slices.Compact(files), nil
}

func testsBelow(folder string) ([]string, error) {
	files, err := filesBelow(folder, func(path string) (bool, error) { return strings.HasSuffix(path, testEnding), nil })
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("%s has no tests: no file in it ends in %s", folder, testEnding)
	}
	return files, err
}

// testsBeside gives the tests in the folder of a definition that are about it.
func testsBeside(file string) (files []string, err error) {
	saga, err := sagaOf(file)
	if err != nil {
		return nil, unreadable("tests", file, err)
	}
	if saga == "" { // perhaps it is no definition at all
		text, err := readFile("definition", file)
		if err != nil {
			return nil, err
		}
		if _, ds := dsl.Compile(dsl.Source{Name: file, Data: text}, dsl.Options{}); ds.HasErrors() {
			return nil, ds
		}
	}
	beside, err := filepath.Glob(filepath.Join(escapeGlob(filepath.Dir(file)), "*"+testEnding))
	if err != nil {
		return nil, err
	}
	for _, test := range beside {
		if about, err := sagaOf(test); err == nil && about == saga && saga != "" {
			files = append(files, test)
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s has no tests: no file beside it ends in %s and names its saga; `sagad new` writes one", file, testEnding)
	}
	return files, nil
}

var globEscapes = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`)

func escapeGlob(path string) string { return globEscapes.Replace(path) }
