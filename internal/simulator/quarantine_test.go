package simulator_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"usher/internal/simulator"
)

type ctx = context.Context

// canned answers every request with the same body.
type canned struct{ contentType, body string }

func (c canned) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {c.contentType}}, Body: io.NopCloser(strings.NewReader(c.body)),
	}, nil
}

// silent never answers.
type silent struct{}

func (silent) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func TestQuarantineSchedule(t *testing.T) {
	s, _ := assigned(t, "", "Ada Lovelace")
	began := s.clock
	s.endpoint.fault = func(recorded) int { return http.StatusUnauthorized }
	must(t, s.tenant.SetAttribute(s.id("Ada Lovelace"), "jobTitle", "Countess"))
	if _, err := s.service.IncrementalCycle(t.Context()); !errors.Is(err, simulator.ErrQuarantined) {
		t.Fatal(err)
	}
	for i, after := range []time.Duration{6 * time.Hour, 12 * time.Hour, 24 * time.Hour, 48 * time.Hour, 72 * time.Hour} {
		s.endpoint.take()
		s.clock = began.Add(after - time.Second)
		if report, err := s.service.IncrementalCycle(t.Context()); !errors.Is(err, simulator.ErrQuarantined) || report.Counts.Requests != 0 {
			t.Errorf("before attempt %d: %s, %v", i, report, err)
		}
		s.clock = began.Add(after)
		if report, err := s.service.IncrementalCycle(t.Context()); !errors.Is(err, simulator.ErrQuarantined) || report.Counts.Requests != 1 {
			t.Errorf("attempt %d: %s, %v", i, report, err)
		}
	}
	s.clock = began.Add(28 * 24 * time.Hour)
	s.endpoint.fault = nil
	if report, err := s.service.IncrementalCycle(t.Context()); !errors.Is(err, simulator.ErrDisabled) || report.State != simulator.StateDisabled {
		t.Errorf("after four weeks: %s, %v", report, err)
	}
	report := s.run(func(ctx ctx) (*simulator.Report, error) { return s.service.Restart(ctx, false) })
	if report.State != simulator.StateActive || report.Counts.Updated != 1 {
		t.Errorf("restarted: %s", report)
	}
}

func TestQuarantineEndsWithAGoodAttempt(t *testing.T) {
	s, _ := assigned(t, "", "Ada Lovelace")
	s.endpoint.fault = func(recorded) int { return http.StatusForbidden }
	must(t, s.tenant.SetAttribute(s.id("Ada Lovelace"), "jobTitle", "Countess"))
	if _, err := s.service.IncrementalCycle(t.Context()); !errors.Is(err, simulator.ErrQuarantined) {
		t.Fatal(err)
	}
	s.endpoint.fault = nil
	s.clock = s.clock.Add(6 * time.Hour)
	report := s.run(s.service.IncrementalCycle) // the change of before is not lost
	if report.State != simulator.StateActive || report.Counts.Updated != 1 {
		t.Errorf("%s", report)
	}
}

func TestThresholds(t *testing.T) {
	tests := []struct {
		name, fault string
		thresholds  simulator.Thresholds
		reason      string
	}{
		{"few failures", "POST /Users", simulator.Thresholds{}, ""},
		{"proportion", "POST /Users", simulator.Thresholds{EvaluateFrom: 3}, "EncounteredEscrowProportionThreshold"},
		{"proportion not reached", "POST /Users", simulator.Thresholds{EvaluateFrom: 3, Proportion: 0.9}, ""},
		{"non-reference", "POST /Users", simulator.Thresholds{NonReference: 2}, "EncounteredBaseEscrowThreshold"},
		{"total", "POST /Users", simulator.Thresholds{Total: 4}, "EncounteredTotalEscrowThreshold"},
		{"references are in the total", "PATCH /Users", simulator.Thresholds{Total: 2}, "EncounteredTotalEscrowThreshold"},
		{"references are not in the proportion", "PATCH /Users", simulator.Thresholds{EvaluateFrom: 1, Proportion: 0.01, NonReference: 1}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := open(t, "", func(s *scene, o *simulator.ProvisionerOptions) {
				o.Assigned = []string{s.team("Team", "Ada Lovelace", "Grace Hopper", "Alan Turing").ID}
				o.Thresholds = test.thresholds
			})
			s.endpoint.fault = func(r recorded) int {
				if strings.HasPrefix(r.String(), test.fault) {
					return http.StatusInternalServerError
				}
				return 0
			}
			report, err := s.service.InitialCycle(t.Context())
			if errors.Is(err, simulator.ErrQuarantined) != (test.reason != "") || report.Quarantine.Reason != test.reason {
				t.Errorf("%s: reason %q, %v", report, report.Quarantine.Reason, err)
			}
			if report.Counts.Failed == 0 {
				t.Error("nothing failed")
			}
		})
	}
}

func TestOnDemand(t *testing.T) {
	s := open(t, "?aadOptscim062020", nil)
	ada := s.id("Ada Lovelace")
	s.service.Assign(ada)
	report := s.run(func(ctx ctx) (*simulator.Report, error) { return s.service.OnDemand(ctx, ada) })
	got := s.endpoint.take()
	if len(got) != 3 || report.Counts.Created != 1 {
		t.Fatalf("%s: %v", report, got)
	}
	if strings.Contains(got[0].uri, "ada") || !strings.Contains(got[1].uri, "ada.lovelace") || got[2].method != http.MethodPost {
		t.Errorf("a probe, a filter and a POST were wanted, got %v", got)
	}
	must(t, s.tenant.Disable(ada))
	s.run(func(ctx ctx) (*simulator.Report, error) { return s.service.OnDemand(ctx, ada) })
	if got := s.endpoint.take(); !strings.Contains(got[2].body, `{"op":"Replace","path":"active","value":"False"}`) {
		t.Errorf("not the legacy dialect: %s", got[2])
	}
	must(t, s.tenant.SoftDelete(ada))
	report = s.run(func(ctx ctx) (*simulator.Report, error) { return s.service.OnDemand(ctx, ada) })
	if report.Counts.Skipped != 1 || len(s.endpoint.take()) != 1 {
		t.Errorf("soft-deleted: %s", report)
	}
	if _, err := s.service.OnDemand(t.Context(), "nobody"); !errors.Is(err, simulator.ErrNotFound) {
		t.Errorf("nobody: %v", err)
	}
}

func TestOnDemandTakesFiveMembers(t *testing.T) {
	var team simulator.Group
	people := []string{"Ada Lovelace", "Grace Hopper", "Alan Turing", "Katherine Johnson", "Hedy Lamarr", "Kurt Gödel"}
	s := open(t, "", func(s *scene, o *simulator.ProvisionerOptions) {
		team = s.team("Team")
		o.Assigned = []string{team.ID}
		for _, person := range people {
			o.Assigned = append(o.Assigned, s.id(person))
		}
	})
	s.run(s.service.InitialCycle)
	ids := make([]string, 0, len(people))
	for _, person := range people {
		must(t, s.tenant.AddMember(team.ID, s.id(person)))
		ids = append(ids, s.id(person))
	}
	report := s.run(func(ctx ctx) (*simulator.Report, error) { return s.service.OnDemand(ctx, team.ID) })
	if report.Counts.MembersAdded != 5 {
		t.Errorf("%s", report)
	}
	if _, err := s.service.OnDemand(t.Context(), team.ID, ids...); err == nil {
		t.Error("six members were taken")
	}
	if report = s.run(s.service.IncrementalCycle); report.Counts.MembersAdded != 1 {
		t.Errorf("the sixth: %s", report)
	}
}

func TestJournal(t *testing.T) {
	s := open(t, "", func(s *scene, o *simulator.ProvisionerOptions) {
		o.Assigned, o.JournalLimit = []string{s.team("Team", "Ada Lovelace", "Grace Hopper").ID}, 4
	})
	s.run(s.service.InitialCycle)
	exchanges := s.service.Journal().Exchanges()
	if len(exchanges) != 4 || s.service.Journal().Requests() != 8 || exchanges[0].Number != 5 {
		t.Fatalf("%d exchanges of %d, the first is #%d", len(exchanges), s.service.Journal().Requests(), exchanges[0].Number)
	}
	last := exchanges[3]
	if last.Words != "Add Ada Lovelace, Grace Hopper to Team" || last.Method != http.MethodPatch || last.Path != "/scim/v2/Groups/g3" ||
		last.Status != http.StatusNoContent || last.ObjectID != group(t, s.tenant, "Team").ID || !strings.Contains(last.RequestBody, "members") {
		t.Errorf("the last exchange is %+v", last)
	}
	var out bytes.Buffer
	if _, err := s.service.Journal().WriteTo(&out); err != nil || !strings.Contains(out.String(), "Set manager of Grace Hopper\nPATCH /scim/v2/Users/u2\n") {
		t.Errorf("the journal reads\n%s", out.String())
	}
	must(t, s.tenant.SetAttribute(s.id("Ada Lovelace"), "jobTitle", "Countess"))
	s.run(s.service.IncrementalCycle)
	entries := s.service.Journal().Entries()
	want := fmt.Sprintf("Update user Ada Lovelace: success\n    title: %q -> %q", "Managing Director", "Countess")
	if got := entries[len(entries)-1]; got.String() != want || got.TargetID != "u1" || got.Cycle != 2 {
		t.Errorf("the log says %s, want %s", got, want)
	}
}

func TestCancelledCycleLosesNothing(t *testing.T) {
	s, _ := assigned(t, "", "Ada Lovelace", "Grace Hopper")
	for _, name := range []string{"Ada Lovelace", "Grace Hopper"} {
		must(t, s.tenant.SetAttribute(s.id(name), "jobTitle", "Countess"))
	}
	ctx, cancel := context.WithCancel(t.Context())
	s.endpoint.fault = func(recorded) int { cancel(); return 0 }
	if _, err := s.service.IncrementalCycle(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("error is %v", err)
	}
	s.endpoint.fault = nil
	s.run(s.service.IncrementalCycle)
	for _, r := range s.endpoint.store["Users"] {
		if r["title"] != "Countess" {
			t.Errorf("%v is still %v", r["displayName"], r["title"])
		}
	}
}
