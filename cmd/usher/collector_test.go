package main

import "testing"

func TestPercentForKeepsTheHeapAtItsFloor(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		live, roots uint64
		want        int
	}{
		{0, 0, 450},
		{1 << 20, 0, 450},
		{4 << 20, 0, 350},
		{4 << 20, 2 << 20, 233},
		{6 << 20, 0, 200},
		{12 << 20, 0, 100},
		{20 << 20, 0, 100},
		{4 << 30, 1 << 20, 100},
	} {
		if got := percentFor(tt.live, tt.roots); got != tt.want {
			t.Errorf("%d MiB live, %d of roots: GOGC %d, want %d", tt.live>>20, tt.roots>>20, got, tt.want)
		}
	}
}
