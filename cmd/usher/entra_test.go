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

const planted = "xWwvJ]6NMw+bWH-d"

// switchOn lets an integration write to its tenant.
func switchOn(t *testing.T, db, integration string) {
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
	storetest.InTx(t, s, func(tx *store.Tx) error {
		i, err := tx.Integration(model.Ref{OrganizationID: org.ID, IntegrationID: integration})
		if err != nil {
			return err
		}
		i.WriteBack = model.WriteBack{Create: true, Update: true, Delete: true}
		if err := tx.ChangeSettings(org.ID); err != nil {
			return err
		}
		return tx.UpdateIntegration(&i)
	})
}

// TestEntraFromTheShell asks for operations, which a server would work, and cancels one.
func TestEntraFromTheShell(t *testing.T) {
	t.Parallel()
	db := filepath.Join(t.TempDir(), "usher.db")
	must(t, db, "", "migrate", "up")
	var made struct{ ID string }
	if err := json.Unmarshal([]byte(must(t, db, "", "integration", "create", "Contoso", "-o", "json")), &made); err != nil {
		t.Fatal(err)
	}
	create := []string{"entra", "users", "create", made.ID, "ada@contoso.com", "--display-name", "Ada Lovelace", "--set", "jobTitle=Analyst", "--password-stdin", "-o", "json"}
	if code, _, err := usher(t, db, planted+"\n", create...); code != exitFailed || !strings.Contains(err, "write_back.create") {
		t.Errorf("with the switch off: status %d, %s", code, err)
	}
	switchOn(t, db, made.ID)
	var o struct {
		ID, State string
		Request   struct{ Profile map[string]string }
	}
	out := must(t, db, planted+"\n", create...)
	if err := json.Unmarshal([]byte(out), &o); err != nil || o.State != "queued" || o.Request.Profile["jobTitle"] != "Analyst" || strings.Contains(out, planted) {
		t.Fatalf("%v %s", err, out)
	}
	for _, args := range [][]string{
		{"users", "update", made.ID, "u1", "--set", "jobTitle=", "--no-enabled"},
		{"users", "delete", made.ID, "u2"},
		{"users", "restore", made.ID, "u3", "--enable"},
		{"users", "offboard", made.ID, "u4", "--at", "2027-01-01T00:00:00Z", "--no-remove-licences", "--delete"},
		{"groups", "add", made.ID, "g1", "u5"},
		{"groups", "remove", made.ID, "g1", "u6"},
		{"licences", "add", made.ID, "u7", "sku"},
		{"licences", "remove", made.ID, "u8", "sku"},
	} {
		must(t, db, "", append([]string{"entra"}, args...)...)
	}
	if out := must(t, db, "", "entra", "operations", "list"); strings.Count(out, "\n") != 10 || !strings.Contains(out, "scheduled") {
		t.Errorf("the list: %s", out)
	}
	if out := must(t, db, "", "entra", "operations", "show", o.ID); !strings.Contains(out, "create_user") || !strings.Contains(out, "check") {
		t.Errorf("the operation: %s", out)
	}
	must(t, db, "", "entra", "operations", "cancel", o.ID)
	if code, _, err := usher(t, db, "", "entra", "operations", "cancel", o.ID); code != exitFailed || !strings.Contains(err, "cancelled already") {
		t.Errorf("cancelled twice: status %d, %s", code, err)
	}
}
