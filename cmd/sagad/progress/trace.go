package progress

import (
	"fmt"
	"unicode/utf8"
)

// maxTrace is how many characters of a trace are shown to people: about eight
// lines of a terminal.
const maxTrace = 640

// shortTrace gives a trace as people can read it: the beginning and the end of a
// long one, and in between how much is left out and where it is. A trace that is
// short is given back as it is.
func shortTrace(trace []string) []string {
	size := 0
	for _, item := range trace {
		size += width(item)
	}
	if size <= maxTrace {
		return trace
	}
	from, to, left := 0, len(trace), maxTrace
	for from < to {
		next := trace[from]
		if from > len(trace)-to { // the two ends grow together
			next = trace[to-1]
		}
		if left -= width(next); left < 0 {
			break
		}
		if from > len(trace)-to {
			to--
		} else {
			from++
		}
	}
	short := append([]string{}, trace[:from]...)
	short = append(short, fmt.Sprintf("(%d more; -o json has them all)", to-from))
	return append(short, trace[to:]...)
}

// width is how many characters an item takes, with the arrow behind it.
func width(item string) int { return utf8.RuneCountInString(item) + 3 }
