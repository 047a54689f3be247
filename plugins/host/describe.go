package host

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"time"

	"github.com/sagad/sagad/plugins"
	"github.com/sagad/sagad/plugins/pluginpb"
)

// Limits of a plugin that is asked for its manifest.
const (
	describeTime = 10 * time.Second
	maxManifest  = 16 << 20 // bytes of JSON
)

// Describe asks a plugin's file what it offers, without serving it: it runs the
// file with the argument --manifest, as plugins built with plugins.Serve
// understand it, and an environment that holds only b.Env. Lint needs no more
// than this.
func Describe(ctx context.Context, b Binary) (plugins.Manifest, error) {
	m, err := describe(ctx, b)
	if err != nil {
		return plugins.Manifest{}, fmt.Errorf("plugin %s: %w", b.Name, err)
	}
	return m, nil
}

func describe(ctx context.Context, b Binary) (m plugins.Manifest, err error) {
	if err := b.check(); err != nil {
		return m, err
	}
	ctx, cancel := context.WithTimeout(ctx, describeTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, b.Path, "--manifest")
	cmd.Env = []string{} // nil would be the host's
	for _, name := range sortedNames(b.Env) {
		cmd.Env = append(cmd.Env, name+"="+b.Env[name])
	}
	out, said := &limited{}, &tail{}
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = out, said, pipeGrace
	if err := cmd.Run(); err != nil {
		return m, fmt.Errorf("running it with --manifest: %w%s", errors.Join(ctx.Err(), err), said)
	}
	if err := json.Unmarshal(out.Bytes(), &m); err != nil {
		return m, fmt.Errorf("run with --manifest it does not print a manifest: build it with plugins.Serve (%w)", err)
	}
	wire := &pluginpb.Manifest{Plugin: m.Plugin, Version: m.Version, Protocol: int32(m.Protocol)}
	for _, a := range m.Activities {
		wire.Activities = append(wire.Activities, &pluginpb.Activity{
			Name: a.Name, Description: a.Description, InputSchema: compact(a.Input), OutputSchema: compact(a.Output),
			Errors: a.Errors, SensitiveInput: a.Sensitive, SensitiveOutput: a.SensitiveOutput, Regions: a.Regions,
		})
	}
	return readManifest(wire, b.Name)
}

// compact takes out the white space that makes a printed manifest readable.
func compact(schema json.RawMessage) []byte {
	var b bytes.Buffer
	if err := json.Compact(&b, schema); err != nil {
		return schema // readManifest says what is wrong
	}
	return b.Bytes()
}

// limited keeps what is written to it, up to maxManifest.
type limited struct{ bytes.Buffer }

// Write implements io.Writer.
func (l *limited) Write(p []byte) (int, error) {
	if l.Len()+len(p) > maxManifest {
		return 0, fmt.Errorf("the manifest is over %d bytes", maxManifest)
	}
	return l.Buffer.Write(p)
}
