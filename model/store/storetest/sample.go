package storetest

import (
	"fmt"
	"strings"
	"testing"

	"usher/model"
	"usher/model/store"
)

// InTx runs fn in a transaction of the store and fails the test if it does not commit.
func InTx(tb testing.TB, s *store.Store, fn func(*store.Tx) error) {
	tb.Helper()
	if err := s.InTx(tb.Context(), fn); err != nil {
		tb.Fatalf("transaction: %v", err)
	}
}

// Org makes an organization and gives its id.
func Org(tb testing.TB, s *store.Store) string {
	tb.Helper()
	o := model.Organization{Slug: "contoso-" + store.NewID(), Name: "Contoso"}
	InTx(tb, s, func(tx *store.Tx) error { return tx.InsertOrganization(&o) })
	return o.ID
}

// Integration makes an integration of the organization: SCIM, reconciling roles, with the given changes.
func Integration(tb testing.TB, s *store.Store, org string, change ...func(*model.Integration)) model.Integration {
	tb.Helper()
	i := model.Integration{
		OrganizationID: org, Name: "Contoso", Ingress: model.IngressSCIM, RoleSync: model.RoleSyncReconcile, Scope: model.ScopeGroups,
		ReadOnly: true, Priority: 1, Guard: model.Guard{Minimum: 10, Percent: 5},
	}
	for _, f := range change {
		f(&i)
	}
	InTx(tb, s, func(tx *store.Tx) error {
		if err := tx.ChangeSettings(org); err != nil {
			return err
		}
		return tx.InsertIntegration(&i)
	})
	return i
}

// Ref makes an organization with one integration and gives its name.
func Ref(tb testing.TB, s *store.Store) model.Ref {
	tb.Helper()
	return Integration(tb, s, Org(tb, s)).Ref()
}

// NewUser gives a directory user that is not stored yet, as Entra would push one; userName is an e-mail address.
func NewUser(ref model.Ref, userName string) *model.DirectoryUser {
	local, _, _ := strings.Cut(userName, "@")
	return &model.DirectoryUser{
		OrganizationID: ref.OrganizationID, IntegrationID: ref.IntegrationID,
		UserName: userName, UserNameKey: model.Fold(userName), ExternalID: "ext-" + local,
		Email: userName, EmailKey: model.Fold(userName), DisplayName: local, Active: true,
		Document: model.NewDocument(map[string]any{
			"userName": userName, "externalId": "ext-" + local, "displayName": local, "active": true,
			"emails": []any{map[string]any{"type": "work", "value": userName, "primary": true}},
		}),
	}
}

// User stores a directory user.
func User(tb testing.TB, s *store.Store, ref model.Ref, userName string) *model.DirectoryUser {
	tb.Helper()
	u := NewUser(ref, userName)
	InTx(tb, s, func(tx *store.Tx) error { return tx.InsertDirectoryUser(u) })
	return u
}

// Users stores n directory users in one transaction and gives their ids, in order.
func Users(tb testing.TB, s *store.Store, ref model.Ref, n int) []string {
	tb.Helper()
	ids := make([]string, 0, n)
	InTx(tb, s, func(tx *store.Tx) error {
		ids = ids[:0]
		for i := range n {
			u := NewUser(ref, fmt.Sprintf("user%06d@contoso.com", i))
			if err := tx.InsertDirectoryUser(u); err != nil {
				return err
			}
			ids = append(ids, u.ID)
		}
		return nil
	})
	return ids
}

// NewGroup gives a directory group that is not stored yet.
func NewGroup(ref model.Ref, name string) *model.DirectoryGroup {
	return &model.DirectoryGroup{
		OrganizationID: ref.OrganizationID, IntegrationID: ref.IntegrationID,
		DisplayName: name, DisplayNameKey: model.Fold(name), ExternalID: "ext-" + name,
		Document: model.NewDocument(map[string]any{"displayName": name, "externalId": "ext-" + name}),
	}
}

// Group stores a directory group with members.
func Group(tb testing.TB, s *store.Store, ref model.Ref, name string, members ...string) *model.DirectoryGroup {
	tb.Helper()
	g := NewGroup(ref, name)
	InTx(tb, s, func(tx *store.Tx) error {
		if err := tx.InsertDirectoryGroup(g); err != nil {
			return err
		}
		_, _, err := tx.AddMembers(ref, g.ID, members)
		return err
	})
	return g
}

// NewAccount gives an active account that is not stored yet.
func NewAccount(org, email string) *model.Account {
	return &model.Account{
		OrganizationID: org, Email: email, UserName: email, DisplayName: email,
		Status: model.AccountActive, Origin: model.OriginDirectory,
	}
}

// Account stores an account.
func Account(tb testing.TB, s *store.Store, org, email string) *model.Account {
	tb.Helper()
	a := NewAccount(org, email)
	InTx(tb, s, func(tx *store.Tx) error { return tx.InsertAccount(a) })
	return a
}
