package api

import (
	"context"

	"usher/directory"
	"usher/model"
)

// PreviewInput is what a preview supposes the settings to be; what is absent is as it is stored, null is the default.
type PreviewInput struct {
	GroupMappings optional[[]GroupMappingInput]  `json:"group_mappings,omitempty" doc:"The whole list, as it would be put."`
	FieldMappings optional[[]FieldMappingInput]  `json:"field_mappings,omitempty" doc:"The whole list, as it would be put."`
	Exclusions    optional[[]ExclusionInput]     `json:"exclusions,omitempty" doc:"The whole list, as it would be put."`
	ChosenGroups  optional[[]GroupSelectorInput] `json:"chosen_groups,omitempty" doc:"The whole list, as it would be put; of groups that are mirrored already."`
	RoleSync      optional[model.RoleSync]       `json:"role_sync,omitempty" enum:"initial,reconcile,mirror"`
	DefaultRole   optional[string]               `json:"default_role,omitempty"`
	Scope         optional[model.Scope]          `json:"scope,omitempty" enum:"groups,everyone"`
	NestedGroups  optional[bool]                 `json:"nested_groups,omitempty"`
	RequireGroup  optional[bool]                 `json:"require_group,omitempty"`
	Priority      optional[int]                  `json:"priority,omitempty"`
	Guard         optional[GuardInput]           `json:"guard,omitempty"`
}

func (a *API) preview(ctx context.Context, in *struct {
	IDInput
	Body *PreviewInput
},
) (*answer[StartedRun], error) {
	ref := model.Ref{OrganizationID: org(ctx), IntegrationID: in.ID}
	i, err := a.store.Read(ctx).Integration(ref)
	if err != nil {
		return nil, err
	}
	var supposed model.PreviewSettings
	if in.Body != nil {
		supposed = in.Body.supposed(i)
	}
	return startedRun(a.svc.StartPreview(ctx, ref, supposed))
}

// supposed gives what was sent, as it would be stored of integration i.
func (p PreviewInput) supposed(i model.Integration) model.PreviewSettings {
	d := directory.DefaultIntegration(i.Name, i.Ingress)
	out := model.PreviewSettings{
		GroupMappings: supposedList(p.GroupMappings, GroupMappingInput.model), FieldMappings: supposedList(p.FieldMappings, FieldMappingInput.model),
		Exclusions: supposedList(p.Exclusions, ExclusionInput.model), ChosenGroups: supposedList(p.ChosenGroups, GroupSelectorInput.model),
		RoleSync: p.RoleSync.supposed(d.RoleSync), DefaultRole: p.DefaultRole.supposed(d.DefaultRole), Scope: p.Scope.supposed(d.Scope),
		NestedGroups: p.NestedGroups.supposed(d.NestedGroups), RequireGroup: p.RequireGroup.supposed(d.RequireGroup), Priority: p.Priority.supposed(d.Priority),
	}
	if out.FieldMappings != nil {
		for i := range *out.FieldMappings { // what a body of its own would have by default
			if m := &(*out.FieldMappings)[i]; m.Mode == "" {
				m.Mode = model.FieldAlways
			}
		}
	}
	if p.Guard.set || p.Guard.null {
		guard := i.Guard
		if p.Guard.null {
			guard = d.Guard
		}
		p.Guard.value.Minimum.into(&guard.Minimum, d.Guard.Minimum)
		p.Guard.value.Percent.into(&guard.Percent, d.Guard.Percent)
		out.Guard = &guard
	}
	return out
}

// supposed gives the value where the field is present; null is the default.
func (o optional[T]) supposed(reset T) *T {
	if !o.set && !o.null {
		return nil
	}
	value := o.value
	o.into(&value, reset)
	return &value
}

func supposedList[T, V any](o optional[[]V], entry func(V) T) *[]T {
	if !o.set && !o.null {
		return nil
	}
	list := make([]T, len(o.value))
	for i, v := range o.value {
		list[i] = entry(v)
	}
	return &list
}
