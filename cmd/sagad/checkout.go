package main

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/sagad/sagad/dsl"
)

// maxCheckout is how many bytes of a folder of definitions are taken from git:
// more is a folder that holds something else.
const maxCheckout = 256 << 20

// revision is a folder of definitions as it was at a revision.
type revision struct {
	folder string
	file   string // the file that was asked for
}

// forget removes the folder.
func (r *revision) forget() { _ = os.RemoveAll(r.folder) }

// checkout gives a file as it was at a revision of its git repository, with all
// of its folder of definitions around it: schemas and child sagas are those of
// the revision, too.
func checkout(s *settings, file, rev string) (*revision, error) {
	if strings.HasPrefix(rev, "-") {
		return nil, fmt.Errorf("--git %q is no revision", rev)
	}
	root, inside, err := within(s, file)
	if err != nil {
		return nil, err
	}
	archive, err := gitArchive(root, rev)
	if err != nil {
		return nil, fmt.Errorf("%s at %s: %w", file, rev, err)
	}
	temp, err := os.MkdirTemp("", "sagad-diff-")
	if err != nil {
		return nil, err
	}
	r := &revision{folder: temp, file: filepath.Join(temp, inside)}
	if err := unpack(archive, temp); err != nil {
		r.forget()
		return nil, fmt.Errorf("%s at %s: %w", file, rev, err)
	}
	if _, err := os.Stat(r.file); err != nil {
		r.forget()
		return nil, fmt.Errorf("%s was not there at the revision %s", file, rev)
	}
	return r, nil
}

// within gives the folder of definitions that a file is in, and its path there.
func within(s *settings, file string) (root, inside string, err error) {
	abs, err := filepath.Abs(file)
	if err != nil {
		return "", "", err
	}
	if abs, err = filepath.EvalSymlinks(abs); err != nil {
		return "", "", unreadable("definition", file, err)
	}
	for _, root := range []string{s.definitions, definitionsOf(abs)} {
		if root == "" {
			continue
		}
		folder, err := filepath.Abs(root)
		if err == nil {
			folder, err = filepath.EvalSymlinks(folder)
		}
		if err != nil { // it is not there
			continue
		}
		if inside, err := filepath.Rel(folder, abs); err == nil && filepath.IsLocal(inside) {
			return folder, inside, nil
		}
	}
	return filepath.Dir(abs), filepath.Base(abs), nil
}

// gitArchive gives a folder at a revision as a tar archive.
func gitArchive(folder, rev string) (io.Reader, error) {
	git := exec.Command("git", "-C", folder, "archive", "--format=tar", rev, "--", ".")
	var out, problems bytes.Buffer
	git.Stdout, git.Stderr = &out, &problems
	switch err := git.Run(); {
	case errors.Is(err, exec.ErrNotFound):
		return nil, errors.New("git is not installed")
	case err != nil:
		return nil, fmt.Errorf("git: %s", firstLine(strings.TrimPrefix(problems.String(), "fatal: ")))
	}
	return &out, nil
}

// unpack writes the YAML and JSON files of an archive into a folder.
func unpack(archive io.Reader, folder string) error {
	files := tar.NewReader(archive)
	for left := int64(maxCheckout); ; {
		h, err := files.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case h.Typeflag != tar.TypeReg || !filepath.IsLocal(h.Name) || h.Size > dsl.MaxSourceBytes || filepath.Ext(h.Name) != ".yaml" && filepath.Ext(h.Name) != ".json":
			continue
		}
		if left -= h.Size; left < 0 {
			return fmt.Errorf("its folder of definitions has over %d bytes", maxCheckout)
		}
		name := filepath.Join(folder, filepath.FromSlash(h.Name))
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			return err
		}
		text, err := io.ReadAll(files)
		if err != nil {
			return err
		}
		if err := os.WriteFile(name, text, 0o600); err != nil {
			return err
		}
	}
}
