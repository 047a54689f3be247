package dryrun

import (
	"io"

	"github.com/sagad/sagad/cmd/sagad/progress"
)

// Print writes a report for people.
func Print(w io.Writer, style progress.Style, r Report) {}
