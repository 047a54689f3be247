// Package invariant knows what holds of every saga, whatever happens in it: it
// takes down what a saga, its children and their participants do, and names the
// rules that a run has broken. Whatever runs sagas under faults uses it: the
// suite, the reference model, the exploration of every order of events, and the
// matrix of `sagad test`.
package invariant
