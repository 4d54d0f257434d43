package main

import (
	"context"
	"fmt"

	"usher/bench/meter"
	"usher/bench/report"
)

// calendars runs the benchmarks of the calendar bridge, each once: they choose by themselves how much they do.
func (b *bench) calendars(ctx context.Context) (report.Calendars, error) {
	b.say("running the benchmarks of the calendar bridge")
	others := meter.Others(b.cluster)
	list, err := b.goTest(ctx, "-bench", "^Benchmark(Notifications|Delta|Renewals)$", "-benchtime", "1x", "-p", "1",
		"./internal/app", "./calendarbridge")
	facts := b.facts()
	facts.Notes = otherWork(others())
	return report.Calendars{Facts: facts, Benchmarks: list}, err
}

// otherWork says which share of the machine had other work to do, where that is known.
func otherWork(share float64, known bool) []string {
	if !known {
		return nil
	}
	return []string{fmt.Sprintf("Other work took %.0f %% of the machine while measuring.", 100*share)}
}
