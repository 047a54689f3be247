// Command ledger is the plugin process of the example ledger.
package main

import (
	"github.com/sagad/sagad/plugins"
	"github.com/sagad/sagad/plugins/examples/ledger"
)

func main() { plugins.Serve(ledger.New()) }
