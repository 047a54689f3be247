#!/bin/sh
# Regenerates plugin.pb.go and plugin_grpc.pb.go. Needs protoc on the PATH;
# the Go generators are fetched at the versions below.
set -eu
cd "$(dirname "$0")"
tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
GOBIN="$tools" go install google.golang.org/protobuf/cmd/protoc-gen-go@v1.36.11
GOBIN="$tools" go install google.golang.org/grpc/cmd/protoc-gen-go-grpc@v1.6.2
protoc --proto_path=. \
	--plugin="$tools/protoc-gen-go" --go_out=. --go_opt=paths=source_relative \
	--plugin="$tools/protoc-gen-go-grpc" --go-grpc_out=. --go-grpc_opt=paths=source_relative \
	plugin.proto
