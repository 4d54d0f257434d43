package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"usher/bench/stats"
)

func writeRow(b *strings.Builder, cells ...string) {
	fmt.Fprintf(b, "| %s |\n", strings.Join(cells, " | "))
}

func repeat(text string, times int) []string { return slices.Repeat([]string{text}, times) }

// escape keeps a cell one cell.
func escape(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.2f", float64(d)/float64(time.Millisecond))
}

// number has no decimals where they would be noise.
func number(value float64) string {
	if value < 100 {
		return fmt.Sprintf("%.1f", value)
	}
	return fmt.Sprintf("%.0f", value)
}

func ratio(a, b float64) string { return factor(stats.Ratio(a, b)) }

func factor(value float64) string {
	if value == 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f", value)
}

func rate(count int, took time.Duration) string {
	if count == 0 || took <= 0 {
		return "–"
	}
	return number(float64(count) / took.Seconds())
}
