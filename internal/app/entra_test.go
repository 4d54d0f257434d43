package app_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"usher/directory"
	"usher/internal/app"
	"usher/internal/pgtest"
	"usher/internal/secret"
	"usher/internal/simulator"
	"usher/model"
	"usher/model/store"
)

// world is a running Usher with a simulated tenant that is provisioned into it over HTTP.
type world struct {
	t      *testing.T
	app    *app.App
	ref    model.Ref
	tenant *simulator.Tenant
	entra  *simulator.Provisioner
}

func newWorld(t *testing.T, databaseURL, flag string) *world {
	t.Helper()
	cfg := app.Defaults()
	cfg.DatabaseURL, cfg.SecretKey, cfg.Listen, cfg.Migrate = databaseURL, secret.NewKey(), "127.0.0.1:0", true
	a, err := app.New(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		_ = a.Close()
	})
	w := &world{t: t, app: a, tenant: simulator.NewTenant(simulator.Options{Seed: 7, People: 60, Domain: "contoso.example"})}
	w.connect(flag)
	return w
}

func (w *world) connect(flag string) {
	w.t.Helper()
	ctx := w.t.Context()
	org, err := w.app.Store.Read(ctx).Organization(model.DefaultOrganization)
	if err != nil {
		w.t.Fatal(err)
	}
	i, err := w.app.Service.CreateIntegration(ctx, org.ID, directory.DefaultIntegration("Contoso", model.IngressSCIM), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	w.ref = i.Ref()
	_, token, err := w.app.Service.CreateSCIMToken(ctx, w.ref, "Entra", nil)
	if err != nil {
		w.t.Fatal(err)
	}
	w.entra, err = simulator.NewProvisioner(simulator.ProvisionerOptions{
		Tenant: w.tenant, TenantURL: w.app.URL() + "/scim/v2/" + i.ID + flag, Token: token, Scope: simulator.ScopeAll, Concurrency: 4,
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// TestEntraConverges pushes a tenant through its days in both dialects, and wants the mirror to equal it after each.
func TestEntraConverges(t *testing.T) {
	t.Parallel()
	for _, dialect := range []struct{ name, flag string }{{"legacy", "/"}, {"aadOptscim062020", "?aadOptscim062020"}} {
		t.Run(dialect.name, func(t *testing.T) {
			t.Parallel()
			for _, db := range []string{"sqlite", "postgres"} {
				t.Run(db, func(t *testing.T) {
					t.Parallel()
					url := "sqlite:" + filepath.Join(t.TempDir(), "usher.db")
					if db == "postgres" {
						url = pgtest.Database(t)
					}
					newWorld(t, url, dialect.flag).live(8)
				})
			}
		})
	}
}

func (w *world) live(days int) {
	w.t.Helper()
	if _, err := w.entra.TestConnection(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	w.cycle(w.entra.InitialCycle)
	w.compare("after the initial cycle")
	rng := rand.New(rand.NewPCG(1, 2))
	for day := range days {
		for range 12 {
			w.mutate(rng)
		}
		w.cycle(w.entra.IncrementalCycle)
		w.compare(fmt.Sprintf("after day %d", day+1))
	}
	writes := w.writes()
	w.cycle(w.entra.IncrementalCycle)
	if n := w.writes(); n != writes {
		w.t.Errorf("a cycle in which nothing changed wrote %d entries", n-writes)
	}
}

func (w *world) cycle(run func(context.Context) (*simulator.Report, error)) {
	w.t.Helper()
	report, err := run(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	for _, f := range report.Failures() {
		w.t.Errorf("Entra reports: %s", f)
	}
}

func (w *world) mutate(rng *rand.Rand) {
	w.t.Helper()
	ids := w.tenant.UserIDs()
	id := ids[rng.IntN(len(ids))]
	group, _ := w.tenant.GroupNamed("HR")
	var err error
	switch rng.IntN(8) {
	case 0:
		err = w.tenant.Disable(id)
	case 1:
		err = w.tenant.Enable(id)
	case 2:
		_, err = w.tenant.Rename(id, "Renamed", fmt.Sprintf("Person%d", rng.IntN(1<<20)))
	case 3:
		err = w.tenant.SetAttribute(id, "department", fmt.Sprintf("Department %d", rng.IntN(5)))
	case 4:
		err = w.tenant.AddMember(group.ID, id)
	case 5:
		err = w.tenant.RemoveMember(group.ID, id)
	case 6:
		err = w.tenant.SoftDelete(id)
	case 7:
		err = w.tenant.Restore(id)
	}
	_ = err // not every mutation fits every person; what did not happen is not compared either
}

// compare wants every live user of the tenant to be in the mirror as it is, with an account in the right state.
func (w *world) compare(when string) {
	w.t.Helper()
	users := w.users()
	byObject := map[string]model.DirectoryUser{}
	for _, u := range users {
		byObject[u.ExternalID] = u
	}
	for _, id := range w.tenant.UserIDs() {
		want, _ := w.tenant.User(id)
		got, ok := byObject[id]
		if !ok {
			if !want.SoftDeleted() {
				w.t.Errorf("%s: %s is not mirrored", when, want.DisplayName)
			}
			continue
		}
		if got.Active == want.SoftDeleted() || (got.Active && (got.UserName != want.UserPrincipalName && want.UserType != "Guest" || got.DisplayName != want.DisplayName)) {
			w.t.Errorf("%s: mirror has %s %q active %v; tenant has %s %q soft-deleted %v", when, got.UserName, got.DisplayName, got.Active,
				want.UserPrincipalName, want.DisplayName, want.SoftDeleted())
		}
		w.compareAccount(when, &got)
	}
	w.compareGroup(when, "HR", byObject)
}

func (w *world) compareAccount(when string, u *model.DirectoryUser) {
	w.t.Helper()
	if u.AccountID == nil {
		w.t.Errorf("%s: %s has no account: %s", when, u.UserName, u.Explanation.Scope)
		return
	}
	a, err := w.app.Store.Read(w.t.Context()).Account(w.ref.OrganizationID, *u.AccountID)
	if err != nil {
		w.t.Fatal(err)
	}
	if (a.Status == model.AccountActive) != u.Active {
		w.t.Errorf("%s: %s is active %v in the mirror and its account is %s", when, u.UserName, u.Active, a.Status)
	}
}

func (w *world) compareGroup(when, name string, byObject map[string]model.DirectoryUser) {
	w.t.Helper()
	group, _ := w.tenant.GroupNamed(name)
	var want []string
	for _, id := range w.tenant.Members(group.ID) {
		u, isUser := w.tenant.User(id)
		if mirrored, ok := byObject[id]; ok && isUser && !u.SoftDeleted() {
			want = append(want, mirrored.ID)
		}
	}
	members, err := w.app.Service.Members(w.t.Context(), w.ref, []string{w.entra.TargetID(group.ID)}, 0)
	if err != nil {
		w.t.Fatal(err)
	}
	held := map[string]bool{}
	for _, list := range members {
		for _, m := range list {
			held[m.ID] = true
		}
	}
	for _, id := range want {
		if !held[id] {
			w.t.Errorf("%s: a member of %s is missing: %s", when, name, id)
		}
	}
}

func (w *world) users() []model.DirectoryUser {
	w.t.Helper()
	var all []model.DirectoryUser
	after := ""
	for {
		page, err := w.app.Store.Read(w.t.Context()).DirectoryUsersAfter(w.ref, after, 500)
		if err != nil {
			w.t.Fatal(err)
		}
		all = append(all, page...)
		if len(page) < 500 {
			return all
		}
		after = page[len(page)-1].ID
	}
}

func (w *world) writes() int {
	w.t.Helper()
	n := 0
	for after := int64(0); ; {
		page, next, err := w.app.Store.Changes(w.t.Context(), w.ref.OrganizationID, storeQuery(after))
		if err != nil {
			w.t.Fatal(err)
		}
		n += len(page)
		if len(page) == 0 {
			return n
		}
		after = next
	}
}

// TestServerAnswersUnknownAddresses proves that nothing outside the rooms' routes is a 5xx or a page of somebody else's.
func TestServerAnswersUnknownAddresses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "sqlite:"+filepath.Join(t.TempDir(), "usher.db"), "")
	for path, want := range map[string]int{
		"/nothing": 404, "/api/v1/nothing": 404, "/scim/v2/": 404, "/healthz": 200, "/readyz": 200, "/scim/v1/Users": 404,
		"/scim/v2/not-an-id/Users": 401,
	} {
		res, err := http.Get(w.app.URL() + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if !slices.Contains([]int{want}, res.StatusCode) {
			t.Errorf("GET %s answered %d, want %d", path, res.StatusCode, want)
		}
		if ct := res.Header.Get("Content-Type"); want == 404 && !strings.Contains(ct, "json") {
			t.Errorf("GET %s answered %s", path, ct)
		}
	}
}

func storeQuery(after int64) store.ChangeQuery { return store.ChangeQuery{After: after, Limit: 500} }
