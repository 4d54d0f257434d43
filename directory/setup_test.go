package directory_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"usher/directory"
	"usher/model"
)

// installed checks that the integration is set up in Entra, once, and as it should be.
func (w *setupWorld) installed(ref model.Ref, groups ...string) {
	w.Helper()
	row := w.setup(ref)
	if row.State != model.TaskSucceeded || row.Task != model.SetupInstall {
		w.Fatalf("%s %s: %s; %+v", row.Task, row.State, row.Error, row.Steps)
	}
	apps := w.entra.alive()
	if len(apps) != 1 {
		w.Fatalf("%d applications: %v", len(apps), w.entra.calls)
	}
	a := apps[0]
	if a.AppID != row.Entra.AppID || a.ServicePrincipalID != row.Entra.ServicePrincipal || a.ObjectID != row.Entra.ApplicationID {
		w.Fatalf("application %+v is known as %+v", a.Application, row.Entra)
	}
	if len(a.jobs) != 1 || a.jobs[0].ID != row.Entra.JobID || !a.started {
		w.Fatalf("jobs %+v, known as %s, started %t", a.jobs, row.Entra.JobID, a.started)
	}
	w.ok(w.signsIn(secretOf(a.secrets, "BaseAddress"), secretOf(a.secrets, "SecretToken")))
	if got := secretOf(a.secrets, "SyncAll"); got != "false" {
		w.Fatalf("SyncAll is %q", got)
	}
	if len(a.assigned) != len(groups) {
		w.Fatalf("assigned are %v, want %v", a.assigned, groups)
	}
	if !strings.Contains(string(a.schema), `"expression":"[objectId]"`) || strings.Contains(string(a.schema), `[mailNickname]`) {
		w.Fatalf("the mappings are %s", a.schema)
	}
	if tokens := w.tokens(ref); len(tokens) != 1 || tokens[0].ID != row.TokenID {
		w.Fatalf("tokens %+v, Entra has %s", tokens, row.TokenID)
	}
	if left := w.sealed(ref); len(left) != 0 {
		w.Fatalf("still sealed: %v", left)
	}
}

func (w *setupWorld) tokens(ref model.Ref) []model.SCIMToken {
	w.Helper()
	list, err := w.store.Read(w.ctx).SCIMTokensAfter(ref, "", 100)
	w.ok(err)
	return list
}

func (w *setupWorld) asks(ref model.Ref, in directory.SetupRequest) {
	w.Helper()
	if _, err := w.svc.StartSetup(w.ctx, ref, in, publicURL); err != nil {
		w.Fatal(err)
	}
}

func hr() directory.SetupRequest {
	return directory.SetupRequest{Groups: []model.GroupSelector{{DisplayName: "HR"}, {ExternalID: financeID}, {ExternalID: strings.ToUpper(financeID)}}}
}

func TestSetup(t *testing.T) {
	eachSetup(t, func(w *setupWorld) {
		w.entra.hidden = 3
		row, err := w.svc.StartSetup(w.ctx, w.ref, hr(), publicURL)
		w.ok(err)
		if row.State != model.TaskQueued || !w.enqueued("directory.set_up", w.ref) {
			t.Fatalf("%+v", row)
		}
		_, err = w.svc.StartSetup(w.ctx, w.ref, hr(), publicURL)
		w.refused(err, model.Refused, "", "is being worked on")
		e := w.during(func() { w.setUp(w.ref) })
		w.wrote(e, "", "scim_token.created setup.succeeded")
		w.installed(w.ref, hrID, financeID)
		if name := w.setup(w.ref).Entra.DisplayName; !strings.HasPrefix(name, "Contoso (Usher ") {
			t.Errorf("the application is called %q", name)
		}

		// Asked for again, nothing is made twice; more groups are assigned.
		calls := len(w.entra.calls)
		more := hr()
		more.Groups = append(more.Groups, model.GroupSelector{ExternalID: tenantB})
		w.asks(w.ref, more)
		w.setUp(w.ref)
		w.installed(w.ref, hrID, financeID, tenantB)
		if again := strings.Join(w.entra.calls[calls:], " "); strings.Contains(again, "Put") || strings.Contains(again, "Instantiate") || strings.Contains(again, "Create") {
			t.Errorf("the second set-up called %s", again)
		}
	})
}

// TestSetupSurvives has the process die, or an answer be lost, at every single call: there is one application in the end.
func TestSetupSurvives(t *testing.T) {
	eachSetup(t, func(w *setupWorld) {
		for _, what := range []setupFault{crashBefore, crashAfter, lostAnswer, throttled} {
			for at, reached := 0, true; reached; at++ {
				w.entra.apps, w.entra.deleted, w.entra.calls, w.entra.hidden = nil, nil, nil, 1
				ref := w.integration(fmt.Sprintf("%s %d", what, at), model.RoleSyncReconcile)
				reached = false
				w.entra.faultAt = func(n int, _ string) setupFault {
					if n == at {
						reached = true
						return what
					}
					return noFault
				}
				w.asks(ref, hr())
				w.setUp(ref)
				w.installed(ref, hrID, financeID)
			}
		}
	})
}

// TestSetupFails says what to do, goes on when asked again, and can be undone from wherever it stopped.
func TestSetupFails(t *testing.T) {
	eachSetup(t, func(w *setupWorld) {
		calls := []string{"Instantiate", "Templates", "CreateJob", "ValidateCredentials", "PutSecrets", "PutJobSchema", "Assign", "StartJob"}
		for _, call := range calls {
			w.entra.apps, w.entra.deleted, w.entra.calls = nil, nil, nil
			ref := w.integration("fails at "+call, model.RoleSyncReconcile)
			w.entra.refuse[call] = noRight()
			w.asks(ref, hr())
			row := w.setUp(ref)
			if row.State != model.TaskFailed || !strings.Contains(row.Error, "sign in as a Cloud Application Administrator") || len(w.sealed(ref)) != 0 {
				t.Fatalf("%s: %s %q, sealed %v", call, row.State, row.Error, w.sealed(ref))
			}
			delete(w.entra.refuse, call)

			w.asks(ref, hr())
			w.setUp(ref)
			w.installed(ref, hrID, financeID)

			if _, err := w.svc.UndoSetup(w.ctx, ref); err != nil {
				t.Fatal(err)
			}
			row = w.setUp(ref)
			if row.State != model.TaskSucceeded || len(w.entra.alive()) != 0 || len(w.tokens(ref)) != 0 || row.Entra != (model.SetupEntra{}) {
				t.Fatalf("%s, undone: %+v, %d applications, %d tokens", call, row, len(w.entra.alive()), len(w.tokens(ref)))
			}
			_, err := w.svc.UndoSetup(w.ctx, ref)
			w.refused(err, model.Refused, "", "set up nothing")
		}
	})
}

// TestSetupMappings changes what has to be changed, and keeps everything that it does not know.
func TestSetupMappings(t *testing.T) {
	eachSetup(t, func(w *setupWorld) {
		const extension = "extension_5f9e1b1c3d6a4b529e0a0a1b2c3d4e5f_badge"
		_, err := w.svc.PutCustomField(w.ctx, w.org, model.CustomField{Key: "badge", Name: "Badge", Type: model.FieldText})
		w.ok(err)
		_, err = w.svc.ChangeFieldMappings(w.ctx, w.ref, []model.FieldMapping{
			{Source: "extensionAttribute3", Target: "job_title"},
			{Source: extension, Target: "custom_fields.badge"},
			{Source: "userType", Target: "department"},
			{Source: "title", Target: "display_name"},
			{Source: "extensionAttribute9", Target: "currency"},
		}, directory.Replacing[model.FieldMapping]())
		w.ok(err)
		w.asks(w.ref, hr())
		row := w.setUp(w.ref)
		w.installed(w.ref, hrID, financeID)
		var before, after map[string]any
		for into, text := range map[*map[string]any]string{&before: defaultSchema, &after: string(w.entra.apps[0].schema)} {
			decoder := json.NewDecoder(strings.NewReader(text))
			decoder.UseNumber()
			w.ok(decoder.Decode(into))
		}
		if !reflect.DeepEqual(before["unheardOf"], after["unheardOf"]) || !strings.Contains(string(w.entra.apps[0].schema), "<Users> & more") {
			t.Errorf("what Usher does not know was changed: %v", after["unheardOf"])
		}
		text := string(w.entra.apps[0].schema)
		for _, want := range []string{
			`"secretSauce":7`, `"targetAttributeName":"urn:ietf:params:scim:schemas:extension:usher:2.0:User:extensionAttribute3"`,
			`"targetAttributeName":"urn:ietf:params:scim:schemas:extension:directory:2.0:User:` + extension + `"`, `"[` + extension + `]"`,
			`Switch([IsSoftDeleted], , \"False\", \"True\", \"True\", \"False\")`, `"enabled":true`,
		} {
			if !strings.Contains(text, want) {
				t.Errorf("the mappings lack %s: %s", want, text)
			}
		}
		if strings.Contains(text, `"enabled":false`) || strings.Count(text, `"name":"`+extension+`"`) != 3-1 {
			t.Errorf("groups are off, or the extension is made known %d times: %s", strings.Count(text, `"name":"`+extension+`"`), text)
		}
		guide, err := w.svc.SetupGuide(w.ctx, w.ref, publicURL)
		w.ok(err)
		if got := strings.Join(guide.Provisioning.Mappings.Unknown, " "); got != "userType" {
			t.Errorf("unknown are %q", got)
		}
		for _, s := range row.Steps {
			if s.Name == "mappings" && !strings.Contains(s.Detail, "does not offer extensionAttribute9") {
				t.Errorf("the step says %q", s.Detail)
			}
		}
	})
}
