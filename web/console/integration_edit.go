package console

import (
	"slices"
	"strconv"

	"usher/directory"
	"usher/model"
)

// editView are the fields of an integration's settings.
type editView struct {
	Form                                *form
	Name, Tenant, RoleSync, DefaultRole field
	RequireGroup, NestedGroups, Scope   field
	ReadOnly, Calendars                 field
	Priority, Minimum, Percent          field
	Create, Update, Delete              field
	ClientID, ClientSecret, Cloud       field
	Graph                               bool
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
		"graph.client_id": i.Graph.ClientID, "graph.cloud": i.Graph.Cloud,
	} {
		f.set(name, value)
	}
	for name, on := range map[string]bool{
		"require_group": i.RequireGroup, "nested_groups": i.NestedGroups, "read_only": i.ReadOnly, "calendar_sync": i.CalendarSync,
		"write_back.create": i.WriteBack.Create, "write_back.update": i.WriteBack.Update, "write_back.delete": i.WriteBack.Delete,
	} {
		if on {
			f.set(name, "on")
		}
	}
}

func (v *visit) editPage(i model.Integration, f *form) error {
	settings, err := v.read.Settings(v.org)
	if err != nil {
		return err
	}
	e := editView{Form: f, Graph: i.Ingress == model.IngressGraph, Back: Base + "/integrations/" + i.ID}
	e.Name, e.Tenant = f.field("text", "name", "Name"), f.field("text", "tenant_id", "Tenant id")
	e.Tenant.Help = "The directory (tenant) id that the Entra admin centre shows under Overview."
	e.RoleSync = f.field("radio", "role_sync", "How roles follow the groups").choose(
		option{Value: "reconcile", Name: "Reconcile", Help: "Where a mapped role is missing, the roles become exactly the mapped ones. Roles given beside them stay as long as none is missing."},
		option{Value: "mirror", Name: "Mirror", Help: "Roles that mappings can give follow the groups exactly; all others stay."},
		option{Value: "initial", Name: "Once", Help: "Roles are given when the account is made, and never again."})
	e.DefaultRole = f.field("select", "default_role", "Default role").choose(roleOptions(settings)...)
	e.DefaultRole.Help = "For an account that no mapping gives a role."
	e.RequireGroup = f.field("checkbox", "require_group", "Only members of a mapped group get an account")
	e.NestedGroups = f.field("checkbox", "nested_groups", "Members of nested groups count")
	e.Scope = f.field("radio", "scope", "Whom an import takes").choose(
		option{Value: "groups", Name: "Members of the chosen groups"}, option{Value: "everyone", Name: "Everyone in the tenant"})
	e.ReadOnly = f.field("checkbox", "read_only", "Read-only: nothing is ever written to Entra or Microsoft 365")
	e.Calendars = f.field("checkbox", "calendar_sync", "Synchronize calendars")
	e.Priority = f.field("number", "priority", "Priority")
	e.Priority.Help = "The smallest goes first where integrations disagree about a field."
	e.Minimum, e.Percent = f.field("number", "guard.minimum", "Accounts"), f.field("number", "guard.percent", "Percent")
	e.Create = f.field("checkbox", "write_back.create", "Create people in Entra")
	e.Update = f.field("checkbox", "write_back.update", "Update people in Entra")
	e.Delete = f.field("checkbox", "write_back.delete", "Delete people in Entra")
	e.ClientID = f.field("text", "graph.client_id", "Application (client) id")
	e.ClientSecret = f.field("password", "graph.client_secret", "Client secret")
	e.ClientSecret.Help, e.ClientSecret.Autocomplete = "Leave empty to keep the present one. It is stored sealed and never shown.", "off"
	e.Cloud = f.field("select", "graph.cloud", "Cloud").choose(
		option{Value: "global", Name: "Global"}, option{Value: "usgov", Name: "US Government (GCC High)"},
		option{Value: "dod", Name: "US Government (DoD)"}, option{Value: "china", Name: "China (21Vianet)"})
	f.rest()
	return v.render("integration_edit", page{Title: "Settings of " + i.Name, Crumbs: []crumb{{"Integrations", "/integrations"}, {i.Name, "/integrations/" + i.ID}}, Body: e})
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

func (v *visit) saveIntegration() error {
	before, err := v.integration()
	if err != nil {
		return err
	}
	secrets := map[string]string{}
	if secret := v.field("graph.client_secret"); secret != "" {
		secrets[directory.SecretClientSecret] = secret
	}
	_, err = v.svc.ChangeIntegration(v.ctx, before.Ref(), v.intoIntegration, secrets)
	if err != nil {
		f := v.newForm("/integrations/"+before.ID+"/edit", "Save")
		if err := f.fail(err); err != nil {
			return err
		}
		return v.editPage(before, f)
	}
	return v.done("/integrations/"+before.ID, "The settings are saved. Where the rules read them, everyone is looked at anew.")
}

// intoIntegration sets what the form says.
func (v *visit) intoIntegration(i *model.Integration) error {
	i.Name, i.TenantID, i.DefaultRole = v.field("name"), v.field("tenant_id"), v.field("default_role")
	i.RoleSync = model.RoleSync(v.field("role_sync"))
	i.RequireGroup, i.ReadOnly, i.CalendarSync = v.checked("require_group"), v.checked("read_only"), v.checked("calendar_sync")
	if i.Ingress == model.IngressGraph {
		i.NestedGroups, i.Scope = v.checked("nested_groups"), model.Scope(v.field("scope"))
	}
	i.WriteBack = model.WriteBack{Create: v.checked("write_back.create"), Update: v.checked("write_back.update"), Delete: v.checked("write_back.delete")}
	i.Graph.ClientID, i.Graph.Cloud = v.field("graph.client_id"), v.field("graph.cloud")
	for name, into := range map[string]*int{"priority": &i.Priority, "guard.minimum": &i.Guard.Minimum, "guard.percent": &i.Guard.Percent} {
		n, err := v.number(name)
		if err != nil {
			return err
		}
		*into = n
	}
	return nil
}
