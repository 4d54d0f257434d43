package api

import (
	"context"

	"usher/model"
)

// CustomFieldInput defines a field that accounts have besides the built-in ones.
type CustomFieldInput struct {
	Name string          `json:"name"`
	Type model.FieldType `json:"type" enum:"text,number,date" doc:"A date is written as 2006-01-02."`
}

func (a *API) customFields() {
	registerCatalogue(a, catalogue[model.CustomField, CustomFieldInput]{
		path: "/custom-fields", one: "custom field", many: "custom fields",
		key: func(f model.CustomField) string { return f.Key },
		put: func(ctx context.Context, organizationID, key string, in CustomFieldInput) (model.CustomField, error) {
			return a.svc.PutCustomField(ctx, organizationID, model.CustomField{Key: key, Name: in.Name, Type: in.Type})
		},
		remove: a.svc.DeleteCustomField,
	})
}
