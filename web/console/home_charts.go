package console

import (
	"fmt"
	"time"

	"usher/model"
	"usher/model/store"
)

// chartRows is how many rows a chart looks at at most, so that a page never waits for one.
const chartRows = 5_000

// homeCharts draws the requests of Entra and the changes of an organization; what there is nothing of is nil.
func (v *visit) homeCharts(integrations []model.Integration) (requests, changes *bars, err error) {
	now := v.now().UTC()
	var points []store.RequestPoint
	for _, i := range integrations {
		if i.Ingress != model.IngressSCIM {
			continue
		}
		list, err := v.read.SCIMRequestPoints(i.Ref(), now.Add(-24*time.Hour), chartRows)
		if err != nil {
			return nil, nil, err
		}
		points = append(points, list...)
	}
	if len(points) > 0 {
		requests = new(requestChart(points, now))
	}
	times, err := v.read.ChangeTimes(v.org, chartRows)
	if err == nil && len(times) > 0 {
		changes = new(changeChart(times, now))
	}
	return requests, changes, err
}

func requestChart(points []store.RequestPoint, now time.Time) bars {
	start := now.Truncate(time.Hour).Add(-23 * time.Hour)
	columns := make([]column, 24)
	ok, wrong := 0, 0
	for _, p := range points {
		n := int(p.At.Sub(start) / time.Hour)
		if p.At.Before(start) || n > 23 {
			continue
		}
		if p.Wrong {
			columns[n].Wrong++
			wrong++
		} else {
			columns[n].OK++
			ok++
		}
	}
	for i := range columns {
		columns[i].Title = fmt.Sprintf("%s: %s, %s refused", start.Add(time.Duration(i)*time.Hour).Format("15:04"), quantity(columns[i].OK+columns[i].Wrong, "request"), count(columns[i].Wrong))
	}
	says := fmt.Sprintf("%s in the last 24 hours, %s refused or failed.", quantity(ok+wrong, "request"), count(wrong))
	if len(points) >= chartRows {
		says = "The newest " + says
	}
	return newBars(columns, start.Format("15:04"), now.Format("15:04")+" UTC", says)
}

func changeChart(times []time.Time, now time.Time) bars {
	const days = 14
	today := now.Truncate(24 * time.Hour)
	start := today.Add(-(days - 1) * 24 * time.Hour)
	columns := make([]column, days)
	n := 0
	for _, at := range times {
		if at.Before(start) {
			continue
		}
		columns[min(days-1, int(at.Sub(start)/(24*time.Hour)))].OK++
		n++
	}
	for i := range columns {
		columns[i].Title = fmt.Sprintf("%s: %s", start.Add(time.Duration(i)*24*time.Hour).Format("2 Jan"), quantity(columns[i].OK, "change"))
	}
	says := quantity(n, "change") + " of people, groups and settings in 14 days."
	if len(times) >= chartRows {
		says = "The newest " + says
	}
	return newBars(columns, start.Format("2 Jan"), today.Format("2 Jan"), says)
}
