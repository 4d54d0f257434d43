package tenanttest

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"

	"usher/model/entra"
	"usher/model/outlook"
)

func applications() []promise {
	return []promise{
		{"an application is made from the gallery, and ended", application},
		{"a group gets a role once", assignment},
		{"what is not there is NotFound", noApplication},
	}
}

func jobs() []promise {
	return []promise{
		{"a job is made, started, paused and deleted", jobLife},
		{"credentials are tried before they are stored", credentials},
		{"mappings are replaced as a whole", schema},
		{"a job begins anew", restart},
	}
}

func application(t *testing.T, w World) {
	p := w.Provisioning
	made := must[entra.Application](t)(p.Instantiate(t.Context(), w.Template, "Usher"))
	if made.ObjectID == "" || made.AppID == "" || made.ServicePrincipalID == "" || made.DisplayName != "Usher" {
		t.Fatalf("made %+v", made)
	}
	sp := must[entra.ServicePrincipal](t)(p.ServicePrincipal(t.Context(), made.ServicePrincipalID))
	byApp := must[entra.ServicePrincipal](t)(p.ServicePrincipalOf(t.Context(), made.AppID))
	if sp.ID != made.ServicePrincipalID || sp.AppID != made.AppID || byApp.ID != sp.ID {
		t.Errorf("got %+v and %+v", sp, byApp)
	}
	if list := must[[]entra.Application](t)(p.ApplicationsNamed(t.Context(), "Usher")); len(list) != 1 || list[0] != made {
		t.Errorf("of that name: %+v, want %+v", list, made)
	}
	for _, name := range []string{"usher", "Ushe", "' or displayName ne '"} {
		if list := must[[]entra.Application](t)(p.ApplicationsNamed(t.Context(), name)); len(list) != 0 {
			t.Errorf("of the name %s: %+v", name, list)
		}
	}
	done(t, p.DeleteServicePrincipal(t.Context(), made.ServicePrincipalID))
	if list := must[[]entra.Application](t)(p.ApplicationsNamed(t.Context(), "Usher")); len(list) != 1 || list[0].ServicePrincipalID != "" {
		t.Errorf("without service principal: %+v", list)
	}
	_, err := p.ServicePrincipal(t.Context(), made.ServicePrincipalID)
	wantKind(t, err, outlook.NotFound)
	done(t, p.DeleteApplication(t.Context(), made.ObjectID))
	wantKind(t, p.DeleteApplication(t.Context(), made.ObjectID), outlook.NotFound)
}

// installed is an application of the gallery, with its role for users.
func (w World) installed(t *testing.T) (servicePrincipal, role string) {
	t.Helper()
	made := must[entra.Application](t)(w.Provisioning.Instantiate(t.Context(), w.Template, "Usher"))
	sp := must[entra.ServicePrincipal](t)(w.Provisioning.ServicePrincipal(t.Context(), made.ServicePrincipalID))
	at := slices.IndexFunc(sp.Roles, func(r entra.AppRole) bool { return r.Enabled && r.ForUsers && !r.Platform })
	if at < 0 {
		t.Fatalf("there is no role for users among %+v", sp.Roles)
	}
	return sp.ID, sp.Roles[at].ID
}

func assignment(t *testing.T, w World) {
	sp, role := w.installed(t)
	done(t, w.Provisioning.Assign(t.Context(), sp, w.Team, role))
	wantKind(t, w.Provisioning.Assign(t.Context(), sp, w.Team, role), outlook.Duplicate)
	done(t, w.Provisioning.Assign(t.Context(), sp, w.Ada.ID, role))
}

func noApplication(t *testing.T, w World) {
	p := w.Provisioning
	_, principal := p.ServicePrincipal(t.Context(), nobody)
	_, byApp := p.ServicePrincipalOf(t.Context(), nobody)
	_, templates := p.Templates(t.Context(), nobody)
	_, template := p.Instantiate(t.Context(), nobody, "Usher")
	sp, _ := w.installed(t)
	_, job := p.Job(t.Context(), sp, "scim.none")
	_, schema := p.JobSchema(t.Context(), sp, "scim.none")
	for i, err := range []error{principal, byApp, templates, template, job, schema, p.StartJob(t.Context(), sp, "scim.none"), p.DeleteJob(t.Context(), sp, "scim.none")} {
		if err == nil || outlook.KindOf(err) != outlook.NotFound {
			t.Errorf("%d: %v", i, err)
		}
	}
}

// job is a job of an application of the gallery.
func (w World) job(t *testing.T) (servicePrincipal string, job entra.Job) {
	t.Helper()
	sp, _ := w.installed(t)
	templates := must[[]string](t)(w.Provisioning.Templates(t.Context(), sp))
	if !slices.Contains(templates, "scim") {
		t.Fatalf("templates %v", templates)
	}
	return sp, must[entra.Job](t)(w.Provisioning.CreateJob(t.Context(), sp, "scim"))
}

func jobLife(t *testing.T, w World) {
	p := w.Provisioning
	sp, made := w.job(t)
	if made.ID == "" || made.TemplateID != "scim" || made.State == "Active" || made.Interval <= 0 {
		t.Errorf("made %+v", made)
	}
	if list := must[[]entra.Job](t)(p.Jobs(t.Context(), sp)); len(list) != 1 || list[0].ID != made.ID {
		t.Errorf("jobs %+v", list)
	}
	done(t, p.PutSecrets(t.Context(), sp, []entra.Secret{{Key: "BaseAddress", Value: "https://usher.contoso.example/scim/v2/x"}, {Key: "SecretToken", Value: "s"}}))
	done(t, p.StartJob(t.Context(), sp, made.ID))
	if got := must[entra.Job](t)(p.Job(t.Context(), sp, made.ID)); got.State != "Active" {
		t.Errorf("started: %+v", got)
	}
	done(t, p.PauseJob(t.Context(), sp, made.ID))
	if got := must[entra.Job](t)(p.Job(t.Context(), sp, made.ID)); got.State != "Paused" && got.State != "Disabled" {
		t.Errorf("paused: %+v", got)
	}
	done(t, p.DeleteJob(t.Context(), sp, made.ID))
	_, err := p.Job(t.Context(), sp, made.ID)
	wantKind(t, err, outlook.NotFound)
}

func credentials(t *testing.T, w World) {
	sp, made := w.job(t)
	err := w.Provisioning.ValidateCredentials(t.Context(), sp, made.ID, []entra.Secret{
		{Key: "BaseAddress", Value: "http://127.0.0.1:1/scim/v2/x"}, {Key: "SecretToken", Value: "s"}, // nobody answers there
	})
	wantKind(t, err, outlook.Invalid, outlook.Forbidden)
}

func schema(t *testing.T, w World) {
	sp, made := w.job(t)
	before := must[entra.Schema](t)(w.Provisioning.JobSchema(t.Context(), sp, made.ID))
	var read map[string]any
	done(t, json.Unmarshal(before, &read))
	rules, _ := read["synchronizationRules"].([]any)
	if len(rules) == 0 {
		t.Fatalf("there are no rules in %s", before)
	}
	changed := bytes.Replace(before, []byte(`"mailNickname"`), []byte(`"objectId"`), 1)
	if bytes.Equal(changed, before) {
		t.Fatalf("mailNickname is not mapped in %s", before)
	}
	done(t, w.Provisioning.PutJobSchema(t.Context(), sp, made.ID, changed))
	after := must[entra.Schema](t)(w.Provisioning.JobSchema(t.Context(), sp, made.ID))
	if !bytes.Contains(after, []byte(`"objectId"`)) {
		t.Errorf("got %s", after)
	}
}

func restart(t *testing.T, w World) {
	sp, made := w.job(t)
	for _, scope := range []string{"Full", "Watermark, Escrows, QuarantineState"} {
		done(t, w.Provisioning.RestartJob(t.Context(), sp, made.ID, scope))
	}
	if err := w.Provisioning.RestartJob(t.Context(), sp, made.ID, "Everything"); err == nil {
		t.Error("a scope that is none is taken")
	}
}
