// Package dsl is the saga definition language: YAML with positions in, a
// checked and immutable Plan out, and every problem on the way as a Diagnostic
// that names its line and how to mend it.
//
// The package has no clock, no randomness and no I/O. It alone imports the
// YAML and the expression library, so that nothing else depends on how
// definitions are written.
package dsl
