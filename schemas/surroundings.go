package schemas

import _ "embed"

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
