// Package proof is the fault suite: the gateway's own binary is killed, loses its power, its network and its readers, for as long as one likes, and the promises of
// the README are held against what is left.
package proof
