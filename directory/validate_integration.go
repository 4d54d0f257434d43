package directory

import (
	"slices"
	"strings"
	"unicode/utf8"

	"usher/model"
)

// Limits of an integration's settings.
const (
	maxIntegrationName = 200
	maxGuardMinimum    = 1_000_000
	maxPriority        = 1_000_000
)

// ValidateIntegration checks the settings of one integration, in which every default is filled in already. Every error
// is a *model.Error of kind Invalid whose Field is the name that the management API gives the setting.
func ValidateIntegration(s *model.Settings, i model.Integration) error {
	name := strings.TrimSpace(i.Name)
	switch {
	case name == "":
		return model.FieldErrorf(model.Invalid, "name", "name is required")
	case utf8.RuneCountInString(name) > maxIntegrationName:
		return model.FieldErrorf(model.Invalid, "name", "name has at most %d characters", maxIntegrationName)
	case utf8.RuneCountInString(i.TenantID) > maxIntegrationName:
		return model.FieldErrorf(model.Invalid, "tenant_id", "tenant_id has at most %d characters", maxIntegrationName)
	case utf8.RuneCountInString(i.Graph.ClientID) > maxClientID:
		return model.FieldErrorf(model.Invalid, "graph.client_id", "graph.client_id has at most %d characters", maxClientID)
	case i.Priority < -maxPriority || i.Priority > maxPriority:
		return model.FieldErrorf(model.Invalid, "priority", "priority is between -%d and %d", maxPriority, maxPriority)
	case i.Guard.Minimum < 0 || i.Guard.Minimum > maxGuardMinimum:
		return model.FieldErrorf(model.Invalid, "guard.minimum", "guard.minimum is between 0 and %d", maxGuardMinimum)
	case i.Guard.Percent < 0 || i.Guard.Percent > 100:
		return model.FieldErrorf(model.Invalid, "guard.percent", "guard.percent is between 0 and 100")
	}
	if err := checkChoices(i); err != nil {
		return err
	}
	return checkDefaultRole(s, i.DefaultRole)
}

func checkChoices(i model.Integration) error {
	for _, choice := range []struct {
		field, value string
		of           []string
	}{
		{"ingress", string(i.Ingress), []string{string(model.IngressSCIM), string(model.IngressGraph)}},
		{"role_sync", string(i.RoleSync), []string{
			string(model.RoleSyncInitial), string(model.RoleSyncReconcile), string(model.RoleSyncMirror),
		}},
		{"scope", string(i.Scope), []string{string(model.ScopeGroups), string(model.ScopeEveryone)}},
		{"graph.cloud", i.Graph.Cloud, []string{"", "global", "usgov", "dod", "china"}},
		{"graph.auth", i.Graph.Auth, []string{"", GraphAuthSecret, GraphAuthCertificate, GraphAuthFederated, GraphAuthManagedIdentity}},
	} {
		if !slices.Contains(choice.of, choice.value) {
			known := slices.DeleteFunc(choice.of, func(s string) bool { return s == "" })
			return model.FieldErrorf(model.Invalid, choice.field, "%q is not one of %s", choice.value, strings.Join(known, ", "))
		}
	}
	return nil
}

// checkDefaultRole refuses administrator roles: a sync gives one only where a mapping allows it in so many words.
func checkDefaultRole(s *model.Settings, key string) error {
	if key == "" {
		return nil
	}
	role, ok := s.Roles[key]
	switch {
	case !ok:
		return model.FieldErrorf(model.Invalid, "default_role", "role %s does not exist", key)
	case role.Administrator:
		return model.FieldErrorf(model.Invalid, "default_role", "role %s is an administrator role, which cannot be the default", key)
	}
	return nil
}
