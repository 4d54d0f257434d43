package api

import (
	"context"

	"usher/model"
)

func (a *API) departments() {
	registerCatalogue(a, catalogue[model.Department, NameInput]{
		path: "/departments", one: "department", many: "departments",
		key: func(d model.Department) string { return d.Key },
		put: func(ctx context.Context, organizationID, key string, in NameInput) (model.Department, error) {
			return a.svc.PutDepartment(ctx, organizationID, model.Department{Key: key, Name: in.Name})
		},
		remove: a.svc.DeleteDepartment,
	})
}
