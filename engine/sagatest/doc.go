// Package sagatest runs the tests that stand beside definitions. Every case is a
// saga in virtual time whose activities are mocks: waits of days take no time, and
// the same file gives the same results everywhere.
//
// The matrix goes further than anybody writes down: from each case that completes
// it runs every step with every kind of fault, and checks the rules that hold
// whatever happens.
package sagatest
