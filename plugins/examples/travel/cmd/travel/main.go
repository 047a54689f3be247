// Command travel is the plugin process of the example travel service.
package main

import (
	"github.com/sagad/sagad/plugins"
	"github.com/sagad/sagad/plugins/examples/travel"
)

func main() { plugins.Serve(travel.New()) }
