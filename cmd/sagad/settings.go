package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sagad/sagad/cmd/sagad/embedded"
	"github.com/sagad/sagad/cmd/sagad/progress"
	"github.com/sagad/sagad/cmd/sagad/stack"
	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
)

// Defaults of the shared flags.
const (
	defaultConfig = "sagad.yaml"
	defaultData   = ".sagad"
	defaultTenant = "demo"
	defaultRegion = "local" // of a tenant without a file
	tenantsFolder = "tenants"
	pluginsFolder = "plugins"
)

// flagDefaults are what other commands use when they are told nothing.
var flagDefaults = map[string]string{"data": defaultData, "temporal": stack.Embedded}

// flags are what all commands that run something share.
type flags struct {
	cmd *cobra.Command

	config, data, temporal, definitions, plugins, tenant, region string
	verbose                                                      bool
	makesData                                                    bool // the command may make the data directory
}

func sharedFlags(cmd *cobra.Command) *flags {
	f := pluginFlags(cmd)
	set := cmd.Flags()
	set.StringVar(&f.data, "data", defaultData, "data `DIR`ectory of embedded Temporal and the plugins")
	set.StringVar(&f.temporal, "temporal", stack.Embedded, "embedded or `HOST:PORT`")
	return f
}

// pluginFlags are what a command needs that starts plugins and nothing else.
func pluginFlags(cmd *cobra.Command) *flags {
	f := configFlag(cmd)
	set := cmd.Flags()
	set.StringVar(&f.plugins, "plugins", "", "`DIR`ectory of the plugins' executables (default plugins, beside this program)")
	set.StringVar(&f.tenant, "tenant", defaultTenant, "`NAME` of the tenant")
	set.StringVar(&f.region, "region", "", "`NAME` of the region (default the tenant's first)")
	set.BoolVarP(&f.verbose, "verbose", "v", false, "write the logs of plugins and servers to standard error")
	return f
}

// configFlag is what a command needs that only reads definitions.
func configFlag(cmd *cobra.Command) *flags {
	f := &flags{cmd: cmd, data: defaultData, temporal: stack.Embedded, tenant: defaultTenant}
	cmd.Flags().StringVar(&f.config, "config", "", "configuration `FILE` (default "+defaultConfig+", if there is one)")
	cmd.Flags().StringVar(&f.definitions, "definitions", "", "`DIR`ectory of definitions and tenants (default definitions, or the one that holds FILE)")
	return f
}

// settings are the flags, the configuration and the tenant put together.
type settings struct {
	stack.Config
	definitions string
	public      map[string]any      // settings of the tenant, read as `tenant`
	again       string              // the flags that lead another command to the same sagas
	libraries   map[string]*library // by folder of definitions
}

// hint writes a command to be typed next.
func (s *settings) hint(words ...string) string {
	for i, word := range words {
		words[i] = progress.Quote(word)
	}
	return "sagad " + strings.Join(words, " ") + s.again
}

// target is where and for whom sagas are started.
func (s *settings) target() engine.Target {
	return engine.Target{Tenant: s.Tenant, Region: s.Region, Settings: s.public}
}

// open opens the stack of these settings.
func (s *settings) open(ctx context.Context) (*stack.Stack, error) { return stack.Open(ctx, s.Config) }

// resolve puts the settings together. file is the definition that the command
// is about, or empty: it helps to find the folder of the definitions.
func (f *flags) resolve(c *console, file string) (*settings, error) {
	config, base, err := f.readConfig()
	if err != nil {
		return nil, err
	}
	pick := func(flag, given, configured string) string {
		if f.cmd.Flags().Changed(flag) || configured == "" {
			return given
		}
		return configured
	}
	path := func(flag, given, configured string) string {
		if configured != "" && !filepath.IsAbs(configured) {
			configured = filepath.Join(base, configured)
		}
		return pick(flag, given, configured)
	}
	s := &settings{Config: stack.Config{
		Data: path("data", f.data, config.Data), Temporal: pick("temporal", f.temporal, config.Temporal),
		Namespace: config.Namespace, Search: config.Search, UIPort: embedded.NoUI, Logger: f.logger(c),
	}}
	if !dsl.ValidTemporal(s.Temporal) {
		return nil, fmt.Errorf("--temporal %q is no address of Temporal; %s", s.Temporal, dsl.AddressHint)
	}
	if s.definitions = f.definitionsFolder(config, base); s.definitions == "" {
		s.definitions = definitionsOf(file)
	}
	if s.Plugins = path("plugins", f.plugins, config.Plugins); s.Plugins == "" {
		s.Plugins = besideProgram()
	} else if info, err := os.Stat(s.Plugins); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("plugin folder: there is no folder %s; name the folder of the plugins' executables with --plugins", s.Plugins)
	}
	if err := f.checkData(s); err != nil {
		return nil, err
	}
	for _, flag := range []string{"config", "data", "temporal"} {
		if set := f.cmd.Flags().Lookup(flag); set != nil && set.Value.String() != "" && (set.Changed || set.Value.String() != flagDefaults[flag]) {
			s.again += " --" + flag + " " + progress.Quote(set.Value.String())
		}
	}
	return s, f.readTenant(s, pick("tenant", f.tenant, config.Tenant), pick("region", f.region, config.Region))
}

// checkData refuses a data directory that was mistyped. Only a command that puts
// something into it may name one that does not exist yet.
func (f *flags) checkData(s *settings) error {
	switch info, err := os.Stat(s.Data); {
	case s.Data == "":
		return errors.New("--data is empty; name a folder, or leave it out for " + defaultData)
	case err == nil && !info.IsDir():
		return fmt.Errorf("the data directory %s is a file; name a folder with --data", s.Data)
	case f.makesData || s.Temporal != stack.Embedded || !f.cmd.Flags().Changed("data"):
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("the data directory %s does not exist, so nothing has run on it; name the one that was used with --data", s.Data)
	}
	return nil
}

// checking gives the settings of a command that only reads definitions.
func (f *flags) checking() (*settings, error) {
	config, base, err := f.readConfig()
	if err != nil {
		return nil, err
	}
	s := &settings{definitions: f.definitionsFolder(config, base)}
	s.Search = config.Search
	return s, nil
}

// definitionsFolder gives the folder of definitions that the flag or the
// configuration names, or "".
func (f *flags) definitionsFolder(config *dsl.Config, base string) string {
	switch {
	case f.cmd.Flags().Changed("definitions") || config.Definitions == "":
		return f.definitions
	case filepath.IsAbs(config.Definitions):
		return config.Definitions
	default:
		return filepath.Join(base, config.Definitions)
	}
}

// logger writes to standard error when asked to, and otherwise nothing.
func (f *flags) logger(c *console) *slog.Logger {
	if f.verbose {
		return slog.New(slog.NewTextHandler(c.err, &slog.HandlerOptions{Level: slog.LevelInfo}))
	}
	return slog.New(slog.DiscardHandler)
}

// readConfig reads the configuration file and gives its folder.
func (f *flags) readConfig() (*dsl.Config, string, error) {
	name := f.config
	if name == "" {
		name = defaultConfig
	}
	data, err := readFile("configuration", name)
	if errors.Is(err, fs.ErrNotExist) && f.config == "" {
		return &dsl.Config{}, "", nil
	}
	if err != nil {
		return nil, "", err
	}
	config, diagnostics := dsl.ParseConfig(dsl.Source{Name: name, Data: data})
	if config == nil {
		return nil, "", diagnostics
	}
	return config, filepath.Dir(name), nil
}

// readTenant reads the tenant's file and chooses the region. The tenant that is
// there by default needs no file.
func (f *flags) readTenant(s *settings, name, region string) error {
	for flag, value := range map[string]string{"tenant": name, "region": region} {
		if !dsl.ValidTenantName(value) && (flag == "tenant" || value != "") {
			return fmt.Errorf("--%s %q cannot name a %s; write small letters, digits and hyphens", flag, value, flag)
		}
	}
	s.Tenant, s.Region = name, region
	folder := filepath.Join(s.definitions, tenantsFolder)
	file := filepath.Join(folder, name+".yaml")
	data, err := readFile("tenant "+name, file)
	if errors.Is(err, fs.ErrNotExist) && name == defaultTenant {
		if s.Region == "" {
			s.Region = defaultRegion
		}
		return nil
	}
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no tenant %s: %s is missing; write it, or name another with --tenant (%s)", name, file, tenantsIn(folder))
	}
	if err != nil {
		return err
	}
	tenant, diagnostics := dsl.ParseTenant(dsl.Source{Name: file, Data: data}, knownZone)
	if tenant == nil {
		return diagnostics
	}
	if tenant.Name != name {
		return fmt.Errorf("%s describes the tenant %s; a tenant's file has its name", file, tenant.Name)
	}
	s.public = tenant.Settings()
	if s.Region == "" {
		s.Region = tenant.Regions[0]
	}
	for _, r := range tenant.Regions {
		if r == s.Region {
			return nil
		}
	}
	return fmt.Errorf("tenant %s has no region %s; it has %s", name, s.Region, strings.Join(tenant.Regions, ", "))
}

func knownZone(name string) bool {
	_, err := time.LoadLocation(name)
	return err == nil
}

func tenantsIn(folder string) string {
	names, _ := filepath.Glob(filepath.Join(folder, "*.yaml")) // the pattern is well formed
	if len(names) == 0 {
		return folder + " has none"
	}
	for i, name := range names {
		names[i] = strings.TrimSuffix(filepath.Base(name), ".yaml")
	}
	return "there are " + strings.Join(names, ", ")
}

// definitionsOf gives the folder of definitions around a file: the nearest one
// above it that has tenants.
func definitionsOf(file string) string {
	const usual = "definitions"
	if file == "" {
		return usual
	}
	abs, err := filepath.Abs(file)
	if err != nil {
		return usual
	}
	for dir := filepath.Dir(abs); ; dir = filepath.Dir(dir) {
		if info, err := os.Stat(filepath.Join(dir, tenantsFolder)); err == nil && info.IsDir() {
			return dir
		}
		if dir == filepath.Dir(dir) {
			return usual
		}
	}
}

// besideProgram gives the folder of plugins beside this executable.
func besideProgram() string {
	program, err := os.Executable()
	if err != nil {
		return pluginsFolder
	}
	if real, err := filepath.EvalSymlinks(program); err == nil {
		program = real
	}
	return filepath.Join(filepath.Dir(program), pluginsFolder)
}

// passing makes a data directory inside the data directory, for a saga that is
// not remembered: what its plugins keep is gone with it. forget removes it.
func (s *settings) passing() (forget func(), err error) {
	err = os.MkdirAll(s.Data, 0o700)
	if err == nil {
		s.Data, err = os.MkdirTemp(s.Data, "local-")
	}
	if err == nil {
		dir := s.Data
		return func() { _ = os.RemoveAll(dir) }, nil
	}
	return nil, fmt.Errorf("data directory: %w; make it writable for this user, or choose another with --data", err)
}
