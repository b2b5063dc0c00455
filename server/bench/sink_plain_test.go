//go:build linux || darwin

package bench

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
)

// rawParser reads encoded events that follow each other, as startTCP sends them.
type rawParser struct{ *sinkConn }

// open implements parser. There is nothing to ask for.
func (*rawParser) open([][]byte) ([]byte, error) { return []byte{'\n'}, nil }

// parse implements parser.
func (r *rawParser) parse(b []byte) (used int, err error) {
	t := r.tallies[0]
	before := t.events
	for {
		number, event, n := field(b[used:])
		if n < 0 {
			break // not all of it has come
		}
		key := primaryKey(event)
		if number != fieldEvents || key == 0 {
			return used, errMessage
		}
		t.count(key, r.now)
		used += n
	}
	r.sinks.events.add(t.events - before)
	return used, nil
}

// natsParser is a NATS client that subscribes to all there is.
type natsParser struct{ *sinkConn }

// open implements parser.
func (*natsParser) open([][]byte) ([]byte, error) {
	return []byte("CONNECT {\"verbose\":false,\"pedantic\":false}\r\nSUB " + subject + " 1\r\nPING\r\n"), nil
}

var (
	natsEnd     = []byte("\r\n")
	natsMessage = []byte("MSG ")
)

// parse implements parser.
func (n *natsParser) parse(b []byte) (used int, err error) {
	events := 0
	for {
		line, _, found := bytes.Cut(b[used:], natsEnd)
		if !found {
			break
		}
		size := len(line) + len(natsEnd)
		if bytes.HasPrefix(line, natsMessage) {
			length, err := strconv.Atoi(string(line[bytes.LastIndexByte(line, ' ')+1:]))
			if err != nil {
				return used, err
			}
			end := size + length + len(natsEnd)
			if len(b)-used < end {
				break
			}
			if _, err := n.tallies[0].take(b[used+size:used+size+length], n.now); err != nil {
				return used, err
			}
			events++
			size = end
		} else if err := n.control(line); err != nil {
			return used, err
		}
		used += size
	}
	n.sinks.messages.add(events)
	n.sinks.events.add(events)
	return used, nil
}

func (n *natsParser) control(line []byte) error {
	switch {
	case bytes.HasPrefix(line, []byte("-ERR")):
		return fmt.Errorf("NATS: %s", line)
	case bytes.Equal(line, []byte("PING")):
		return n.write([]byte("PONG\r\n"))
	case bytes.Equal(line, []byte("PONG")):
		n.sinks.started.add(1)
	case bytes.HasPrefix(line, []byte("INFO ")), bytes.HasPrefix(line, []byte("+OK")):
	default:
		return errors.New("NATS says something that is not understood")
	}
	return nil
}
