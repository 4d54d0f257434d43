package directory_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"usher/directory"
	"usher/internal/secret"
	"usher/model"
	"usher/model/store"
	"usher/model/store/storetest"
)

// clock is the time of a world; it stands still until it is moved.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) move(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(by)
}

// world is a service on a real database with one organization and one integration.
type world struct {
	*testing.T
	svc    *directory.Service
	store  *store.Store
	clock  *clock
	ctx    context.Context
	org    string
	ref    model.Ref
	worked int // recorded jobs that were worked
	alarms *counter
}

type counter struct {
	mu sync.Mutex
	n  map[string]int
}

func (c *counter) add(event string, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n[event] += n
}

// each runs the test in a world on both databases.
func each(t *testing.T, test func(w *world)) {
	t.Helper()
	eachURL(t, func(w *world, _ string) { test(w) })
}

// eachURL is each for a test that opens the database once more.
func eachURL(t *testing.T, test func(w *world, url string)) {
	t.Helper()
	for _, db := range []struct {
		name string
		url  func(testing.TB) string
	}{{"sqlite", storetest.SQLiteURL}, {"postgres", storetest.PostgresURL}} {
		t.Run(db.name, func(t *testing.T) {
			t.Parallel()
			url := db.url(t)
			test(newWorld(t, url), url)
		})
	}
}

func newWorld(t *testing.T, url string) *world {
	t.Helper()
	c := &clock{at: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)}
	s := storetest.OpenWith(t, store.Options{URL: url, Now: c.Now})
	keys, err := secret.Parse(secret.NewKey())
	if err != nil {
		t.Fatal(err)
	}
	w := &world{T: t, store: s, clock: c, alarms: &counter{n: map[string]int{}}, ctx: directory.WithActor(t.Context(), "tester")}
	w.svc = directory.New(directory.Options{Store: s, Keys: keys, Now: c.Now, Observe: w.alarms.add})
	w.org = must(w, w.svc.CreateOrganization)(w.ctx, "contoso", "Contoso").ID
	w.ref = w.integration("Contoso", model.RoleSyncReconcile)
	return w
}

// integration makes one more integration of the organization.
func (w *world) integration(name string, mode model.RoleSync, change ...func(*model.Integration)) model.Ref {
	w.Helper()
	i := directory.DefaultIntegration(name, model.IngressSCIM)
	i.RoleSync = mode
	for _, f := range change {
		f(&i)
	}
	i, err := w.svc.CreateIntegration(w.ctx, w.org, i, nil)
	w.ok(err)
	return i.Ref()
}

// must gives the function without its error, which fails the test.
func must[A, B, C, D any](w *world, fn func(A, B, C) (D, error)) func(A, B, C) D {
	return func(a A, b B, c C) D {
		w.Helper()
		d, err := fn(a, b, c)
		w.ok(err)
		return d
	}
}

func (w *world) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// refused fails the test unless the error is of the kind, about the field, and says the words.
func (w *world) refused(err error, kind model.Kind, field, words string) {
	w.Helper()
	e, ok := errors.AsType[*model.Error](err)
	if !ok || e.Kind != kind || e.Field != field || !strings.Contains(e.Detail, words) {
		w.Fatalf("got error %#v (%v), want kind %d of field %q that says %q", err, err, kind, field, words)
	}
}

// attributes is a user as Entra sends one. The name before the @ is the display name.
func attributes(userName string, change map[string]any) map[string]any {
	local, _, _ := strings.Cut(userName, "@")
	attrs := map[string]any{
		"schemas":  []any{"urn:ietf:params:scim:schemas:core:2.0:User", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"},
		"userName": userName, "externalId": "object-" + local, "displayName": local, "active": true,
		"emails": []any{map[string]any{"type": "work", "primary": true, "value": userName}},
	}
	for key, value := range change {
		if attrs[key] = value; value == nil {
			delete(attrs, key)
		}
	}
	return attrs
}

// user pushes a new user into the first integration.
func (w *world) user(userName string, change ...map[string]any) model.DirectoryUser {
	w.Helper()
	return w.userIn(w.ref, userName, change...)
}

func (w *world) userIn(ref model.Ref, userName string, change ...map[string]any) model.DirectoryUser {
	w.Helper()
	u, err := w.push(ref, userName, change...)
	w.ok(err)
	return u
}

func (w *world) push(ref model.Ref, userName string, change ...map[string]any) (model.DirectoryUser, error) {
	all := map[string]any{}
	for _, c := range change {
		for key, value := range c {
			all[key] = value
		}
	}
	return w.svc.CreateUser(w.ctx, ref, model.DirectoryUser{Document: model.NewDocument(attributes(userName, all))})
}

// patch pushes changed attributes; nil removes one.
func (w *world) patch(u model.DirectoryUser, change map[string]any) model.DirectoryUser {
	w.Helper()
	out, err := w.svc.ChangeUser(w.ctx, u.Ref(), u.ID, func(u *model.DirectoryUser) error {
		attrs := map[string]any{}
		for key, value := range u.Document.Attributes() {
			attrs[key] = value
		}
		for key, value := range change {
			if attrs[key] = value; value == nil {
				delete(attrs, key)
			}
		}
		u.Document = model.NewDocument(attrs)
		return nil
	})
	w.ok(err)
	return out
}

func (w *world) group(name string, members ...model.DirectoryUser) model.DirectoryGroup {
	w.Helper()
	return w.groupIn(w.ref, name, members...)
}

func (w *world) groupIn(ref model.Ref, name string, members ...model.DirectoryUser) model.DirectoryGroup {
	w.Helper()
	doc := model.NewDocument(map[string]any{"displayName": name, "externalId": "object-" + name})
	g, err := w.svc.CreateGroup(w.ctx, ref, model.DirectoryGroup{Document: doc}, ids(members))
	w.ok(err)
	return g
}

func ids(users []model.DirectoryUser) []string {
	var list []string
	for _, u := range users {
		list = append(list, u.ID)
	}
	return list
}

func (w *world) members(g model.DirectoryGroup, kind model.MemberOpKind, users ...model.DirectoryUser) {
	w.Helper()
	_, err := w.svc.ChangeGroup(w.ctx, g.Ref(), g.ID, func(*model.DirectoryGroup) ([]model.MemberOp, error) {
		return []model.MemberOp{{Kind: kind, IDs: ids(users)}}, nil
	})
	w.ok(err)
}

// roles puts roles into the catalogue; one that begins with admin is an administrator role.
func (w *world) roles(keys ...string) {
	w.Helper()
	for _, key := range keys {
		_, err := w.svc.PutRole(w.ctx, w.org, model.Role{Key: key, Administrator: strings.HasPrefix(key, "admin")})
		w.ok(err)
	}
}

// mapped says which role each group gives ("HR=hr"), and works the runs that follow.
func (w *world) mapped(pairs ...string) {
	w.Helper()
	w.mappedIn(w.ref, pairs...)
	w.drain()
}

func (w *world) mappedIn(ref model.Ref, pairs ...string) {
	w.Helper()
	var list []model.GroupMapping
	for _, pair := range pairs {
		group, role, _ := strings.Cut(pair, "=")
		list = append(list, model.GroupMapping{Group: model.GroupSelector{DisplayName: group}, Role: role})
	}
	_, err := w.svc.ChangeGroupMappings(w.ctx, ref, list, directory.Replacing[model.GroupMapping]())
	w.ok(err)
}

// drain works every job that was enqueued and not worked yet, as the job queue would.
func (w *world) drain() {
	w.Helper()
	for range 1000 {
		jobs := storetest.Jobs(w, w.store)
		if w.worked == len(jobs) {
			return
		}
		job := jobs[w.worked]
		if job.Kind != (directory.WorkRun{}).Kind() {
			w.Fatalf("unexpected job %s", job.Kind)
		}
		var args directory.WorkRun
		w.ok(json.Unmarshal(job.Args, &args))
		w.work(args)
		w.worked++
	}
	w.Fatal("the queue does not empty")
}

func (w *world) work(job directory.WorkRun) {
	w.Helper()
	for range 1000 {
		err := w.svc.Work(w.ctx, job)
		if _, again := errors.AsType[*model.Throttled](err); again {
			continue
		}
		w.ok(err)
		return
	}
	w.Fatal("the run does not end")
}

// account reads the one account with the e-mail.
func (w *world) account(email string) model.Account {
	w.Helper()
	list := w.accounts(store.AccountFilter{Email: email})
	if len(list) != 1 {
		w.Fatalf("%d accounts have e-mail %s", len(list), email)
	}
	return list[0]
}

func (w *world) accounts(f store.AccountFilter) []model.Account {
	w.Helper()
	list, err := w.store.Read(w.ctx).AccountsAfter(w.org, f, "", 500)
	w.ok(err)
	return list
}

func (w *world) noAccount(email string) {
	w.Helper()
	if list := w.accounts(store.AccountFilter{Email: email}); len(list) > 0 {
		w.Fatalf("account %s exists", email)
	}
}

// mirror reads the directory user again.
func (w *world) mirror(u model.DirectoryUser) model.DirectoryUser {
	w.Helper()
	u, err := w.svc.User(w.ctx, u.Ref(), u.ID)
	w.ok(err)
	return u
}

func (w *world) hasStatus(email string, want model.AccountStatus) {
	w.Helper()
	if a := w.account(email); a.Status != want {
		w.Fatalf("account %s is %s, want %s", email, a.Status, want)
	}
}

func (w *world) hasRoles(email string, want ...string) {
	w.Helper()
	slices.Sort(want)
	if a := w.account(email); !slices.Equal(a.Roles, want) {
		w.Fatalf("account %s has roles %v, want %v; explained: %s", email, a.Roles, want, w.why(a))
	}
}

func (w *world) why(a model.Account) string {
	users, err := w.store.Read(w.ctx).LinkedUsers(w.org, a.ID)
	w.ok(err)
	text := ""
	for _, u := range users {
		text += u.Explanation.Roles + " "
	}
	return text
}

// entries is what a stretch of the feed and of the log holds.
type entries struct {
	changes  []model.Change
	activity []model.Activity
}

// during gives what fn wrote to the feed and to the log, oldest first.
func (w *world) during(fn func()) entries {
	w.Helper()
	_, from, err := w.store.Changes(w.ctx, w.org, store.ChangeQuery{Limit: 10000})
	w.ok(err)
	lines := len(w.log())
	fn()
	var e entries
	e.changes, _, err = w.store.Changes(w.ctx, w.org, store.ChangeQuery{After: from, Limit: 10000})
	w.ok(err)
	e.activity = w.log()[lines:]
	return e
}

// log gives the whole administrator's log, oldest first.
func (w *world) log() []model.Activity {
	w.Helper()
	list, err := w.store.Read(w.ctx).ActivitiesBefore(w.org, store.ActivityFilter{}, "", 10000)
	w.ok(err)
	slices.Reverse(list)
	return list
}

func (e entries) types() []string {
	list := []string{}
	for _, c := range e.changes {
		list = append(list, string(c.Type))
	}
	return list
}

func (e entries) actions() []string {
	list := []string{}
	for _, a := range e.activity {
		list = append(list, a.Action)
	}
	return list
}

// wrote fails the test unless the feed got these types and the log these actions, space separated.
func (w *world) wrote(e entries, types, actions string) {
	w.Helper()
	if got := strings.Join(e.types(), " "); got != types {
		w.Fatalf("the feed got %q, want %q", got, types)
	}
	if got := strings.Join(e.actions(), " "); got != actions {
		w.Fatalf("the log got %q, want %q", got, actions)
	}
}

// run reads the newest run.
func (w *world) run() model.Run {
	w.Helper()
	runs, err := w.store.Read(w.ctx).RunsBefore(w.org, store.RunFilter{}, "", 1)
	w.ok(err)
	if len(runs) == 0 {
		w.Fatal("there is no run")
	}
	return runs[0]
}
