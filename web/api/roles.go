package api

import (
	"context"

	"usher/model"
)

// RoleInput defines a role.
type RoleInput struct {
	Name          string `json:"name"`
	Administrator bool   `json:"administrator,omitempty" doc:"No sync changes the roles of an account that holds it, and none gives it unless a mapping says so."`
}

func (a *API) roles() {
	registerCatalogue(a, catalogue[model.Role, RoleInput]{
		path: "/roles", one: "role", many: "roles",
		key: func(r model.Role) string { return r.Key },
		put: func(ctx context.Context, organizationID, key string, in RoleInput) (model.Role, error) {
			return a.svc.PutRole(ctx, organizationID, model.Role{Key: key, Name: in.Name, Administrator: in.Administrator})
		},
		remove: a.svc.DeleteRole,
	})
}
