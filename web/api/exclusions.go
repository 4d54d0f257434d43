package api

import (
	"context"
	"iter"
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
		entry: ExclusionInput.model, put: a.svc.PutExclusions,
	})
	o := operation{tag: tagRules, right: model.RightRead}
	register(a, o.with(http.MethodGet, "/integrations/{id}/exclusions/suggestions", "Suggest exclusions").
		says("Looks through the mirror for what is hardly a person: service accounts, bots, rooms. Nothing is applied."), a.suggestExclusions)
}

// suggestPage is how many directory users are read at once.
const suggestPage = 500

func (a *API) suggestExclusions(ctx context.Context, in *IDInput) (*answer[page[directory.Suggestion]], error) {
	ref, err := a.ref(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	var failed error
	suggestions := directory.SuggestExclusions(a.mirror(ctx, ref, &failed))
	return answered(page[directory.Suggestion]{Data: suggestions}, failed)
}

// mirror goes through all directory users of an integration in pages; a failure ends it and is left in failed.
func (a *API) mirror(ctx context.Context, ref model.Ref, failed *error) iter.Seq[model.DirectoryUser] {
	return func(yield func(model.DirectoryUser) bool) {
		after := ""
		for {
			users, err := a.store.Read(ctx).DirectoryUsersAfter(ref, after, suggestPage)
			if err != nil {
				*failed = err
				return
			}
			for _, u := range users {
				if !yield(u) {
					return
				}
			}
			if len(users) < suggestPage {
				return
			}
			after = users[len(users)-1].ID
		}
	}
}
