package schemas

import (
	"github.com/elimity-com/scim/optional"
	"github.com/elimity-com/scim/schema"
)

// commonAttributes are id, externalId and meta (RFC 7643 §3.1).
func commonAttributes() schema.Attributes {
	var attrs schema.Attributes
	for _, a := range schema.CommonAttributes() {
		switch a.Name() {
		case "schemas":
		case "meta":
			attrs = append(attrs, metaAttribute())
		default:
			attrs = append(attrs, a)
		}
	}
	return attrs
}

// metaAttribute says of location what it refers to, which elimity-com/scim leaves out.
func metaAttribute() schema.CoreAttribute {
	readOnly := schema.AttributeMutabilityReadOnly()
	text := func(name, description string) schema.SimpleParams {
		return schema.SimpleStringParams(schema.StringParams{
			Name: name, Description: optional.NewString(description), CaseExact: true, Mutability: readOnly,
		})
	}
	instant := func(name, description string) schema.SimpleParams {
		return schema.SimpleDateTimeParams(schema.DateTimeParams{
			Name: name, Description: optional.NewString(description), Mutability: readOnly,
		})
	}
	return schema.ComplexCoreAttribute(schema.ComplexParams{
		Name: "meta", Description: optional.NewString("What the server knows about the resource."), Mutability: readOnly,
		SubAttributes: []schema.SimpleParams{
			text("resourceType", "The name of the resource type."),
			instant("created", "When the resource was made here."),
			instant("lastModified", "When the resource last changed here."),
			schema.SimpleReferenceParams(schema.ReferenceParams{
				Name: "location", Description: optional.NewString("The URL of the resource."), Mutability: readOnly,
				ReferenceTypes: []schema.AttributeReferenceType{schema.AttributeReferenceTypeURI},
			}),
			text("version", "The version of the resource, as the ETag header has it."),
		},
	})
}
