package graph_test

import (
	"context"
	"testing"
	"time"

	"usher/internal/graph"
	"usher/model/entra"
	"usher/model/outlook"
)

const (
	sp       = "5b9a3c7e-4b1f-4a2d-9c39-0f6a5f1b2c3d"
	template = "8adf8e6e-67b2-4cf2-a259-e3dc5476c621"
	syncJob  = "scim.84bd81586d4d49588b9f9d6445542f95.7e1c"
	jobs     = "/v1.0/servicePrincipals/" + sp + "/synchronization/jobs"
	oneJob   = jobs + "/" + syncJob
)

func nothing(do func(context.Context, *graph.Client) error) func(context.Context, *graph.Client) (any, error) {
	return func(ctx context.Context, c *graph.Client) (any, error) { return nil, do(ctx, c) }
}

func TestApplications(t *testing.T) {
	const principal = `{"id":"` + sp + `","appId":"` + client + `","displayName":"Usher","appRoles":[
		{"id":"r1","displayName":"User","isEnabled":true,"allowedMemberTypes":["User"],"value":null},
		{"id":"r2","displayName":"msiam_access","isEnabled":true,"allowedMemberTypes":["User"]},{"id":"r3","displayName":"Old","isEnabled":false,"allowedMemberTypes":["Application"]}]}`
	want := entra.ServicePrincipal{ID: sp, AppID: client, DisplayName: "Usher", Roles: []entra.AppRole{
		{ID: "r1", Name: "User", Enabled: true, ForUsers: true}, {ID: "r2", Name: "msiam_access", Enabled: true, ForUsers: true, Platform: true}, {ID: "r3", Name: "Old"},
	}}
	done := answer{status: 204}
	run(t, []story{
		{
			name:   "an application from the gallery",
			call:   func(ctx context.Context, c *graph.Client) (any, error) { return c.Instantiate(ctx, template, "Usher") },
			method: "POST", path: "/v1.0/applicationTemplates/" + template + "/instantiate", body: `{"displayName":"Usher"}`,
			answer: answer{status: 201, body: `{"application":{"id":"o1","appId":"` + client + `","displayName":"Usher"},"servicePrincipal":{"id":"` + sp + `","appId":"` + client + `"}}`},
			want:   entra.Application{ObjectID: "o1", AppID: client, ServicePrincipalID: sp, DisplayName: "Usher"},
		},
		{
			name:   "a service principal",
			call:   func(ctx context.Context, c *graph.Client) (any, error) { return c.ServicePrincipal(ctx, sp) },
			method: "GET", path: "/v1.0/servicePrincipals/" + sp, query: "$select=id,appId,displayName,appRoles", answer: ok(principal), want: want,
		},
		{
			name:   "that of an application",
			call:   func(ctx context.Context, c *graph.Client) (any, error) { return c.ServicePrincipalOf(ctx, client) },
			method: "GET", path: "/v1.0/servicePrincipals", query: "$select=id,appId,displayName,appRoles&$filter=appId eq '" + client + "'",
			answer: ok(`{"value":[` + principal + `]}`), want: want,
		},
		{
			name:   "an assignment",
			call:   nothing(func(ctx context.Context, c *graph.Client) error { return c.Assign(ctx, sp, board, "r1") }),
			method: "POST", path: "/v1.0/servicePrincipals/" + sp + "/appRoleAssignedTo", answer: answer{status: 201, body: `{"id":"a"}`},
			body: `{"principalId":"` + board + `","resourceId":"` + sp + `","appRoleId":"r1"}`,
		},
		{
			name:   "the end of a service principal",
			call:   nothing(func(ctx context.Context, c *graph.Client) error { return c.DeleteServicePrincipal(ctx, sp) }),
			method: "DELETE", path: "/v1.0/servicePrincipals/" + sp, answer: done,
		},
		{
			name:   "the end of an application",
			call:   nothing(func(ctx context.Context, c *graph.Client) error { return c.DeleteApplication(ctx, "o1") }),
			method: "DELETE", path: "/v1.0/applications/o1", answer: done,
		},
		{
			name: "the end of a delegated grant",
			call: nothing(func(ctx context.Context, c *graph.Client) error {
				return c.DeleteGrant(ctx, sp, entra.Grant{ID: "d/1", Delegated: true, ResourceID: "res"})
			}),
			method: "DELETE", path: "/v1.0/oauth2PermissionGrants/d%2F1", answer: done,
		},
		{
			name: "the end of a role",
			call: nothing(func(ctx context.Context, c *graph.Client) error {
				return c.DeleteGrant(ctx, sp, entra.Grant{ID: "a1", ResourceID: "res"})
			}),
			method: "DELETE", path: "/v1.0/servicePrincipals/res/appRoleAssignedTo/a1", answer: done,
		},
	})
}

func TestGrants(t *testing.T) {
	w := newWorld(t, ok(`{"@odata.nextLink":"{graph}/v1.0/more","value":[{"id":"d1","resourceId":"res","scope":" User.Read openid"}]}`), ok(`{"value":[]}`),
		ok(`{"value":[{"id":"a1","resourceId":"res","appRoleId":"r1"}]}`))
	got, err := w.client().Grants(t.Context(), sp)
	if err != nil || len(got) != 2 || got[0] != (entra.Grant{ID: "d1", Delegated: true, ResourceID: "res", Name: "User.Read openid"}) ||
		got[1] != (entra.Grant{ID: "a1", ResourceID: "res", Name: "r1"}) {
		t.Errorf("%+v, %v", got, err)
	}
	if r := w.asked(3); r[0].Path != "/v1.0/servicePrincipals/"+sp+"/oauth2PermissionGrants" || r[1].Path != "/v1.0/more" || r[2].Path != "/v1.0/servicePrincipals/"+sp+"/appRoleAssignments" {
		t.Errorf("%+v", r)
	}
}

func TestSynchronization(t *testing.T) {
	at := func(hour int) time.Time { return time.Date(2026, 11, 21, hour, 0, 0, 0, time.UTC) }
	const text = `{"id":"` + syncJob + `","templateId":"scim","schedule":{"expiration":null,"interval":"PT40M","state":"Active"},"status":{"code":"Quarantine",
		"countSuccessiveCompleteFailures":3,"escrowsPruned":false,"lastSuccessfulExecution":null,"steadyStateLastAchievedTime":"0001-01-01T00:00:00Z",
		"lastExecution":{"state":"Failed","timeBegan":"2026-11-21T08:00:00Z","timeEnded":"2026-11-21T09:00:00Z","countImported":5,"countExported":4,"countEscrowed":1,"countEntitled":7,
			"error":{"code":"SystemForCrossDomainIdentityManagementCredentialValidationUnavailable","message":"It was not reached.","tenantActionable":true}},
		"quarantine":{"reason":"EncounteredQuarantineException","currentBegan":"2026-11-21T09:00:00Z","nextAttempt":"2026-11-21T15:00:00Z","seriesCount":1,"error":{"code":"C","message":"M"}},
		"progress":[{"units":"Users","completedUnits":3,"totalUnits":9}],"synchronizedEntryCountByType":[{"key":"User","value":12},{"key":"Group","value":2}],"troubleshootingUrl":"https://t.example"}}`
	want := entra.Job{
		ID: syncJob, TemplateID: "scim", State: "Active", Interval: 40 * time.Minute,
		Status: entra.JobStatus{
			Code: "Quarantine", SuccessiveFailures: 3, Synchronized: map[string]int{"User": 12, "Group": 2}, Completed: 3, Total: 9, TroubleshootingURL: "https://t.example",
			Last: &entra.JobExecution{
				State: "Failed", Begun: at(8), Ended: at(9), Imported: 5, Exported: 4, Escrowed: 1, Entitled: 7, ErrorMessage: "It was not reached.",
				ErrorCode: "SystemForCrossDomainIdentityManagementCredentialValidationUnavailable", Action: "an administrator of the tenant can resolve it",
			},
			Quarantine: &entra.Quarantine{Reason: "EncounteredQuarantineException", Begun: at(9), NextAttempt: at(15), ErrorCode: "C", ErrorMessage: "M"},
		},
	}
	credentials := []entra.Secret{{Key: "BaseAddress", Value: "https://usher.contoso.example/scim/v2/x"}, {Key: "SecretToken", Value: "s"}}
	const credentialsJSON = `[{"key":"BaseAddress","value":"https://usher.contoso.example/scim/v2/x"},{"key":"SecretToken","value":"s"}]`
	schema := entra.Schema(`{"id":"x","fromTheFuture":{"a":[1]},"synchronizationRules":[]}`)
	done := answer{status: 204}
	run(t, []story{
		{
			name:   "templates",
			call:   func(ctx context.Context, c *graph.Client) (any, error) { return c.Templates(ctx, sp) },
			method: "GET", path: "/v1.0/servicePrincipals/" + sp + "/synchronization/templates",
			answer: ok(`{"value":[{"id":"scim","factoryTag":"scim","schema":{"id":"x"}},{"id":"customappsso"}]}`), want: []string{"scim", "customappsso"},
		},
		{
			name: "jobs", call: func(ctx context.Context, c *graph.Client) (any, error) { return c.Jobs(ctx, sp) },
			method: "GET", path: jobs, answer: ok(`{"value":[` + text + `]}`), want: []entra.Job{want},
		},
		{
			name: "a job", call: func(ctx context.Context, c *graph.Client) (any, error) { return c.Job(ctx, sp, syncJob) },
			method: "GET", path: oneJob, answer: ok(text), want: want,
		},
		{
			name: "a new job", call: func(ctx context.Context, c *graph.Client) (any, error) { return c.CreateJob(ctx, sp, "scim") },
			method: "POST", path: jobs, body: `{"templateId":"scim"}`, answer: answer{status: 201, body: text}, want: want,
		},
		{
			name: "credentials tried", call: nothing(func(ctx context.Context, c *graph.Client) error {
				return c.ValidateCredentials(ctx, sp, syncJob, credentials)
			}),
			method: "POST", path: oneJob + "/validateCredentials", answer: done, body: `{"useSavedCredentials":false,"credentials":` + credentialsJSON + `}`,
		},
		{
			name: "credentials stored", call: nothing(func(ctx context.Context, c *graph.Client) error { return c.PutSecrets(ctx, sp, credentials) }),
			method: "PUT", path: "/v1.0/servicePrincipals/" + sp + "/synchronization/secrets", answer: done, body: `{"value":` + credentialsJSON + `}`,
		},
		{
			name: "mappings read", call: func(ctx context.Context, c *graph.Client) (any, error) { return c.JobSchema(ctx, sp, syncJob) },
			method: "GET", path: oneJob + "/schema", answer: ok(string(schema)), want: schema,
		},
		{
			name: "mappings replaced", call: nothing(func(ctx context.Context, c *graph.Client) error { return c.PutJobSchema(ctx, sp, syncJob, schema) }),
			method: "PUT", path: oneJob + "/schema", answer: done, body: string(schema),
		},
		{
			name: "started", call: nothing(func(ctx context.Context, c *graph.Client) error { return c.StartJob(ctx, sp, syncJob) }),
			method: "POST", path: oneJob + "/start", answer: done,
		},
		{
			name: "paused", call: nothing(func(ctx context.Context, c *graph.Client) error { return c.PauseJob(ctx, sp, syncJob) }),
			method: "POST", path: oneJob + "/pause", answer: done,
		},
		{
			name: "begun anew", call: nothing(func(ctx context.Context, c *graph.Client) error {
				return c.RestartJob(ctx, sp, syncJob, "Watermark, Escrows, QuarantineState")
			}),
			method: "POST", path: oneJob + "/restart", answer: done, body: `{"criteria":{"resetScope":"Watermark, Escrows, QuarantineState"}}`,
		},
		{
			name: "deleted", call: nothing(func(ctx context.Context, c *graph.Client) error { return c.DeleteJob(ctx, sp, syncJob) }),
			method: "DELETE", path: oneJob, answer: done,
		},
	})
}

func TestApplicationsThatAreNotThere(t *testing.T) {
	for name, try := range map[string]func(context.Context, *graph.Client) error{
		"ServicePrincipal": func(ctx context.Context, c *graph.Client) error { _, err := c.ServicePrincipal(ctx, sp); return err },
		"Templates":        func(ctx context.Context, c *graph.Client) error { _, err := c.Templates(ctx, sp); return err },
		"Job":              func(ctx context.Context, c *graph.Client) error { _, err := c.Job(ctx, sp, syncJob); return err },
		"DeleteJob":        func(ctx context.Context, c *graph.Client) error { return c.DeleteJob(ctx, sp, syncJob) },
	} {
		t.Run(name, func(t *testing.T) {
			checkKind(t, try(t.Context(), newWorld(t, refusal(404, "Request_ResourceNotFound", "")).client()), outlook.NotFound)
		})
	}
	_, err := newWorld(t, ok(`{"value":[]}`)).client().ServicePrincipalOf(t.Context(), client)
	checkKind(t, err, outlook.NotFound)
	checkKind(t, newWorld(t).client().PutJobSchema(t.Context(), sp, syncJob, entra.Schema(`{`)), outlook.Invalid)
	_, err = newWorld(t, answer{status: 201, body: `{}`}).client().Instantiate(t.Context(), template, "Usher")
	checkKind(t, err, outlook.Unavailable)
}

// TestABorrowedToken: an administrator's token is used as it is, and its end is told.
func TestABorrowedToken(t *testing.T) {
	challenged := with(refusal(401, "InvalidAuthenticationToken", ""), "WWW-Authenticate", `Bearer error="insufficient_claims", claims="eyJhY2Nlc3NfdG9rZW4iOnt9fQ=="`)
	w := newWorld(t, ok(`{"id":"`+sp+`"}`), challenged, refusal(401, "InvalidAuthenticationToken", "Lifetime validation failed, the token is expired."))
	options := w.options()
	options.TenantID, options.ClientID, options.Credential = "", "", graph.Credential{AccessToken: "eyJ.administrator.token"}
	c := w.clientOf(options)
	if _, err := c.ServicePrincipal(t.Context(), sp); err != nil {
		t.Fatal(err)
	}
	if got := w.asked(1)[0].Header.Get("Authorization"); got != "Bearer eyJ.administrator.token" {
		t.Error(got)
	}
	for range 2 {
		_, err := c.ServicePrincipal(t.Context(), sp)
		checkKind(t, err, outlook.BadCredentials)
	}
	w.asked(3)
	if len(w.login.forms) != 0 {
		t.Errorf("a token was asked for: %v", w.login.forms)
	}
}
