package storetest

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"usher/model"
	"usher/model/store"
)

func transactionCases() []testCase {
	return []testCase{
		{"a committed transaction is there, with its jobs and its changes", commits},
		{"a rolled-back transaction leaves nothing, whether its writes were sent or buffered", rollsBack},
		{"a panic rolls back", panicRollsBack},
		{"a read within a transaction sees its buffered writes", readsItsWrites},
		{"a cleared field stays cleared", clearsFields},
		{"a write to a missing row is NotFound", missingRows},
		{"a malformed id is not found, and never the database's error", malformedIDs},
		{"times come back in UTC with microseconds", times},
		{"whatever a transaction writes carries its one time", oneTime},
	}
}

type job struct {
	User string `json:"user"`
}

func (job) Kind() string { return "storetest.job" }

func pushAda(tx *store.Tx, ref model.Ref) error {
	u := NewUser(ref, "ada@contoso.com")
	if err := tx.InsertDirectoryUser(u); err != nil {
		return err
	}
	if err := tx.Tell(model.Change{OrganizationID: ref.OrganizationID, Type: model.DirectoryUserCreated, SubjectID: u.ID}, u); err != nil {
		return err
	}
	if err := tx.Log(model.Activity{OrganizationID: ref.OrganizationID, Action: "directory_user.created"}, nil); err != nil {
		return err
	}
	return tx.Enqueue(job{u.ID})
}

// footprint counts what pushAda leaves.
func footprint(t *testing.T, s suite, ref model.Ref) [4]int {
	t.Helper()
	users, err := s.Read(t.Context()).CountDirectoryUsers(ref)
	if err != nil {
		t.Fatal(err)
	}
	changes, _, err := s.Changes(t.Context(), ref.OrganizationID, store.ChangeQuery{Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	log, err := s.Read(t.Context()).ActivitiesBefore(ref.OrganizationID, store.ActivityFilter{}, "", 10)
	if err != nil {
		t.Fatal(err)
	}
	return [4]int{users, len(changes), len(log), len(Jobs(t, s.Store))}
}

func commits(t *testing.T, s suite) {
	ref := Ref(t, s.Store)
	InTx(t, s.Store, func(tx *store.Tx) error { return pushAda(tx, ref) })
	if got := footprint(t, s, ref); got != [4]int{1, 1, 1, 1} {
		t.Errorf("users, changes, activities, jobs: %v, want one of each", got)
	}
}

func rollsBack(t *testing.T, s suite) {
	ref := Ref(t, s.Store)
	failure := errors.New("the rules said no")
	for name, last := range map[string]func(*store.Tx) error{
		"buffered": func(*store.Tx) error { return nil },
		"sent":     func(tx *store.Tx) error { _, err := tx.CountDirectoryUsers(ref); return err },
	} {
		err := s.InTx(t.Context(), func(tx *store.Tx) error {
			if err := pushAda(tx, ref); err != nil {
				return err
			}
			if err := tx.InsertDirectoryUser(NewUser(ref, "bob@contoso.com")); err != nil {
				return err
			}
			if err := last(tx); err != nil {
				return err
			}
			return failure
		})
		if !errors.Is(err, failure) {
			t.Errorf("%s: %v, want the function's own error", name, err)
		}
		if got := footprint(t, s, ref); got != [4]int{} {
			t.Errorf("%s: users, changes, activities, jobs: %v, want none", name, got)
		}
	}
}

func panicRollsBack(t *testing.T, s suite) {
	ref := Ref(t, s.Store)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		_ = s.InTx(t.Context(), func(tx *store.Tx) error {
			if err := pushAda(tx, ref); err != nil {
				return err
			}
			panic("a bug")
		})
	}()
	if got := footprint(t, s, ref); got != [4]int{} {
		t.Errorf("users, changes, activities, jobs: %v, want none", got)
	}
}

func readsItsWrites(t *testing.T, s suite) {
	ref := Ref(t, s.Store)
	InTx(t, s.Store, func(tx *store.Tx) error {
		u := NewUser(ref, "ada@contoso.com")
		if err := tx.InsertDirectoryUser(u); err != nil {
			return err
		}
		got, err := tx.DirectoryUser(ref, u.ID)
		if err == nil && got.UserName != u.UserName {
			t.Errorf("userName %q, want %q", got.UserName, u.UserName)
		}
		if _, outside := s.Read(t.Context()).DirectoryUser(ref, u.ID); model.KindOf(outside) != model.NotFound {
			t.Errorf("another reader: %v, want NotFound before the commit", outside)
		}
		return err
	})
}

func clearsFields(t *testing.T, s suite) {
	ref := Ref(t, s.Store)
	org := ref.OrganizationID
	a := Account(t, s.Store, org, "ada@contoso.com")
	a.Roles, a.JobTitle, a.CustomFields = []string{"hr"}, "Analyst", map[string]any{"floor": "2"}
	u := User(t, s.Store, ref, "ada@contoso.com")
	u.AccountID = &a.ID
	i, err := s.Read(t.Context()).Integration(ref)
	if err != nil {
		t.Fatal(err)
	}
	i.NestedGroups, i.DefaultRole, i.WriteBack.Create = true, "guest", true
	date := "2026-12-31"
	e := model.Employee{OrganizationID: org, ExternalID: "7", JobTitle: "Analyst", ResignationDate: &date, State: model.EmployeePending}
	save := func(tx *store.Tx) error {
		tx.PutEmployee(&e)
		return errors.Join(tx.UpdateAccount(a), tx.UpdateDirectoryUser(u), tx.UpdateIntegration(&i))
	}
	InTx(t, s.Store, save)
	a.Roles, a.JobTitle, a.CustomFields, a.Email = nil, "", nil, ""
	u.AccountID, u.ExternalID, u.Active, u.Email = nil, "", false, ""
	i.NestedGroups, i.DefaultRole, i.WriteBack.Create, i.ReadOnly, i.Priority = false, "", false, false, 0
	e.ResignationDate, e.JobTitle = nil, ""
	InTx(t, s.Store, save)

	r := s.Read(t.Context())
	a2, err := r.Account(org, a.ID)
	if err != nil || len(a2.Roles)+len(a2.CustomFields)+len(a2.Links) != 0 || a2.JobTitle+a2.Email != "" {
		t.Errorf("account %+v, %v", a2, err)
	}
	u2, err := r.DirectoryUser(ref, u.ID)
	if err != nil || u2.AccountID != nil || u2.ExternalID+u2.Email != "" || u2.Active {
		t.Errorf("directory user %+v, %v", u2, err)
	}
	i2, err := r.Integration(ref)
	if err != nil || i2.NestedGroups || i2.DefaultRole != "" || i2.WriteBack.Create || i2.ReadOnly || i2.Priority != 0 {
		t.Errorf("integration %+v, %v", i2, err)
	}
	e2, err := r.Employee(org, "7")
	if err != nil || e2.ResignationDate != nil || e2.JobTitle != "" {
		t.Errorf("employee %+v, %v", e2, err)
	}
}

func missingRows(t *testing.T, s suite) {
	ref := Ref(t, s.Store)
	org := ref.OrganizationID
	none := store.NewID()
	user, group, account := NewUser(ref, "ada@contoso.com"), NewGroup(ref, "Sales"), NewAccount(org, "ada@contoso.com")
	user.ID, group.ID, account.ID = none, none, none
	i := model.Integration{ID: none, OrganizationID: org}
	noOrg := model.Organization{ID: none, Slug: "none", Name: "None"}
	for name, write := range map[string]func(*store.Tx) error{
		"UpdateDirectoryUser":  func(tx *store.Tx) error { return tx.UpdateDirectoryUser(user) },
		"SettleDirectoryUser":  func(tx *store.Tx) error { return tx.SettleDirectoryUser(user) },
		"DeleteDirectoryUser":  func(tx *store.Tx) error { return tx.DeleteDirectoryUser(user) },
		"UpdateDirectoryGroup": func(tx *store.Tx) error { return tx.UpdateDirectoryGroup(group) },
		"TouchDirectoryGroup":  func(tx *store.Tx) error { tx.TouchDirectoryGroup(group); return nil },
		"DeleteDirectoryGroup": func(tx *store.Tx) error { tx.DeleteDirectoryGroup(group); return nil },
		"UpdateAccount":        func(tx *store.Tx) error { return tx.UpdateAccount(account) },
		"DeleteAccount":        func(tx *store.Tx) error { tx.DeleteAccount(account); return nil },
		"UpdateIntegration":    func(tx *store.Tx) error { return tx.UpdateIntegration(&i) },
		"DeleteIntegration": func(tx *store.Tx) error {
			return tx.DeleteIntegration(model.Ref{OrganizationID: org, IntegrationID: none})
		},
		"UpdateOrganization": func(tx *store.Tx) error { return tx.UpdateOrganization(&noOrg) },
		"DeleteOrganization": func(tx *store.Tx) error { return tx.DeleteOrganization(none) },
		"ChangeSettings":     func(tx *store.Tx) error { return tx.ChangeSettings(none) },
		"HoldArrival": func(tx *store.Tx) error {
			_, _, err := tx.HoldArrival(model.Ref{OrganizationID: none, IntegrationID: none}, store.Newcomer{ExternalID: "ada"})
			return err
		},
		"StorePendingMembers": func(tx *store.Tx) error { tx.StorePendingMembers(group); return nil },
		"HoldSettings":        func(tx *store.Tx) error { _, err := tx.HoldSettings(none); return err },
		"UpdateRun":           func(tx *store.Tx) error { return tx.UpdateRun(&model.Run{ID: none, OrganizationID: org}) },
		"UpdateOperator":      func(tx *store.Tx) error { return tx.UpdateOperator(&model.Operator{ID: none, OrganizationID: org}) },
		"DeleteAPIKey":        func(tx *store.Tx) error { return tx.DeleteAPIKey(org, none) },
		"DeleteEntry":         func(tx *store.Tx) error { return store.DeleteEntry[model.Role](tx, org, "none", "role") },
		"DeleteEmployee": func(tx *store.Tx) error {
			tx.DeleteEmployee(&model.Employee{OrganizationID: org, ExternalID: "none"})
			return nil
		},
		"PutList": func(tx *store.Tx) error {
			return tx.PutList(model.Ref{OrganizationID: org, IntegrationID: none}, store.ListExclusions, []model.Exclusion{})
		},
	} {
		if err := s.InTx(t.Context(), write); model.KindOf(err) != model.NotFound {
			t.Errorf("%s of a missing row: %v, want NotFound", name, err)
		}
	}
}

func malformedIDs(t *testing.T, s suite) {
	ref := Ref(t, s.Store)
	org := ref.OrganizationID
	for _, id := range []string{"", "7", "' OR 1=1", "00000000-0000-0000-0000-00000000000Z", "{" + org[:34] + "}"} {
		for name, read := range map[string]func(*store.Tx) error{
			"DirectoryUser":     func(tx *store.Tx) error { _, err := tx.DirectoryUser(ref, id); return err },
			"DirectoryGroup":    func(tx *store.Tx) error { _, err := tx.DirectoryGroup(ref, id); return err },
			"LockGroup":         func(tx *store.Tx) error { _, _, err := tx.LockGroup(ref, id, nil); return err },
			"Account":           func(tx *store.Tx) error { _, err := tx.Account(org, id); return err },
			"Account elsewhere": func(tx *store.Tx) error { _, err := tx.Account(id, store.NewID()); return err },
			"Integration": func(tx *store.Tx) error {
				_, err := tx.Integration(model.Ref{OrganizationID: org, IntegrationID: id})
				return err
			},
			"Organization":        func(tx *store.Tx) error { _, err := tx.Organization(id); return err },
			"Run":                 func(tx *store.Tx) error { _, err := tx.Run(org, id); return err },
			"LockRun":             func(tx *store.Tx) error { _, err := tx.LockRun(org, id); return err },
			"APIKey":              func(tx *store.Tx) error { _, err := tx.APIKey(id); return err },
			"SCIMToken":           func(tx *store.Tx) error { _, err := tx.SCIMToken(id); return err },
			"MembersAfter":        func(tx *store.Tx) error { _, err := tx.MembersAfter(ref, id, "", 1); return err },
			"PendingMembersAfter": func(tx *store.Tx) error { _, err := tx.PendingMembersAfter(ref, id, "", 1); return err },
			"UserMembersAfter":    func(tx *store.Tx) error { _, err := tx.UserMembersAfter(ref, id, "", 1); return err },
			"SCIMClient":          func(tx *store.Tx) error { _, err := tx.SCIMClient(ref, id); return err },
			"LockSCIMClient":      func(tx *store.Tx) error { _, err := tx.LockSCIMClient(ref, id); return err },
			"SCIMClientByID":      func(tx *store.Tx) error { _, err := tx.SCIMClientByID(id); return err },
			"SCIMClientOf":        func(tx *store.Tx) error { _, err := tx.SCIMClientOf(org, id); return err },
			"SCIMClientSecret":    func(tx *store.Tx) error { _, err := tx.SCIMClientSecret(id); return err },
			"DeleteSCIMClient":    func(tx *store.Tx) error { return tx.DeleteSCIMClient(ref, id) },
			"DeleteSecretOf":      func(tx *store.Tx) error { return tx.DeleteSCIMClientSecret(ref, id, org) },
			"DeleteTrustOf":       func(tx *store.Tx) error { return tx.DeleteSCIMClientFederation(ref, id, org) },
			"DeleteAPIKey":        func(tx *store.Tx) error { return tx.DeleteAPIKey(org, id) },
			"DeleteOrg":           func(tx *store.Tx) error { return tx.DeleteOrganization(id) },
			"ChangeSettings":      func(tx *store.Tx) error { return tx.ChangeSettings(id) },
		} {
			if err := s.InTx(t.Context(), read); model.KindOf(err) != model.NotFound {
				t.Errorf("%s(%q): %v, want NotFound", name, id, err)
			}
		}
		InTx(t, s.Store, func(tx *store.Tx) error {
			f, err := tx.LockFacts(ref, []string{id})
			if err == nil && len(f.Users) != 0 {
				t.Errorf("LockFacts(%q) finds %v", id, f.Users)
			}
			return err
		})
	}
}

func times(t *testing.T, s suite) {
	berlin := time.FixedZone("CET", 3600)
	at := time.Date(2026, 3, 1, 0, 30, 0, 123456789, berlin)
	want := time.Date(2026, 2, 28, 23, 30, 0, 123456000, time.UTC)
	s2 := OpenWith(t, store.Options{URL: s.url, Now: func() time.Time { return at }})
	ref := Ref(t, s2)
	org := ref.OrganizationID
	u := User(t, s2, ref, "ada@contoso.com")
	a := Account(t, s2, org, "ada@contoso.com")
	token := model.SCIMToken{ID: store.NewID(), OrganizationID: org, IntegrationID: ref.IntegrationID, CreatedAt: want, ExpiresAt: &want}
	InTx(t, s2, func(tx *store.Tx) error { return errors.Join(tx.InsertSCIMToken(&token), pushAda2(tx, ref)) })
	r := s2.Read(t.Context())
	o, err0 := r.Organization(org)
	u2, err1 := r.DirectoryUser(ref, u.ID)
	a2, err2 := r.Account(org, a.ID)
	i2, err3 := r.Integration(ref)
	t2, err4 := r.SCIMToken(token.ID)
	changes, _, err5 := s2.Changes(t.Context(), org, store.ChangeQuery{Limit: 1})
	log, err6 := r.ActivitiesBefore(org, store.ActivityFilter{}, "", 1)
	if err := errors.Join(err0, err1, err2, err3, err4, err5, err6); err != nil {
		t.Fatal(err)
	}
	for name, got := range map[string]time.Time{
		"organization": o.CreatedAt, "directory user": u2.CreatedAt, "account": a2.UpdatedAt, "integration": i2.UpdatedAt,
		"token": *t2.ExpiresAt, "change": changes[0].OccurredAt, "activity": log[0].OccurredAt,
	} {
		if got != want { // with its location
			t.Errorf("%s: %v (%v), want %v", name, got, got.Location(), want)
		}
	}
	found, err := r.ActivitiesBefore(org, store.ActivityFilter{From: at.Add(-time.Second), To: at.Add(time.Second)}, "", 9)
	if err != nil || len(found) != 1 {
		t.Errorf("activities of that second, asked for in another zone: %v, %v", found, err)
	}
}

// oneTime has a clock that no two looks at find at the same time.
func oneTime(t *testing.T, s suite) {
	var looks atomic.Int64
	start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	s2 := OpenWith(t, store.Options{URL: s.url, Now: func() time.Time { return start.Add(time.Duration(looks.Add(1)) * time.Minute) }})
	ref := Ref(t, s2)
	o, err0 := s2.Read(t.Context()).Organization(ref.OrganizationID)
	i, err1 := s2.Read(t.Context()).Integration(ref)
	operator := model.Operator{OrganizationID: ref.OrganizationID, Email: "ada@contoso.com", Rights: []model.Right{model.RightAll}}
	run := model.Run{OrganizationID: ref.OrganizationID, IntegrationID: ref.IntegrationID, Kind: model.RunReevaluation, State: model.RunQueued}
	if err := errors.Join(err0, err1); err != nil {
		t.Fatal(err)
	}
	InTx(t, s2, func(tx *store.Tx) error { return errors.Join(tx.InsertOperator(&operator), tx.InsertRun(&run)) })
	o.Name, i.Name, operator.Name = "Renamed", "Renamed", "Ada"
	var at time.Time
	InTx(t, s2, func(tx *store.Tx) error {
		at = tx.Now()
		return errors.Join(tx.UpdateOrganization(&o), tx.UpdateIntegration(&i), tx.UpdateOperator(&operator), tx.UpdateRun(&run))
	})
	r := s2.Read(t.Context())
	o2, err0 := r.Organization(o.ID)
	i2, err1 := r.Integration(ref)
	operator2, err2 := r.OperatorByEmail(o.ID, operator.Email)
	run2, err3 := r.Run(o.ID, run.ID)
	if err := errors.Join(err0, err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	for name, times := range map[string][2]time.Time{
		"organization": {o2.UpdatedAt, o.UpdatedAt}, "integration": {i2.UpdatedAt, i.UpdatedAt},
		"operator": {operator2.UpdatedAt, operator.UpdatedAt}, "run": {run2.UpdatedAt, run.UpdatedAt},
	} {
		if times != [2]time.Time{at, at} {
			t.Errorf("%s: stored and told as updated at %v, want %v", name, times, at)
		}
	}
	if o2.Name != "Renamed" || i2.Name != "Renamed" || operator2.Name != "Ada" {
		t.Errorf("names %q, %q, %q were not written", o2.Name, i2.Name, operator2.Name)
	}
}

func pushAda2(tx *store.Tx, ref model.Ref) error {
	return errors.Join(
		tx.Tell(model.Change{OrganizationID: ref.OrganizationID, Type: model.DirectoryUserUpdated, SubjectID: "ada"}, nil),
		tx.Log(model.Activity{OrganizationID: ref.OrganizationID, Action: "directory_user.updated"}, nil))
}
