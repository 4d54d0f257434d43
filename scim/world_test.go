package scim_test

import "testing"

func newWorld(t testing.TB) world {
	m := newMemory()
	return world{Directory: m, Tokens: m, Integration: "int1", Token: "secret"}
}
