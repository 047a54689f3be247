// Package graph draws plans: as a Mermaid flowchart, as DOT for Graphviz, and as
// an SVG that stands alone.
//
// All three render one Graph, which Of builds from a plan: lists of steps with
// their conditions, handlers and compensations, blocks with lanes, and the place
// of the point of no return. A Run laid over it shows how one saga stands. Like
// dsl, the package has no clock, no randomness and no I/O: the same plan and run
// give the same bytes.
package graph
