package directory

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"usher/model"
	"usher/model/entra"
)

// DirectoryExtension is an attribute beyond the common ones that a field mapping can read.
type DirectoryExtension struct {
	Source      string   `json:"source" doc:"What a field mapping names it by."`
	Name        string   `json:"name" doc:"Short name."`
	DataType    string   `json:"data_type"`
	Application string   `json:"application" doc:"Name of the application that defined it; Exchange for extensionAttribute1 to 15."`
	MultiValued bool     `json:"multi_valued"`
	Mappable    bool     `json:"mappable"`
	Reason      string   `json:"reason,omitempty" doc:"Why it cannot be mapped."`
	Targets     []string `json:"targets" doc:"Fields that are filled from it already."`
}

// extensionAttributes is how many extension attributes Exchange gives everybody.
const extensionAttributes = 15

// DirectoryExtensions lists what can be mapped: extensionAttribute1 to extensionAttribute15, and the directory extensions of
// the tenant by their names.
func (s *Service) DirectoryExtensions(ctx context.Context, ref model.Ref) ([]DirectoryExtension, error) {
	tenant, err := s.reader(ctx, ref)
	if err != nil {
		return nil, err
	}
	entry, err := s.Lists(ctx, ref)
	if err != nil {
		return nil, err
	}
	defined, err := tenant.Extensions(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]DirectoryExtension, 0, extensionAttributes+len(defined))
	for n := range extensionAttributes {
		name := fmt.Sprintf("extensionAttribute%d", n+1)
		out = append(out, DirectoryExtension{Source: name, Name: name, DataType: "String", Application: "Exchange", Mappable: true})
	}
	slices.SortFunc(defined, func(a, b entra.Extension) int {
		return cmp.Or(cmp.Compare(a.Application, b.Application), cmp.Compare(a.Name, b.Name))
	})
	for _, e := range defined {
		x := DirectoryExtension{
			Source: e.Name, Name: shortExtension(e.Name), DataType: e.DataType, Application: e.Application, MultiValued: e.MultiValued, Mappable: true,
		}
		switch {
		case e.MultiValued:
			x.Mappable, x.Reason = false, "it has several values"
		case strings.EqualFold(e.DataType, "Binary"):
			x.Mappable, x.Reason = false, "it is binary"
		}
		out = append(out, x)
	}
	for i := range out {
		out[i].Targets = targetsOf(entry.FieldMappings, out[i].Source)
	}
	return out, nil
}

// shortExtension takes the application from a name such as extension_<application>_costCentre.
func shortExtension(name string) string {
	if parts := strings.SplitN(name, "_", 3); len(parts) == 3 {
		return parts[2]
	}
	return name
}

func targetsOf(mappings []model.FieldMapping, source string) []string {
	targets := []string{}
	for _, m := range mappings {
		if strings.EqualFold(m.Source, source) && m.Mode != model.FieldSkip {
			targets = append(targets, m.Target)
		}
	}
	return targets
}
