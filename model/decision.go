package model

// Action is what a decision does to an account as a whole.
type Action string

// The actions of a decision.
const (
	ActionCreate     Action = "create"
	ActionLink       Action = "link"
	ActionUpdate     Action = "update"
	ActionDeactivate Action = "deactivate"
	ActionReactivate Action = "reactivate"
	ActionSkip       Action = "skip" // the directory user gets no account, for the reason given
	ActionNone       Action = "none"
)

// Rank orders decisions as people want to see them: what takes most away comes first.
func (a Action) Rank() int {
	order := [...]Action{ActionDeactivate, ActionReactivate, ActionCreate, ActionLink, ActionUpdate, ActionSkip}
	for i := range order {
		if order[i] == a {
			return i
		}
	}
	return len(order)
}

// FieldChange is one thing that a decision changes, with its reason. Before and After are JSON values.
type FieldChange struct {
	Field  string `json:"field"`
	Before any    `json:"before"`
	After  any    `json:"after"`
	Reason string `json:"reason"`
}

// Problem is something that the rules could not apply and say so about.
type Problem struct {
	Field  string `json:"field,omitempty"`
	Detail string `json:"detail"`
}

// Explanation is what the rules last said about one directory user: it is the stored answer to "why?".
type Explanation struct {
	InScope     bool              `json:"in_scope"`
	Scope       string            `json:"scope"`          // why in or out of scope
	Link        string            `json:"link,omitempty"` // which rule linked the account
	Grants      []Grant           `json:"grants,omitempty"`
	Permissions []PermissionGrant `json:"permissions,omitempty"`
	Fields      []FieldOrigin     `json:"fields,omitempty"`
	Roles       string            `json:"roles,omitempty"` // why the roles are as they are, in a sentence
	Problems    []Problem         `json:"problems,omitempty"`
}

// Grant is a role that a group gives by the mappings.
type Grant struct {
	Role    string `json:"role"`
	GroupID string `json:"group_id"`
	Group   string `json:"group"`
}

// PermissionGrant is a permission that a group gives by the mappings; From is the site that was configured, which is a
// parent of Site where Site inherits.
type PermissionGrant struct {
	Permission
	GroupID string `json:"group_id"`
	Group   string `json:"group"`
	From    string `json:"from,omitempty"`
}

// FieldOrigin says where the value of a field comes from.
type FieldOrigin struct {
	Field  string `json:"field"`
	Reason string `json:"reason"`
}
