// Package schemas holds the JSON Schemas that sagad publishes for editors and
// tools, and compiles the schemas that definitions and plugins bring along.
//
// It alone imports the JSON Schema library, and it closes what that library
// leaves open: formats are asserted, nothing is ever loaded from a file system
// or the network behind the caller's back, and what a value breaks is said in
// words, without repeating the value, which may be sensitive.
package schemas
