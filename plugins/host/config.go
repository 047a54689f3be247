package host

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/sagad/sagad/plugins/pluginpb"
)

// MaxPayload bounds an activity's input and its output, in bytes of JSON.
const MaxPayload = pluginpb.MaxPayload

// DefaultTimeout bounds an attempt whose request names no timeout.
const DefaultTimeout = 30 * time.Second

// Config is what a host is made of. It must not change after New.
type Config struct {
	// Tenant and Region name whom the processes serve. Both are required, and
	// are one path element each.
	Tenant, Region string

	// Plugins are the binaries to run; names must differ.
	Plugins []Binary

	// DataDir holds the plugins' private directories,
	// DataDir/TENANT/REGION/PLUGIN. It is created if it is missing. Required.
	DataDir string

	// Logger receives the host's own lines and the plugins'. Nil discards them.
	Logger *slog.Logger

	// Middleware wraps every call, the first outermost; it sees calls that are
	// then refused by the host itself, and the outcome as the caller gets it.
	Middleware []Middleware

	// ValidateOutput checks the output of an activity that was applied against
	// its manifest's schema. An error makes the outcome INVALID_OUTPUT, with the
	// error's text. Nil accepts every output. It is called concurrently.
	ValidateOutput func(activity string, output json.RawMessage) error

	// StartTimeout bounds the start of one process up to its being configured.
	// Zero means 20 seconds.
	StartTimeout time.Duration

	// MaxMessage bounds a gRPC message from a plugin, in bytes. Zero means 8 MB.
	// It should be well above MaxPayload, so that an output that is too large
	// can still be told from a broken connection.
	MaxMessage int
}

// Binary is a plugin's executable.
type Binary struct {
	// Name is the plugin's name: the prefix of its activities.
	Name string
	// Path is the executable file.
	Path string
	// Env is added to the process's environment, which holds nothing else of
	// the host's. It is for settings; what it holds can be read by every
	// process of the same user.
	Env map[string]string
}

const (
	defaultStartTimeout = 20 * time.Second
	defaultMaxMessage   = 8 << 20
)

func (c *Config) complete() error {
	var errs []error
	for _, part := range []struct{ name, value string }{{"Tenant", c.Tenant}, {"Region", c.Region}} {
		if part.value == "" || !filepath.IsLocal(part.value) || filepath.Base(part.value) != part.value {
			errs = append(errs, fmt.Errorf("%s %q cannot name a directory: use letters, digits, '-' and '_'", part.name, part.value))
		}
	}
	if c.DataDir == "" {
		errs = append(errs, errors.New("DataDir is empty: name a directory for the plugins' data"))
	}
	seen := map[string]bool{}
	for _, b := range c.Plugins {
		if seen[b.Name] {
			errs = append(errs, fmt.Errorf("plugin %s is configured twice: remove one, or give it another name", b.Name))
		}
		seen[b.Name] = true
		if b.Name == "" || filepath.Base(b.Name) != b.Name {
			errs = append(errs, fmt.Errorf("plugin name %q cannot name a directory: use the name the plugin gives itself", b.Name))
		}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.StartTimeout == 0 {
		c.StartTimeout = defaultStartTimeout
	}
	if c.MaxMessage == 0 {
		c.MaxMessage = defaultMaxMessage
	}
	return errors.Join(errs...)
}

// check says what is wrong with the file before the kernel does, in words that
// help.
func (b Binary) check() error {
	info, err := os.Stat(b.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no file %s: build the plugin, or correct its path", b.Path)
	case err != nil:
		return fmt.Errorf("reading the file: %w", err)
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is not a file: name the plugin's executable", b.Path)
	case info.Mode().Perm()&0o111 == 0:
		return fmt.Errorf("%s is not executable: chmod +x it, or name the built binary instead of its source", b.Path)
	}
	return nil
}
