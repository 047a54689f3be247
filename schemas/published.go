package schemas

import _ "embed"

// Saga is the JSON Schema of saga definitions (language version 1), for
// editors and for tools that write definitions. It takes every definition that
// the compiler's reading takes, and knows nothing of what only the compiler
// can know: types, references, the order of steps.
//
//go:embed saga.v1.json
var Saga []byte
