package storetest

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode"

	"usher/model"
)

func schemaCases() []testCase {
	return []testCase{{"every field of a model has its column, and every column its field", schemaFits}}
}

// tableModels lists the model of every table that has one.
func tableModels() map[string]any {
	return map[string]any{
		"organizations": model.Organization{}, "api_keys": model.APIKey{}, "operators": model.Operator{}, "integrations": model.Integration{},
		"field_mapping_versions": model.FieldMappingVersion{},
		"sealed_secrets":         model.SealedSecret{}, "scim_tokens": model.SCIMToken{}, "scim_clients": model.SCIMClient{},
		"scim_client_secrets": model.SCIMClientSecret{}, "scim_client_federations": model.SCIMClientFederation{}, "roles": model.Role{}, "departments": model.Department{},
		"sites": model.Site{}, "modules": model.Module{}, "custom_fields": model.CustomField{}, "employees": model.Employee{},
		"accounts": model.Account{}, "directory_users": model.DirectoryUser{}, "directory_groups": model.DirectoryGroup{},
		"runs": model.Run{}, "run_decisions": model.RunDecision{}, "changes": model.Change{}, "activities": model.Activity{},
		"scim_requests": model.SCIMRequest{}, "scim_rejections": model.SCIMRejection{},
		"rooms": model.Room{}, "mailboxes": model.Mailbox{}, "calendars": model.Calendar{}, "events": model.Event{}, "event_writes": model.EventWrite{},
		"idempotent_requests": model.IdempotentRequest{}, "setups": model.Setup{}, "removals": model.Removal{},
		"import_states": model.ImportState{}, "import_links": model.ImportLink{}, "import_groups": model.ImportGroup{},
		"operations": model.Operation{}, "operation_steps": model.OperationStep{},
		"lists": model.List{}, "account_photos": model.AccountPhoto{},
		"operator_sessions": model.OperatorSession{}, "operator_links": model.OperatorLink{},
		"webhook_endpoints": model.WebhookEndpoint{}, "webhook_secrets": model.WebhookSecret{}, "webhook_deliveries": model.WebhookDelivery{},
		"acknowledgements": model.Acknowledgement{},
	}
}

// tablesWithoutModel are rows that the store alone knows.
func tablesWithoutModel() map[string][]string {
	return map[string][]string{
		"integration_lists": {"integration_id", "items", "kind", "organization_id", "updated_at"},
		"memberships":       {"display", "group_id", "integration_id", "member_id", "member_type", "organization_id"},
		"pending_members":   {"created_at", "group_id", "integration_id", "organization_id", "value", "value_key"},
		"import_members":    {"group_id", "integration_id", "leaving", "member_id", "nested", "organization_id", "round", "seen"},
		"import_users": {
			"document", "doubt", "gone", "incoming", "integration_id", "object_id", "organization_id", "seen", "user_id", "user_name_key",
		},
		"feed_state":          {"last_position", "only_row", "pruned_position"},
		"feed_readers":        {"name", "organization_id", "position"},
		"group_names":         {"external_id", "found", "integration_id", "looked_at", "name_key", "organization_id"},
		"ended_subscriptions": {"ended_at", "graph_id", "integration_id", "organization_id"},
	}
}

// generatedColumn is one of directory_users that is computed and cannot be written.
const generatedColumn = "hybrid"

// storesOwn are columns of tables with a model that the store alone knows.
func storesOwn() map[string][]string { return map[string][]string{"directory_users": {"match_keys"}} }

func schemaFits(t *testing.T, s suite) {
	want := tablesWithoutModel()
	if !s.postgres() { // PostgreSQL has an index for them
		want["directory_user_keys"] = []string{"match_key", "user_id"}
	} else { // what the database makes of the document; SQLite has an index for it
		want["directory_users"] = []string{generatedColumn}
	}
	for table, m := range tableModels() {
		want[table] = append(want[table], columnsOf(reflect.TypeOf(m))...)
		want[table] = append(want[table], storesOwn()[table]...)
		slices.Sort(want[table])
	}
	got := columns(t, s)
	for table := range got {
		if want[table] == nil {
			t.Errorf("table %s has neither a model nor a reason to have none", table)
		}
	}
	for table := range want {
		if !slices.Equal(got[table], want[table]) {
			t.Errorf("table %s has the columns\n%v, its model says\n%v", table, got[table], want[table])
		}
	}
}

// columnsOf gives the columns of a model's fields, those of embedded ones under their prefix.
func columnsOf(m reflect.Type) []string {
	var list []string
	for i := range m.NumField() {
		f := m.Field(i)
		if prefix, ok := strings.CutPrefix(f.Tag.Get("gorm"), "embedded;embeddedPrefix:"); ok {
			for _, name := range columnsOf(f.Type) {
				list = append(list, prefix+name)
			}
			continue
		}
		if name := columnOf(f); name != "" {
			list = append(list, name)
		}
	}
	return list
}

// columnOf gives the column of a field as gorm names it, or nothing where the field is not stored.
func columnOf(f reflect.StructField) string {
	tag := f.Tag.Get("gorm")
	if tag == "-" {
		return ""
	}
	for part := range strings.SplitSeq(tag, ";") {
		if name, ok := strings.CutPrefix(part, "column:"); ok {
			return name
		}
	}
	var b strings.Builder
	runes := []rune(f.Name)
	for i, r := range runes {
		starts := i > 0 && unicode.IsUpper(r) && (unicode.IsLower(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1]))
		if starts {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}
