package directory_test

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"usher/directory"
	"usher/internal/secret"
	"usher/model"
	graph "usher/model/entra"
	"usher/model/store"
	"usher/model/store/storetest"
)

// multitude is a tenant of any size that is made up as it is read. Everybody is in the same number of groups.
type multitude struct {
	directory.Tenant
	people, groups, each int
}

const multitudePage = 500

func (c multitude) user(n int) graph.User {
	name := fmt.Sprint("person", n)
	return graph.User{
		ID: objectID("user", n+1), UserPrincipalName: name + "@contoso.com", Mail: name + "@contoso.com", DisplayName: name, GivenName: "Person",
		Surname: strconv.Itoa(n), UserType: "Member", AccountEnabled: true, Department: "Sales", JobTitle: "Agent", City: "Copenhagen",
		BusinessPhones: []string{"+45 1234"}, EmployeeID: strconv.Itoa(n),
	}
}

func (c multitude) UsersDelta(_ context.Context, link string, _ []string) (graph.UserPage, error) {
	if link == "none" || link == directory.LinkLatest {
		return graph.UserPage{Delta: "none"}, nil
	}
	from, _ := strconv.Atoi(link)
	var page graph.UserPage
	for n := from; n < min(from+multitudePage, c.people); n++ {
		page.Users = append(page.Users, c.user(n))
	}
	if page.Next = strconv.Itoa(from + multitudePage); from+multitudePage >= c.people {
		page.Next, page.Delta = "", "none"
	}
	return page, nil
}

func (c multitude) GroupsDelta(_ context.Context, ids []string, link string) (graph.GroupPage, error) {
	if link == "none" {
		return graph.GroupPage{Delta: "none"}, nil
	}
	at, _ := strconv.Atoi(link)
	perGroup := max(1, c.people*c.each/c.groups)
	pages := (perGroup + multitudePage - 1) / multitudePage
	id := ids[at/pages]
	var n int
	_, _ = fmt.Sscanf(id[24:], "%x", &n)
	g := graph.Group{ID: id, DisplayName: fmt.Sprint("group", n)}
	for m := at % pages * multitudePage; m < min((at%pages+1)*multitudePage, perGroup); m++ {
		g.Members = append(g.Members, graph.Member{ID: objectID("user", (n*perGroup/c.each+m)%c.people+1), Type: graph.MemberUser})
	}
	page := graph.GroupPage{Groups: []graph.Group{g}, Next: strconv.Itoa(at + 1)}
	if at+1 == pages*len(ids) {
		page.Next, page.Delta = "", "none"
	}
	return page, nil
}

func (c multitude) UsersByID(_ context.Context, ids, _ []string) ([]graph.User, error) {
	var list []graph.User
	for _, id := range ids {
		var n int
		_, _ = fmt.Sscanf(id[24:], "%x", &n)
		list = append(list, c.user(n-1))
	}
	return list, nil
}

func (c multitude) DeletedUsers(context.Context, string) (graph.UserPage, error) {
	return graph.UserPage{}, nil
}

func (c multitude) Group(_ context.Context, id string) (graph.Group, error) {
	return graph.Group{ID: id}, nil
}

// BenchmarkImport imports people in groups, ten groups each, and once more without change. USHER_BENCH_PEOPLE says how many people;
// there are five groups for a thousand of them. -bench BenchmarkImport/postgres, or /sqlite, chooses the database.
func BenchmarkImport(b *testing.B) {
	people := 1000
	if text := os.Getenv("USHER_BENCH_PEOPLE"); text != "" {
		people, _ = strconv.Atoi(text)
	}
	for _, db := range []struct {
		name string
		url  func(testing.TB) string
	}{{"sqlite", storetest.SQLiteURL}, {"postgres", storetest.PostgresURL}} {
		b.Run(db.name, func(b *testing.B) {
			for b.Loop() {
				benchmarkImport(b, db.url(b), multitude{people: people, groups: max(10, people/200), each: 10})
			}
		})
	}
}

func benchmarkImport(b *testing.B, url string, tenant multitude) {
	ctx := b.Context()
	s := storetest.OpenWith(b, store.Options{URL: url})
	keys, err := secret.Parse(secret.NewKey())
	check(b, err)
	svc := directory.New(directory.Options{
		Store: s, Keys: keys, Tenants: func(context.Context, model.Ref) (directory.Tenant, error) { return tenant, nil },
	})
	org, err := svc.CreateOrganization(ctx, "contoso", "Contoso")
	check(b, err)
	i := directory.DefaultIntegration("Contoso", model.IngressGraph)
	i, err = svc.CreateIntegration(ctx, org.ID, i, nil)
	check(b, err)
	var chosen []model.GroupSelector
	for n := range tenant.groups {
		chosen = append(chosen, model.GroupSelector{ExternalID: objectID("group", n+1)})
	}
	_, err = svc.ChangeChosenGroups(ctx, i.Ref(), chosen, directory.Replacing[model.GroupSelector]())
	check(b, err)
	for _, what := range []string{"first", "again"} {
		took, peak := benchmarkRun(b, svc, s, i.Ref())
		for phase, d := range took {
			b.ReportMetric(d.Seconds(), what+"-"+string(phase)+"-s")
		}
		b.ReportMetric(float64(peak)/(1<<20), what+"-heap-MiB")
	}
	n, err := s.Read(ctx).CountDirectoryUsers(i.Ref())
	check(b, err)
	if n != tenant.people {
		b.Fatalf("%d people were imported, want %d", n, tenant.people)
	}
}

func check(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// benchmarkRun imports, and tells how long each phase took and how large the heap was at most.
func benchmarkRun(b *testing.B, svc *directory.Service, s *store.Store, ref model.Ref) (took map[model.RunPhase]time.Duration, peak uint64) {
	b.Helper()
	run, err := svc.StartRun(b.Context(), ref, model.RunImport)
	check(b, err)
	took = map[model.RunPhase]time.Duration{}
	last, at := model.PhaseRead, time.Now()
	svc.Observe = func(string, int) {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		peak = max(peak, m.HeapAlloc)
		is, err := s.Read(b.Context()).Run(ref.OrganizationID, run.ID)
		if err == nil && is.Phase != last {
			took[last] = time.Since(at)
			last, at = is.Phase, time.Now()
		}
	}
	for range 100000 {
		if err := svc.Work(b.Context(), directory.WorkRun{OrganizationID: ref.OrganizationID, RunID: run.ID}); err == nil {
			break
		}
	}
	took[last] = time.Since(at)
	run, err = s.Read(b.Context()).Run(ref.OrganizationID, run.ID)
	check(b, err)
	if run.State != model.RunSucceeded {
		b.Fatalf("the import is %s: %s", run.State, run.Error)
	}
	return took, peak
}
