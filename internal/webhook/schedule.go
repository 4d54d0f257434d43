package webhook

import (
	"math/rand/v2"
	"time"
)

// pauses are how long after each failed attempt the next one comes: about four days in all. Behind the last one a delivery is
// given up.
func pauses() []time.Duration {
	return []time.Duration{
		5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour, 3 * time.Hour, 6 * time.Hour,
		12 * time.Hour, 24 * time.Hour, 24 * time.Hour, 24 * time.Hour,
	}
}

// disableAfter is how long an endpoint may fail without a success in between before it is not called any more.
const disableAfter = 5 * 24 * time.Hour

// pause gives how long to wait behind so many failed attempts, a tenth more or less so that those that failed together do not
// come back together; ok is false where there is no further attempt.
func pause(attempts int) (after time.Duration, ok bool) {
	all := pauses()
	if attempts < 1 || attempts > len(all) {
		return 0, false
	}
	base := all[attempts-1]
	return base - base/10 + rand.N(base/5), true //nolint:gosec // not a secret
}
