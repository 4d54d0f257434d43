package simulator_test

import (
	"io"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"usher/internal/simulator"
)

// BenchmarkTenant builds a tenant of 100,000 and reports what it keeps in memory.
func BenchmarkTenant(b *testing.B) {
	for b.Loop() {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		tenant := newTenant(100_000)
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/1e6, "MB/tenant")
		runtime.KeepAlive(tenant)
	}
}

// BenchmarkInitialCycle provisions 10,000 people and all groups to an endpoint that costs nothing: the simulator's own
// share of a load run.
func BenchmarkInitialCycle(b *testing.B) {
	tenant := newTenant(10_000)
	for b.Loop() {
		service, err := simulator.NewProvisioner(simulator.ProvisionerOptions{
			Tenant: tenant, TenantURL: "http://target.example/scim/v2", Scope: simulator.ScopeAll, Concurrency: 8, HTTPClient: &http.Client{Transport: &blank{}},
		})
		if err != nil {
			b.Fatal(err)
		}
		report, err := service.InitialCycle(b.Context())
		if err != nil || report.Counts.Failed > 0 || report.Counts.Created < 9_000 {
			b.Fatalf("%s: %v", report, err)
		}
		b.ReportMetric(float64(report.Counts.Requests), "requests/op")
	}
}

// blank finds nothing, creates everything and accepts every PATCH.
type blank struct{ next atomic.Int64 }

func (e *blank) RoundTrip(r *http.Request) (*http.Response, error) {
	answer := &http.Response{StatusCode: http.StatusNoContent, Header: http.Header{"Content-Type": {"application/scim+json"}}, Body: http.NoBody}
	switch r.Method {
	case http.MethodGet:
		answer.StatusCode = http.StatusOK
		answer.Body = io.NopCloser(strings.NewReader(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":0,"Resources":[]}`))
	case http.MethodPost:
		answer.StatusCode = http.StatusCreated
		answer.Body = io.NopCloser(strings.NewReader(`{"id":"` + strconv.FormatInt(e.next.Add(1), 10) + `"}`))
	}
	return answer, nil
}
