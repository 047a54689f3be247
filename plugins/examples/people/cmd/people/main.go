// Command people is the plugin process of the example people service.
package main

import (
	"github.com/sagad/sagad/plugins"
	"github.com/sagad/sagad/plugins/examples/people"
)

func main() { plugins.Serve(people.New()) }
