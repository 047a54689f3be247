// Command fx is the plugin process of the example fx service.
package main

import (
	"github.com/sagad/sagad/plugins"
	"github.com/sagad/sagad/plugins/examples/fx"
)

func main() { plugins.Serve(fx.New()) }
