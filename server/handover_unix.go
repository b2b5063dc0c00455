//go:build unix

package server

import (
	"errors"
	"net"
	"os"
	"syscall"
)

// canHandOver says whether sockets can be handed from one process to another here.
const canHandOver = true

// sendSockets writes the line, with the sockets beside it.
func sendSockets(conn *net.UnixConn, line []byte, sockets []*net.TCPListener) error {
	var files []*os.File
	var fds []int
	defer func() {
		for _, f := range files {
			_ = f.Close() // the other process has its own
		}
	}()
	for _, l := range sockets {
		f, err := l.File()
		if err != nil {
			return err
		}
		files = append(files, f)
		raw, err := f.SyscallConn()
		if err != nil {
			return err
		}
		// Not Fd: it has every copy of the socket block.
		if err := raw.Control(func(fd uintptr) { fds = append(fds, int(fd)) }); err != nil {
			return err
		}
	}
	var rights []byte
	if len(fds) > 0 {
		rights = syscall.UnixRights(fds...)
	}
	n, _, err := conn.WriteMsgUnix(line, rights, nil)
	if err == nil && n < len(line) {
		err = errors.New("the message was cut")
	}
	return err
}

// receivedSockets are those that came beside a message.
func receivedSockets(oob []byte) (sockets []*net.TCPListener, err error) {
	if len(oob) == 0 {
		return nil, nil
	}
	messages, err := syscall.ParseSocketControlMessage(oob)
	if err != nil {
		return nil, err
	}
	for _, m := range messages {
		fds, err := syscall.ParseUnixRights(&m)
		if err != nil {
			return sockets, err
		}
		for _, fd := range fds {
			f := os.NewFile(uintptr(fd), "socket")
			l, listenErr := listenerOf(f)
			err = errors.Join(err, listenErr, f.Close())
			if l != nil {
				sockets = append(sockets, l)
			}
		}
		if err != nil {
			return sockets, err
		}
	}
	return sockets, nil
}
