package plugins

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
)

// namePattern is the shape of a plugin's and an activity's name, as the
// definition language reads them.
var namePattern = regexp.MustCompile(`^[a-z][A-Za-z0-9_-]{0,62}$`)

// Plugin is a set of activities under one name. Make one with [New], add
// [Plugin.OnStart] and [Plugin.OnStop] before it is served, and do not change
// it afterwards.
type Plugin struct {
	name, version string
	order         []Definition
	byName        map[string]Definition // with the prefix
	start         []func(context.Context, Env) error
	stop          []func(context.Context) error
	err           error
}

// Env is where a plugin process runs. One process serves one tenant in one
// region.
type Env struct {
	// DataDir is the absolute path of an existing directory that is private to
	// this plugin for this tenant and region, and is kept across restarts.
	DataDir string
	Tenant  string
	Region  string
	// Logger writes to the host's log, outside any call.
	Logger *slog.Logger
}

// New makes a plugin of activities made with [Activity]. The name is the prefix
// of the activities' names in definitions: New("ledger", ...) with
// Activity("hold", ...) is called as ledger.hold. Names are a lower-case letter
// and then letters, digits, '_' and '-'. A mistake in a name or a type is found
// in [Plugin.Err], and Serve ends with it.
func New(name, version string, activities ...Definition) *Plugin {
	p := &Plugin{name: name, version: version, byName: make(map[string]Definition)}
	if !namePattern.MatchString(name) {
		p.fault("plugin name %q: want a lower-case letter and then letters, digits, '_' or '-'", name)
	}
	if len(activities) == 0 {
		p.fault("plugin %s has no activities: give New at least one", name)
	}
	for _, d := range activities {
		p.add(d)
	}
	return p
}

func (p *Plugin) add(d Definition) {
	full := p.name + "." + d.name
	if d.err != nil {
		p.fault("activity %s: %w", full, d.err)
	}
	if !namePattern.MatchString(d.name) {
		p.fault("activity name %q: want a lower-case letter and then letters, digits, '_' or '-', without the plugin's name", d.name)
	}
	if _, twice := p.byName[full]; twice {
		p.fault("activity %s is defined twice", full)
	}
	p.byName[full] = d
	p.order = append(p.order, d)
}

func (p *Plugin) fault(format string, args ...any) {
	p.err = errors.Join(p.err, fmt.Errorf(format, args...))
}

// Err returns every mistake in how p was made, joined, or nil.
func (p *Plugin) Err() error { return p.err }

// OnStart adds a function that runs once before the first call, in the order
// they were added: open databases here. If one fails the plugin does not start,
// and the error is what the operator reads. It returns p.
func (p *Plugin) OnStart(fn func(ctx context.Context, env Env) error) *Plugin {
	p.start = append(p.start, fn)
	return p
}

// OnStop adds a function that runs once after the last call has ended, in
// reverse order: close databases here. It does not run when the process is
// killed. It returns p.
func (p *Plugin) OnStop(fn func(ctx context.Context) error) *Plugin {
	p.stop = append(p.stop, fn)
	return p
}
