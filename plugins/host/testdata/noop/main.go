// Noop is a plugin whose activity does nothing, for measuring what is around it.
package main

import (
	"context"

	"github.com/sagad/sagad/plugins"
)

func do(context.Context, plugins.Call, struct{}) (struct{}, error) { return struct{}{}, nil }

func main() { plugins.Serve(plugins.New("noop", "1.0.0", plugins.Activity("do", do))) }
