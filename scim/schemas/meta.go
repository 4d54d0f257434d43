package schemas

import (
	"github.com/elimity-com/scim/optional"
	"github.com/elimity-com/scim/schema"
)

func resourceTypeSchema() schema.Schema {
	s := schema.ResourceTypeSchema()
	s.Name = optional.NewString("ResourceType")
	return s
}

func schemaSchema() schema.Schema {
	s := schema.Definition()
	s.Description = optional.NewString("The definition of a schema (RFC 7643 §7).")
	return s
}

// providerConfigSchema is RFC 7643 §5, which elimity-com/scim lacks.
func providerConfigSchema() schema.Schema {
	supported := func(more ...schema.SimpleParams) []schema.SimpleParams {
		return append([]schema.SimpleParams{flag("supported", "Whether the feature is offered.")}, more...)
	}
	feature := func(name, description string, subs []schema.SimpleParams) schema.CoreAttribute {
		return schema.ComplexCoreAttribute(schema.ComplexParams{
			Name: name, Description: optional.NewString(description), Required: true,
			Mutability: schema.AttributeMutabilityReadOnly(), SubAttributes: subs,
		})
	}
	return schema.Schema{
		ID: ProviderConfigURN, Name: optional.NewString("ServiceProviderConfig"),
		Description: optional.NewString("What this SCIM service offers (RFC 7643 §5)."),
		Attributes: schema.Attributes{
			schema.SimpleCoreAttribute(link("documentationUri", "Where the service is documented.")),
			feature("patch", "PATCH.", supported()),
			feature("bulk", "Bulk operations.", supported(
				count("maxOperations", "The most operations of one request."),
				count("maxPayloadSize", "The largest request, in bytes."))),
			feature("filter", "Filters.", supported(count("maxResults", "The most resources of one answer."))),
			feature("changePassword", "Changing passwords.", supported()),
			feature("sort", "Sorting.", supported()),
			feature("etag", "Versions of resources.", supported()),
			pagination(),
			authenticationSchemes(),
		},
	}
}

// pagination is RFC 9865 §4.
func pagination() schema.CoreAttribute {
	return schema.ComplexCoreAttribute(schema.ComplexParams{
		Name: "pagination", Description: optional.NewString("How lists are divided into pages."),
		Mutability: schema.AttributeMutabilityReadOnly(),
		SubAttributes: []schema.SimpleParams{
			flag("cursor", "Whether pages can be asked for by cursor."),
			flag("index", "Whether pages can be asked for by startIndex."),
			word("defaultPaginationMethod", "The method where a client asks for neither.", "cursor", "index"),
			count("defaultPageSize", "The resources of a page where a client sends no count."),
			count("maxPageSize", "The most resources of one page."),
			count("cursorTimeout", "How many seconds a cursor can be used at least."),
		},
	})
}

func authenticationSchemes() schema.CoreAttribute {
	return schema.ComplexCoreAttribute(schema.ComplexParams{
		Name: "authenticationSchemes", MultiValued: true, Required: true,
		Description: optional.NewString("How clients authenticate."), Mutability: schema.AttributeMutabilityReadOnly(),
		SubAttributes: []schema.SimpleParams{
			word("type", "The kind of scheme.", "oauth", "oauth2", "oauthbearertoken", "httpbasic", "httpdigest"),
			word("name", "The name of the scheme."),
			word("description", "A description of the scheme."),
			link("specUri", "The specification of the scheme."),
			link("documentationUri", "Where the scheme is documented."),
			flag("primary", "Whether the scheme is the preferred one."),
		},
	})
}

func flag(name, description string) schema.SimpleParams {
	return schema.SimpleBooleanParams(schema.BooleanParams{
		Name: name, Description: optional.NewString(description), Mutability: schema.AttributeMutabilityReadOnly(),
	})
}

func count(name, description string) schema.SimpleParams {
	return schema.SimpleNumberParams(schema.NumberParams{
		Name: name, Description: optional.NewString(description), Mutability: schema.AttributeMutabilityReadOnly(),
		Type: schema.AttributeTypeInteger(),
	})
}

func word(name, description string, canonical ...string) schema.SimpleParams {
	return schema.SimpleStringParams(schema.StringParams{
		Name: name, Description: optional.NewString(description), Mutability: schema.AttributeMutabilityReadOnly(),
		CanonicalValues: canonical,
	})
}

func link(name, description string) schema.SimpleParams {
	return schema.SimpleReferenceParams(schema.ReferenceParams{
		Name: name, Description: optional.NewString(description), Mutability: schema.AttributeMutabilityReadOnly(),
		ReferenceTypes: []schema.AttributeReferenceType{schema.AttributeReferenceTypeExternal},
	})
}
