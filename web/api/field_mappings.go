package api

import "usher/model"

// FieldMappingInput fills a field of the account from an attribute of the directory user.
type FieldMappingInput struct {
	Source     string          `json:"source,omitempty" doc:"Path of a SCIM attribute, extensionAttribute1 to 15, or the id of a directory extension." example:"name.givenName"`
	Target     string          `json:"target" doc:"Field of the account, or custom_fields.<key>." example:"given_name"`
	Mode       model.FieldMode `json:"mode,omitempty" enum:"always,first_time,skip" default:"always"`
	Expression string          `json:"expression,omitempty"`
}

func (m FieldMappingInput) model() model.FieldMapping {
	return model.FieldMapping{Source: m.Source, Target: m.Target, Mode: m.Mode, Expression: m.Expression}
}

func (a *API) fieldMappings() {
	registerList(a, settingsList[model.FieldMapping, FieldMappingInput]{
		path: "field-mappings", name: "field mappings",
		doc:   "Which attributes of directory users fill which fields of accounts. While there are none, the common fields are mapped by default.",
		of:    func(s model.IntegrationSettings) []model.FieldMapping { return s.FieldMappings },
		entry: FieldMappingInput.model, put: a.svc.PutFieldMappings,
	})
}
