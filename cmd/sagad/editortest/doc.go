// Package editortest holds the tests of the published schemas with the tools
// that read them: ajv, a second JSON Schema validator, and yaml-language-server,
// which completes and checks in editors. Both run on Node; `make node-modules`
// installs them.
package editortest
