// Command cards is the plugin process of the example cards service.
package main

import (
	"github.com/sagad/sagad/plugins"
	"github.com/sagad/sagad/plugins/examples/cards"
)

func main() { plugins.Serve(cards.New()) }
