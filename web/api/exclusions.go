package api

import (
	"context"
	"net/http"

	"usher/directory"
	"usher/model"
)

// ExclusionInput is a pattern over e-mail and userName, or a filter on one attribute.
type ExclusionInput struct {
	Pattern   string `json:"pattern,omitempty" doc:"Glob over e-mail and userName, without case." example:"*service*"`
	Attribute string `json:"attribute,omitempty" doc:"Path of a SCIM attribute." example:"userType"`
	Operator  string `json:"operator,omitempty" enum:"equals,not_equals,contains,starts_with,empty"`
	Value     string `json:"value,omitempty" doc:"Compared with its case."`
}

func (e ExclusionInput) model() model.Exclusion {
	return model.Exclusion{Pattern: e.Pattern, Attribute: e.Attribute, Operator: e.Operator, Value: e.Value}
}

func (a *API) exclusions() {
	registerList(a, settingsList[model.Exclusion, ExclusionInput]{
		path: "exclusions", name: "exclusions",
		doc:   "Who of the directory gets no account.",
		of:    func(s model.IntegrationSettings) []model.Exclusion { return s.Exclusions },
		entry: ExclusionInput.model, change: a.svc.ChangeExclusions,
	})
	o := operation{tag: tagRules, right: model.RightRead}
	register(a, o.with(http.MethodGet, "/integrations/{id}/exclusions/suggestions", "Suggest exclusions").
		says("Looks through the mirror for what is hardly a person: service accounts, bots, rooms. Nothing is applied."), a.suggestExclusions)
}

func (a *API) suggestExclusions(ctx context.Context, in *IDInput) (*answer[page[directory.Suggestion]], error) {
	ref, err := a.ref(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	list, err := a.svc.Suggestions(ctx, ref)
	return answered(page[directory.Suggestion]{Data: list}, err)
}
