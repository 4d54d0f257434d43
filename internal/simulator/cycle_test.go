package simulator_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"usher/internal/simulator"
)

func TestIncrementalCycleIsMinimal(t *testing.T) {
	s, team := assigned(t, "", "Ada Lovelace", "Grace Hopper")
	s.run(s.service.IncrementalCycle)
	s.requests()
	must(t, s.tenant.SetAttribute(s.id("Alan Turing"), "jobTitle", "Codebreaker")) // out of scope
	must(t, s.tenant.SetAttribute(s.id("Ada Lovelace"), "jobTitle", ""))           // null is skipped
	must(t, s.tenant.AddMember(group(t, s.tenant, "HR").ID, s.id("Ada Lovelace"))) // not assigned
	s.run(s.service.IncrementalCycle)
	s.requests("GET /Users/u1")
	must(t, s.tenant.AddMember(team.ID, s.id("Alan Turing")))
	report := s.run(s.service.IncrementalCycle)
	if got := s.endpoint.take(); len(got) != 5 || got[1].method != http.MethodPost || report.Counts.Created != 1 || report.Counts.MembersAdded != 1 {
		t.Errorf("a joiner took %v, %+v", got, report.Counts)
	}
}

// What stories about Ada are made of, in the legacy dialect.
const (
	ada  = "ada.lovelace@contoso.example"
	off  = `{"op":"Replace","path":"active","value":"False"}`
	on   = `{"op":"Replace","path":"active","value":"True"}`
	find = `GET /Users?filter=userName eq "` + ada + `"`
)

// after runs an incremental cycle after changes that must have succeeded.
func (s *scene) after(changes ...error) {
	s.Helper()
	must(s, errors.Join(changes...))
	s.run(s.service.IncrementalCycle)
}

func TestDisableDeleteRestore(t *testing.T) {
	t.Run("disabled and enabled", func(t *testing.T) {
		s, _ := assigned(t, "", "Ada Lovelace")
		s.after(s.tenant.Disable(s.id(ada)))
		s.requests("GET /Users/u1", patchOf("/Users/u1", off))
		s.after(s.tenant.Enable(s.id(ada)))
		s.requests(find, patchOf("/Users/u1", on))
	})
	t.Run("soft-deleted and restored: the filter misses the tombstone, the cached id finds it", func(t *testing.T) {
		s, _ := assigned(t, "", "Ada Lovelace")
		id := s.id(ada)
		s.after(s.tenant.SoftDelete(id))
		s.requests("GET /Users/u1", patchOf("/Users/u1", `{"op":"Replace","path":"userName","value":"`+strings.ReplaceAll(id, "-", "")+ada+`"},`+off))
		s.after(s.tenant.Restore(id))
		s.requests(find, "GET /Users/u1", patchOf("/Users/u1", `{"op":"Replace","path":"userName","value":"`+ada+`"},`+on))
	})
	t.Run("soft-deleted and purged", func(t *testing.T) {
		s, _ := assigned(t, "", "Ada Lovelace")
		id := s.id(ada)
		s.after(s.tenant.SoftDelete(id))
		s.endpoint.take()
		s.after(s.tenant.HardDelete(id))
		s.requests("GET /Users/u1", "DELETE /Users/u1")
		if s.service.TargetID(id) != "" {
			t.Error("the link is still there")
		}
	})
}

func TestScopeAndNames(t *testing.T) {
	t.Run("unassigned is disabled once, then unmanaged, and matched again when assigned", func(t *testing.T) {
		s, team := assigned(t, "", "Ada Lovelace")
		id := s.id(ada)
		s.service.Unassign(team.ID)
		s.service.Assign(team.ID, id)
		s.run(s.service.IncrementalCycle) // nothing changed after all
		s.requests("GET /Groups/g2?excludedAttributes=members")
		s.service.Unassign(team.ID, id)
		s.run(s.service.IncrementalCycle)
		s.requests("GET /Users/u1", patchOf("/Users/u1", off), "GET /Groups/g2?excludedAttributes=members", "DELETE /Groups/g2")
		s.after(s.tenant.SetAttribute(id, "jobTitle", "Countess"))
		s.requests()
		s.service.Assign(id)
		s.run(s.service.IncrementalCycle)
		s.requests(find, patchOf("/Users/u1", `{"op":"Replace","path":"title","value":"Countess"},`+on))
		s.service.Unassign(id)
		s.run(s.service.IncrementalCycle)
		s.endpoint.take()
		s.after(s.tenant.HardDelete(id))
		s.requests() // unmanaged: no DELETE ever
	})
	t.Run("disabled and never provisioned is skipped", func(t *testing.T) {
		s, team := assigned(t, "")
		must(t, s.tenant.Disable(s.id(ada)))
		s.after(s.tenant.AddMember(team.ID, s.id(ada)))
		s.requests("GET /Groups/g1?excludedAttributes=members")
		entries := s.service.Journal().Entries()
		if last := entries[len(entries)-1]; last.Action != simulator.ActionSkip || last.Code != simulator.CodeSourceDisabled {
			t.Errorf("log says %s", last)
		}
	})
	t.Run("renamed", func(t *testing.T) {
		s, _ := assigned(t, "?aadOptscim062020", "Ada Lovelace")
		_, err := s.tenant.Rename(s.id(ada), "Ada", "Byron")
		s.after(err)
		s.requests("GET /Users/u1?aadOptscim062020", patchOf("/Users/u1?aadOptscim062020",
			`{"op":"replace","path":"emails[type eq \"work\"].value","value":"ada.byron@contoso.example"},`+
				`{"op":"replace","value":{"userName":"ada.byron@contoso.example","displayName":"Ada Byron","name.familyName":"Byron","name.formatted":"Ada Byron"}}`))
	})
	t.Run("group deleted", func(t *testing.T) {
		s, team := assigned(t, "", "Ada Lovelace")
		s.after(s.tenant.DeleteGroup(team.ID))
		s.requests("GET /Users/u1", patchOf("/Users/u1", off), "GET /Groups/g2?excludedAttributes=members", "DELETE /Groups/g2")
	})
}

// TestReassignedUserWhoIsGoneIsNoGroup deletes a user for good right after an assignment, while the endpoint fails.
func TestReassignedUserWhoIsGoneIsNoGroup(t *testing.T) {
	s, _ := assigned(t, "", "Ada Lovelace")
	id := s.id("Ada Lovelace")
	s.endpoint.fault = func(r recorded) int {
		if r.method == http.MethodDelete {
			return http.StatusInternalServerError
		}
		return 0
	}
	s.service.Assign(id)
	must(t, s.tenant.HardDelete(id))
	s.run(s.service.IncrementalCycle)
	s.requests("GET /Users/u1", "DELETE /Users/u1")
	s.endpoint.fault = nil
	s.clock = s.clock.Add(time.Hour)
	s.run(s.service.IncrementalCycle)
	s.requests("GET /Users/u1", "DELETE /Users/u1")
}

func TestSkipOutOfScopeDeletions(t *testing.T) {
	s := open(t, "", func(s *scene, o *simulator.ProvisionerOptions) {
		o.Assigned, o.SkipOutOfScopeDeletions = []string{s.team("Team", "Ada Lovelace").ID}, true
	})
	s.run(s.service.InitialCycle)
	s.endpoint.take()
	s.service.Unassign(group(t, s.tenant, "Team").ID)
	s.run(s.service.IncrementalCycle)
	s.requests()
}

func TestReferencesOutOfScopeWaitForARestart(t *testing.T) {
	s, _ := assigned(t, "", "Grace Hopper") // reports to Ada, who is not in scope
	s.service.Assign(s.id("Ada Lovelace"))
	s.run(s.service.IncrementalCycle)
	if grace := s.endpoint.find("Users", "displayName", "Grace Hopper")[0]; grace[enterprise].(resource)["manager"] != nil {
		t.Error("the manager was filled in without a restart")
	}
	report := s.run(func(ctx ctx) (*simulator.Report, error) { return s.service.Restart(ctx, false) })
	if report.Counts.ManagersSet != 1 || report.Counts.Created != 0 {
		t.Errorf("a restart did %+v", report.Counts)
	}
}

func TestRestart(t *testing.T) {
	s, _ := assigned(t, "", "Ada Lovelace")
	s.run(func(ctx ctx) (*simulator.Report, error) { return s.service.Restart(ctx, false) })
	s.requests("GET /Users/u1", "GET /Groups/g2?excludedAttributes=members")
	s.run(func(ctx ctx) (*simulator.Report, error) { return s.service.Restart(ctx, true) })
	s.requests(`GET /Users?filter=userName eq "ada.lovelace@contoso.example"`, `GET /Groups?excludedAttributes=members&filter=displayName eq "Team"`,
		patchOf("/Groups/g2", `{"op":"Add","path":"members","value":[{"$ref":null,"value":"u1"}]}`))
}

func TestStatusesAsEntraReadsThem(t *testing.T) {
	for status, code := range map[int]simulator.Code{
		400: simulator.CodeIncompatible, 409: simulator.CodeEntryConflict, 422: simulator.CodeUnprocessable, 429: simulator.CodeTooManyRequests,
		500: simulator.CodeServerError, 501: simulator.CodeNotImplemented, 503: simulator.CodeServerError,
	} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			s := open(t, "", func(s *scene, o *simulator.ProvisionerOptions) { o.Assigned = []string{s.id("Ada Lovelace")} })
			s.endpoint.fault = func(r recorded) int {
				if r.method == http.MethodPost {
					return status
				}
				return 0
			}
			report := s.failsWith(code)
			if !report.NextRetry.Equal(noon().Add(40 * time.Minute)) {
				t.Errorf("next retry at %s", report.NextRetry)
			}
		})
	}
	for status, at := range map[int]string{401: "/Users/u1", 403: "/Users/u1", 405: "/Users/u1", 404: "filter="} {
		t.Run(http.StatusText(status)+" quarantines", func(t *testing.T) {
			s, team := assigned(t, "", "Ada Lovelace")
			s.endpoint.fault = func(r recorded) int {
				if strings.Contains(r.uri, at) {
					return status
				}
				return 0
			}
			must(t, s.tenant.SetAttribute(s.id("Ada Lovelace"), "jobTitle", "Countess"))
			must(t, s.tenant.AddMember(team.ID, s.id("Grace Hopper")))
			report, err := s.service.IncrementalCycle(t.Context())
			if !errors.Is(err, simulator.ErrQuarantined) || report.State != simulator.StateQuarantined || report.Quarantine.Reason != "EncounteredQuarantineException" {
				t.Errorf("%s: %v", report, err)
			}
			if failure, ok := errors.AsType[*simulator.Failure](err); !ok || failure.Status != status {
				t.Errorf("cause is %v", err)
			}
		})
	}
	t.Run("404 on a cached id", func(t *testing.T) {
		s, _ := assigned(t, "", "Ada Lovelace")
		delete(s.endpoint.store["Users"], "u1")
		must(t, s.tenant.SetAttribute(s.id("Ada Lovelace"), "jobTitle", "Countess"))
		report := s.run(s.service.IncrementalCycle)
		if failed := report.Failures(); len(failed) != 1 || failed[0].Code != simulator.CodeInvalidAnchor {
			t.Errorf("failures %v", failed)
		}
		s.run(func(ctx ctx) (*simulator.Report, error) { return s.service.Restart(ctx, true) })
		if len(s.endpoint.store["Users"]) != 1 {
			t.Error("a full restart did not create Ada again")
		}
	})
}

func TestAnswersThatAreNoSCIM(t *testing.T) {
	tests := []struct{ name, contentType, body string }{
		{"HTML", "application/scim+json", "<html>"},
		{"plain JSON", "application/json", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":0,"Resources":[]}`},
		{"no envelope", "application/scim+json", `{"totalResults":0}`},
		{"no id", "application/scim+json", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":1,"Resources":[{}]}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := open(t, "", func(s *scene, o *simulator.ProvisionerOptions) {
				o.Assigned = []string{s.id("Ada Lovelace")}
				o.HTTPClient = &http.Client{Transport: canned{test.contentType, test.body}}
			})
			s.failsWith(simulator.CodeIncompatible)
		})
	}
	t.Run("manager as a bare string", func(t *testing.T) {
		s, _ := assigned(t, "", "Grace Hopper")
		s.endpoint.store["Users"]["u1"][enterprise].(resource)["manager"] = "u9"
		must(t, s.tenant.SetAttribute(s.id("Grace Hopper"), "displayName", "Amazing Grace"))
		report := s.run(s.service.IncrementalCycle)
		if failed := report.Failures(); len(failed) != 1 || failed[0].Code != simulator.CodeIncompatible {
			t.Errorf("failures %v", failed)
		}
	})
	t.Run("members although excluded", func(t *testing.T) {
		s, team := assigned(t, "", "Grace Hopper")
		must(t, s.tenant.RenameGroup(team.ID, "Crew"))
		s.endpoint.showMembers = true
		report := s.run(s.service.IncrementalCycle)
		if failed := report.Failures(); len(failed) != 1 || failed[0].Code != simulator.CodeMultipleEntries {
			t.Errorf("failures %v", failed)
		}
	})
}

func TestRetriesWithBackOff(t *testing.T) {
	s, _ := assigned(t, "", "Ada Lovelace")
	down := true
	s.endpoint.fault = func(recorded) int {
		if down {
			return http.StatusInternalServerError
		}
		return 0
	}
	must(t, s.tenant.SetAttribute(s.id("Ada Lovelace"), "jobTitle", "Countess"))
	for i, wait := range []time.Duration{40 * time.Minute, 80 * time.Minute, 160 * time.Minute} {
		report := s.run(s.service.IncrementalCycle)
		if report.Counts.Failed != 1 || !report.NextRetry.Equal(s.clock.Add(wait)) {
			t.Fatalf("try %d: %s, next at %s", i, report, report.NextRetry)
		}
		s.endpoint.take()
		s.clock = s.clock.Add(wait - time.Second)
		s.run(s.service.IncrementalCycle)
		s.requests() // not due
		s.clock = s.clock.Add(time.Second)
	}
	down = false
	if report := s.run(s.service.IncrementalCycle); report.Counts.Updated != 1 || report.Escrows != 0 {
		t.Errorf("at last: %s, %d escrows", report, report.Escrows)
	}
}

func TestReferencesAreTriedAgain(t *testing.T) {
	s := open(t, "", func(s *scene, o *simulator.ProvisionerOptions) {
		o.Assigned = []string{s.team("Team", "Ada Lovelace", "Grace Hopper").ID}
	})
	s.endpoint.fault = func(r recorded) int {
		if r.method == http.MethodPost && strings.Contains(r.body, "Ada Lovelace") {
			return http.StatusServiceUnavailable
		}
		return 0
	}
	report := s.run(s.service.InitialCycle) // Ada fails; so Grace's manager and Ada's membership cannot be sent
	if report.Counts.Failed != 3 || report.Escrows != 3 {
		t.Fatalf("%s, %d escrows", report, report.Escrows)
	}
	s.endpoint.fault = nil
	s.clock = s.clock.Add(time.Hour)
	report = s.run(s.service.IncrementalCycle)
	if report.Counts.Created != 1 || report.Counts.ManagersSet != 1 || report.Counts.MembersAdded != 1 || report.Escrows != 0 {
		t.Errorf("%s, %d escrows", report, report.Escrows)
	}
}

func TestTimeoutAfterTheCommitIsMatchedAgain(t *testing.T) {
	s := open(t, "", func(s *scene, o *simulator.ProvisionerOptions) { o.Assigned = []string{s.id("Ada Lovelace")} })
	s.endpoint.fault = func(r recorded) int {
		if r.method == http.MethodPost {
			return -http.StatusGatewayTimeout
		}
		return 0
	}
	s.failsWith(simulator.CodeServerError)
	s.clock = s.clock.Add(time.Hour)
	s.run(s.service.IncrementalCycle)
	if n := len(s.endpoint.store["Users"]); n != 1 || s.service.TargetID(s.id("Ada Lovelace")) != "u1" {
		t.Errorf("%d users, Ada is %q", n, s.service.TargetID(s.id("Ada Lovelace")))
	}
}

func TestTransportFailures(t *testing.T) {
	s := open(t, "", func(s *scene, o *simulator.ProvisionerOptions) {
		o.Assigned = []string{s.id("Ada Lovelace")}
		o.HTTPClient = &http.Client{Transport: silent{}}
		o.RequestTimeout = time.Millisecond
	})
	s.failsWith(simulator.CodeTimeout)
}
