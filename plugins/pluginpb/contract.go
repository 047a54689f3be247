// Package pluginpb is the wire contract between a host and a plugin process:
// the protobuf service in plugin.proto, its generated code, and the constants
// both sides must agree on. Plugin authors in Go use package plugins instead;
// authors in other languages generate code from plugin.proto and serve it with
// the handshake described here.
//
// # Handshake
//
// The host starts the binary with an environment that holds only what follows
// and what its configuration adds. The plugin checks that the variable named
// [CookieKey] has the value [CookieValue], listens on a Unix socket inside the
// directory named by PLUGIN_UNIX_SOCKET_DIR, and writes one line to standard
// output:
//
//	1|1|unix|/path/of/the/socket|grpc|BASE64
//
// The fields are go-plugin's core protocol, [ProtocolVersion], the network, the
// address, the protocol, and the plugin's own self-signed certificate in DER,
// base64 without padding. PLUGIN_CLIENT_CERT holds the host's certificate in
// PEM; only it may connect. The service named "plugin" must be healthy under
// grpc.health.v1. Log lines go to standard error, best as JSON objects with
// "time", "level", "msg".
//
// When [StdinVariable] is "1", the end of standard input means that the host is
// gone: finish and exit.
package pluginpb

//go:generate ./generate.sh

const (
	// CookieKey and CookieValue tell a plugin that a host started it. They are
	// a courtesy to people who run the binary by hand, not a protection.
	CookieKey   = "SAGAD_PLUGIN"
	CookieValue = "6f2c1f0e-saga-plugin-v1"

	// ProtocolVersion is the version of this contract.
	ProtocolVersion = 1

	// Name is the service's name among go-plugin's plugins.
	Name = "saga"

	// StdinVariable is set to "1" by a host that holds the plugin's standard
	// input open for as long as it lives.
	StdinVariable = "SAGAD_PLUGIN_STDIN"
)

// Limits of one message. The host enforces them; the Go SDK keeps to them.
const (
	// MaxPayload bounds an activity's input and its output, in bytes of JSON.
	// Temporal refuses larger payloads.
	MaxPayload = 2 << 20

	// MaxMessage bounds one gRPC message: a payload and what travels with it.
	MaxMessage = MaxPayload + 256<<10

	// MaxDetails bounds the JSON of a heartbeat's details and of a log line's
	// attributes.
	MaxDetails = 64 << 10

	// MaxText bounds an error's or a log line's message, in bytes.
	MaxText = 8 << 10
)
