// Command sagad runs sagas that are written in YAML: on Temporal, embedded or
// elsewhere, or within one process. See `sagad help`.
package main

import (
	"context"
	"os"
	_ "time/tzdata" // the IANA database, for machines that have none
)

func main() {
	console := terminal()
	root := newRoot(console)
	root.SetArgs(os.Args[1:])
	err := root.ExecuteContext(context.Background())
	os.Exit(console.fail(err))
}
