package model

// Filter is a condition on SCIM resources whose attributes have been resolved against the schema by the protocol's
// edge, and whose values have the attribute's type. The store compiles it to SQL (RFC 7644 §3.4.2.2).
type Filter interface{ isFilter() }

// And holds where both sides hold.
type And struct{ Left, Right Filter }

// Or holds where at least one side holds.
type Or struct{ Left, Right Filter }

// Not holds where the inner condition does not.
type Not struct{ Inner Filter }

// CompareOp is an attribute operator of RFC 7644 table 3.
type CompareOp string

// The attribute operators.
const (
	OpEqual          CompareOp = "eq"
	OpNotEqual       CompareOp = "ne"
	OpContains       CompareOp = "co"
	OpStartsWith     CompareOp = "sw"
	OpEndsWith       CompareOp = "ew"
	OpPresent        CompareOp = "pr"
	OpGreater        CompareOp = "gt"
	OpGreaterOrEqual CompareOp = "ge"
	OpLess           CompareOp = "lt"
	OpLessOrEqual    CompareOp = "le"
)

// AttributeType is the type of an attribute's values (RFC 7643 §2.3).
type AttributeType string

// The types a comparison can meet. A comparison never meets a complex attribute: the edge resolves it to its value.
const (
	TypeString   AttributeType = "string"
	TypeBoolean  AttributeType = "boolean"
	TypeInteger  AttributeType = "integer"
	TypeDecimal  AttributeType = "decimal"
	TypeDateTime AttributeType = "dateTime"
)

// AttributePath is where a value stands in a resource. Schema is empty for attributes of the core schema and for
// id, externalId and meta; else it is the extension's URN as it stands in the document. Within ValuePath.Inner, Name
// is a sub-attribute of the element. The names "id", "meta.created", "meta.lastModified" and, for groups, "members", for
// users "groups", stand for columns and rows, not for parts of the document.
type AttributePath struct {
	Schema      string
	Name        string
	Sub         string
	MultiValued bool
	Type        AttributeType
	CaseExact   bool
}

// Compare holds where the attribute's value, or any of its values, compares with Value as Op says. Value is nil for
// OpPresent and for a comparison with null, else string, bool, json.Number or, for dateTime, time.Time.
type Compare struct {
	Path  AttributePath
	Op    CompareOp
	Value any
}

// ValuePath holds where one element of the complex multi-valued attribute at Path satisfies Inner as a whole.
type ValuePath struct {
	Path  AttributePath
	Inner Filter
}

func (And) isFilter()       {}
func (Or) isFilter()        {}
func (Not) isFilter()       {}
func (Compare) isFilter()   {}
func (ValuePath) isFilter() {}

// ResourceQuery asks for a page of users or groups in a stable order: that of Sort, else of creation. StartIndex counts
// from 1; Count 0 asks for the total alone.
type ResourceQuery struct {
	Filter     Filter
	Sort       *Sort
	StartIndex int
	Count      int
	// After, where set, is the id of the last resource of the page before: the page begins behind it, and StartIndex is
	// passed over (RFC 9865).
	After string
	// MaxBytes, where set, ends the page early: with the resource with which its documents come to so many bytes. So a page
	// whose documents have fewer bytes has all that was asked for.
	MaxBytes int
	// Explained asks for the Explanation of users too.
	Explained bool
}

// Sort is an order of resources (RFC 7644 §3.4.2.3): by the value at Path, of a multi-valued attribute that of its
// primary or else first element; what has no value stands last, first when Descending; the id decides among equals.
type Sort struct {
	Path       AttributePath
	Descending bool
}
