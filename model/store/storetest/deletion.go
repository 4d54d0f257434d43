package storetest

import (
	"slices"
	"strings"
	"testing"

	"usher/model"
	"usher/model/store"
)

func deletionCases() []testCase {
	return []testCase{
		{"the sample world has rows in every table", worldIsWhole},
		{"deleting an organization leaves no row of it, and all of the others", deleteOrganization},
		{"deleting an integration leaves its accounts and its history alone, and all of the others", deleteIntegration},
		{"deleting an account unlinks its directory users", deleteAccount},
		{"deleting an employee leaves the account", deleteEmployee},
	}
}

// worldIsWhole keeps the other cases honest: a table that a later migration adds must get its row in newWorld.
func worldIsWhole(t *testing.T, s suite) {
	newWorld(t, s.Store, "ada")
	for table := range columns(t, s) {
		if count(t, s, "SELECT count(*) FROM "+table) == 0 {
			t.Errorf("table %s is empty: add a row to newWorld", table)
		}
	}
}

func deleteOrganization(t *testing.T, s suite) {
	ada, bob := newWorld(t, s.Store, "ada"), newWorld(t, s.Store, "bob")
	before := dump(t, s, "organization_id", bob.org)
	InTx(t, s.Store, func(tx *store.Tx) error { return tx.DeleteOrganization(ada.org) })
	for _, c := range [][2]string{
		{"organization_id", ada.org}, {"integration_id", ada.ref.IntegrationID}, {"run_id", ada.run.ID}, {"member_id", ada.user.ID},
	} {
		if left := dump(t, s, c[0], c[1]); len(left) != 0 {
			t.Errorf("rows with the deleted %s remain: %q", c[0], left)
		}
	}
	if after := dump(t, s, "organization_id", bob.org); !slices.Equal(before, after) {
		t.Errorf("another organization's rows changed:\n%q\n%q", before, after)
	}
}

func deleteIntegration(t *testing.T, s suite) {
	ada, bob := newWorld(t, s.Store, "ada"), newWorld(t, s.Store, "bob")
	sister := Integration(t, s.Store, ada.org).Ref()
	u := NewUser(sister, "ada@contoso.com")
	u.AccountID = &ada.account.ID
	InTx(t, s.Store, func(tx *store.Tx) error { return tx.InsertDirectoryUser(u) })
	others := append(dump(t, s, "organization_id", bob.org), dump(t, s, "integration_id", sister.IntegrationID)...)
	InTx(t, s.Store, func(tx *store.Tx) error { return tx.DeleteIntegration(ada.ref) })
	for _, line := range dump(t, s, "integration_id", ada.ref.IntegrationID) {
		// History outlives what it tells of; the request log goes by and by, as old lines of it do. Microsoft 365 still has the
		// subscriptions. Pictures are a part of accounts. A webhook endpoint that was told of nothing else stays to be pointed elsewhere.
		if table, _, _ := strings.Cut(line, ":"); table != "changes" && table != "activities" && table != "ended_subscriptions" && table != "account_photos" && table != "webhook_endpoints" && !strings.HasPrefix(table, "scim_re") {
			t.Errorf("a row of the integration remains: %s", line)
		}
	}
	if left := dump(t, s, "run_id", ada.run.ID); len(left) != 0 {
		t.Errorf("decisions of its runs remain: %q", left)
	}
	if after := append(dump(t, s, "organization_id", bob.org), dump(t, s, "integration_id", sister.IntegrationID)...); !slices.Equal(others, after) {
		t.Errorf("other rows changed:\n%q\n%q", others, after)
	}
	a, err := s.Read(t.Context()).Account(ada.org, ada.account.ID)
	if err != nil || a.Status != model.AccountActive || len(a.Links) != 1 || a.Links[0].DirectoryUserID != u.ID {
		t.Errorf("the account is %+v, %v, want it active and linked to the other integration alone", a, err)
	}
}

func deleteAccount(t *testing.T, s suite) {
	ada := newWorld(t, s.Store, "ada")
	InTx(t, s.Store, func(tx *store.Tx) error { tx.DeleteAccount(ada.account); return nil })
	u, err := s.Read(t.Context()).DirectoryUser(ada.ref, ada.user.ID)
	if err != nil || u.AccountID != nil {
		t.Errorf("the directory user is %+v, %v, want it unlinked", u, err)
	}
}

func deleteEmployee(t *testing.T, s suite) {
	ada := newWorld(t, s.Store, "ada")
	InTx(t, s.Store, func(tx *store.Tx) error { tx.DeleteEmployee(&ada.employee); return nil })
	a, err := s.Read(t.Context()).Account(ada.org, ada.account.ID)
	if err != nil || a.EmployeeID != nil {
		t.Errorf("the account is %+v, %v, want it without employee", a, err)
	}
}
