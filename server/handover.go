package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// A gateway that runs hands its sockets, and then its log, over to one that is started with TakeOver. They talk over a socket in the data directory, which
// is their user's alone, in lines of JSON:
//
//	successor    take-over   may I have your sockets?
//	predecessor  sockets     here they are; I go on serving
//	successor    ready       my configuration is good, I listen where I am to, I need nothing more but the log
//	predecessor  closed      it is yours; I have sent the readers away, and answered every post that I accepted
//	successor    serving     you can go
//
// Only one process can have the log. Between closed and serving nobody has it: who connects waits in the sockets, which either of them keeps listening.
// If the successor fails before ready, nothing has happened. If it fails afterwards, the predecessor takes the log back and serves again. Whom the lock of
// the log belongs to decides whenever they do not hear of each other any more.
type message struct {
	Step string `json:"step"`
	// Version is of this protocol, in take-over and sockets.
	Version int `json:"version,omitempty"`
	// Sockets are those that come with the message, in its order.
	Sockets []handedSocket `json:"sockets,omitempty"`
	// Why says why there are no sockets.
	Why string `json:"why,omitempty"`
}

// handedSocket is a socket as its owner's configuration has it.
type handedSocket struct {
	Name    string `json:"name"`
	Address string `json:"address"`
}

const (
	stepTakeOver = "take-over"
	stepSockets  = "sockets"
	stepReady    = "ready"
	stepClosed   = "closed"
	stepServing  = "serving"

	handOverVersion = 1
	// handOverSocket is its file in the data directory.
	handOverSocket = "take-over.sock"
	// answerWithin is how long one waits for the other where that has nothing to do but answer; successorWithin how long a successor may take to look
	// at its configuration and bind what is new, or to open the log.
	answerWithin    = 5 * time.Second
	successorWithin = 10 * time.Second
	// restWithin is how long a handing over waits for the log's compactions while everything is served as ever.
	restWithin = time.Minute
)

// other is the other process.
type other struct{ conn *net.UnixConn }

// tell sends a message, and with it the sockets.
func (o other) tell(m message, sockets ...*net.TCPListener) error {
	line, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if err := o.conn.SetWriteDeadline(time.Now().Add(answerWithin)); err != nil {
		return err
	}
	return sendSockets(o.conn, append(line, '\n'), sockets)
}

// hear waits for the message of that step. What it is waited for at most is set by the caller as the connection's deadline.
func (o other) hear(step string) (m message, sockets []*net.TCPListener, err error) {
	line, oob := make([]byte, 0, 4096), make([]byte, 512)
	for !bytes.HasSuffix(line, []byte("\n")) {
		if len(line) == cap(line) {
			return m, sockets, errors.New("it sends no message of this protocol")
		}
		n, oobn, _, _, err := o.conn.ReadMsgUnix(line[len(line):cap(line)], oob)
		if err != nil {
			return m, sockets, err
		}
		if n == 0 && oobn == 0 {
			return m, sockets, io.EOF
		}
		line = line[:len(line)+n]
		received, err := receivedSockets(oob[:oobn])
		sockets = append(sockets, received...)
		if err != nil {
			return m, sockets, err
		}
	}
	if err := json.Unmarshal(line, &m); err != nil || m.Step != step {
		return m, sockets, fmt.Errorf("it does not say %s", step)
	}
	return m, sockets, nil
}

func closeSockets(sockets []*net.TCPListener) {
	for _, l := range sockets {
		_ = l.Close() // a copy
	}
}
