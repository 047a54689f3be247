// Command noop is a plugin whose activities do nothing, for benchmarks.
package main

import (
	"context"

	"github.com/sagad/sagad/plugins"
)

type in struct {
	N int `json:"n"`
}

type out struct {
	OK bool `json:"ok"`
}

func main() {
	var activities []plugins.Definition
	for _, name := range []string{"one", "two", "three", "four", "five", "undoOne", "undoTwo"} {
		activities = append(activities, plugins.Activity(name, func(context.Context, plugins.Call, in) (out, error) {
			return out{OK: true}, nil
		}))
	}
	plugins.Serve(plugins.New("noop", "1.0.0", activities...))
}
