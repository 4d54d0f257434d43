package api

import (
	"context"

	"usher/model"
)

func (a *API) modules() {
	registerCatalogue(a, catalogue[model.Module, NameInput]{
		path: "/modules", one: "module", many: "modules",
		key: func(m model.Module) string { return m.Key },
		put: func(ctx context.Context, organizationID, key string, in NameInput) (model.Module, error) {
			return a.svc.PutModule(ctx, organizationID, model.Module{Key: key, Name: in.Name})
		},
		remove: a.svc.DeleteModule,
	})
}
