package schemas

import (
	"fmt"

	"github.com/elimity-com/scim/optional"
	"github.com/elimity-com/scim/schema"
)

// userSchema is RFC 7643 §4.1 with three differences. The common attributes are listed, because Entra's gallery
// validation looks for externalId there. There is no password: Entra never provisions one, and a validator takes
// a write-only attribute that does not come back for a fault. Groups are returned on request only, because that is the
// one attribute that costs a second read.
func userSchema() schema.Schema {
	s := schema.CoreUserSchema()
	attrs := commonAttributes()
	for _, a := range s.Attributes {
		switch a.Name() {
		case "password":
		case "groups":
			attrs = append(attrs, groupsAttribute())
		default:
			attrs = append(attrs, a)
		}
	}
	s.Attributes = attrs
	s.Description = optional.NewString("User Account") // RFC 7643 §8.7.1; Microsoft's Postman collection looks for it
	return s
}

func groupsAttribute() schema.CoreAttribute {
	sub := func(name, description string, canonical ...string) schema.SimpleParams {
		return schema.SimpleStringParams(schema.StringParams{
			Name: name, Description: optional.NewString(description), Mutability: schema.AttributeMutabilityReadOnly(),
			CanonicalValues: canonical,
		})
	}
	return schema.ComplexCoreAttribute(schema.ComplexParams{
		Name: "groups", MultiValued: true, Mutability: schema.AttributeMutabilityReadOnly(),
		Returned:    schema.AttributeReturnedRequest(),
		Description: optional.NewString("The groups that the user is a direct member of. Name it in attributes to get it."),
		SubAttributes: []schema.SimpleParams{
			sub("value", "The id of the group."),
			sub("display", "The name of the group."),
			sub("type", "How the user is a member.", "direct"),
		},
	})
}

func enterpriseSchema() schema.Schema {
	s := schema.ExtensionEnterpriseUser()
	s.Description = optional.NewString("What an organization knows about its people (RFC 7643 §4.3).")
	return s
}

// usherSchema is the home of attributes of Entra that no standard schema has.
func usherSchema() schema.Schema {
	text := func(name, description string) schema.CoreAttribute {
		return schema.SimpleCoreAttribute(schema.SimpleStringParams(schema.StringParams{
			Name: name, Description: optional.NewString(description),
		}))
	}
	var attrs schema.Attributes
	for i := 1; i <= 15; i++ {
		attrs = append(attrs, text(fmt.Sprintf("extensionAttribute%d", i),
			fmt.Sprintf("Entra's onPremisesExtensionAttributes.extensionAttribute%d.", i)))
	}
	attrs = append(
		attrs,
		text("userType", "Entra's userType: Member or Guest."),
		text("employeeType", "Entra's employeeType, such as Employee or Contractor."),
		text("companyName", "The company that the person works for."),
		text("usageLocation", "The two-letter country that decides about licences."),
		text("objectId", "Entra's object id of the user."),
		text("mailNickname", "The mail alias of the user."),
		schema.SimpleCoreAttribute(schema.SimpleBooleanParams(schema.BooleanParams{
			Name: "onPremisesSyncEnabled", Description: optional.NewString("Whether the user is synchronized from on-premises."),
		})),
		schema.SimpleCoreAttribute(schema.SimpleStringParams(schema.StringParams{
			Name: "onPremisesImmutableId", CaseExact: true,
			Description: optional.NewString("The id of the on-premises object, in base64."),
		})),
		schema.SimpleCoreAttribute(schema.SimpleDateTimeParams(schema.DateTimeParams{
			Name: "employeeHireDate", Description: optional.NewString("The day on which the person was or will be hired."),
		})),
	)
	return schema.Schema{
		ID: UsherURN, Name: optional.NewString("Usher User"), Attributes: attrs,
		Description: optional.NewString("Attributes of Entra that no standard schema has."),
	}
}
