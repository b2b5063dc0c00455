//go:build !unix

package server

import (
	"errors"
	"net"
)

// canHandOver says whether sockets can be handed from one process to another here.
const canHandOver = false

func sendSockets(*net.UnixConn, []byte, []*net.TCPListener) error {
	return errors.ErrUnsupported
}

func receivedSockets([]byte) ([]*net.TCPListener, error) { return nil, nil }
