// Package host runs plugin processes for one tenant in one region and calls
// their activities.
//
// Each plugin is one process, started through go-plugin with gRPC over a Unix
// socket in a private directory, mutual TLS with keys made for that start, and
// an environment that holds nothing of the host's. It is the leader of its own
// process group, which is killed as a whole; on Linux the kernel kills the
// plugin when the host dies, elsewhere the plugin notices the end of its
// standard input.
//
// [Host.Invoke] makes one attempt and says which of the classes it ended in. It
// never retries: the engine owns retries. The host cuts an attempt off at its
// timeout whatever the plugin does. A process that dies is started again by the
// next call, at once the first time and then with growing pauses while it keeps
// dying; calls in such a pause are not sent. A circuit breaker for each plugin
// does the same for calls that only time out or break.
//
// What plugins write to their logs is passed on with the plugin's, the tenant's
// and the region's name, bounded in length and rate, and without the sensitive
// values of the calls under way.
package host
