// Package model is a second interpreter of sagas, which the machine is compared
// with. It is written to be believed, not to be fast: it reads like the rules.
//
// Each branch of a saga is a coroutine (strand) that runs steps one after the
// other and simply waits where a saga waits: a call is a loop of attempts, a
// catch an `if`, a parallel block a fork and a join, a compensation a function
// that is called in reverse order. Time is virtual. There are no states to
// restore, no events to dispatch and nothing that could be resumed after a
// crash: all that the machine has, and this has not.
//
// Nothing here is taken from the machine but plain data: plans, outcomes, and
// the names of states. Rules are cited as S1 to S28; docs/semantics.md states
// them.
//
// TestModel draws definitions and scripts, runs machine and model on them and
// compares what came of it. A case that differs is shrunk and written to
// testdata/failures as a definition and a script, which TestModel runs again
// with -replay.
package model
