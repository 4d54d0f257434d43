package app

import (
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"usher/calendarbridge"
	"usher/internal/graph"
)

// metrics are what Prometheus may read. Labels are bounded: routes without ids, never names.
type metrics struct {
	registry   *prometheus.Registry
	requests   *prometheus.HistogramVec
	scim       *prometheus.HistogramVec
	deviations *prometheus.CounterVec
	events     *prometheus.CounterVec
	throttled  *prometheus.CounterVec
	bounded    *prometheus.CounterVec
	calendars  *prometheus.CounterVec
	lag        prometheus.Histogram
	graph      *prometheus.HistogramVec
	webhooks   *prometheus.HistogramVec
}

func newMetrics(version string) *metrics {
	buckets := []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "usher_http_request_duration_seconds", Help: "Time to answer HTTP requests.", Buckets: buckets,
		}, []string{"route", "method", "code"}),
		scim: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "usher_scim_request_duration_seconds", Help: "Time to answer SCIM requests.", Buckets: buckets,
		}, []string{"route", "code"}),
		deviations: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "usher_scim_deviations_total", Help: "Deviations from the RFC that were tolerated.",
		}, []string{"kind"}),
		events: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "usher_directory_events_total", Help: "Events of the directory: mass deactivations, people settled by runs, SCIM requests logged and dropped, attempts refused, credentials that expire.",
		}, []string{"event"}),
		throttled: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "usher_scim_throttled_total", Help: "Requests answered 429: of an integration above its rate, or of an address that was refused too often.",
		}, []string{"limit"}),
		bounded: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "usher_http_bounded_total", Help: "Requests that waited in vain for memory or to be worked on, and connections that made room for others.",
		}, []string{"limit"}),
	}
	m.calendars = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "usher_calendar_events_total", Help: "Events of the calendar bridge: notifications by what became of them, rounds, events stored, writes, subscriptions.",
	}, []string{"event"})
	m.lag = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "usher_calendar_lag_seconds", Help: "Time from a notification to the end of the round that stored what it told of.",
		Buckets: []float64{.1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 1800},
	})
	m.graph = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "usher_graph_request_duration_seconds", Help: "Time of attempts at requests to Microsoft Graph, by outcome; throttled ones are 429s.", Buckets: buckets,
	}, []string{"operation", "outcome"})
	m.webhooks = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "usher_webhook_attempt_duration_seconds", Help: "Time of attempts to deliver webhooks, by whether they were taken.", Buckets: buckets,
	}, []string{"outcome"})
	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "usher_build_info", Help: "The version that runs."}, []string{"version"})
	build.WithLabelValues(version).Set(1)
	m.registry.MustRegister(m.requests, m.scim, m.deviations, m.events, m.throttled, m.bounded, m.calendars, m.lag, m.graph, m.webhooks, build, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
	return mux
}

// count observes every request under the pattern of its route.
func (m *metrics) count(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		start := time.Now()
		err := next(c)
		route := c.Path()
		if route == "" {
			route = "none"
		}
		status := c.Response().Status
		if err != nil && !c.Response().Committed {
			c.Error(err)
			status = c.Response().Status
			err = nil
		}
		m.requests.WithLabelValues(route, knownMethod(c.Request().Method), strconv.Itoa(status)).Observe(time.Since(start).Seconds())
		return err
	}
}

func (m *metrics) scimRequest(route string, status int, took time.Duration, deviations []string) {
	m.scim.WithLabelValues(route, strconv.Itoa(status)).Observe(took.Seconds())
	for _, kind := range deviations {
		m.deviations.WithLabelValues(kind).Inc()
	}
}

func (m *metrics) directoryEvent(event string, n int) {
	m.events.WithLabelValues(event).Add(float64(n))
}

// calendarEvent counts an event of the bridge; the lag is a time, and n its milliseconds.
func (m *metrics) calendarEvent(event string, n int) {
	if event == calendarbridge.EventLag {
		m.lag.Observe((time.Duration(n) * time.Millisecond).Seconds())
		return
	}
	m.calendars.WithLabelValues(event).Add(float64(n))
}

func (m *metrics) graphRequest(o graph.Observation) {
	m.graph.WithLabelValues(o.Operation, o.Outcome).Observe(o.Duration.Seconds())
}

func (m *metrics) scimThrottled(limit string) { m.throttled.WithLabelValues(limit).Inc() }

func (m *metrics) limited(limit string) { m.bounded.WithLabelValues(limit).Inc() }

// knownMethod bounds the label: a client may send any word as a method.
func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	}
	return "other"
}

func (m *metrics) webhookAttempt(taken bool, took time.Duration) {
	outcome := "failed"
	if taken {
		outcome = "delivered"
	}
	m.webhooks.WithLabelValues(outcome).Observe(took.Seconds())
}
