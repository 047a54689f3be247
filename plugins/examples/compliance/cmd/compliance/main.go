// Command compliance is the plugin process of the example compliance service.
package main

import (
	"github.com/sagad/sagad/plugins"
	"github.com/sagad/sagad/plugins/examples/compliance"
)

func main() { plugins.Serve(compliance.New()) }
