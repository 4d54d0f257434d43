package directory_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"usher/directory"
	"usher/model"
	entraid "usher/model/entra"
	"usher/model/outlook"
)

// stocked is a tenant with a user, a group of every kind, and products of every kind.
func (w *world) stocked() *fakeEntra {
	w.Helper()
	f := w.tenant()
	f.users["u1"] = &entraid.User{ID: "u1", UserPrincipalName: ada, DisplayName: "Ada", AccountEnabled: true, UsageLocation: "DK"}
	f.users["hybrid"] = &entraid.User{ID: "hybrid", UserPrincipalName: "grace@contoso.com", AccountEnabled: true, OnPremisesSync: true}
	f.users["nowhere"] = &entraid.User{ID: "nowhere", UserPrincipalName: "alan@contoso.com", AccountEnabled: true}
	for _, g := range []entraid.Group{
		{ID: "security", SecurityEnabled: true},
		{ID: "unified", MailEnabled: true, Types: []string{"Unified"}},
		{ID: "dynamic", SecurityEnabled: true, Types: []string{"DynamicMembership"}, MembershipRule: `user.department -eq "HR"`},
		{ID: "mail", SecurityEnabled: true, MailEnabled: true},
		{ID: "list", MailEnabled: true},
		{ID: "premises", SecurityEnabled: true, OnPremisesSync: true},
		{ID: "role", SecurityEnabled: true, RoleAssignable: true},
		{ID: "managed", SecurityEnabled: true, ManagementRestricted: true},
	} {
		g.DisplayName = "Group " + g.ID
		f.groups[g.ID] = &g
	}
	f.skus = append(f.skus,
		entraid.SKU{ID: "full", PartNumber: "FULL", AppliesTo: "User", Status: "Enabled", Enabled: 3, Consumed: 3},
		entraid.SKU{ID: "company", PartNumber: "COMPANY", AppliesTo: "Company", Status: "Enabled", Enabled: 3},
		entraid.SKU{ID: "ended", PartNumber: "ENDED", AppliesTo: "User", Status: "Suspended", Enabled: 3})
	f.licences["u1"] = []entraid.Licence{{SKUID: "by-group", Group: "security"}}
	return f
}

type asking func(w *world) (model.Operation, error)

func member(group, user string) asking {
	return func(w *world) (model.Operation, error) { return w.svc.AddEntraMember(w.ctx, w.ref, group, user) }
}

func licence(user, sku string) asking {
	return func(w *world) (model.Operation, error) { return w.svc.AddEntraLicence(w.ctx, w.ref, user, sku) }
}

func change(user string, profile map[string]string) asking {
	return func(w *world) (model.Operation, error) {
		return w.svc.UpdateEntraUser(w.ctx, w.ref, user, directory.EntraUserChange{Profile: profile})
	}
}

func creation(upn string, edit func(*directory.NewEntraUser)) asking {
	return func(w *world) (model.Operation, error) {
		in := directory.NewEntraUser{UserPrincipalName: upn, Password: planted, Profile: map[string]string{"displayName": "Somebody"}}
		if edit != nil {
			edit(&in)
		}
		return w.svc.CreateEntraUser(w.ctx, w.ref, in)
	}
}

// TestRefusedBeforeAnythingIsWritten asks for what cannot be, and sees the operation fail with what to do and no write at all.
func TestRefusedBeforeAnythingIsWritten(t *testing.T) {
	each(t, func(w *world) {
		f := w.stocked()
		for _, tt := range refusals() {
			f.org.OnPremisesSync = tt.hybrid
			o, err := tt.ask(w)
			w.ok(err)
			var got model.Operation
			e := w.during(func() { got = w.operate(o) })
			if got.State != model.OperationFailed || got.Error == nil || got.Error.Code != tt.code || !strings.Contains(got.Error.Detail, tt.detail) {
				w.Errorf("%s: %s %+v", tt.name, got.State, got.Error)
			}
			if len(f.calls) > 0 {
				w.Fatalf("%s: something was written: %v", tt.name, f.calls)
			}
			w.wrote(e, "operation.failed", "operation.failed")
		}
	})
}

type refusalCase struct {
	name   string
	hybrid bool // the tenant is
	ask    asking
	code   string
	detail string
}

func refusals() []refusalCase {
	return []refusalCase{
		{"dynamic group", false, member("dynamic", "u1"), "group_dynamic", `user.department -eq "HR"`},
		{"mail-enabled security group", false, member("mail", "u1"), "group_mail_enabled", "Exchange admin centre"},
		{"distribution list", false, member("list", "u1"), "group_distribution_list", "Exchange admin centre"},
		{"group of Active Directory", false, member("premises", "u1"), "group_on_premises", "Active Directory"},
		{"role-assignable group", false, member("role", "u1"), "group_role_assignable", "Privileged Role Administrator"},
		{"restricted group", false, member("managed", "u1"), "group_restricted", "administrative unit"},
		{"no such group", false, member("none", "u1"), "group_not_found", "none"},
		{"no such user", false, member("security", "nobody"), "user_not_found", "nobody"},
		{"hybrid user", false, change("hybrid", map[string]string{"jobTitle": "x"}), "hybrid_user", "Active Directory"},
		{"hybrid tenant", true, change("u1", map[string]string{"jobTitle": "x"}), "hybrid_tenant", "Active Directory"},
		{"hybrid tenant, new user", true, creation("new@contoso.com", nil), "hybrid_tenant", "Active Directory"},
		{"unverified domain", false, creation("new@fabrikam.com", nil), "domain_not_verified", "contoso.com, contoso.onmicrosoft.com, fed.contoso.com"},
		{"federated domain", false, creation("new@fed.contoso.com", nil), "domain_federated", "fed.contoso.com"},
		{"e-mail in an unverified domain", false, creation("new@contoso.com", func(in *directory.NewEntraUser) { in.Profile["mail"] = "new@fabrikam.com" }), "domain_not_verified", "new@fabrikam.com"},
		{"new name in an unverified domain", false, change("u1", map[string]string{"userPrincipalName": "ada@fabrikam.com"}), "domain_not_verified", "contoso.com"},
		{"new user into a dynamic group", false, creation("new@contoso.com", func(in *directory.NewEntraUser) { in.Groups = []string{"security", "dynamic"} }), "group_dynamic", "Group dynamic"},
		{"no seats for a new user", false, creation("new@contoso.com", func(in *directory.NewEntraUser) {
			in.Licences, in.Profile["usageLocation"] = []string{"full"}, "DK"
		}), "no_seats", "3 of 3"},
		{"no seats", false, licence("u1", "full"), "no_seats", "buy more"},
		{"company's product", false, licence("u1", "company"), "licence_not_assignable", "COMPANY"},
		{"subscription that ended", false, licence("u1", "ended"), "licence_not_assignable", "suspended"},
		{"unknown product", false, licence("u1", "none"), "licence_not_found", "none"},
		{"no usage location", false, licence("nowhere", "sku-e3"), "usage_location_missing", "usage_location"},
		{"licence of a group", false, func(w *world) (model.Operation, error) {
			return w.svc.RemoveEntraLicence(w.ctx, w.ref, "u1", "by-group")
		}, "licence_inherited", "Group security"},
		{"deletion of nobody", false, func(w *world) (model.Operation, error) { return w.svc.DeleteEntraUser(w.ctx, w.ref, "nobody") }, "user_not_found", "nobody"},
	}
}

// TestGraphRefuses has Graph refuse a write, and sees what is said of it.
func TestGraphRefuses(t *testing.T) {
	answer := func(kind outlook.Kind, message string) error {
		return &outlook.Error{Kind: kind, Status: 400, Code: "Request_BadRequest", Message: message, RequestID: "r1"}
	}
	cases := []struct {
		name, call string
		granted    []string
		err        error
		ask        asking
		code       string
	}{
		{"password", "create", nil, answer(outlook.Invalid, "The specified password does not comply with password complexity requirements. It was "+planted), creation("new@contoso.com", nil), "password_refused"},
		{"password repeated", "create", nil, answer(outlook.Invalid, "Property value "+planted+" is invalid"), creation("new@contoso.com", nil), "refused_by_entra"},
		{"address", "create", nil, answer(outlook.Invalid, "Another object with the same value for property proxyAddresses already exists."), creation("new@contoso.com", nil), "address_taken"},
		{"administrator", "update", []string{"User.ReadWrite.All"}, answer(outlook.Forbidden, "Insufficient privileges"), change("u1", map[string]string{"jobTitle": "x"}), "administrator_target"},
		{"permission", "update", []string{"User.Read.All"}, answer(outlook.Forbidden, "Insufficient privileges"), change("u1", map[string]string{"jobTitle": "x"}), "permission_missing"},
		{"count", "licences", nil, answer(outlook.Invalid, "CountViolation"), licence("u1", "sku-e3"), "licence_count_violation"},
		{"exclusive", "licences", nil, answer(outlook.Invalid, "MutuallyExclusiveViolation"), licence("u1", "sku-e3"), "licence_mutually_exclusive"},
		{"dependency", "licences", nil, answer(outlook.Invalid, "DependencyViolation"), licence("u1", "sku-e3"), "licence_dependency"},
		{"location", "licences", nil, answer(outlook.Invalid, "ProhibitedInUsageLocationViolation"), licence("u1", "sku-e3"), "licence_prohibited_in_location"},
		{"uniqueness", "licences", nil, answer(outlook.Invalid, "UniquenessViolation"), licence("u1", "sku-e3"), "licence_uniqueness"},
		{"seats", "licences", nil, answer(outlook.Invalid, "Subscription with SKU 1 does not have any available licenses."), licence("u1", "sku-e3"), "no_seats"},
		{"master", "update", nil, answer(outlook.Invalid, "Unable to update the specified properties for on-premises mastered Directory Sync objects"), change("u1", map[string]string{"jobTitle": "x"}), "hybrid_user"},
	}
	each(t, func(w *world) {
		f := w.stocked()
		granted := f.granted
		for _, tt := range cases {
			if f.granted = granted; tt.granted != nil {
				f.granted = tt.granted
			}
			f.fail = func(call string, after bool) error {
				if call == tt.call && !after {
					return tt.err
				}
				return nil
			}
			o, err := tt.ask(w)
			w.ok(err)
			o = w.operate(o)
			if o.State != model.OperationFailed || o.Error.Code != tt.code || strings.Contains(o.Error.Detail, planted) || len(o.Error.Detail) < 40 {
				w.Errorf("%s: %s %+v", tt.name, o.State, o.Error)
			}
		}
		w.nowhere(planted)
	})
}

// nowhere fails the test where a table has the text.
func (w *world) nowhere(secret string) {
	w.Helper()
	for table, content := range w.dump() {
		if strings.Contains(content, secret) {
			w.Fatalf("table %s has the secret: %s", table, content)
		}
	}
}

// dump gives the content of every table.
func (w *world) dump() map[string]string {
	w.Helper()
	list := "SELECT name FROM sqlite_master WHERE type = 'table'"
	if w.store.Dialect() == "postgres" {
		list = "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'"
	}
	all := map[string]string{}
	for _, table := range w.texts(list) {
		query := `SELECT CAST(t AS text) FROM "` + table + `" t`
		if w.store.Dialect() != "postgres" {
			columns := w.texts(`SELECT 'coalesce(quote("' || name || '"), '''')' FROM pragma_table_info('` + table + `')`)
			query = `SELECT ` + strings.Join(columns, ` || ' ' || `) + ` FROM "` + table + `"`
		}
		all[table] = strings.Join(w.texts(query), "\n")
	}
	if len(all) < 20 || !strings.Contains(all["operations"], "contoso.com") {
		w.Fatalf("only %d tables were read", len(all))
	}
	return all
}

func (w *world) texts(query string) []string {
	w.Helper()
	rows, err := w.store.DB().QueryContext(w.ctx, query)
	w.ok(err)
	defer func() { _ = rows.Close() }()
	var list []string
	for rows.Next() {
		var text string
		w.ok(rows.Scan(&text))
		list = append(list, text)
	}
	w.ok(rows.Err())
	return list
}

// TestThePasswordIsNowhere looks for the password of a new user in every table and in the log, while it waits and when it is in Entra.
func TestThePasswordIsNowhere(t *testing.T) {
	each(t, func(w *world) {
		f := w.stocked()
		var log bytes.Buffer
		w.svc.Log = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		f.fail = func(call string, after bool) error {
			if call == "create" && after {
				return &outlook.Error{Kind: outlook.Unavailable, Status: 503, Message: "could not pass on " + planted}
			}
			return nil
		}
		o, err := creation("new@contoso.com", nil)(w)
		w.ok(err)
		w.nowhere(planted)
		w.tryOperation(o)
		w.nowhere(planted)
		f.fail = nil
		if o = w.operate(o); o.State != model.OperationSucceeded || f.password != planted {
			w.Fatalf("%+v %+v", o, o.Error)
		}
		w.nowhere(planted)
		if !strings.Contains(log.String(), "a step of an operation waits") || strings.Contains(log.String(), planted) {
			w.Fatalf("the log says %s", log.String())
		}
	})
}

// TestReadOnlyHasNoWayToAWrite turns an integration read-only while operations wait, and with switches off.
func TestReadOnlyHasNoWayToAWrite(t *testing.T) {
	each(t, func(w *world) {
		f := w.stocked()
		o, err := change("u1", map[string]string{"jobTitle": "x"})(w)
		w.ok(err)
		edit := func(fn func(*model.Integration)) {
			_, err := w.svc.ChangeIntegration(w.ctx, w.ref, func(i *model.Integration) error { fn(i); return nil }, nil)
			w.ok(err)
		}
		edit(func(i *model.Integration) { i.ReadOnly = true })
		if o = w.operate(o); o.State != model.OperationFailed || o.Error.Code != "read_only" {
			w.Fatalf("%+v", o.Error)
		}
		asks := map[string]asking{
			"update": change("u1", map[string]string{"jobTitle": "x"}), "create": creation("new@contoso.com", nil), "delete": func(w *world) (model.Operation, error) {
				return w.svc.DeleteEntraUser(w.ctx, w.ref, "u1")
			},
		}
		for _, ask := range asks {
			_, err := ask(w)
			w.refused(err, model.Refused, "", "only reads")
		}
		edit(func(i *model.Integration) { i.ReadOnly, i.WriteBack = false, model.WriteBack{} })
		for name, ask := range asks {
			_, err := ask(w)
			w.refused(err, model.Refused, "", "write_back."+name)
		}
		if len(f.calls) > 0 {
			w.Fatalf("%v", f.calls)
		}
	})
}

// TestTheSameIsAskedForOnce asks for the same user from several sides at once.
func TestTheSameIsAskedForOnce(t *testing.T) {
	each(t, func(w *world) {
		f := w.stocked()
		var wait sync.WaitGroup
		var mu sync.Mutex
		var got []model.Operation
		for range 8 {
			wait.Go(func() {
				o, err := creation("new@contoso.com", nil)(w)
				if err == nil {
					mu.Lock()
					defer mu.Unlock()
					got = append(got, o)
				} else if model.KindOf(err) != model.Conflict {
					w.Error(err)
				}
			})
		}
		wait.Wait()
		if len(got) != 1 {
			w.Fatalf("%d operations were begun", len(got))
		}
		for range 6 { // several workers, as after a job was lost
			wait.Go(func() { w.tryOperation(got[0]) })
		}
		wait.Wait()
		if o := w.operate(got[0]); o.State != model.OperationSucceeded || f.created != 1 {
			w.Fatalf("%d were made: %+v", f.created, o.Error)
		}
	})
}

// TestOneOperationOfAUserAtATime has two workers meet at one person.
func TestOneOperationOfAUserAtATime(t *testing.T) {
	each(t, func(w *world) {
		f := w.stocked()
		first, err := change("u1", map[string]string{"jobTitle": "first"})(w)
		w.ok(err)
		second, err := change("u1", map[string]string{"jobTitle": "second"})(w)
		w.ok(err)
		w.tryOperation(second)
		if o := w.operation(second.ID); o.StartedAt != nil || len(f.calls) > 0 {
			w.Fatalf("the second one did not wait: %+v", o)
		}
		f.fail = func(call string, after bool) error {
			if call == "update" && !after { // meanwhile, with the first one in somebody's hands
				f.fail = nil
				f.mu.Unlock()
				w.tryOperation(second)
				f.mu.Lock()
			}
			return nil
		}
		w.operate(first)
		if o := w.operation(second.ID); o.StartedAt != nil {
			w.Fatal("the second one began while the first one was worked")
		}
		w.operate(second)
		if f.users["u1"].JobTitle != "second" {
			w.Fatalf("%+v", f.users["u1"])
		}
	})
}

// TestWaitsAsEntraAsks throttles an operation.
func TestWaitsAsEntraAsks(t *testing.T) {
	each(t, func(w *world) {
		f := w.stocked()
		f.fail = func(call string, after bool) error {
			if call == "update" && !after {
				return &outlook.Error{Kind: outlook.Throttled, Status: 429, After: 90 * time.Second}
			}
			return nil
		}
		o, err := change("u1", map[string]string{"jobTitle": "x"})(w)
		w.ok(err)
		err = w.svc.WorkOperation(w.ctx, directory.WorkOperation{OrganizationID: w.org, OperationID: o.ID})
		wait, ok := errors.AsType[*model.Throttled](err)
		if !ok || wait.After != 90*time.Second {
			w.Fatalf("%v", err)
		}
		f.fail = nil
		w.tryOperation(o)
		if len(f.calls) > 0 {
			w.Fatal("it did not wait")
		}
		if o = w.operate(o); o.State != model.OperationSucceeded || o.Steps[1].Attempts != 2 {
			w.Fatalf("%+v", o)
		}
		if w.alarms.n["operation_waited"] != 1 || w.alarms.n["operation_succeeded"] != 1 {
			w.Fatalf("%v", w.alarms.n)
		}
	})
}
