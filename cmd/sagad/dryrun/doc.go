// Package dryrun plays a saga in virtual time without calling anything, and takes
// down which way its input takes and what every expression on it gives.
package dryrun
