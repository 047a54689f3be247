package dsl

import (
	"fmt"
	"strings"
)

// Suggest returns the candidate that s was most likely meant to be, or "" if
// none is near: at most a third of its letters may differ. Of equally near
// ones the first wins.
func Suggest(s string, candidates []string) string {
	best, bestDistance := "", len(s)/3+1
	for _, c := range candidates {
		if strings.EqualFold(s, c) && s != c {
			return c
		}
		if d := editDistance(s, c, bestDistance); d <= bestDistance && (best == "" || d < bestDistance) && d < max(len(s), len(c)) {
			best, bestDistance = c, d
		}
	}
	return best
}

// didYouMean is Suggest as the end of a sentence, with what to say if there is
// nothing to suggest.
func didYouMean(s string, candidates []string, otherwise string) string {
	if c := Suggest(s, candidates); c != "" {
		return fmt.Sprintf("did you mean %q?", c)
	}
	return otherwise
}

// editDistance is the number of letters to insert, delete, replace or swap
// with their neighbour to turn a into b. It gives up with limit+1.
func editDistance(a, b string, limit int) int {
	if len(a)-len(b) > limit || len(b)-len(a) > limit || len(a) > 200 {
		return limit + 1
	}
	before, last, now := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		now[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			now[j] = min(now[j-1]+1, last[j]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				now[j] = min(now[j], before[j-2]+1)
			}
		}
		before, last, now = last, now, before
	}
	return last[len(b)]
}

// orList writes the names as alternatives: a, b or c.
func orList(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}
