package server

import (
	"fmt"
	"log/slog"
)

const (
	// ownFiles are kept for the log, which ends the process when it cannot open one, and for what else is no connection.
	ownFiles = 512
	// fewestConnections is with how many a gateway is still of use.
	fewestConnections = 100
)

// OpenFiles is how many files and connections this process may have open, how many it must, and how many are enough for all the connections that it would take.
func OpenFiles() (have, least, enough int) {
	enough = ownFiles
	for _, most := range maxConnections {
		enough += most
	}
	return openFiles(), ownFiles + fewestConnections, enough
}

// connectionBounds are maxConnections, or less of each where the process may not have so many files open.
func connectionBounds(files int) (map[string]int, error) {
	all := 0
	for _, most := range maxConnections {
		all += most
	}
	room := files - ownFiles
	if room < fewestConnections {
		return nil, fmt.Errorf("this process may have %d files open, the log and its connections need %d at least: raise the limit (ulimit -n, LimitNOFILE)",
			files, ownFiles+fewestConnections)
	}
	if room >= all {
		return maxConnections, nil
	}
	slog.Warn("the limit of open files bounds the connections: raise it (ulimit -n, LimitNOFILE)", "files", files, "connections", room, "enough", ownFiles+all)
	bounds := make(map[string]int, len(maxConnections))
	for name, most := range maxConnections {
		bounds[name] = max(1, most*room/all)
	}
	return bounds, nil
}
