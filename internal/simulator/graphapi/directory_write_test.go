package graphapi

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"usher/internal/simulator"
	"usher/internal/simulator/entraid"
)

const newcomer = `{"accountEnabled":true,"displayName":"Ada Byron","mailNickname":"ada.byron","userPrincipalName":"ada.byron@contoso.example",
	"usageLocation":"DK","jobTitle":null,"passwordProfile":{"forceChangePasswordNextSignIn":true,"password":"Correct-Horse-1"}}`

func TestPeopleAreWrittenOverHTTP(t *testing.T) {
	w := startTown(t, nil)
	got := w.do(t, "POST", "/users", newcomer)
	id, _ := got.json["id"].(string)
	if got.status != 201 || id == "" || got.json["businessPhones"] == nil || strings.Contains(got.raw, "Correct-Horse") {
		t.Fatalf("created: %d %s", got.status, got.raw)
	}
	got = w.do(t, "POST", "/users", newcomer)
	got.want(t, 400, "Request_BadRequest")
	if got.at("error", "details", "0", "code") != "ObjectConflict" || got.at("error", "details", "0", "target") != "userPrincipalName" {
		t.Errorf("conflict: %s", got.raw)
	}
	for _, test := range []struct {
		method, path, body string
		status             int
	}{
		{"PATCH", "/users/" + id, `{"jobTitle":"Poet","businessPhones":["1"],"onPremisesExtensionAttributes":{"extensionAttribute2":"x"}}`, 204},
		{"PATCH", "/users/ada.byron@contoso.example", `{"mobilePhone":null}`, 204},
		{"PATCH", "/users/" + id, `{"jobTitle":7}`, 400},
		{"PATCH", "/users/" + id, `not json`, 400},
		{"PATCH", "/users/" + tenantID, `{"jobTitle":"x"}`, 404},
		{"PUT", "/users/" + id + "/manager/$ref", `{"@odata.id":"https://graph.microsoft.com/v1.0/users/` + w.named(t, "Grace Hopper").ID + `"}`, 204},
		{"PUT", "/users/" + id + "/manager/$ref", `{}`, 400},
		{"GET", "/users/" + id + "/manager", "", 200},
		{"DELETE", "/users/" + id + "/manager/$ref", "", 204},
		{"DELETE", "/users/" + id + "/manager/$ref", "", 404},
		{"GET", "/users/" + id + "/manager", "", 404},
		{"POST", "/users/" + id + "/revokeSignInSessions", "", 200},
		{"DELETE", "/users/" + id, "", 204},
		{"GET", "/users/" + id, "", 404},
		{"GET", "/directory/deletedItems/" + id, "", 200},
		{"POST", "/directory/deletedItems/" + id + "/restore", "", 200},
		{"GET", "/users/" + id + "?$select=deletedDateTime", "", 200},
		{"DELETE", "/users/" + id, "", 204},
		{"DELETE", "/directory/deletedItems/" + id, "", 204},
		{"POST", "/directory/deletedItems/" + id + "/restore", "", 404},
	} {
		if got := w.do(t, test.method, test.path, test.body); got.status != test.status {
			t.Errorf("%s %s %s: %d %s, want %d", test.method, test.path, test.body, got.status, got.raw, test.status)
		}
	}
}

func TestMembersAreWrittenOverHTTP(t *testing.T) {
	w := startTown(t, nil)
	hr, list := w.group(t, "HR").ID, w.group(t, simulator.GroupNewsletter).ID
	ada, alan, grace := w.named(t, "Ada Lovelace").ID, w.named(t, "Alan Turing").ID, w.named(t, "Grace Hopper").ID
	reference := func(id string) string {
		return `{"@odata.id":"https://graph.microsoft.com/v1.0/directoryObjects/` + id + `"}`
	}
	bind := func(ids ...string) string {
		var list []string
		for _, id := range ids {
			list = append(list, "https://graph.microsoft.com/v1.0/directoryObjects/"+id)
		}
		body, _ := json.Marshal(object{"members@odata.bind": list})
		return string(body)
	}
	for _, test := range []struct {
		name, method, path, body string
		status                   int
	}{
		{"joins", "POST", "/groups/" + hr + "/members/$ref", reference(ada), 204},
		{"is there", "POST", "/groups/" + hr + "/members/$ref", reference(ada), 400},
		{"one of two is there", "PATCH", "/groups/" + hr, bind(alan, ada), 400},
		{"two", "PATCH", "/groups/" + hr, bind(alan, grace), 204},
		{"too many", "PATCH", "/groups/" + hr, bind(slices.Repeat([]string{"x"}, 21)...), 400},
		{"a list", "POST", "/groups/" + list + "/members/$ref", reference(alan), 400},
		{"leaves", "DELETE", "/groups/" + hr + "/members/" + ada + "/$ref", "", 204},
		{"is gone", "DELETE", "/groups/" + hr + "/members/" + ada + "/$ref", "", 404},
		{"without $ref", "DELETE", "/groups/" + hr + "/members/" + alan, "", 204},
	} {
		if got := w.do(t, test.method, test.path, test.body); got.status != test.status {
			t.Errorf("%s: %d %s, want %d", test.name, got.status, got.raw, test.status)
		}
	}
	if u, _ := w.tenant.User(alan); !u.Deleted() {
		t.Error("without $ref it is the user who is deleted")
	}
	if w.tenant.IsMember(hr, ada) || !w.tenant.IsMember(hr, grace) {
		t.Error("the members are not those that were left")
	}
}

func TestLicencesAndPicturesOverHTTP(t *testing.T) {
	w := startTown(t, nil)
	ada := w.named(t, "Ada Lovelace").ID
	got := w.do(t, "GET", "/subscribedSkus", "")
	if got.at("value", "0", "skuPartNumber") != simulator.SKUOffice || got.at("value", "0", "prepaidUnits", "enabled") == nil {
		t.Fatalf("products: %s", got.raw)
	}
	flow, _ := got.at("value", "2", "skuId").(string)
	w.do(t, "POST", "/users/"+ada+"/assignLicense", `{"addLicenses":[{"skuId":"`+flow+`"}]}`).want(t, 400, "Request_BadRequest")
	got = w.do(t, "POST", "/users/"+ada+"/assignLicense", `{"addLicenses":[{"skuId":"`+flow+`","disabledPlans":[]}],"removeLicenses":[]}`)
	if got.status != 200 || !strings.Contains(got.raw, flow) {
		t.Errorf("assigned: %s", got.raw)
	}
	got = w.do(t, "GET", "/users/"+ada+"?$select=id,licenseAssignmentStates,assignedLicenses", "")
	if got.at("value") != nil || got.at("licenseAssignmentStates", "1", "skuId") != flow || got.at("licenseAssignmentStates", "1", "assignedByGroup") != nil {
		t.Errorf("states: %s", got.raw)
	}
	if got = w.do(t, "GET", "/users/"+ada+"/licenseDetails", ""); len(got.values("skuId")) != 2 {
		t.Errorf("details: %s", got.raw)
	}

	w.do(t, "GET", "/users/"+ada+"/photo", "").want(t, 404, "ImageNotFound")
	w.directory.SetPhoto(ada, []byte("picture"), "image/png")
	got = w.do(t, "GET", "/users/"+ada+"/photo", "")
	tag, _ := got.json["@odata.mediaEtag"].(string)
	if tag == "" {
		t.Fatalf("photo: %s", got.raw)
	}
	if got = w.do(t, "GET", "/users/"+ada+"/photo/$value", ""); got.raw != "picture" || got.header.Get("Content-Type") != "image/png" || got.header.Get("ETag") != tag {
		t.Errorf("value: %v %s", got.header, got.raw)
	}
	if got = w.do(t, "GET", "/users/"+ada+"/photos/96x96/$value", "", "If-None-Match", tag); got.status != 304 || got.raw != "" {
		t.Errorf("not modified: %d %s", got.status, got.raw)
	}
	w.do(t, "GET", "/users/"+ada+"/photos/97x97/$value", "").want(t, 400, "ErrorInvalidImageId")
}

func TestOrganizationOverHTTP(t *testing.T) {
	w := startTown(t, nil)
	got := w.do(t, "GET", "/organization?$select=id,displayName,verifiedDomains", "")
	if got.at("value", "0", "id") != tenantID || got.at("value", "0", "verifiedDomains", "0", "isDefault") != true {
		t.Errorf("organization: %s", got.raw)
	}
	if got = w.do(t, "GET", "/domains", ""); len(got.values("id")) != 2 || got.at("value", "0", "authenticationType") != "Managed" {
		t.Errorf("domains: %s", got.raw)
	}
	e := w.directory.DefineExtension(appID, "shoeSize", "Integer", "HR system")
	if got = w.do(t, "POST", "/directoryObjects/getAvailableExtensionProperties", `{}`); got.at("value", "0", "name") != e.Name {
		t.Errorf("extensions: %s", got.raw)
	}
	ada := w.named(t, "Ada Lovelace").ID
	if got = w.do(t, "PATCH", "/users/"+ada, `{"`+e.Name+`":43}`); got.status != 204 {
		t.Errorf("extension: %s", got.raw)
	}
	w.do(t, "PATCH", "/users/"+ada, `{"`+e.Name+`":"large"}`).want(t, 400, "Request_BadRequest")
	if got = w.do(t, "GET", "/users/"+ada+"?$select=displayName,"+e.Name, ""); got.json[e.Name] != float64(43) {
		t.Errorf("extension: %s", got.raw)
	}
}

func TestIdentityThrottling(t *testing.T) {
	clock := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	w := startTown(t, nil, func(o *Options) { o.Now = func() time.Time { return clock } })
	ada := "/users/" + w.named(t, "Ada Lovelace").ID
	w.SetIdentityLimits(Identity{Units: 10, Writes: 2})
	got := w.do(t, "GET", ada, "")
	if got.header.Get("x-ms-resource-unit") != "2" || got.header.Get("x-ms-throttle-limit-percentage") != "" {
		t.Errorf("headers: %v", got.header)
	}
	if got = w.do(t, "GET", ada+"?$select=id", ""); got.header.Get("x-ms-resource-unit") != "1" {
		t.Errorf("$select: %v", got.header)
	}
	group := "/groups/" + w.group(t, "HR").ID + "/transitiveMembers"
	if got = w.do(t, "GET", group, ""); got.header.Get("x-ms-resource-unit") != "5" {
		t.Errorf("transitive: %v", got.header)
	}
	if got = w.do(t, "GET", ada, "", "x-ms-throttle-priority", "low"); got.status != 429 {
		t.Errorf("two are left, of which one is for others: %d", got.status)
	}
	if got = w.do(t, "GET", ada, ""); got.status != 200 || got.header.Get("x-ms-throttle-limit-percentage") != "1.0" {
		t.Errorf("%d %v", got.status, got.header)
	}
	got = w.do(t, "GET", ada, "")
	got.want(t, 429, "TooManyRequests")
	if got.header.Get("Retry-After") != "2" || got.header.Get("x-ms-throttle-information") != "ResourceUnitLimitExceeded" ||
		!strings.HasPrefix(got.header.Get("x-ms-throttle-scope"), "Tenant_Application/") {
		t.Errorf("headers: %v", got.header)
	}
	clock = clock.Add(2 * time.Second)
	if got = w.do(t, "GET", ada, ""); got.status != 200 {
		t.Errorf("after the wait: %d", got.status)
	}
	clock = clock.Add(time.Minute)
	for i, want := range []int{204, 204, 429} {
		if got = w.do(t, "PATCH", ada, `{"jobTitle":"Poet"}`); got.status != want {
			t.Errorf("write %d: %d", i, got.status)
		}
	}
	if got.header.Get("x-ms-throttle-information") != "WriteLimitExceeded" {
		t.Errorf("headers: %v", got.header)
	}
	remove := w.Fail(ThrottleDirectory("/groups/*", 3*time.Second))
	defer remove()
	if got = w.do(t, "GET", "/groups/"+w.group(t, "HR").ID, ""); got.status != 429 || got.header.Get("Retry-After") != "3" || got.header.Get("x-ms-throttle-information") == "" {
		t.Errorf("fault: %d %v", got.status, got.header)
	}
}

func TestProvisioningOverHTTP(t *testing.T) {
	w := startTown(t, nil)
	got := w.do(t, "POST", "/applicationTemplates/"+entraid.NonGallery+"/instantiate", `{"displayName":"Usher"}`)
	sp, _ := got.at("servicePrincipal", "id").(string)
	if got.status != 201 || sp == "" || got.at("application", "appId") == nil {
		t.Fatalf("instantiate: %s", got.raw)
	}
	if got = w.do(t, "GET", "/applications"+query("$filter", "displayName eq 'Usher'"), ""); len(got.values("id")) != 1 {
		t.Errorf("applications: %s", got.raw)
	}
	root := "/servicePrincipals/" + sp + "/synchronization"
	if got = w.do(t, "GET", root+"/templates", ""); got.at("value", "0", "id") != "scim" {
		t.Errorf("templates: %s", got.raw)
	}
	got = w.do(t, "POST", root+"/jobs", `{"templateId":"scim"}`)
	id, _ := got.json["id"].(string)
	if got.status != 201 || got.at("schedule", "state") != "Disabled" || got.at("schedule", "interval") != "PT40M" {
		t.Fatalf("job: %s", got.raw)
	}
	job := root + "/jobs/" + id
	secrets := `{"value":[{"key":"BaseAddress","value":"https://usher.contoso.example/scim"},{"key":"SecretToken","value":"s3cret-token"}]}`
	if got = w.do(t, "PUT", root+"/secrets", secrets); got.status != 204 {
		t.Errorf("secrets: %s", got.raw)
	}
	if got = w.do(t, "GET", root+"/secrets", ""); strings.Contains(got.raw, "s3cret-token") {
		t.Errorf("the token is told: %s", got.raw)
	}
	schema := w.do(t, "GET", job+"/schema", "")
	got = w.do(t, "PATCH", job+"/schema", schema.raw)
	if message, _ := got.json["Message"].(string); got.status != 404 || !strings.HasPrefix(message, "No HTTP resource was found") {
		t.Errorf("PATCH: %d %s", got.status, got.raw)
	}
	if got = w.do(t, "PUT", job+"/schema", schema.raw); got.status != 204 {
		t.Errorf("PUT: %d %s", got.status, got.raw)
	}
	principal := w.do(t, "GET", "/servicePrincipals/"+sp, "")
	role, _ := principal.at("appRoles", "0", "id").(string)
	assignment := `{"principalId":"` + w.group(t, "HR").ID + `","resourceId":"` + sp + `","appRoleId":"` + role + `"}`
	if got = w.do(t, "POST", "/servicePrincipals/"+sp+"/appRoleAssignedTo", assignment); got.status != 201 || got.json["principalType"] != "Group" {
		t.Errorf("assign: %s", got.raw)
	}
	if got = w.do(t, "GET", "/servicePrincipals/"+sp+"/appRoleAssignedTo", ""); len(got.values("id")) != 1 {
		t.Errorf("assigned: %s", got.raw)
	}
	for _, test := range []struct {
		action, body string
		status       int
		code         string
	}{
		{"start", "", 204, "NotRun"},
		{"pause", "", 204, "Paused"},
		{"restart", `{"criteria":{"resetScope":"Full"}}`, 204, "NotRun"},
		{"restart", `{"criteria":{"resetScope":"Everything"}}`, 400, "NotRun"},
	} {
		if got = w.do(t, "POST", job+"/"+test.action, test.body); got.status != test.status {
			t.Errorf("%s: %s", test.action, got.raw)
		}
		if got = w.do(t, "GET", job, ""); got.at("status", "code") != test.code {
			t.Errorf("after %s: %s", test.action, got.raw)
		}
	}
	if got = w.do(t, "DELETE", job, ""); got.status != 204 {
		t.Errorf("delete: %s", got.raw)
	}
	if got = w.do(t, "DELETE", "/servicePrincipals/"+sp, ""); got.status != 204 {
		t.Errorf("delete: %s", got.raw)
	}
	w.do(t, "GET", root+"/jobs", "").want(t, http.StatusNotFound, "Request_ResourceNotFound")
}
