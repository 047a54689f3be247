// Package engine is the saga machine: a pure function of a plan, an input and
// the events of one saga.
//
// A Machine takes one Event at a time and answers with the Commands that
// follow from it. It never waits, calls, reads a clock or draws a random
// number, so the same events always give the same commands (S24). A Runtime
// carries the commands out and turns what happens into events; Run joins the
// two. Package engine/temporal is the durable runtime, package engine/local the
// one without a server.
//
// Rules are cited as S1 to S28; docs/semantics.md states them.
package engine
