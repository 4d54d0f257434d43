package api

import (
	"context"
	"net/http"

	"usher/model"
)

// settingsList is a list of an integration that is read and written as a whole: L is an entry as the rules have it, B
// one as it is sent.
type settingsList[L, B any] struct {
	path, name string
	doc        string
	of         func(model.IntegrationSettings) []L
	entry      func(B) L
	put        func(context.Context, model.Ref, []L) ([]L, error)
}

func registerList[L, B any](a *API, l settingsList[L, B]) {
	path := "/integrations/{id}/" + l.path
	o := operation{tag: tagRules, maxBody: maxListBody, doc: l.doc}
	register(a, o.with(http.MethodGet, path, "Read the "+l.name).needing(model.RightRead),
		func(ctx context.Context, in *IDInput) (*answer[[]L], error) {
			settings, err := a.svc.Lists(ctx, model.Ref{OrganizationID: org(ctx), IntegrationID: in.ID})
			return answered(present(l.of(settings)), err)
		})
	register(a, o.with(http.MethodPut, path, "Replace the "+l.name).needing(model.RightManageSettings).refusing(),
		func(ctx context.Context, in *struct {
			IDInput
			Body []B
		},
		) (*answer[[]L], error) {
			list := make([]L, len(in.Body))
			for i, b := range in.Body {
				list[i] = l.entry(b)
			}
			return answered(l.put(ctx, model.Ref{OrganizationID: org(ctx), IntegrationID: in.ID}, list))
		})
}

// present gives an empty list for none.
func present[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
