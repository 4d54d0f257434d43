package directory

import (
	"strings"
	"testing"

	"usher/model"
)

func TestValidateGroupMappings(t *testing.T) {
	hr := model.GroupSelector{DisplayName: "HR"}
	good := model.GroupMapping{
		Group: hr, Role: "hr", Department: "sales", Language: "da", TimeZone: "Europe/Copenhagen", Currency: "DKK", Site: "denmark",
		Permissions: []model.ModulePermission{{Module: "wiki", Level: "manager"}},
	}
	change := func(edit func(*model.GroupMapping)) []model.GroupMapping {
		m := good
		m.Permissions = append([]model.ModulePermission(nil), good.Permissions...)
		edit(&m)
		return []model.GroupMapping{{Group: hr, Role: "it"}, m}
	}
	for _, tt := range []struct {
		name   string
		list   []model.GroupMapping
		kind   model.Kind
		field  string
		detail string
	}{
		{"a full mapping is fine", []model.GroupMapping{good}, model.Internal, "", ""},
		{"no mapping is fine", nil, model.Internal, "", ""},
		{"a group may be mapped twice to different things", []model.GroupMapping{good, {Group: hr, Role: "it"}}, model.Internal, "", ""},
		{"an id and a name together are fine", change(func(m *model.GroupMapping) { m.Group.ExternalID = "x" }), model.Internal, "", ""},
		{"a site without permissions is fine", change(func(m *model.GroupMapping) { m.Permissions = nil }), model.Internal, "", ""},
		{"a site that overrides is fine", change(func(m *model.GroupMapping) { m.Site = "aarhus" }), model.Internal, "", ""},
		{"an administrator role is accepted without permission", change(func(m *model.GroupMapping) { m.Role = "administrator" }), model.Internal, "", ""},
		{"a group without a name", change(func(m *model.GroupMapping) { m.Group = model.GroupSelector{} }), model.Invalid, "[1].group", "external_id or its display_name"},
		{"a group with a long id", change(func(m *model.GroupMapping) { m.Group.ExternalID = strings.Repeat("x", 501) }), model.Invalid, "[1].group.external_id", "at most"},
		{"an unknown role", change(func(m *model.GroupMapping) { m.Role = "boss" }), model.Invalid, "[1].role", "role boss does not exist"},
		{"an unknown department", change(func(m *model.GroupMapping) { m.Department = "x" }), model.Invalid, "[1].department", "department x does not exist"},
		{"no language tag", change(func(m *model.GroupMapping) { m.Language = "danish!" }), model.Invalid, "[1].language", "BCP 47"},
		{"no time zone", change(func(m *model.GroupMapping) { m.TimeZone = "Mars/Olympus" }), model.Invalid, "[1].time_zone", "IANA"},
		{"the machine's time zone", change(func(m *model.GroupMapping) { m.TimeZone = "Local" }), model.Invalid, "[1].time_zone", "IANA"},
		{"no currency", change(func(m *model.GroupMapping) { m.Currency = "KRONER" }), model.Invalid, "[1].currency", "ISO 4217"},
		{"an unknown site", change(func(m *model.GroupMapping) { m.Site = "x" }), model.Invalid, "[1].site", "site x does not exist"},
		{"permissions without a site", change(func(m *model.GroupMapping) { m.Site = "" }), model.Invalid, "[1].site", "permissions need a site"},
		{
			"a site that inherits, with its parent's name", change(func(m *model.GroupMapping) { m.Site = "copenhagen" }), model.Conflict, "[1].site",
			"site copenhagen inherits its mappings from its parent denmark",
		},
		{
			"a site whose parent inherits, with the site to configure", change(func(m *model.GroupMapping) { m.Site = "harbour" }), model.Conflict, "[1].site",
			"from its parent copenhagen: configure denmark",
		},
		{"an unknown module", change(func(m *model.GroupMapping) { m.Permissions[0].Module = "x" }), model.Invalid, "[1].permissions[0].module", "module \"x\""},
		{"an unknown level", change(func(m *model.GroupMapping) { m.Permissions[0].Level = "owner" }), model.Invalid, "[1].permissions[0].level", "member, manager, admin"},
		{"a module twice", change(func(m *model.GroupMapping) {
			m.Permissions = append(m.Permissions, model.ModulePermission{Module: "wiki", Level: "admin"})
		}), model.Invalid, "[1].permissions[1].module", "has a level already"},
		{"the same entry twice", []model.GroupMapping{good, {Group: hr}, good}, model.Invalid, "[2]", "is the same as [0]"},
		{
			"the same entry with the name in another case",
			[]model.GroupMapping{{Group: hr, Role: "hr"}, {Group: model.GroupSelector{DisplayName: "hr"}, Role: "hr"}},
			model.Invalid, "[1]", "is the same as [0]",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			wantError(t, ValidateGroupMappings(catalogue(), "i1", tt.list), tt.kind, tt.field, tt.detail)
		})
	}
	err := ValidateGroupMappings(catalogue(), "i1", make([]model.GroupMapping, maxEntries+1))
	wantError(t, err, model.TooLarge, "", "at most 10000 entries")
}

func TestValidateFieldMappings(t *testing.T) {
	title := model.FieldMapping{Source: "title", Target: "job_title", Mode: model.FieldAlways}
	change := func(edit func(*model.FieldMapping)) []model.FieldMapping {
		m := title
		edit(&m)
		return []model.FieldMapping{{Source: "displayName", Target: "display_name"}, m}
	}
	for _, tt := range []struct {
		name          string
		list          []model.FieldMapping
		kind          model.Kind
		field, detail string
	}{
		{"a mapping is fine", []model.FieldMapping{title}, model.Internal, "", ""},
		{"no mode stands for always", change(func(m *model.FieldMapping) { m.Mode = "" }), model.Internal, "", ""},
		{"a custom field is fine", change(func(m *model.FieldMapping) { m.Target = "custom_fields.badge" }), model.Internal, "", ""},
		{"a skipped field needs no source", change(func(m *model.FieldMapping) { m.Source, m.Mode = "", "skip" }), model.Internal, "", ""},
		{"an expression needs no source", change(func(m *model.FieldMapping) { m.Source, m.Expression = "", "[mail]" }), model.Internal, "", ""},
		{"the e-mail may come from elsewhere", change(func(m *model.FieldMapping) { m.Target = "email" }), model.Internal, "", ""},
		{"no source", change(func(m *model.FieldMapping) { m.Source = "" }), model.Invalid, "[1].source", "path is needed"},
		{"a source that is no path", change(func(m *model.FieldMapping) { m.Source = "job title" }), model.Invalid, "[1].source", "not a SCIM attribute path"},
		{"an unknown target", change(func(m *model.FieldMapping) { m.Target = "shoe_size" }), model.Invalid, "[1].target", "custom_fields.<key>"},
		{"an unknown custom field", change(func(m *model.FieldMapping) { m.Target = "custom_fields.x" }), model.Invalid, "[1].target", "custom field x does not exist"},
		{"an unknown mode", change(func(m *model.FieldMapping) { m.Mode = "sometimes" }), model.Invalid, "[1].mode", "always, first_time, skip"},
		{"the e-mail skipped", change(func(m *model.FieldMapping) { m.Target, m.Mode = "email", "skip" }), model.Invalid, "[1].mode", "cannot be skipped"},
		{"a target twice", []model.FieldMapping{title, title}, model.Invalid, "[1].target", "job_title is filled by [0] already"},
		{"an expression that cannot be read", change(func(m *model.FieldMapping) { m.Expression = "Shout(value)" }), model.Invalid, "[1].expression", "1:1: unknown name Shout"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			wantError(t, ValidateFieldMappings(catalogue(), "i1", tt.list), tt.kind, tt.field, tt.detail)
		})
	}
}

func TestValidateExclusions(t *testing.T) {
	ok := model.Exclusion{Pattern: "*bot*"}
	for _, tt := range []struct {
		name          string
		exclusion     model.Exclusion
		kind          model.Kind
		field, detail string
	}{
		{"a pattern is fine", model.Exclusion{Pattern: "svc-*@contoso.com"}, model.Internal, "", ""},
		{"a filter is fine", model.Exclusion{Attribute: "title", Operator: "contains", Value: "Bot"}, model.Internal, "", ""},
		{"emptiness needs no value", model.Exclusion{Attribute: "title", Operator: "empty"}, model.Internal, "", ""},
		{"neither", model.Exclusion{}, model.Invalid, "[1].pattern", "needs a pattern, or an attribute"},
		{"both", model.Exclusion{Pattern: "*", Attribute: "title"}, model.Invalid, "[1].pattern", "not both"},
		{"a pattern that cannot be read", model.Exclusion{Pattern: "[a"}, model.Invalid, "[1].pattern", "cannot be read"},
		{"a long pattern", model.Exclusion{Pattern: strings.Repeat("a", 201)}, model.Invalid, "[1].pattern", "at most 200"},
		{"many braces", model.Exclusion{Pattern: strings.Repeat("{a,b}", 30)}, model.Invalid, "[1].pattern", "at most 64 texts"},
		{"an attribute that is no path", model.Exclusion{Attribute: "a b", Operator: "equals", Value: "x"}, model.Invalid, "[1].attribute", "not a SCIM attribute path"},
		{"an unknown operator", model.Exclusion{Attribute: "title", Operator: "like", Value: "x"}, model.Invalid, "[1].operator", "equals, not_equals"},
		{"no operator", model.Exclusion{Attribute: "title", Value: "x"}, model.Invalid, "[1].operator", "equals, not_equals"},
		{"no value", model.Exclusion{Attribute: "title", Operator: "equals"}, model.Invalid, "[1].value", "needs a value"},
		{"a value for emptiness", model.Exclusion{Attribute: "title", Operator: "empty", Value: "x"}, model.Invalid, "[1].value", "takes no value"},
		{"the same twice", ok, model.Invalid, "[1]", "is the same as [0]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			wantError(t, ValidateExclusions([]model.Exclusion{ok, tt.exclusion}), tt.kind, tt.field, tt.detail)
		})
	}
}

func TestValidateChosenGroups(t *testing.T) {
	hr := model.GroupSelector{DisplayName: "HR"}
	wantError(t, ValidateChosenGroups([]model.GroupSelector{hr, {ExternalID: "x"}}), model.Internal, "", "")
	wantError(t, ValidateChosenGroups([]model.GroupSelector{hr, {}}), model.Invalid, "[1]", "external_id or its display_name")
	wantError(t, ValidateChosenGroups([]model.GroupSelector{hr, {DisplayName: "hr"}}), model.Invalid, "[1]", "the same group as [0]")
	wantError(t, ValidateChosenGroups([]model.GroupSelector{{DisplayName: strings.Repeat("x", 501)}}), model.Invalid, "[0].display_name", "at most")
}

func TestValidateIntegration(t *testing.T) {
	for _, tt := range []struct {
		name          string
		change        func(*model.Integration)
		kind          model.Kind
		field, detail string
	}{
		{"the defaults are fine", func(*model.Integration) {}, model.Internal, "", ""},
		{"a default role is fine", func(i *model.Integration) { i.DefaultRole = "guest" }, model.Internal, "", ""},
		{"no name", func(i *model.Integration) { i.Name = " " }, model.Invalid, "name", "required"},
		{"a long name", func(i *model.Integration) { i.Name = strings.Repeat("x", 201) }, model.Invalid, "name", "at most"},
		{"an unknown ingress", func(i *model.Integration) { i.Ingress = "ldap" }, model.Invalid, "ingress", "scim, graph"},
		{"an unknown mode", func(i *model.Integration) { i.RoleSync = "always" }, model.Invalid, "role_sync", "initial, reconcile, mirror"},
		{"an unknown scope", func(i *model.Integration) { i.Scope = "all" }, model.Invalid, "scope", "groups, everyone"},
		{"an unknown cloud", func(i *model.Integration) { i.Graph.Cloud = "moon" }, model.Invalid, "graph.cloud", "is not one of global, usgov, dod, china"},
		{"an unknown default role", func(i *model.Integration) { i.DefaultRole = "boss" }, model.Invalid, "default_role", "does not exist"},
		{"an administrator as default role", func(i *model.Integration) { i.DefaultRole = "administrator" }, model.Invalid, "default_role", "administrator role"},
		{"a negative guard", func(i *model.Integration) { i.Guard.Minimum = -1 }, model.Invalid, "guard.minimum", "between"},
		{"a guard beyond all", func(i *model.Integration) { i.Guard.Percent = 101 }, model.Invalid, "guard.percent", "between"},
		{"a priority out of range", func(i *model.Integration) { i.Priority = 1 << 30 }, model.Invalid, "priority", "between"},
		{"a long tenant id", func(i *model.Integration) { i.TenantID = strings.Repeat("x", 201) }, model.Invalid, "tenant_id", "at most"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			i := scimIntegration("i1")
			tt.change(&i)
			wantError(t, ValidateIntegration(catalogue(), i), tt.kind, tt.field, tt.detail)
		})
	}
}

// wantError checks an error; kind Internal stands for none.
func wantError(t *testing.T, err error, kind model.Kind, field, detail string) {
	t.Helper()
	if kind == model.Internal {
		if err != nil {
			t.Errorf("error %v", err)
		}
		return
	}
	wantField(t, err, kind, field)
	if err != nil && !strings.Contains(err.Error(), detail) {
		t.Errorf("error %v lacks %q", err, detail)
	}
}

func TestCompileRefusesWhatCannotBeRead(t *testing.T) {
	for name, change := range map[string]func(*model.IntegrationSettings){
		"a pattern": func(is *model.IntegrationSettings) { is.Exclusions = []model.Exclusion{{Pattern: "[a"}} },
		"an expression": func(is *model.IntegrationSettings) {
			is.FieldMappings = []model.FieldMapping{{Target: "job_title", Expression: "("}}
		},
		"a path": func(is *model.IntegrationSettings) {
			is.FieldMappings = []model.FieldMapping{{Target: "job_title", Source: "a b"}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := catalogue()
			edit(s, "i1", change)
			if _, err := Compile(s, today); err == nil || !strings.Contains(err.Error(), "integration i1") {
				t.Errorf("error %v", err)
			}
		})
	}
}
