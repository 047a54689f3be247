package plugins_test

import (
	"context"

	"github.com/sagad/sagad/plugins"
)

type TransferIn struct {
	From  string `json:"from" pattern:"^[A-Z]{2}[0-9]{2}" sensitive:"true"`
	Minor int    `json:"minor" minimum:"1" description:"amount in minor units"`
}

type TransferOut struct {
	Reference string `json:"reference"`
}

func transfer(_ context.Context, call plugins.Call, in TransferIn) (TransferOut, error) {
	if in.Minor > 1_000_000 {
		return TransferOut{}, plugins.Reject("LIMIT_EXCEEDED", "at most 10000.00 can be sent at once")
	}
	return TransferOut{Reference: call.Key}, nil // the same for every attempt
}

// A whole plugin. Definitions call its activity as bank.transfer.
func Example() {
	plugins.Serve(plugins.New("bank", "1.0.0",
		plugins.Activity("transfer", transfer,
			plugins.Describe("Send money to the settlement network."),
			plugins.Errors("LIMIT_EXCEEDED")),
	))
}
