package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"usher/model"
)

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
		entry: FieldMappingInput.model, change: a.svc.ChangeFieldMappings,
	})
	a.fieldMappingVersions()
}

// FieldMappingVersion is what one save of field mappings left, without the mappings.
type FieldMappingVersion struct {
	Number    int       `json:"number" doc:"Counts from 1 within the integration." example:"7"`
	CreatedAt time.Time `json:"created_at"`
	Actor     string    `json:"actor" doc:"Who saved it." example:"operator:ada@contoso.com"`
	Summary   string    `json:"summary" doc:"What the save changed, in a line." example:"changed job_title (expression)"`
	Entries   int       `json:"entries" doc:"How many mappings it has."`
}

// FieldMappingVersionMappings is a version with its mappings.
type FieldMappingVersionMappings struct {
	FieldMappingVersion
	Mappings []model.FieldMapping `json:"mappings"`
}

func versionShown(v model.FieldMappingVersion) FieldMappingVersion {
	return FieldMappingVersion{v.Number, v.CreatedAt, v.Actor, v.Summary, v.Entries}
}

// VersionInput names a version of an integration's field mappings.
type VersionInput struct {
	IDInput
	Number int `path:"number" minimum:"1" doc:"Number of the version."`
}

const versionsDoc = "Every save that changes something makes a version; the last 100 are kept."

func (a *API) fieldMappingVersions() {
	const path = "/integrations/{id}/field-mappings/versions"
	o := operation{tag: tagRules, right: model.RightRead}
	register(a, o.with(http.MethodGet, path, "List the versions of the field mappings").says(versionsDoc+" The newest come first."), a.listFieldMappingVersions)
	register(a, o.with(http.MethodGet, path+"/{number}", "Read a version of the field mappings").says(versionsDoc),
		func(ctx context.Context, in *VersionInput) (*answer[FieldMappingVersionMappings], error) {
			v, err := a.svc.FieldMappingVersion(ctx, a.refOf(ctx, in.ID), in.Number)
			return answered(FieldMappingVersionMappings{versionShown(v), present(v.Mappings)}, err)
		})
	register(a, o.with(http.MethodPost, path+"/{number}/restore", "Restore a version of the field mappings").needing(model.RightManageSettings).refusing().
		says("Saves its mappings anew, which checks them as any save is checked, makes a version and re-evaluates everyone. A line that is not valid any "+
			"more is refused by its place in the version: `mappings[2].target`. Answers with the version that the save made, or, where nothing changes, "+
			"with the newest. What it would do to whom says a preview with the version's mappings as `field_mappings`."),
		func(ctx context.Context, in *VersionInput) (*answer[FieldMappingVersionMappings], error) {
			v, err := a.svc.RestoreFieldMappings(ctx, a.refOf(ctx, in.ID), in.Number)
			return answered(FieldMappingVersionMappings{versionShown(v), present(v.Mappings)}, err)
		})
}

func (a *API) listFieldMappingVersions(ctx context.Context, in *struct {
	IDInput
	PageInput
},
) (*answer[page[FieldMappingVersion]], error) {
	return paged(in.PageInput, func(after string, limit int) ([]model.FieldMappingVersion, error) {
		before := 0
		if after != "" {
			n, err := strconv.Atoi(after)
			if err != nil || n < 1 {
				return nil, model.FieldErrorf(model.Invalid, "after", "is not a cursor of this list")
			}
			before = n
		}
		return a.svc.FieldMappingVersions(ctx, a.refOf(ctx, in.ID), before, limit)
	}, func(v model.FieldMappingVersion) string { return strconv.Itoa(v.Number) }, versionShown)
}
