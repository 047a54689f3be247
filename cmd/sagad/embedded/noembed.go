//go:build noembed

package embedded

import "context"

// Built tells whether this binary contains the Temporal server.
const Built = false

// Server stands for the embedded server that this build does not have.
type Server struct{}

// Start always fails with ErrNotBuilt.
func Start(context.Context, Config) (*Server, error) {
	return nil, &SetupError{
		Kind: ErrNotBuilt, Subject: "noembed",
		Problem: "this build has no embedded Temporal",
		Mend:    "use --temporal HOST:PORT",
	}
}

// Address is empty: no server runs.
func (*Server) Address() string { return "" }

// UIAddress is empty: no server runs.
func (*Server) UIAddress() string { return "" }

// Stop does nothing: no server runs.
func (*Server) Stop() {}
