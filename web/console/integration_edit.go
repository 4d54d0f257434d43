package console

import (
	"slices"
	"strconv"
	"time"

	"usher/model"
)

// editView are the fields of an integration's settings.
type editView struct {
	Form                                *form
	Was, Sealed                         string
	Name, Tenant, RoleSync, DefaultRole field
	RequireGroup, NestedGroups, Scope   field
	ReadOnly, Calendars                 field
	Priority, Minimum, Percent          field
	Create, Update, Delete, ByHand      field
	ClientID, ClientSecret, Cloud, Auth field
	Certificate                         field
	ForgetSecret, ForgetCertificate     field
	HasSecret, HasCertificate           bool
	Graph                               bool
	Lists                               []link
	Back                                string
}

func (v *visit) editIntegration() error {
	i, err := v.integration()
	if err != nil {
		return err
	}
	f := v.newForm("/integrations/"+i.ID+"/edit", "Save")
	fillIntegration(f, i)
	return v.editPage(i, f)
}

// fillIntegration puts the present settings into the form.
func fillIntegration(f *form, i model.Integration) {
	for name, value := range map[string]string{
		"name": i.Name, "tenant_id": i.TenantID, "role_sync": string(i.RoleSync), "default_role": i.DefaultRole, "scope": string(i.Scope),
		"priority": strconv.Itoa(i.Priority), "guard.minimum": strconv.Itoa(i.Guard.Minimum), "guard.percent": strconv.Itoa(i.Guard.Percent),
		"graph.client_id": i.Graph.ClientID, "graph.cloud": i.Graph.Cloud, "graph.auth": i.Graph.Auth, "was": editedAt(i),
	} {
		f.set(name, value)
	}
	for name, on := range map[string]bool{
		"require_group": i.RequireGroup, "nested_groups": i.NestedGroups, "read_only": i.ReadOnly, "calendar_sync": i.CalendarSync,
		"write_back.create": i.WriteBack.Create, "write_back.update": i.WriteBack.Update, "write_back.delete": i.WriteBack.Delete,
		"write_back.by_hand_only": i.WriteBack.ByHandOnly,
	} {
		if on {
			f.set(name, "on")
		}
	}
}

// editedAt tells when the settings were last changed, as a form carries it.
func editedAt(i model.Integration) string { return i.UpdatedAt.UTC().Format(time.RFC3339Nano) }

func (v *visit) editPage(i model.Integration, f *form) error {
	settings, err := v.read.Settings(v.org)
	if err != nil {
		return err
	}
	e := editView{
		Form: f, Graph: i.Ingress == model.IngressGraph, Back: Base + "/integrations/" + i.ID, Was: f.values.Get("was"), Sealed: f.values.Get("sealed"),
		HasSecret: i.Graph.HasSecret, HasCertificate: i.Graph.HasCertificate,
	}
	for _, ch := range choosings() {
		if !ch.imports || e.Graph {
			e.Lists = append(e.Lists, link{Name: ch.title, Path: e.Back + "/" + ch.path})
		}
	}
	e.people(f, settings)
	e.connection(f)
	e.access(f)
	f.rest()
	return v.render("integration_edit", page{Title: "Settings of " + i.Name, Crumbs: integrationCrumbs(&i), Body: e})
}

// connection makes the fields that are not about people or access.
func (e *editView) connection(f *form) {
	e.Name, e.Tenant = f.field("text", "name", "Name"), f.field("text", "tenant_id", "Tenant id")
	e.Tenant.Help = "The directory (tenant) id that the Entra admin centre shows under Overview."
	e.Priority = f.field("number", "priority", "Priority")
	e.Priority.Help = "The smallest goes first where integrations disagree about a field."
	e.Calendars = f.field("checkbox", "calendar_sync", "Synchronize calendars")
	e.Calendars.Help = "Which mailboxes and calendars is said on their own page."
	e.ReadOnly = f.field("checkbox", "read_only", "Read-only: nothing is ever written to Entra or Microsoft 365")
	e.Minimum, e.Percent = f.field("number", "guard.minimum", "Accounts"), f.field("number", "guard.percent", "Percent")
	e.Create = f.field("checkbox", "write_back.create", "Create people in Entra")
	e.Create.Help = "Accounts made in the application, that are in no directory and not external, get a user."
	e.Update = f.field("checkbox", "write_back.update", "Update people in Entra")
	e.Update.Help = "What an employee's profile says goes to the linked user; what came from Entra is not sent back. Groups, licences and off-boarding need it as well."
	e.Delete = f.field("checkbox", "write_back.delete", "Delete people in Entra")
	e.Delete.Help = "They can be restored for 30 days."
	e.ByHand = f.field("checkbox", "write_back.by_hand_only", "Only what an administrator asks for")
	e.ByHand.Help = "Nothing follows from changes of accounts by itself."
}

// people makes the fields that the rules read.
func (e *editView) people(f *form, settings *model.Settings) {
	e.RoleSync = f.field("radio", "role_sync", "How roles follow the groups").choose(
		option{Value: "reconcile", Name: "Reconcile", Help: "Where a mapped role is missing, the roles become exactly the mapped ones. Roles given beside them stay as long as none is missing."},
		option{Value: "mirror", Name: "Mirror", Help: "Roles that mappings can give follow the groups exactly; all others stay."},
		option{Value: "initial", Name: "Once", Help: "Roles are given when the account is made, and never again."})
	e.DefaultRole = f.field("select", "default_role", "Default role").choose(roleOptions(settings)...)
	e.DefaultRole.Help = "For an account that no mapping gives a role."
	e.RequireGroup = f.field("checkbox", "require_group", "Only members of a mapped group get an account")
	e.RequireGroup.Help = "Who is in none is deactivated."
	e.NestedGroups = f.field("checkbox", "nested_groups", "Members of nested groups count")
	e.NestedGroups.Help = "Without it only direct members of a chosen or mapped group do."
	e.Scope = f.field("radio", "scope", "Whom an import takes").choose(
		option{Value: "groups", Name: "Members of the chosen groups", Help: "Guests among them as well. Without a chosen group nobody is imported."},
		option{Value: "everyone", Name: "Everyone in the tenant", Help: "Guests and service accounts as well, save who is excluded."})
}

// access makes the fields of reaching Microsoft Graph. Secrets that were typed are never shown again.
func (e *editView) access(f *form) {
	e.ClientID = f.field("text", "graph.client_id", "Application (client) id")
	e.Auth = f.field("select", "graph.auth", "How Usher proves who it is").choose(
		option{Name: "By the certificate where there is one, else by the secret"}, option{Value: "certificate", Name: "By a certificate"},
		option{Value: "secret", Name: "By a client secret"}, option{Value: "federated", Name: "By a token of the platform it runs on (workload identity)"},
		option{Value: "managed_identity", Name: "By the managed identity of the machine (Azure)"})
	e.ClientSecret = f.field("password", "graph.client_secret", "Client secret")
	e.Certificate = f.field("textarea", "graph.certificate_pem", "Certificate with its private key")
	e.ClientSecret.Autocomplete, e.Certificate.Value, e.Certificate.Rows = "off", "", 4
	e.Certificate.Placeholder = "-----BEGIN CERTIFICATE-----"
	for _, x := range []struct {
		field *field
		there bool
		help  string
	}{{&e.ClientSecret, e.HasSecret, "Stored sealed and never shown."}, {&e.Certificate, e.HasCertificate, "PEM: both parts, one behind the other. Stored sealed and never shown."}} {
		x.field.Help = x.help
		switch {
		case e.Sealed != "":
			x.field.Help = "What you typed is kept, unless you type it anew. " + x.help
		case x.there:
			x.field.Help = "There is one. Leave empty to keep it. " + x.help
		}
	}
	e.ForgetSecret = f.field("checkbox", "forget."+secretField, "Forget the client secret")
	e.ForgetCertificate = f.field("checkbox", "forget."+certificateField, "Forget the certificate")
	e.Cloud = f.field("select", "graph.cloud", "Cloud").choose(
		option{Value: "global", Name: "Global"}, option{Value: "usgov", Name: "US Government (GCC High)"},
		option{Value: "dod", Name: "US Government (DoD)"}, option{Value: "china", Name: "China (21Vianet)"})
}

func roleOptions(settings *model.Settings) []option {
	options := []option{{Name: "none"}}
	var keys []string
	for key := range settings.Roles {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		options = append(options, option{Value: key, Name: settings.Roles[key].Name})
	}
	return options
}
