// Package enginetest is the conformance suite of the engine: cases that every
// runtime must pass, a world that answers calls by a script and keeps account
// of effects, and the invariants that hold in every run whatever happens.
//
// A case gives a definition, what the participants answer, what comes from
// outside, and what the rules of the engine make of it. Times are short enough
// for a runtime that really waits, and far enough apart for their order to be
// certain on a slow machine.
package enginetest
