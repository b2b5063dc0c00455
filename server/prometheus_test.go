package server

import "testing"

func checkRules(t *testing.T, shown map[string]family)     {}
func checkDashboard(t *testing.T, shown map[string]family) {}
