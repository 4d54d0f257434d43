package directory_test

import (
	"strings"
	"testing"

	"usher/directory"
	"usher/model"
)

// TestSetupGuide hands out everything, and its exports cannot be broken out of by a name.
func TestSetupGuide(t *testing.T) {
	each(t, func(w *world) {
		const hostile = "A'; Remove-Item / #\u2019\"${file(\"x\")}\nwhoami"
		w.change(w.ref, func(i *model.Integration) { i.TenantID, i.Graph.Cloud = tenantA, "usgov" })
		_, text, err := w.svc.CreateSCIMToken(w.ctx, w.ref, "Entra", nil)
		w.ok(err)
		w.roles("hr")
		_, err = w.svc.ChangeGroupMappings(w.ctx, w.ref, []model.GroupMapping{{Group: model.GroupSelector{ExternalID: hrID}, Role: "hr"}}, directory.Replacing[model.GroupMapping]())
		w.ok(err)
		g, err := w.svc.SetupGuide(w.ctx, w.ref, publicURL)
		w.ok(err)
		p := g.Provisioning
		if p.TenantURL != publicURL+"/scim/v2/"+w.ref.IntegrationID+"?aadOptscim062020" || p.Token.Live != 1 || len(p.Problems) != 0 || p.Groups[0] != hrID {
			t.Errorf("%+v", p)
		}
		for _, url := range []string{"http://127.0.0.1:8080", "http://localhost", "nowhere"} {
			local, err := w.svc.SetupGuide(w.ctx, w.ref, url)
			w.ok(err)
			if len(local.Provisioning.Problems) == 0 {
				t.Errorf("Entra reaches %s", url)
			}
		}
		pulls := w.integration("Pulls", model.RoleSyncReconcile, func(i *model.Integration) { i.Ingress = model.IngressGraph })
		if g, err := w.svc.SetupGuide(w.ctx, pulls, publicURL); err != nil || g.Provisioning != nil || len(g.Graph.Features) == 0 {
			t.Errorf("%+v, %v", g, err)
		}
		_, err = w.svc.SetupExport(w.ctx, pulls, publicURL, directory.FormatTerraform)
		w.refused(err, model.Refused, "ingress", "")
		_, err = w.svc.SetupExport(w.ctx, w.ref, publicURL, "bash")
		w.refused(err, model.Invalid, "format", "bash")

		named := w.integration("x", model.RoleSyncReconcile)
		w.ok(w.renameTo(named, hostile))
		for format, want := range map[string][]string{
			directory.FormatPowerShell: {"Read-Host -AsSecureString", "8adf8e6e-67b2-4cf2-a259-e3dc5476c621", hrID, "Environment = 'USGov'", "'objectId'", tenantA, "'" + p.TenantURL + "'"},
			directory.FormatTerraform:  {"sensitive   = true", "var.usher_scim_token", hrID, `environment = "usgovernmentl4"`, `"` + p.TenantURL + `"`},
		} {
			export, err := w.svc.SetupExport(w.ctx, w.ref, publicURL, format)
			w.ok(err)
			for _, part := range want {
				if !strings.Contains(export, part) {
					t.Errorf("%s lacks %s:\n%s", format, part, export)
				}
			}
			if strings.Contains(export, text) {
				t.Errorf("%s has the token", format)
			}
			bad, err := w.svc.SetupExport(w.ctx, named, publicURL, format)
			w.ok(err)
			quoted := map[string]string{
				directory.FormatPowerShell: "'A''; Remove-Item / #\u2019\u2019\"${file(\"x\")} whoami'",
				directory.FormatTerraform:  `"A'; Remove-Item / #` + "\u2019" + `\"$${file(\"x\")} whoami"`,
			}[format]
			if !strings.Contains(bad, quoted) || strings.Contains(bad, "\nwhoami") {
				t.Errorf("%s does not quote a name:\n%s", format, bad)
			}
		}
	})
}

// renameTo gives an integration a name, such as one that was stored before names were checked.
func (w *world) renameTo(ref model.Ref, name string) error {
	query := "UPDATE integrations SET name = $1 WHERE id = $2"
	_, err := w.store.DB().ExecContext(w.ctx, query, name, ref.IntegrationID)
	return err
}

func TestFeatures(t *testing.T) {
	t.Parallel()
	entry := model.IntegrationSettings{
		Integration: model.Integration{Ingress: model.IngressSCIM, CalendarSync: true, ReadOnly: true, WriteBack: model.WriteBack{Delete: true}},
		RoomGroups:  []model.RoomGroup{{ExternalID: hrID}},
	}
	for _, tt := range []struct {
		readOnly bool
		roles    string
		missing  string
	}{
		{true, "Calendars.Read User.Read.All Place.Read.All", "GroupMember.Read.All"},
		{true, "Calendars.Read User.Read.All Place.Read.All GroupMember.Read.All", ""},
		{
			false, "Calendars.Read Calendars.ReadWrite User.Read.All Place.Read.All GroupMember.ReadWrite.All",
			"User.ReadWrite.All LicenseAssignment.ReadWrite.All User.RevokeSessions.All User.DeleteRestore.All",
		},
		{false, "Calendars.Read Calendars.ReadWrite User.ReadWrite.All Place.Read.All GroupMember.ReadWrite.All", ""},
	} {
		entry.Integration.ReadOnly = tt.readOnly
		var missing []string
		for _, c := range directory.Preflight(directory.NeedsOf(entry), strings.Fields(tt.roles)) {
			if !c.Granted {
				missing = append(missing, c.Permission)
			}
		}
		if got := strings.Join(missing, " "); got != tt.missing {
			t.Errorf("read only %t with %s: missing %q, want %q", tt.readOnly, tt.roles, got, tt.missing)
		}
	}
	off := map[string]bool{}
	for _, c := range directory.CheckFeatures(model.IntegrationSettings{}, nil) {
		if off[c.Name] = true; c.On || len(c.Missing) == 0 {
			t.Errorf("%+v", c)
		}
	}
	for _, name := range []string{"calendars", "rooms", "import", "write-back", "licences", "sessions", "deletion", "set-up", "removal"} {
		if !off[name] {
			t.Errorf("nothing is said of %s", name)
		}
	}
}
