package report

import "strings"

// Calendars are the benchmarks of the calendar bridge.
type Calendars struct {
	Facts
	Benchmarks []Benchmark
}

// Markdown returns the report.
func (c Calendars) Markdown() string {
	var b strings.Builder
	writeFacts(&b, c.Facts)
	writeRow(&b, "benchmark", "figure", "value")
	writeRow(&b, "---", "---", "--:")
	for _, benchmark := range c.Benchmarks {
		for _, metric := range benchmark.Metrics {
			writeRow(&b, escape(strings.ReplaceAll(benchmark.Name, "_", " ")), escape(metric.Unit), number(metric.Value))
		}
	}
	return b.String()
}
