package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"usher/model"
	"usher/model/store"
	"usher/model/store/storetest"
)

// TestCalendarsFromTheShell steers a calendar that the bridge has found before.
func TestCalendarsFromTheShell(t *testing.T) {
	t.Parallel()
	db := filepath.Join(t.TempDir(), "usher.db")
	must(t, db, "", "migrate", "up")
	var made struct{ ID string }
	if err := json.Unmarshal([]byte(must(t, db, "", "integration", "create", "Contoso", "-o", "json")), &made); err != nil {
		t.Fatal(err)
	}
	if out := must(t, db, "", "calendar", "list"); strings.Count(out, "\n") != 1 {
		t.Errorf("without calendars: %s", out)
	}
	id := oneCalendarIn(t, db, made.ID)
	if out := must(t, db, "", "calendar", "list"); !strings.Contains(out, id) || !strings.Contains(out, "pending") {
		t.Errorf("the list: %s", out)
	}
	if out := must(t, db, "", "calendar", "mailboxes", made.ID); !strings.Contains(out, "ada@contoso.com") || !strings.Contains(out, "active") {
		t.Errorf("the mailboxes: %s", out)
	}
	must(t, db, "", "calendar", "sync", id)
	must(t, db, "", "calendar", "disable", id)
	if out := must(t, db, "", "calendar", "list"); strings.Contains(out, id) {
		t.Errorf("a disabled calendar is listed without --all: %s", out)
	}
	if code, _, err := usher(t, db, "", "calendar", "sync", id); code != exitFailed || !strings.Contains(err, "not enabled") {
		t.Errorf("a disabled calendar is read: status %d, %s", code, err)
	}
	must(t, db, "", "calendar", "enable", id)
	if code, _, err := usher(t, db, "", "calendar", "enable", "nonsense"); code != exitFailed || !strings.Contains(err, "calendar nonsense not found") {
		t.Errorf("an unknown calendar: status %d, %s", code, err)
	}
	if code, _, err := usher(t, db, "", "calendar", "permissions", made.ID); code != exitFailed || !strings.Contains(err, "which tenant") {
		t.Errorf("permissions without a tenant: status %d, %s", code, err)
	}
}

// oneCalendarIn stores a mailbox with a calendar, as the bridge does when it finds one.
func oneCalendarIn(t *testing.T, db, integration string) string {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{URL: "sqlite:" + db})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	org, err := s.Read(t.Context()).Organization(model.DefaultOrganization)
	if err != nil {
		t.Fatal(err)
	}
	ref := model.Ref{OrganizationID: org.ID, IntegrationID: integration}
	account := storetest.NewAccount(org.ID, "ada@contoso.com")
	storetest.InTx(t, s, func(tx *store.Tx) error { return tx.InsertAccount(account) })
	m := model.Mailbox{
		OrganizationID: ref.OrganizationID, IntegrationID: ref.IntegrationID, AccountID: &account.ID, Address: "ada@contoso.com",
		State: model.MailboxActive, Enabled: true,
	}
	storetest.InTx(t, s, func(tx *store.Tx) error { return tx.InsertMailbox(&m) })
	c := model.Calendar{
		OrganizationID: ref.OrganizationID, IntegrationID: ref.IntegrationID, MailboxID: m.ID, AccountID: &account.ID, GraphID: "AAMk", Name: "Calendar",
		IsDefault: true, CanEdit: true, Enabled: true, Subscription: model.CalendarSubscription{State: model.SubscriptionPending},
	}
	storetest.InTx(t, s, func(tx *store.Tx) error { return tx.InsertCalendar(&c) })
	return c.ID
}
