// Package grpcenv sets what of grpc-go only the environment can. It must be initialised before grpc-go is, which reads it then, so it imports
// nothing but os: Go initialises packages that need nothing more in the order of their paths.
package grpcenv

import "os"

// throttleLimit names how many answers that gRPC gives by itself, to malformed calls, pings and settings, may wait for a client before nothing more is read from
// it. Each can hold some 20 KB, and the default is 10,000. Much less would have REST's connection inside the process wait for itself when both ends are busy.
const throttleLimit = "GRPC_GO_EXPERIMENTAL_CONTROL_BUFFER_THROTTLE_LIMIT"

func init() {
	if os.Getenv(throttleLimit) == "" {
		_ = os.Setenv(throttleLimit, "1000") // it fails for impossible names alone
	}
}
