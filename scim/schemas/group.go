package schemas

import (
	"github.com/elimity-com/scim/optional"
	"github.com/elimity-com/scim/schema"
)

// groupSchema is RFC 7643 §4.2. Members have no $ref: Microsoft's validator sends back what the schema declares, and
// fails on it when it removes a member.
func groupSchema() schema.Schema {
	sub := func(name, description string, exact bool, canonical ...string) schema.SimpleParams {
		return schema.SimpleStringParams(schema.StringParams{
			Name: name, Description: optional.NewString(description), CaseExact: exact, CanonicalValues: canonical,
			Mutability: schema.AttributeMutabilityImmutable(),
		})
	}
	attrs := commonAttributes()
	attrs = append(
		attrs,
		schema.SimpleCoreAttribute(schema.SimpleStringParams(schema.StringParams{
			Name: "displayName", Required: true, Uniqueness: schema.AttributeUniquenessServer(),
			Description: optional.NewString("The name of the group."),
		})),
		schema.ComplexCoreAttribute(schema.ComplexParams{
			Name: "members", MultiValued: true, Description: optional.NewString("The direct members of the group."),
			SubAttributes: []schema.SimpleParams{
				sub("value", "The id of the member.", true),
				sub("type", "What the member is.", false, "User", "Group"),
				sub("display", "The name of the member.", false),
			},
		}),
	)
	return schema.Schema{
		ID: GroupURN, Name: optional.NewString("Group"), Attributes: attrs,
		Description: optional.NewString("A group of users."),
	}
}
