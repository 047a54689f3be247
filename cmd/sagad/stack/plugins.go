package stack

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/sagad/sagad/plugins/host"
)

// pluginData is the folder of the plugins' databases in a data directory.
const pluginData = "plugins"

// PluginData is the private directory of a plugin: it belongs to the plugin
// alone and is read by tests and tools that know it.
func PluginData(data, tenant, region, plugin string) string {
	return filepath.Join(data, pluginData, tenant, region, plugin)
}

// FindPlugins gives the plugins in a folder, by name: its executable files,
// each named by its file. A folder that does not exist has none.
func FindPlugins(dir string) ([]host.Binary, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("plugin folder: %w", err)
	}
	dir, err = filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("plugin folder: %w", err)
	}
	var found []host.Binary
	for _, entry := range entries { // sorted by name
		path := filepath.Join(dir, entry.Name())
		info, err := os.Stat(path) // a link counts as what it leads to
		if err != nil || !info.Mode().IsRegular() || info.Mode().Perm()&0o111 == 0 {
			continue
		}
		found = append(found, host.Binary{Name: entry.Name(), Path: path})
	}
	return found, nil
}

// StartPlugins starts the plugins of these names, or all there are if none is
// named. Doing it again does nothing.
func (s *Stack) StartPlugins(ctx context.Context, names ...string) error {
	if s.host != nil {
		return nil
	}
	found, err := FindPlugins(s.cfg.Plugins)
	if err != nil {
		return err
	}
	if len(names) > 0 {
		found = slices.DeleteFunc(found, func(b host.Binary) bool { return !slices.Contains(names, b.Name) })
	}
	if err := os.MkdirAll(s.cfg.Data, 0o700); err != nil {
		return fmt.Errorf("data directory: %w; make it writable for this user, or choose another with --data", err)
	}
	payloads := &payloads{}
	h, err := host.New(host.Config{
		Tenant: s.cfg.Tenant, Region: s.cfg.Region, Plugins: found,
		DataDir: filepath.Join(s.cfg.Data, pluginData), Logger: s.cfg.Logger, ValidateOutput: payloads.validate,
	})
	if err != nil {
		return err
	}
	if err := h.Start(ctx); err != nil {
		return err
	}
	s.host, s.invoker = h, &invoker{host: h, payloads: payloads}
	return payloads.read(h.Manifests())
}
