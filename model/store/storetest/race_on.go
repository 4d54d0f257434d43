//go:build race

package storetest

// raceDetector says whether the tests were built with it.
const raceDetector = true
