// Command rails is the plugin process of the example rails service.
package main

import (
	"github.com/sagad/sagad/plugins"
	"github.com/sagad/sagad/plugins/examples/rails"
)

func main() { plugins.Serve(rails.New()) }
