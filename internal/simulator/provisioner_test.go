package simulator_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"usher/internal/simulator"
)

// scene is a small tenant, an endpoint, and a provisioning job between them, with a clock that the test moves.
type scene struct {
	*testing.T
	tenant   *simulator.Tenant
	endpoint *endpoint
	service  *simulator.Provisioner
	clock    time.Time
}

// open sets a scene. The options are changed by adjust before the job is made; the tenant URL may get a suffix.
func open(t *testing.T, suffix string, adjust func(*scene, *simulator.ProvisionerOptions)) *scene {
	t.Helper()
	s := &scene{T: t, tenant: newTenant(20), endpoint: newEndpoint(t), clock: noon()}
	options := simulator.ProvisionerOptions{
		Tenant: s.tenant, TenantURL: s.endpoint.url + suffix, Token: "secret", Now: func() time.Time { return s.clock },
	}
	if adjust != nil {
		adjust(s, &options)
	}
	service, err := simulator.NewProvisioner(options)
	must(t, err)
	s.service = service
	return s
}

// assigned opens a scene whose scope is one group of the given people, in that order, in sync with the endpoint.
func assigned(t *testing.T, suffix string, people ...string) (*scene, simulator.Group) {
	t.Helper()
	var team simulator.Group
	s := open(t, suffix, func(s *scene, o *simulator.ProvisionerOptions) {
		team = s.team("Team", people...)
		o.Assigned = []string{team.ID}
	})
	s.run(s.service.InitialCycle)
	s.endpoint.take()
	return s, team
}

func (s *scene) team(name string, people ...string) simulator.Group {
	s.Helper()
	g, err := s.tenant.AddGroup(simulator.Group{DisplayName: name})
	must(s, err)
	for _, person := range people {
		must(s, s.tenant.AddMember(g.ID, s.id(person)))
	}
	return g
}

func (s *scene) id(name string) string { s.Helper(); return user(s, s.tenant, name).ID }

// run runs a cycle that must succeed, and gives its report.
func (s *scene) run(cycle func(context.Context) (*simulator.Report, error)) *simulator.Report {
	s.Helper()
	report, err := cycle(s.Context())
	if err != nil {
		s.Fatalf("%s: %v", report, err)
	}
	return report
}

// requests compares what arrived since the last look, one line each: method, decoded path and query, body.
func (s *scene) requests(want ...string) {
	s.Helper()
	var got []string
	for _, r := range s.endpoint.take() {
		uri, err := url.QueryUnescape(r.uri)
		must(s, err)
		got = append(got, strings.TrimSpace(r.method+" "+uri+" "+r.body))
	}
	if !slices.Equal(got, want) {
		s.Errorf("requests were\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// patchOf is a PATCH line with these operations.
func patchOf(path, operations string) string {
	return "PATCH " + path + ` {"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[` + operations + `]}`
}

func TestInitialCycleInEntrasOrder(t *testing.T) {
	var team simulator.Group
	s := open(t, "/", func(s *scene, o *simulator.ProvisionerOptions) {
		team = s.team("Team", "Ada Lovelace", "Grace Hopper")
		must(s, s.tenant.SetAttribute(s.id("Ada Lovelace"), "mobile", ""))
		must(s, s.tenant.SetAttribute(s.id("Ada Lovelace"), "telephoneNumber", "+45 33 55 0001"))
		o.Assigned = []string{team.ID}
		o.Mappings = simulator.DefaultUserMappings("objectId")[:16]
	})
	report := s.run(s.service.InitialCycle)
	ada, grace := user(t, s.tenant, "Ada Lovelace"), user(t, s.tenant, "Grace Hopper")
	got := s.endpoint.take()
	if len(got) != 8 {
		t.Fatalf("%d requests, want 8: %v", len(got), got)
	}
	want := `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],` +
		`"externalId":"` + ada.ID + `","userName":"ada.lovelace@contoso.example","displayName":"Ada Lovelace","title":"Managing Director",` +
		`"emails":[{"primary":true,"type":"work","value":"ada.lovelace@contoso.example"}],"preferredLanguage":"da-DK",` +
		`"name":{"givenName":"Ada","familyName":"Lovelace","formatted":"Ada Lovelace"},"addresses":[{"type":"work","formatted":"Copenhagen office",` +
		`"streetAddress":"Kalvebod Brygge 1","locality":"Copenhagen","region":"Hovedstaden","postalCode":"1560","country":"DK"}],` +
		`"phoneNumbers":[{"type":"work","value":"+45 33 55 0001"}],"active":true,"meta":{"resourceType":"User"},"roles":[]}`
	if got[1].body != want {
		t.Errorf("POST of Ada\n%s\nwant\n%s", got[1].body, want)
	}
	s.endpoint.requests = append(s.endpoint.requests, got[0], got[2])
	s.endpoint.requests = append(s.endpoint.requests, got[4:]...)
	s.requests(
		`GET /Users?filter=userName eq "ada.lovelace@contoso.example"`,
		`GET /Users?filter=userName eq "grace.hopper@contoso.example"`,
		`GET /Groups?excludedAttributes=members&filter=displayName eq "Team"`,
		`POST /Groups {"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group","http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],`+
			`"externalId":"`+team.ID+`","displayName":"Team","meta":{"resourceType":"Group"}}`,
		patchOf("/Users/u2", `{"op":"Add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager","value":"u1"}`),
		patchOf("/Groups/g3", `{"op":"Add","path":"members","value":[{"$ref":null,"value":"u1"},{"$ref":null,"value":"u2"}]}`),
	)
	wantCounts := simulator.Counts{Created: 3, ManagersSet: 1, MembersAdded: 2, Requests: 8}
	if report.Counts != wantCounts || s.service.TargetID(grace.ID) != "u2" {
		t.Errorf("counts %+v, Grace is %s", report.Counts, s.service.TargetID(grace.ID))
	}
}

func TestUsherExtensionIsSentWithoutItsURNInSchemas(t *testing.T) {
	s, _ := assigned(t, "", "Ada Lovelace")
	ada := s.endpoint.find("Users", "userName", "ada.lovelace@contoso.example")[0]
	extension := ada[usher].(resource)
	want := map[string]string{
		"objectId": s.id("Ada Lovelace"), "userType": "Member", "employeeType": "Employee", "companyName": "Contoso", "usageLocation": "DK",
		"extensionAttribute1": "CC-1000", "extensionAttribute2": "Badge DK", "extensionAttribute15": "vip",
	}
	if len(extension) != len(want) {
		t.Errorf("extension is %v", extension)
	}
	for name, value := range want {
		if extension[name] != value {
			t.Errorf("%s is %v, want %s", name, extension[name], value)
		}
	}
	if schemas := fmt.Sprint(ada["schemas"]); strings.Contains(schemas, "usher") {
		t.Errorf("schemas are %s", schemas)
	}
	if got := ada[enterprise].(resource)["department"]; got != "Engineering" {
		t.Errorf("department is %v", got)
	}
}

func TestHeadersAndEncoding(t *testing.T) {
	s, _ := assigned(t, "/?aadOptscim062020", "Ada Lovelace")
	must(t, s.tenant.SetAttribute(s.id("Ada Lovelace"), "jobTitle", "R&D <lead>"))
	s.run(s.service.TestConnection)
	s.run(s.service.IncrementalCycle)
	got := s.endpoint.take()
	if len(got) != 4 {
		t.Fatalf("%d requests: %v", len(got), got)
	}
	for _, r := range got {
		if agent, sent := r.header["User-Agent"]; sent {
			t.Errorf("%s has User-Agent %q", r, agent)
		}
		if r.header.Get("Authorization") != "Bearer secret" || r.header.Get("ADSCIMVersion") == "" {
			t.Errorf("%s has headers %v", r, r.header)
		}
		want := ""
		if r.body != "" {
			want = "application/scim+json; charset=utf-8"
		}
		if got := r.header.Get("Content-Type"); got != want {
			t.Errorf("%s has Content-Type %q, want %q", r, got, want)
		}
		if !strings.HasSuffix(r.uri, "aadOptscim062020") {
			t.Errorf("%s lost the flag of the tenant URL", r)
		}
	}
	if !strings.HasPrefix(got[0].uri, "/Users?filter=userName+eq+%22") || !strings.HasPrefix(got[1].uri, "/Groups?excludedAttributes=members&filter=displayName+eq+%22") {
		t.Errorf("probes are %s and %s", got[0].uri, got[1].uri)
	}
	if !strings.Contains(got[3].body, `"value":"R&D <lead>"`) {
		t.Errorf("the body is escaped for HTML: %s", got[3].body)
	}
}

// dialectCase is a change of the tenant and the requests that carry it.
type dialectCase struct {
	name, suffix string // suffix of the tenant URL
	do           func(*scene)
	want         []string
}

func TestDialects(t *testing.T) {
	for _, test := range dialectCases() {
		t.Run(test.name, func(t *testing.T) {
			s, _ := assigned(t, test.suffix, "Ada Lovelace", "Grace Hopper", "Alan Turing")
			test.do(s)
			s.run(s.service.IncrementalCycle)
			s.requests(test.want...)
		})
	}
}

func dialectCases() []dialectCase {
	const enterpriseURN = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	change := func(s *scene) {
		ada := s.id("Ada Lovelace")
		for name, value := range map[string]string{"jobTitle": "Countess", "department": "IT", "mail": "ada@contoso.example", "facsimileTelephoneNumber": "1"} {
			must(s, s.tenant.SetAttribute(ada, name, value))
		}
	}
	disable := func(s *scene) { must(s, s.tenant.Disable(s.id("Ada Lovelace"))) }
	leave := func(s *scene) {
		must(s, s.tenant.RemoveMember(group(s, s.tenant, "Team").ID, s.id("Alan Turing")))
		must(s, s.tenant.RemoveMember(group(s, s.tenant, "Team").ID, s.id("Grace Hopper")))
	}
	promote := func(s *scene) { must(s, s.tenant.SetManager(s.id("Alan Turing"), s.id("Grace Hopper"))) }
	demote := func(s *scene) { must(s, s.tenant.SetManager(s.id("Grace Hopper"), "")) }
	rename := func(s *scene) { must(s, s.tenant.RenameGroup(group(s, s.tenant, "Team").ID, "Crew")) }
	return []dialectCase{
		{"several attributes, legacy", "", change, []string{"GET /Users/u1", patchOf("/Users/u1",
			`{"op":"Replace","path":"title","value":"Countess"},`+
				`{"op":"Replace","path":"emails[type eq \"work\"].value","value":"ada@contoso.example"},`+
				`{"op":"Add","path":"phoneNumbers[type eq \"fax\"].value","value":"1"},`+
				`{"op":"Replace","path":"`+enterpriseURN+`:department","value":"IT"}`)}},
		{"several attributes, compliant", "?aadOptscim062020", change, []string{"GET /Users/u1?aadOptscim062020", patchOf("/Users/u1?aadOptscim062020",
			`{"op":"replace","path":"emails[type eq \"work\"].value","value":"ada@contoso.example"},`+
				`{"op":"add","path":"phoneNumbers[type eq \"fax\"].value","value":"1"},`+
				`{"op":"replace","value":{"title":"Countess","`+enterpriseURN+`:department":"IT"}}`)}},
		{"disable, legacy", "", disable, []string{"GET /Users/u1", patchOf("/Users/u1", `{"op":"Replace","path":"active","value":"False"}`)}},
		{"disable, compliant", "?aadOptscim062020", disable, []string{
			"GET /Users/u1?aadOptscim062020", patchOf("/Users/u1?aadOptscim062020", `{"op":"replace","path":"active","value":false}`),
		}},
		{"members leave, legacy", "", leave, []string{
			"GET /Users/u3", patchOf("/Users/u3", `{"op":"Replace","path":"active","value":"False"}`),
			"GET /Users/u2", patchOf("/Users/u2", `{"op":"Replace","path":"active","value":"False"}`),
			"GET /Groups/g4?excludedAttributes=members",
			patchOf("/Groups/g4", `{"op":"Remove","path":"members","value":[{"$ref":null,"value":"u3"},{"$ref":null,"value":"u2"}]}`),
		}},
		{"members leave, compliant", "?AzureAdScimPatch062020", leave, []string{
			"GET /Users/u3?AzureAdScimPatch062020", patchOf("/Users/u3?AzureAdScimPatch062020", `{"op":"replace","path":"active","value":false}`),
			"GET /Users/u2?AzureAdScimPatch062020", patchOf("/Users/u2?AzureAdScimPatch062020", `{"op":"replace","path":"active","value":false}`),
			"GET /Groups/g4?excludedAttributes=members&AzureAdScimPatch062020",
			patchOf("/Groups/g4?AzureAdScimPatch062020", `{"op":"remove","path":"members[value eq \"u3\"]"},{"op":"remove","path":"members[value eq \"u2\"]"}`),
		}},
		{"manager changes, legacy", "", promote, []string{
			"GET /Users/u3", patchOf("/Users/u3", `{"op":"Replace","path":"`+enterpriseURN+`:manager","value":"u2"}`),
		}},
		{"manager changes, compliant", "?aadOptscim062020", promote, []string{
			"GET /Users/u3?aadOptscim062020",
			patchOf("/Users/u3?aadOptscim062020", `{"op":"replace","path":"`+enterpriseURN+`:manager","value":"u2"}`),
		}},
		{"manager goes, legacy", "", demote, []string{
			"GET /Users/u2", patchOf("/Users/u2", `{"op":"Remove","path":"`+enterpriseURN+`:manager","value":"u1"}`),
		}},
		{"manager goes, compliant", "?aadOptscim062020", demote, []string{
			"GET /Users/u2?aadOptscim062020", patchOf("/Users/u2?aadOptscim062020", `{"op":"remove","path":"`+enterpriseURN+`:manager"}`),
		}},
		{"group renamed, legacy", "", rename, []string{
			"GET /Groups/g4?excludedAttributes=members", patchOf("/Groups/g4", `{"op":"Replace","path":"displayName","value":"Crew"}`),
		}},
		{"group renamed, compliant", "?aadOptscim062020", rename, []string{
			"GET /Groups/g4?excludedAttributes=members&aadOptscim062020",
			patchOf("/Groups/g4?aadOptscim062020", `{"op":"replace","value":{"displayName":"Crew"}}`),
		}},
	}
}

func TestMembersPerPatch(t *testing.T) {
	s := open(t, "", func(s *scene, o *simulator.ProvisionerOptions) {
		o.Assigned = []string{s.team("Team", "Ada Lovelace", "Grace Hopper", "Alan Turing").ID}
		o.MembersPerPatch = 2
	})
	report := s.run(s.service.InitialCycle)
	got := s.endpoint.take()
	for i, want := range []string{`[{"$ref":null,"value":"u1"},{"$ref":null,"value":"u2"}]`, `[{"$ref":null,"value":"u3"}]`} {
		if body := got[len(got)-2+i].body; !strings.Contains(body, want) {
			t.Errorf("PATCH %d is %s", i, body)
		}
	}
	if report.Counts.MembersAdded != 3 {
		t.Errorf("%d members added", report.Counts.MembersAdded)
	}
}

func TestMatching(t *testing.T) {
	t.Run("takes over the one that is there and sends what differs", func(t *testing.T) {
		s := open(t, "", func(s *scene, o *simulator.ProvisionerOptions) {
			o.Assigned = []string{s.id("Ada Lovelace")}
			o.Mappings = simulator.DefaultUserMappings("mailNickname")[:2]
			s.endpoint.store["Users"]["old"] = resource{"id": "old", "userName": "ADA.LOVELACE@contoso.example", "active": true}
		})
		s.run(s.service.InitialCycle)
		s.requests(`GET /Users?filter=userName eq "ada.lovelace@contoso.example"`, patchOf("/Users/old",
			`{"op":"Add","path":"externalId","value":"ada.lovelace"},{"op":"Replace","path":"userName","value":"ada.lovelace@contoso.example"}`))
	})
	t.Run("asks in order and stops at the first hit", func(t *testing.T) {
		s := open(t, "", func(s *scene, o *simulator.ProvisionerOptions) {
			o.UserMatching = []string{"externalId", `emails[type eq "work"].value`, "userName"}
			o.Assigned = []string{s.id("Ada Lovelace"), s.id("George Boole")}
			s.endpoint.store["Users"]["old"] = resource{"id": "old", "userName": "x", "emails": []any{resource{"type": "work", "value": "ada.lovelace@contoso.example"}}}
		})
		s.run(s.service.InitialCycle)
		var filters []string
		for _, r := range s.endpoint.take() {
			if uri, _ := url.QueryUnescape(r.uri); r.method == http.MethodGet {
				filters = append(filters, uri)
			}
		}
		slices.Sort(filters)
		want := []string{ // Ada is found by mail; George Boole has no mail, which is therefore not asked for
			`/Users?filter=emails[type eq "work"].value eq "ada.lovelace@contoso.example"`,
			`/Users?filter=externalId eq "` + s.id("Ada Lovelace") + `"`, `/Users?filter=externalId eq "` + s.id("George Boole") + `"`,
			`/Users?filter=userName eq "george.boole@contoso.example"`,
		}
		slices.Sort(want)
		if !slices.Equal(filters, want) {
			t.Errorf("filters %q", filters)
		}
	})
	t.Run("several hits are an error of that object", func(t *testing.T) {
		s := open(t, "", func(s *scene, o *simulator.ProvisionerOptions) {
			o.Assigned = []string{s.id("Ada Lovelace")}
			for _, id := range []string{"a", "b"} {
				s.endpoint.store["Users"][id] = resource{"id": id, "userName": "ada.lovelace@contoso.example"}
			}
		})
		s.failsWith(simulator.CodeDuplicateTarget)
	})
	t.Run("an unmapped matching attribute is refused", func(t *testing.T) {
		_, err := simulator.NewProvisioner(simulator.ProvisionerOptions{Tenant: newTenant(20), TenantURL: "http://h", UserMatching: []string{"nickName"}})
		if err == nil || !strings.Contains(err.Error(), "nickName") {
			t.Errorf("error is %v", err)
		}
	})
}

// failsWith runs an initial cycle in which exactly one object fails, with this code.
func (s *scene) failsWith(code simulator.Code) *simulator.Report {
	s.Helper()
	report := s.run(s.service.InitialCycle)
	failures := report.Failures()
	if len(failures) != 1 || failures[0].Code != code || report.Escrows != 1 || report.Counts.Failed != 1 {
		s.Fatalf("failures %v, %d escrows, want one %s", failures, report.Escrows, code)
	}
	return report
}

func TestTestConnectionReportsWhatIsWrong(t *testing.T) {
	s := open(t, "", nil)
	s.run(s.service.TestConnection)
	s.endpoint.fault = func(recorded) int { return http.StatusUnauthorized }
	report, err := s.service.TestConnection(t.Context())
	if failure, ok := errors.AsType[*simulator.Failure](err); !ok || failure.Code != simulator.CodeUnauthorized {
		t.Errorf("error is %v", err)
	}
	if report.State != simulator.StateActive || report.Counts.Requests != 1 {
		t.Errorf("state %s after %d requests", report.State, report.Counts.Requests)
	}
}
