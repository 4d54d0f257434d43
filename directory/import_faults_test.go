package directory_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"usher/directory"
	"usher/model"
	graph "usher/model/entra"
	"usher/model/outlook"
	"usher/model/store/storetest"
)

// A page that fails leaves mirror and accounts as they are; the next import goes on where it failed.
func TestImportAppliesOnlyRoundsThatEnded(t *testing.T) {
	t.Parallel()
	eachImporting(t, func(w *importing) {
		var people []string
		for _, name := range strings.Fields("ada grace alan edsger barbara donald") {
			people = append(people, w.tenant.person(name))
		}
		all := w.tenant.group("All", people...)
		w.choose(all)
		w.imported()
		for _, id := range people {
			w.tenant.leave(all, id)
		}
		w.tenant.join(all, w.tenant.person("margaret"))
		n := 0
		w.tenant.failing = func(call string) error {
			if call == "GroupsDelta" {
				if n++; n == 2 {
					return &outlook.Error{Kind: outlook.Forbidden, Status: 403, Code: "Authorization_RequestDenied"}
				}
			}
			return nil
		}
		e := w.during(func() {
			run := w.runImport()
			if run.State != model.RunFailed || !strings.Contains(run.Error, "GroupMember.Read.All") {
				t.Fatalf("the import is %s: %s", run.State, run.Error)
			}
		})
		if !slices.Contains(e.types(), "integration.import_failed") || slices.Contains(e.types(), "account.deactivated") {
			t.Fatalf("the feed got %v", e.types())
		}
		for _, u := range w.mirrored() {
			if !u.Explanation.InScope {
				t.Fatalf("%s was put out of scope by half a round", u.UserName)
			}
		}
		w.tenant.failing = nil
		before := w.tenant.calls["GroupsDelta"]
		w.imported() // six leave, which is below the guard's ten
		w.hasStatus("ada@contoso.com", model.AccountDeactivated)
		w.hasStatus("margaret@contoso.com", model.AccountActive)
		if again := w.tenant.calls["GroupsDelta"] - before; again != 2 {
			t.Fatalf("the round went on with %d pages, want the two that were left", again)
		}
	})
}

// A link that leads nowhere has everything read again, and deactivates nobody by that.
func TestImportReadsAnewWhenLinksAreLost(t *testing.T) {
	t.Parallel()
	eachImporting(t, func(w *importing) {
		ada, grace := w.tenant.person("ada"), w.tenant.person("grace")
		hr := w.tenant.group("HR", ada, grace)
		w.choose(hr)
		w.imported()
		w.tenant.forget()
		if run := w.imported(); run.Progress.Done != 0 {
			t.Fatalf("lost links concern %d people", run.Progress.Done)
		}
		w.tenant.leave(hr, ada)
		w.tenant.remove(grace)
		w.tenant.forget()
		w.imported()
		w.hasStatus("ada@contoso.com", model.AccountDeactivated)
		w.hasStatus("grace@contoso.com", model.AccountDeactivated)
		w.clock.move(7 * 24 * time.Hour) // old links are not even tried
		before := w.tenant.calls["UsersByID"]
		w.imported()
		if w.tenant.calls["UsersByID"] == before {
			t.Fatal("after a week nobody was read anew")
		}
		w.hasStatus("ada@contoso.com", model.AccountDeactivated)
	})
}

// The link is lost in the middle of a round, once.
func TestImportLosesItsLinkInARound(t *testing.T) {
	t.Parallel()
	eachImporting(t, func(w *importing) {
		var people []string
		for _, name := range strings.Fields("ada grace alan edsger barbara donald") {
			people = append(people, w.tenant.person(name))
		}
		w.choose(w.tenant.group("All", people...))
		n := 0
		w.tenant.failing = func(call string) error {
			if n++; call == "GroupsDelta" && n == 2 {
				return &outlook.Error{Kind: outlook.SyncLost, Status: 410, Code: "syncStateNotFound"}
			}
			return nil
		}
		w.imported()
		if len(w.mirrored()) != 6 {
			t.Fatalf("the mirror has %v", w.mirrored())
		}
	})
}

func TestImportWaitsForGraph(t *testing.T) {
	t.Parallel()
	eachImporting(t, func(w *importing) {
		w.choose(w.tenant.group("HR", w.tenant.person("ada")))
		w.tenant.failing = func(string) error {
			return &outlook.Error{Kind: outlook.Throttled, Status: 429, After: 7 * time.Second}
		}
		run := must(w.world, w.svc.StartRun)(w.ctx, w.ref, model.RunImport)
		job := directory.WorkRun{OrganizationID: w.org, RunID: run.ID}
		var wait *model.Throttled
		if err := w.svc.Work(w.ctx, job); !errors.As(err, &wait) || wait.After != 7*time.Second {
			t.Fatalf("a throttled import gives %v", err)
		}
		w.tenant.failing = func(string) error {
			return &outlook.Error{Kind: outlook.Unavailable, Status: 503, Code: "serviceNotAvailable"}
		}
		if err := w.svc.Work(w.ctx, job); !errors.As(err, &wait) {
			t.Fatalf("an import without an answer gives %v", err)
		}
		w.clock.move(31 * time.Minute)
		w.ok(w.svc.Work(w.ctx, job))
		run, err := w.store.Read(w.ctx).Run(w.org, run.ID)
		w.ok(err)
		if run.State != model.RunFailed || !strings.Contains(run.Error, "has not answered") {
			t.Fatalf("the import is %s: %s", run.State, run.Error)
		}
		w.worked = len(storetest.Jobs(w, w.store))
		w.tenant.failing = nil
		w.imported()
		w.hasStatus("ada@contoso.com", model.AccountActive)
	})
}

// An import reads in a job that waits for Graph and keeps no worker from others; what it read is decided about in another one.
func TestImportReadsInAJobOfItsOwn(t *testing.T) {
	t.Parallel()
	eachImporting(t, func(w *importing) {
		w.choose(w.tenant.group("HR", w.tenant.person("ada")))
		last := func() directory.WorkRun {
			w.Helper()
			jobs := storetest.Jobs(w, w.store)
			var job directory.WorkRun
			w.ok(json.Unmarshal(jobs[len(jobs)-1].Args, &job))
			return job
		}
		run := must(w.world, w.svc.StartRun)(w.ctx, w.ref, model.RunImport)
		reading := last()
		if want := (directory.WorkRun{OrganizationID: w.org, RunID: run.ID, Reading: true}); reading != want || !reading.Outward() {
			t.Fatalf("the import begins with %+v", reading)
		}
		w.work(reading)
		run = must2(w.world, w.store.Read(w.ctx).Run)(w.org, run.ID)
		if run.Phase != model.PhasePlan || run.State != model.RunRunning || run.Progress.Done != 0 {
			t.Fatalf("after reading: %+v", run)
		}
		rest, n := last(), len(storetest.Jobs(w, w.store))
		if rest.RunID != run.ID || rest.Outward() {
			t.Fatalf("what was read is worked by %+v", rest)
		}
		w.work(reading) // delivered once more
		if got := len(storetest.Jobs(w, w.store)); got != n {
			t.Fatalf("%d jobs more", got-n)
		}
		w.noAccount("ada@contoso.com")
		w.work(rest)
		w.hasStatus("ada@contoso.com", model.AccountActive)
	})
}

// A restore that no delta tells of is found among the deleted users, a day later at most; a deletion too.
func TestImportLooksAtDeletedUsers(t *testing.T) {
	t.Parallel()
	eachImporting(t, func(w *importing) {
		ada, grace := w.tenant.person("ada"), w.tenant.person("grace")
		w.choose(w.tenant.group("HR", ada, grace))
		w.imported()
		w.tenant.remove(ada)
		w.imported()
		w.hasStatus("ada@contoso.com", model.AccountDeactivated)
		w.hasStatus("grace@contoso.com", model.AccountActive)
		w.tenant.restore(ada, true)
		w.tenant.remove(grace)
		w.tenant.users[grace].at = 0 // nobody tells
		w.imported()
		w.hasStatus("ada@contoso.com", model.AccountDeactivated)
		w.clock.move(25 * time.Hour)
		w.imported()
		w.hasStatus("ada@contoso.com", model.AccountActive)
		w.hasStatus("grace@contoso.com", model.AccountDeactivated)
	})
}

func TestImportSurvivesSwappedNames(t *testing.T) {
	t.Parallel()
	eachImporting(t, func(w *importing) {
		ada, grace, alan := w.tenant.person("ada"), w.tenant.person("grace"), w.tenant.person("alan")
		hr := w.tenant.group("HR", ada, grace, alan)
		other := w.tenant.group("IT", ada)
		w.choose(hr, other)
		w.imported()
		name := func(id, upn string) {
			w.tenant.change(id, func(u *graph.User) { u.UserPrincipalName = upn + "@contoso.com" })
		}
		name(ada, "grace")
		name(grace, "alan")
		name(alan, "ada")
		w.tenant.rename(hr, "IT")
		w.tenant.rename(other, "HR")
		w.imported()
		users := w.mirrored()
		if users[ada].UserName != "grace@contoso.com" || users[grace].UserName != "alan@contoso.com" || users[alan].UserName != "ada@contoso.com" {
			t.Fatalf("the mirror has %s, %s, %s", users[ada].UserName, users[grace].UserName, users[alan].UserName)
		}
		for id, key := range map[string]string{ada: "grace@contoso.com", grace: "alan@contoso.com", alan: "ada@contoso.com"} {
			if users[id].UserNameKey != key {
				t.Fatalf("%s is found by %s", users[id].UserName, users[id].UserNameKey)
			}
		}
		w.tenant.rename(hr, "HR") // two groups have one name
		w.imported()
		if run := w.imported(); run.Progress.Done != 0 {
			t.Fatalf("an import without change looked at %d people", run.Progress.Done)
		}
		if len(w.accountsAll()) != 3 {
			t.Fatalf("%d accounts for three people", len(w.accountsAll()))
		}
	})
}

// Extension attributes are read where a mapping uses them, and everybody is read anew when that changes.
func TestImportReadsExtensionsThatAreMapped(t *testing.T) {
	t.Parallel()
	const extension = "extension_0123456789abcdef0123456789abcdef_costCenter"
	eachImporting(t, func(w *importing) {
		w.choose(w.tenant.group("HR",
			w.tenant.person("ada", func(u *graph.User) {
				u.ExtensionAttributes, u.Extensions = map[string]string{"extensionAttribute3": "blue", "extensionAttribute4": "red"}, map[string]string{extension: "c9"}
				u.OnPremisesSync = true
			}),
			w.tenant.person("guest", func(u *graph.User) {
				u.UserType, u.Mail, u.UserPrincipalName = "Guest", "", "grace_fabrikam.com#EXT#@contoso.onmicrosoft.com"
			})))
		w.imported()
		w.hasStatus("grace@fabrikam.com", model.AccountActive)
		ada := w.mirrored()[objectID("user", 1)]
		if raw, _ := ada.Document.Raw(); strings.Contains(string(raw), "blue") || strings.Contains(string(raw), "c9") || !directory.Hybrid(&ada) {
			t.Fatalf("the mirror has %s", raw)
		}
		_, err := w.svc.PutCustomField(w.ctx, w.org, model.CustomField{Key: "colour", Type: model.FieldText})
		w.ok(err)
		_, err = w.svc.ChangeFieldMappings(w.ctx, w.ref, []model.FieldMapping{
			{Source: "extensionattribute3", Target: "custom_fields.colour", Mode: model.FieldAlways},
			{Source: extension, Target: "department", Mode: model.FieldAlways},
		}, directory.Replacing[model.FieldMapping]())

		w.ok(err)
		w.imported()
		ada = w.mirrored()[objectID("user", 1)]
		if raw, _ := ada.Document.Raw(); !strings.Contains(string(raw), "blue") || strings.Contains(string(raw), "red") || !strings.Contains(string(raw), "c9") {
			t.Fatalf("the mirror has %s", raw)
		}
		if a := w.account("ada@contoso.com"); a.CustomFields["colour"] != "blue" {
			t.Fatalf("the account has %v", a.CustomFields)
		}
	})
}

func TestImportsAreScheduled(t *testing.T) {
	t.Parallel()
	eachImporting(t, func(w *importing) {
		const every = 30 * time.Minute
		runs := func() int {
			w.ok(w.svc.ScheduleImports(w.ctx, directory.StartImports{Every: every}))
			list, err := w.store.Read(w.ctx).RunsBefore(w.org, importsOf(w.ref), "", 100)
			w.ok(err)
			return len(list)
		}
		if n := runs(); n != 0 {
			t.Fatalf("%d imports without chosen groups", n)
		}
		w.choose(w.tenant.group("HR", w.tenant.person("ada")))
		if n := runs(); n != 0 {
			t.Fatalf("%d imports without credentials", n)
		}
		w.integrationSetting(func(i *model.Integration) {
			i.TenantID, i.Graph.ClientID, i.Graph.Auth = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222", directory.GraphAuthManagedIdentity
		})
		if n := runs(); n != 1 {
			t.Fatalf("%d imports, want the first", n)
		}
		if n := runs(); n != 1 {
			t.Fatalf("%d imports although one is open", n)
		}
		w.drain()
		w.clock.move(every - time.Minute)
		if n := runs(); n != 1 {
			t.Fatalf("%d imports before it is time", n)
		}
		w.clock.move(every / 5)
		if n := runs(); n != 2 {
			t.Fatalf("%d imports, want the second", n)
		}
	})
}
