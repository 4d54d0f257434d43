package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// heapFloor is how large the heap may grow, in bytes, before it is collected. The server holds little and makes much garbage:
// left alone, Go would collect each few megabytes of it.
const heapFloor = 18 << 20

// heapMinimum is the size below which Go does not collect at a GOGC of 100; it grows with it.
const heapMinimum = 4 << 20

// paceCollector sets the collector's goal after each collection anew, as long as the program runs: heapFloor, or twice what is
// live where that is more. An operator's GOGC or GOMEMLIMIT has the last word.
func paceCollector(requestMemory int) {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	debug.SetMemoryLimit(memoryFor(requestMemory))
	now := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/scan/stack:bytes"}, {Name: "/gc/scan/globals:bytes"}}
	var collected func(*witness)
	collected = func(*witness) {
		metrics.Read(now)
		debug.SetGCPercent(percentFor(now[0].Value.Uint64(), now[1].Value.Uint64()+now[2].Value.Uint64()))
		runtime.SetFinalizer(new(witness), collected)
	}
	collected(nil)
}

// witness is held by nobody, so that its finalizer runs after each collection. It has a pointer: objects without one may share
// their memory, and then live longer.
type witness struct{ _ *byte }

// memoryFor gives the size, in bytes, from which garbage is collected sooner than by its share: that of the process when nothing
// large is asked of it, and half of the MiB that large requests may hold. It is no bound, and costs nothing below it.
func memoryFor(requestMemory int) int64 { return processMemory + int64(requestMemory)<<19 }

// processMemory is what the server takes, in bytes, when nothing large is asked of it.
const processMemory = 18 << 20

// percentFor gives the GOGC at which the next collection comes at heapFloor, and never one below Go's own 100: the goal is what
// is live, and that percentage of it and of the roots.
func percentFor(live, roots uint64) int {
	if live >= heapFloor {
		return 100
	}
	return int(min(max(100, 100*(heapFloor-live)/max(live+roots, 1)), 100*heapFloor/heapMinimum))
}
