package console_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"usher/directory"
	"usher/model"
	"usher/model/store"
)

// certificate gives a certificate that ends at a time, with its key.
func (f *fixture) certificate(ends time.Time) string {
	f.Helper()
	certificate, key := pemOf(f, ends)
	return key + certificate
}

// failing makes an endpoint that has failed since a time.
func (f *fixture) failing(url string, since time.Time) model.WebhookEndpoint {
	f.Helper()
	e := model.WebhookEndpoint{OrganizationID: f.org.ID, URL: url, State: model.WebhookActive}
	f.within(func(tx *store.Tx) error { return tx.InsertWebhookEndpoint(&e) })
	e.FailingSince, e.LastError = &since, "the endpoint answered 503"
	f.within(func(tx *store.Tx) error { return tx.UpdateWebhookEndpoint(&e) })
	return e
}

// held makes a run of the integration that is held, whose plan would deactivate a directory user.
func (f *fixture) held(i model.Integration, users ...model.DirectoryUser) model.Run {
	f.Helper()
	run := model.Run{
		OrganizationID: f.org.ID, IntegrationID: i.ID, Kind: model.RunImport, State: model.RunHeld, Phase: model.PhasePlan,
		Counts: map[model.Action]int{model.ActionDeactivate: len(users)},
	}
	f.within(func(tx *store.Tx) error {
		if err := tx.InsertRun(&run); err != nil {
			return err
		}
		var list []model.RunDecision
		for _, u := range users {
			list = append(list, model.RunDecision{
				RunID: run.ID, SubjectID: u.ID, OrganizationID: f.org.ID, Email: u.Email, Name: u.DisplayName, Action: model.ActionDeactivate, Reason: "left every chosen group",
			})
		}
		return tx.PutRunDecisions(list)
	})
	return run
}

func TestHomeAlarms(t *testing.T) {
	each(t, func(f *fixture) {
		f = f.as(f.master)
		f.get("/").want(http.StatusOK, "simulated tenant", "usher demo", "Nothing is connected yet")
		i := f.contoso()
		f.get("/").want(http.StatusOK, "All is well").lacks("simulated tenant", "Acknowledge")
		now := f.svc.Now()
		soon := now.Add(10 * 24 * time.Hour)
		_, _, err := f.svc.CreateAPIKey(f.Context(), f.org.ID, "nightly report", []model.Right{model.RightRead}, &soon)
		f.ok(err)
		graph := directory.DefaultIntegration("Graph tenant", model.IngressGraph)
		graph.TenantID, graph.Graph.ClientID = "00000000-0000-4000-8000-00000000000a", "00000000-0000-4000-8000-00000000000b"
		_, err = f.svc.CreateIntegration(f.Context(), f.org.ID, graph, map[string]string{directory.SecretCertificatePEM: f.certificate(now.Add(3 * 24 * time.Hour))})
		f.ok(err)
		f.failing("https://hr.contoso.example/hooks", now.Add(-2*time.Hour))
		f.held(i, f.push(i, "held@contoso.example", "Held Person"))
		f.get("/").want(http.StatusOK, "A plan is held", "would deactivate 1 account", "https://hr.contoso.example/hooks fails", "answered 503",
			"API key nightly report", "ends within 10 days", "certificate for Microsoft Graph", "ends within 3 days", "Nothing has been imported yet")
		_, err = f.store.DB().ExecContext(f.Context(), "UPDATE sealed_secrets SET updated_at = '2020-01-01 00:00:00+00:00'")
		f.ok(err)
		f.get("/").want(http.StatusOK, "The sealing key is old", "since 1 January 2020")
		_, err = f.store.DB().ExecContext(f.Context(), "UPDATE sealed_secrets SET key_id = 'another'")
		f.ok(err)
		f.get("/").want(http.StatusOK, "An earlier key still seals secrets", "usher key rotate").lacks("The sealing key is old")
	})
}

var alarmForm = regexp.MustCompile(`name="alarm" value="([^"]*)"><input type="hidden" name="occurrence" value="([^"]*)"`)

// alarms gives the alarms that Home offers to acknowledge: kind:id and what happened.
func (f *fixture) alarms(kind string) (alarm, occurrence string) {
	f.Helper()
	for _, m := range alarmForm.FindAllStringSubmatch(f.get("/").body, -1) {
		if strings.HasPrefix(m[1], kind+":") {
			return m[1], strings.ReplaceAll(m[2], "&#43;", "+")
		}
	}
	return "", ""
}

func TestAcknowledge(t *testing.T) {
	each(t, func(f *fixture) {
		f = f.as(f.master)
		f.contoso()
		e := f.failing("https://hr.contoso.example/hooks", f.svc.Now().Add(-2*time.Hour))
		f.get("/").want(http.StatusOK, "One thing needs your attention")
		alarm, occurrence := f.alarms("webhook_endpoint")
		if alarm != "webhook_endpoint:"+e.ID {
			t.Fatalf("the alarm is %q", alarm)
		}
		f.post("/alarms/acknowledge", "alarm", alarm, "occurrence", "something else").want(http.StatusConflict, "look again")
		f.post("/alarms/acknowledge", "alarm", "webhook_endpoint:nothing", "occurrence", occurrence).want(http.StatusConflict)
		f.post("/alarms/acknowledge", "alarm", alarm, "occurrence", occurrence).to("/console/")
		f.get("/").want(http.StatusOK, "All is well", "1 alarm is acknowledged", "Acknowledged by "+masterEmail)
		f.get("/logs/activity").want(http.StatusOK, "Acknowledged: The webhook endpoint https://hr.contoso.example/hooks fails")
		if again, _ := f.alarms("webhook_endpoint"); again != "" {
			t.Error("it is told of still")
		}
		since := f.svc.Now()
		e.FailingSince = &since // it worked in between
		f.within(func(tx *store.Tx) error { return tx.UpdateWebhookEndpoint(&e) })
		f.get("/").want(http.StatusOK, "One thing needs your attention")
		reader := f.as(f.operator("reader@contoso.example", model.RightRead))
		reader.get("/").want(http.StatusOK, "hr.contoso.example").lacks("/alarms/acknowledge")
	})
}

// TestAcknowledgeLight acknowledges what an integration's light tells of, until it is told anew.
func TestAcknowledgeLight(t *testing.T) {
	each(t, func(f *fixture) {
		f = f.as(f.master)
		i := f.integration("Quiet")
		f.get("/").want(http.StatusOK, "Entra has not called yet", "One thing needs your attention")
		alarm, occurrence := f.alarms("integration")
		f.post("/alarms/acknowledge", "alarm", alarm, "occurrence", occurrence).to("/console/")
		f.get("/").want(http.StatusOK, "All is well", "Entra has not called yet", "Acknowledged by")
		f.contosoRequest(i, http.StatusConflict)
		f.get("/").want(http.StatusOK, "the last request was refused", "One thing needs your attention")
	})
}

// contosoRequest logs one request of Entra.
func (f *fixture) contosoRequest(i model.Integration, status int) {
	f.Helper()
	line := model.SCIMRequest{
		ID: store.NewID(), OrganizationID: i.OrganizationID, IntegrationID: i.ID, OccurredAt: f.svc.Now(), Method: http.MethodPost, Path: "/Users", Summary: "create user",
		SubjectType: "User", Result: model.SCIMRejected, Status: status, Detail: "userName is taken", Deviations: []string{}, Exchange: []byte{1},
	}
	f.logged(i.Ref(), line)
}

// firstLoad is how much a first visit may transfer, in bytes, of the page and everything that it names.
const firstLoad = 500_000

// TestFirstLoad reads the page to sign in and then Home, as a browser that has nothing yet: with everything that either names, and
// what the style sheets name.
func TestFirstLoad(t *testing.T) {
	each(t, func(f *fixture) {
		named := regexp.MustCompile(`(?:src=|href=|url\()["']?(/console/assets/[^"'#)]+)`)
		seen, total := map[string]bool{}, 0
		var read func(body string)
		read = func(body string) {
			for _, m := range named.FindAllStringSubmatch(body, -1) {
				if seen[m[1]] {
					continue
				}
				seen[m[1]] = true
				total += len(f.get(m[1], "Accept-Encoding", "gzip").want(http.StatusOK).body)
				read(f.get(m[1], "Accept-Encoding", "identity").body)
			}
		}
		first := f.get("/sign-in").want(http.StatusOK).body
		read(first)
		f.contoso()
		home := f.as(f.master).get("/").want(http.StatusOK).body
		read(home)
		total += len(first) + len(home)
		if len(seen) < 6 || total > firstLoad {
			t.Errorf("a first visit transfers %d files, %d bytes", len(seen), total)
		}
	})
}
