package scripted

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
)

// OwnAddress returns a free address of this machine that nobody is given by the system: while a gateway is away that comes back, somebody else would take one
// that was.
func OwnAddress() (string, error) {
	for range 100 {
		address := fmt.Sprint("127.0.0.1:", 10_000+rand.IntN(20_000))
		if l, err := net.Listen("tcp", address); err == nil {
			return address, l.Close()
		}
	}
	return "", errors.New("there is no free port")
}
