// Command shop is the plugin process of the example shop service.
package main

import (
	"github.com/sagad/sagad/plugins"
	"github.com/sagad/sagad/plugins/examples/shop"
)

func main() { plugins.Serve(shop.New()) }
