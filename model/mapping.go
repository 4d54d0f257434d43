package model

// GroupSelector names a directory group by Entra's object id or by its display name. An id survives renames.
type GroupSelector struct {
	ExternalID  string `json:"external_id,omitempty"`
	DisplayName string `json:"display_name,omitempty"`
}

// RoomGroup names a group of Entra's, by its object id, whose members are meeting rooms.
type RoomGroup struct {
	ExternalID string `json:"external_id"`
}

// Matches says whether the group is the one selected: by id where the selector has one, else by name without case.
func (s GroupSelector) Matches(externalID, displayName string) bool {
	if s.ExternalID != "" {
		return s.ExternalID == externalID
	}
	return s.DisplayName != "" && Fold(s.DisplayName) == Fold(displayName)
}

// String gives the selector in an administrator's words.
func (s GroupSelector) String() string {
	if s.DisplayName != "" {
		return s.DisplayName
	}
	return s.ExternalID
}

// GroupMapping says what membership of a directory group gives.
type GroupMapping struct {
	Group              GroupSelector      `json:"group"`
	Role               string             `json:"role,omitempty"`
	Department         string             `json:"department,omitempty"`
	Language           string             `json:"language,omitempty"`
	TimeZone           string             `json:"time_zone,omitempty"`
	Currency           string             `json:"currency,omitempty"`
	Site               string             `json:"site,omitempty"`
	Permissions        []ModulePermission `json:"permissions,omitempty"`
	AllowAdministrator bool               `json:"allow_administrator,omitempty"`
}

// ModulePermission is a level in a module, at the site of the mapping that carries it.
type ModulePermission struct {
	Module string `json:"module"`
	Level  Level  `json:"level"`
}

// FieldMode says when a field mapping writes.
type FieldMode string

// A mapping writes at every sync, only while the field is empty, or never.
const (
	FieldAlways    FieldMode = "always"
	FieldFirstTime FieldMode = "first_time"
	FieldSkip      FieldMode = "skip"
)

// FieldMapping fills a field of the account from an attribute of the directory user.
type FieldMapping struct {
	Source     string    `json:"source"`
	Target     string    `json:"target"`
	Mode       FieldMode `json:"mode"`
	Expression string    `json:"expression,omitempty"`
}

// Operator of an exclusion filter. Values are compared with their case.
const (
	ExcludeEquals     = "equals"
	ExcludeNotEquals  = "not_equals"
	ExcludeContains   = "contains"
	ExcludeStartsWith = "starts_with"
	ExcludeEmpty      = "empty"
)

// Exclusion is a rule whose matches get no account: a glob pattern over e-mail and userName without case, or a filter
// on one attribute whose value is compared with its case.
type Exclusion struct {
	Pattern   string `json:"pattern,omitempty"`
	Attribute string `json:"attribute,omitempty"`
	Operator  string `json:"operator,omitempty"`
	Value     string `json:"value,omitempty"`
}

// Settings is everything the rules read of one organization: its catalogue and, per integration, how people map. It
// is loaded as a whole, cached by version, and never changed in place.
type Settings struct {
	Version      int64
	Roles        map[string]Role
	Departments  map[string]Department
	Sites        map[string]Site
	Modules      map[string]Module
	CustomFields map[string]CustomField
	Integrations map[string]IntegrationSettings
}

// IntegrationSettings is one integration with its lists.
type IntegrationSettings struct {
	Integration   Integration
	GroupMappings []GroupMapping
	FieldMappings []FieldMapping // nil: the common fields are mapped by default
	Exclusions    []Exclusion
	ChosenGroups  []GroupSelector
	RoomGroups    []RoomGroup
}
