package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/sagad/sagad/cmd/sagad/embedded"
	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
)

// release is the version of this build. It is set with -ldflags -X.
var release = "dev"

// versions is what a build is made of.
type versions struct {
	Version   string `json:"version"`
	Revision  string `json:"revision,omitempty"` // of the source, with "+changes" if it was changed
	Go        string `json:"go"`
	Platform  string `json:"platform"`
	Temporal  string `json:"temporal"` // of the embedded server, or none
	Language  int    `json:"language"`
	Semantics int    `json:"semantics"`
}

func versionCommand(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version and what it is made of",
		Example: `  sagad version
  sagad version -o json`,
		Args: needs(),
	}
	out := formatFlag(cmd)
	cmd.RunE = func(*cobra.Command, []string) error {
		v := readVersions()
		if out.json() {
			return printJSON(c.out, v)
		}
		if v.Revision != "" {
			v.Version += " (" + v.Revision + ")"
		}
		c.say("sagad      %s", v.Version)
		c.say("go         %s %s", v.Go, v.Platform)
		c.say("temporal   %s", v.Temporal)
		c.say("language   %d", v.Language)
		c.say("semantics  %d", v.Semantics)
		return nil
	}
	return cmd
}

func readVersions() versions {
	v := versions{
		Version: release, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH,
		Temporal: "none", Language: dsl.LanguageVersion, Semantics: engine.SemanticsVersion,
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	for _, setting := range info.Settings {
		switch {
		case setting.Key == "vcs.revision":
			v.Revision = setting.Value + v.Revision
		case setting.Key == "vcs.modified" && setting.Value == "true":
			v.Revision += "+changes"
		}
	}
	for _, dep := range info.Deps {
		if embedded.Built && dep.Path == "go.temporal.io/server" {
			v.Temporal = fmt.Sprintf("server %s, embedded", dep.Version)
		}
	}
	return v
}
