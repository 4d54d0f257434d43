package api

import (
	"context"

	"usher/model"
)

// SiteInput defines a site.
type SiteInput struct {
	Name     string `json:"name"`
	Parent   string `json:"parent,omitempty" doc:"Key of the site that it lies in."`
	Override bool   `json:"override,omitempty" doc:"Has group mappings of its own instead of its parent's."`
}

func (a *API) sites() {
	registerCatalogue(a, catalogue[model.Site, SiteInput]{
		path: "/sites", one: "site", many: "sites",
		key: func(s model.Site) string { return s.Key },
		put: func(ctx context.Context, organizationID, key string, in SiteInput) (model.Site, error) {
			return a.svc.PutSite(ctx, organizationID, model.Site{Key: key, Name: in.Name, Parent: in.Parent, Override: in.Override})
		},
		remove: a.svc.DeleteSite,
	})
}
