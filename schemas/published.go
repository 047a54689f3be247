package schemas

import _ "embed"

// Saga is the JSON Schema of saga definitions (language version 1), for
// editors and for tools that write definitions. It takes every definition that
// the compiler's reading takes, and knows nothing of what only the compiler
// can know: types, references, the order of steps.
//
//go:embed saga.v1.json
var Saga []byte

// Test is the JSON Schema of the tests beside definitions.
//
//go:embed test.v1.json
var Test []byte

// Tenant is the JSON Schema of tenants' files. It takes what the language's own
// reading takes, except that it knows the form of countries and time zones but
// not their names.
//
//go:embed tenant.v1.json
var Tenant []byte

// Config is the JSON Schema of configuration files.
//
//go:embed config.v1.json
var Config []byte

// Published is a schema that sagad publishes.
type Published struct {
	Name  string // what it describes, in a word
	File  string // how its file is called
	For   string // which files it describes
	Bytes []byte // nobody changes them
}

// All gives every schema that is published, the most used first.
func All() []Published {
	return []Published{
		{"saga", "saga.v1.json", "definitions", Saga},
		{"test", "test.v1.json", "tests beside definitions, *_test.yaml", Test},
		{"tenant", "tenant.v1.json", "tenants, tenants/*.yaml", Tenant},
		{"config", "config.v1.json", "the configuration, sagad.yaml", Config},
	}
}
