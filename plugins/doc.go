// Package plugins is what the author of a sagad plugin imports.
//
// A plugin is a program with activities that the steps of sagas call. An
// activity is a function over two Go types:
//
//	func hold(ctx context.Context, call plugins.Call, in HoldIn) (HoldOut, error)
//
//	func main() {
//		plugins.Serve(plugins.New("ledger", "1.0.0",
//			plugins.Activity("hold", hold, plugins.Errors("INSUFFICIENT_FUNDS")),
//		))
//	}
//
// and is called as "ledger.hold" in a definition. JSON Schemas of its input and
// output are derived from the types; lint checks definitions against them, and
// an input that breaks its schema is rejected before the function runs.
//
// # What an error means
//
// The engine must know whether an attempt may have had an effect.
//
//	nil          the action was applied
//	Reject       it certainly had no effect, now or later; it is not retried
//	Retry        nobody knows; it may be tried again (so is any other error, and a panic)
//	Permanent    nobody knows, and trying again is of no use
//
// Return [Reject] only before anything was written, or after the transaction
// that wrote it was given up.
//
// # Doing things once
//
// An attempt can be repeated, arrive late, or be overtaken by its own
// compensation. [Call.Key] is the same for every attempt of one operation: pass
// it on to services that take idempotency keys. For a database of your own, the
// package barrier does all of it in the transaction that does the work.
//
// # Schemas
//
// Names come from json tags. A field is required unless it is a pointer or says
// omitempty or omitzero; an optional field of an input may also be null. These
// tags add to a field's schema:
//
//	description:"text"        for people
//	sensitive:"true"          redacted in logs and results
//	enum:"a,b"                the values of a string or an integer
//	minimum:"1" maximum:"9"   of a number, inclusive
//	minLength:"1" maxLength:"35" pattern:"^[A-Z]+$"   of a string
//	minItems:"1" maxItems:"10"                        of a slice
//
// On a slice or a map, the tags about values hold for each element. Objects are
// closed: a property that no field takes is an error. Integers are at most
// 2^53-1 in size ([MaxInteger]), because other languages read them as doubles.
package plugins
