package main

import (
	"fmt"
	"slices"
)

// report prints figures and their ratio to the first side's.
type report struct{ base map[string]float64 }

func (r *report) title(text string) {
	fmt.Printf("\n%s\n", text)
	r.base = map[string]float64{}
}

// figure prints one figure. The first side's is what the others are compared
// with; alone says that there is nothing to compare.
func (r *report) figure(side, name string, value float64, unit string, alone bool) {
	if alone {
		if _, known := r.base[name]; !known {
			r.base[name] = value
		}
		fmt.Printf("  %-28s %-24s %10.2f %s\n", side, name, value, unit)
		return
	}
	fmt.Printf("  %-28s %-24s %10.2f %-3s ratio %.3f\n", side, name, value, unit, value/r.base[name])
}

// rounds measures each side in turn, n times, and prints the medians and the
// median of the ratios within one round.
func (r *report) rounds(n int, sides []*side, name, unit string, measure func(*side) (float64, error)) error {
	values := make([][]float64, len(sides))
	ratios := make([][]float64, len(sides))
	for round := range n {
		one := make([]float64, len(sides))
		for k := range sides {
			i := (k + round) % len(sides) // nobody is always first
			value, err := measure(sides[i])
			if err != nil {
				return fmt.Errorf("%s, %s: %w", sides[i].name, name, err)
			}
			one[i] = value
		}
		for i := range sides {
			values[i] = append(values[i], one[i])
			ratios[i] = append(ratios[i], one[i]/one[0])
		}
	}
	for i, side := range sides {
		fmt.Printf("  %-28s %-10s %10.2f %-3s", side.name, name, median(values[i]), unit)
		if i > 0 {
			fmt.Printf(" ratio %.3f (%.3f to %.3f in %d rounds)", median(ratios[i]), slices.Min(ratios[i]), slices.Max(ratios[i]), n)
		}
		fmt.Println()
	}
	return nil
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}
