//go:build unix

package main

import "syscall"

// What the gateway writes, nobody else may read: the folder that it writes to may have been made by somebody else.
func init() { syscall.Umask(0o077) }
