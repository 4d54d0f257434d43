package stats

import (
	"reflect"
	"testing"
	"time"
)

func milliseconds(values ...int) []time.Duration {
	durations := make([]time.Duration, len(values))
	for i, value := range values {
		durations[i] = time.Duration(value) * time.Millisecond
	}
	return durations
}

func TestPercentile(t *testing.T) {
	hundred := make([]time.Duration, 100)
	for i := range hundred {
		hundred[i] = time.Duration(i+1) * time.Millisecond
	}
	for _, test := range []struct {
		name   string
		values []time.Duration
		share  float64
		want   int
	}{
		{"no values", nil, 0.5, 0},
		{"one value is every percentile", milliseconds(7), 0.99, 7},
		{"the lowest", milliseconds(1, 2, 3), 0, 1},
		{"the middle of three", milliseconds(1, 2, 3), 0.5, 2},
		{"the lower middle of four", milliseconds(1, 2, 3, 4), 0.5, 2},
		{"the 99th of a hundred", hundred, 0.99, 99},
		{"the highest", hundred, 1, 100},
		{"a rank is rounded up", milliseconds(1, 2, 3, 4, 5), 0.61, 4},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := Percentile(test.values, test.share); got != time.Duration(test.want)*time.Millisecond {
				t.Errorf("got %s, want %d ms", got, test.want)
			}
		})
	}
}

func TestMedian(t *testing.T) {
	for _, test := range []struct {
		name   string
		values []float64
		want   float64
	}{
		{"no values", nil, 0},
		{"one value", []float64{3}, 3},
		{"an odd number", []float64{9, 1, 5}, 5},
		{"an even number", []float64{8, 1, 4, 2}, 3},
		{"an outlier moves nothing", []float64{10, 11, 1000}, 11},
	} {
		t.Run(test.name, func(t *testing.T) {
			before := append([]float64(nil), test.values...)
			if got := Median(test.values); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
			if !reflect.DeepEqual(test.values, before) {
				t.Errorf("the values were reordered: %v", test.values)
			}
		})
	}
}

func TestSummarize(t *testing.T) {
	got := Summarize([]Round{
		{Elapsed: time.Second, Latencies: milliseconds(4, 2), Metered: true, CPU: 6 * time.Millisecond, Statements: 4},
		{Elapsed: time.Second, Latencies: milliseconds(1, 3, 9), Errors: 1, Metered: true, CPU: 12 * time.Millisecond, Statements: 8},
		{Elapsed: 2 * time.Second, Latencies: milliseconds(5, 6, 7, 8), Metered: true, CPU: 2 * time.Millisecond, Statements: 8},
	})
	want := Summary{
		Requests: 9, Errors: 1, PerSecond: 2, P50: 5 * time.Millisecond, P99: 9 * time.Millisecond,
		Metered: true, CPU: 2 * time.Millisecond, Statements: 2,
	}
	if got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestSummarizeKnowsWhatIsNotMetered(t *testing.T) {
	for name, rounds := range map[string][]Round{
		"no rounds": nil,
		"one of two rounds": {
			{Elapsed: time.Second, Latencies: milliseconds(1), Metered: true},
			{Elapsed: time.Second, Latencies: milliseconds(1)},
		},
	} {
		if Summarize(rounds).Metered {
			t.Errorf("%s: counts as metered", name)
		}
	}
}

func TestRatio(t *testing.T) {
	if got := Ratio(1, 4); got != 0.25 {
		t.Errorf("1/4 = %v", got)
	}
	if got := Ratio(1, 0); got != 0 {
		t.Errorf("1/0 = %v, want 0", got)
	}
}
