package console

// bars is a chart of bars that the server draws. It is an image with a sentence that says what it shows.
type bars struct {
	Width, Height, Plot int
	Says                string
	From, To            string // what stands under the first and the last bar
	Grid                []int
	Bars                []bar
}

type bar struct {
	Title    string // what a pointer is told
	X, Width float64
	Parts    []part
}

// part is one of the pieces that a bar is made of, from below: Class is ok or wrong.
type part struct {
	Class               string
	X, Y, Width, Height float64
}

// column is what a bar shows: how many went well, how many did not, and in words.
type column struct {
	Title     string
	OK, Wrong int
}

// The size of a chart, in the units of its own drawing.
const (
	chartWidth  = 600
	chartHeight = 96
)

// newBars draws columns side by side, the tallest as high as the chart.
func newBars(columns []column, from, to, says string) bars {
	b := bars{Width: chartWidth, Height: chartHeight, Plot: chartHeight, Says: says, From: from, To: to, Grid: []int{1, chartHeight / 2, chartHeight - 1}}
	most := 1
	for _, c := range columns {
		most = max(most, c.OK+c.Wrong)
	}
	step := float64(chartWidth) / float64(max(1, len(columns)))
	for i, c := range columns {
		x := float64(i)*step + step*0.1
		one := bar{Title: c.Title, X: x, Width: step * 0.8}
		y := float64(chartHeight)
		for _, p := range []struct {
			class string
			n     int
		}{{"ok", c.OK}, {"wrong", c.Wrong}} {
			if p.n == 0 {
				continue
			}
			high := max(2, float64(p.n)/float64(most)*(chartHeight-4)) // what is there can be seen
			y -= high
			one.Parts = append(one.Parts, part{p.class, x, max(0, y), step * 0.8, high})
		}
		b.Bars = append(b.Bars, one)
	}
	return b
}
