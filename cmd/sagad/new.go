package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/sagad/sagad/cmd/sagad/starter"
	"github.com/sagad/sagad/dsl"
)

func newCommand(c *console) *cobra.Command {
	n := creator{console: c}
	cmd := &cobra.Command{
		Use:   "new NAME",
		Short: "Write a definition to start from, with its test",
		Long: `Write a definition to start from, with comments that explain it, and its test:
NAME.yaml and NAME_test.yaml. Both have no problems and pass. They call an
activity of the nearest ` + manifestFile + ` in or above the folder, or activities of the
example plugins. Files that are there are never overwritten.`,
		Example: `  sagad new transfer
  sagad new transfer --dir definitions/mine`,
		Args: needs("NAME"),
		RunE: func(_ *cobra.Command, args []string) error { return n.run(args[0]) },
	}
	cmd.Flags().StringVar(&n.dir, "dir", ".", "write into the folder `DIR`, which is made if it is not there")
	n.format = formatFlag(cmd)
	return cmd
}

// creator is one `sagad new`.
type creator struct {
	console *console
	format  *format
	dir     string
}

func (n *creator) run(name string) error {
	if !dsl.ValidSagaName(name) {
		return fmt.Errorf("%q cannot name a saga; write small letters and digits in words joined by hyphens, at most %d, such as money-transfer", name, dsl.MaxSagaName)
	}
	definition, test := filepath.Join(n.dir, name+".yaml"), filepath.Join(n.dir, name+testEnding)
	var files manifestFiles
	manifests, _, err := files.near(definition)
	if err != nil {
		return err
	}
	text, testText, err := starter.Write(name, manifests)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(n.dir, 0o777); err != nil {
		return fmt.Errorf("--dir: %w", err)
	}
	if err := writeNew(definition, schemaLine(definition, "saga.v1.json"), text); err != nil {
		return err
	}
	if err := writeNew(test, schemaLine(test, "test.v1.json"), testText); err != nil {
		_ = os.Remove(definition) // it was made a moment ago, and is of no use alone
		return err
	}
	if n.format.json() {
		return printJSON(n.console.out, map[string]string{"definition": definition, "test": test})
	}
	n.console.say("%s\n%s\n", definition, test)
	n.console.say("Next:")
	n.console.say("  sagad lint %s", definition)
	n.console.say("  sagad test %s", test)
	n.console.say("  sagad graph %s", definition)
	return nil
}

// writeNew writes a file that is not there yet.
func writeNew(file string, parts ...[]byte) (err error) {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already; take another name, or another folder with --dir", file)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	defer func() {
		if closing := f.Close(); err == nil {
			err = closing
		}
		if err != nil {
			_ = os.Remove(file) // half a file is worse than none
			err = fmt.Errorf("write %s: %w", file, err)
		}
	}()
	for _, part := range parts {
		if _, err := f.Write(part); err != nil {
			return err
		}
	}
	return nil
}

// schemaLine gives the line by which editors find the schema of a file, if there
// is a folder schemas with it in or above the file's folder.
func schemaLine(file, schema string) []byte {
	folder, err := filepath.Abs(filepath.Dir(file))
	if err != nil {
		return nil
	}
	for dir := folder; ; dir = filepath.Dir(dir) {
		at := filepath.Join(dir, "schemas", schema)
		if _, err := os.Stat(at); err == nil {
			relative, err := filepath.Rel(folder, at)
			if err != nil {
				return nil
			}
			return []byte("# yaml-language-server: $schema=" + filepath.ToSlash(relative) + "\n")
		}
		if dir == filepath.Dir(dir) {
			return nil
		}
	}
}
