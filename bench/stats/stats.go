// Package stats turns measurements into the figures of the report.
//
// It owns percentiles, medians and the summary over rounds. It is pure and imports
// the standard library alone.
package stats

import (
	"math"
	"slices"
	"time"
)

// Percentile returns the value below or at which the share (0 to 1) of the
// ascending values lies, by the nearest-rank method; 0 without values.
func Percentile(ascending []time.Duration, share float64) time.Duration {
	if len(ascending) == 0 {
		return 0
	}
	rank := int(math.Ceil(share * float64(len(ascending))))
	return ascending[min(max(rank, 1), len(ascending))-1]
}

// Median returns the middle value, the mean of the two middle ones if their
// number is even, and 0 without values.
func Median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// Round is what one operation did in one round.
type Round struct {
	Elapsed   time.Duration
	Latencies []time.Duration // of the requests answered as expected
	Errors    int
	// Metered is false where neither the server's processes nor its database can be seen.
	Metered    bool
	CPU        time.Duration // of the server and its database together
	Statements int64         // that the database ran for the server
}

// Summary is an operation over all its rounds.
type Summary struct {
	Requests  int
	Errors    int
	PerSecond float64 // median of the rounds
	P50, P99  time.Duration
	Metered   bool
	// Per request, over all rounds together, because one round is short for the
	// 10 ms in which the kernel counts.
	CPU        time.Duration
	Statements float64
}

// Summarize combines the rounds of an operation. Latencies are pooled: the 99th
// percentile of one short round would rest on a handful of requests.
func Summarize(rounds []Round) Summary {
	var (
		summary    Summary
		latencies  []time.Duration
		perSecond  []float64
		cpu        time.Duration
		statements int64
	)
	summary.Metered = len(rounds) > 0
	for _, round := range rounds {
		latencies = append(latencies, round.Latencies...)
		summary.Errors += round.Errors
		summary.Metered = summary.Metered && round.Metered
		cpu += round.CPU
		statements += round.Statements
		if round.Elapsed > 0 {
			perSecond = append(perSecond, float64(len(round.Latencies))/round.Elapsed.Seconds())
		}
	}
	slices.Sort(latencies)
	summary.Requests = len(latencies)
	summary.PerSecond = Median(perSecond)
	summary.P50, summary.P99 = Percentile(latencies, 0.50), Percentile(latencies, 0.99)
	if answered := summary.Requests + summary.Errors; answered > 0 {
		summary.CPU = cpu / time.Duration(answered)
		summary.Statements = float64(statements) / float64(answered)
	}
	return summary
}

// Ratio returns a/b, or 0 when b is 0.
func Ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}
