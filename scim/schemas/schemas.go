// Package schemas holds the attribute tables of every SCIM resource of Usher: the single source for discovery, for the
// canonical spelling of attributes and for their types, case-sensitivity and mutability (RFC 7643 §2, §4, §7, §8.7).
// It imports elimity-com/scim's schema and optional packages and model.
package schemas

import (
	"strings"

	"github.com/elimity-com/scim/schema"
)

// The URNs of the schemas.
const (
	UserURN           = schema.UserSchema
	GroupURN          = schema.GroupSchema
	EnterpriseURN     = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	UsherURN          = "urn:ietf:params:scim:schemas:extension:usher:2.0:User"
	ResourceTypeURN   = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
	ProviderConfigURN = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"
	SchemaURN         = "urn:ietf:params:scim:schemas:core:2.0:Schema"
)

// Type is the data type of an attribute (RFC 7643 §2.3).
type Type string

// The data types.
const (
	String    Type = "string"
	Boolean   Type = "boolean"
	Decimal   Type = "decimal"
	Integer   Type = "integer"
	DateTime  Type = "dateTime"
	Binary    Type = "binary"
	Reference Type = "reference"
	Complex   Type = "complex"
)

// The longest strings, in bytes of UTF-8. Keys are indexed, and an index entry has a size that a database bounds.
const (
	MaxKey  = 1024
	MaxText = 65536
)

// Attribute is one row of a table.
type Attribute struct {
	Name      string
	Type      Type
	Multi     bool
	CaseExact bool
	Required  bool
	ReadOnly  bool
	OnRequest bool // returned only where the client names it
	MaxBytes  int
	Subs      []*Attribute
	subs      map[string]*Attribute
}

// Sub gives the sub-attribute of that name, compared without case; nil where there is none.
func (a *Attribute) Sub(name string) *Attribute { return find(a.subs, name) }

// Schema is one table.
type Schema struct {
	URN        string
	Attributes []*Attribute
	attrs      map[string]*Attribute
	source     schema.Schema
}

// Attribute gives the attribute of that name, compared without case; nil where there is none.
func (s *Schema) Attribute(name string) *Attribute { return find(s.attrs, name) }

// Resource is a resource type with its schema and extensions.
type Resource struct {
	Name        string // User
	Endpoint    string // Users
	Description string
	Core        *Schema
	Extensions  []*Schema
	// Ignored names attributes, in lower case, that clients send and Usher must never keep: a password.
	Ignored map[string]bool
}

// Registry is every table.
type Registry struct {
	User  *Resource
	Group *Resource
	meta  []*Schema
}

// New builds the tables.
func New() *Registry {
	return &Registry{
		User: &Resource{
			Name: "User", Endpoint: "Users", Description: "A person, as the identity provider knows them.",
			Core:       compile(userSchema()),
			Extensions: []*Schema{compile(enterpriseSchema()), compile(usherSchema())},
			Ignored:    map[string]bool{"password": true},
		},
		Group: &Resource{
			Name: "Group", Endpoint: "Groups", Description: "A group of users.",
			Core: compile(groupSchema()),
		},
		meta: []*Schema{compile(resourceTypeSchema()), compile(providerConfigSchema()), compile(schemaSchema())},
	}
}

// Resources lists the resource types in the order in which discovery names them.
func (r *Registry) Resources() []*Resource { return []*Resource{r.User, r.Group} }

// Schemas lists every schema in the order in which discovery names them.
func (r *Registry) Schemas() []*Schema {
	list := []*Schema{r.User.Core}
	list = append(list, r.User.Extensions...)
	list = append(list, r.Group.Core)
	return append(list, r.meta...)
}

// Definition is the schema as /Schemas shows it (RFC 7643 §7), without meta.
func (s *Schema) Definition() map[string]any { return s.source.ToMap() }

func find(m map[string]*Attribute, name string) *Attribute {
	if a := m[name]; a != nil {
		return a
	}
	return m[strings.ToLower(name)]
}

func compile(s schema.Schema) *Schema {
	c := &Schema{URN: s.ID, source: s}
	c.Attributes, c.attrs = compileAttributes(s.Attributes)
	return c
}

func compileAttributes(from schema.Attributes) ([]*Attribute, map[string]*Attribute) {
	list, byName := make([]*Attribute, 0, len(from)), make(map[string]*Attribute, 2*len(from))
	for i := range from {
		a := compileAttribute(&from[i])
		list = append(list, a)
		byName[a.Name], byName[strings.ToLower(a.Name)] = a, a
	}
	return list, byName
}

func compileAttribute(from *schema.CoreAttribute) *Attribute {
	a := &Attribute{
		Name: from.Name(), Type: Type(from.AttributeType()), Multi: from.MultiValued(), CaseExact: from.CaseExact(),
		Required: from.Required(), ReadOnly: from.Mutability() == "readOnly", OnRequest: from.Returned() == "request",
		MaxBytes: MaxText,
	}
	a.Subs, a.subs = compileAttributes(from.SubAttributes())
	switch a.Name {
	case "userName", "externalId", "displayName":
		a.MaxBytes = MaxKey
	case "emails":
		a.Sub("value").MaxBytes = MaxKey
	}
	return a
}
