package directory

import (
	"context"
	"slices"
	"strings"

	"usher/model"
	"usher/model/store"
)

// AccountExplanation says why an account is as it is: everything that the rules last said about it, and what was done by
// hand.
type AccountExplanation struct {
	Account     model.Account           `json:"account"`
	Status      StatusExplanation       `json:"status"`
	Employee    *model.Employee         `json:"employee"`
	Links       []LinkExplanation       `json:"links"`
	Roles       []RoleExplanation       `json:"roles"`
	Permissions []PermissionExplanation `json:"permissions"`
	Fields      []FieldExplanation      `json:"fields"`
}

// StatusExplanation says who set the status, and why.
type StatusExplanation struct {
	Status model.AccountStatus `json:"status"`
	Cause  string              `json:"cause"` // sync, operator, employee, or "" for an account made by hand
	Reason string              `json:"reason"`
}

// LinkExplanation is what the rules last said about one directory user of the account.
type LinkExplanation struct {
	IntegrationID   string            `json:"integration_id"`
	Integration     string            `json:"integration"`
	DirectoryUserID string            `json:"directory_user_id"`
	UserName        string            `json:"user_name"`
	Explanation     model.Explanation `json:"explanation"`
}

// RoleExplanation is a role that the account holds, with every reason for it.
type RoleExplanation struct {
	Role    string   `json:"role"`
	Reasons []Reason `json:"reasons"`
}

// PermissionExplanation is a permission that the account has, with every reason for it.
type PermissionExplanation struct {
	model.Permission
	Reasons []Reason `json:"reasons"`
}

// FieldExplanation says where the value of a field comes from.
type FieldExplanation struct {
	Field   string   `json:"field"`
	Value   any      `json:"value"`
	Reasons []Reason `json:"reasons"`
}

// The sources of reasons.
const (
	ReasonGroup   = "group"   // a group mapping
	ReasonRule    = "rule"    // another rule of a sync: the default role, a role that is kept, a field mapping
	ReasonHand    = "hand"    // somebody did it by hand
	ReasonUnknown = "unknown" // given before, and by nothing that is known now
)

// Reason is why an account has something. GroupID and Group are set where a group mapping gives it; integration where a
// sync does.
type Reason struct {
	Source        string `json:"source"`
	IntegrationID string `json:"integration_id,omitempty"`
	Integration   string `json:"integration,omitempty"`
	GroupID       string `json:"group_id,omitempty"`
	Group         string `json:"group,omitempty"`
	Text          string `json:"text"`
}

// Explain reads why an account is as it is. It decides nothing anew: a change since the last sync shows after the next.
func (s *Service) Explain(ctx context.Context, organizationID, id string) (AccountExplanation, error) {
	r := s.Store.Read(ctx)
	a, err := r.Account(organizationID, id)
	if err != nil {
		return AccountExplanation{}, err
	}
	users, err := r.LinkedUsers(organizationID, id)
	if err != nil {
		return AccountExplanation{}, err
	}
	settings, err := r.Settings(organizationID)
	if err != nil {
		return AccountExplanation{}, err
	}
	x := explaining{account: &a, users: users, settings: settings}
	if x.employee, err = employeeOf(r, &a); err != nil {
		return AccountExplanation{}, err
	}
	return AccountExplanation{
		Account: a, Status: x.status(), Employee: x.employee, Links: x.links(), Roles: x.roles(), Permissions: x.permissions(),
		Fields: x.fields(),
	}, nil
}

func employeeOf(r *store.Reader, a *model.Account) (*model.Employee, error) {
	if a.EmployeeID == nil {
		return nil, nil
	}
	e, err := r.Employee(a.OrganizationID, *a.EmployeeID)
	if model.KindOf(err) == model.NotFound && err != nil {
		return nil, nil // deleted since the account was read
	}
	return &e, err
}

// explaining is one explanation in the making.
type explaining struct {
	account  *model.Account
	users    []model.DirectoryUser
	settings *model.Settings
	employee *model.Employee
}

func (x *explaining) integration(u *model.DirectoryUser) string {
	return x.settings.Integrations[u.IntegrationID].Integration.Name
}

func (x *explaining) links() []LinkExplanation {
	list := []LinkExplanation{}
	for i := range x.users {
		u := &x.users[i]
		list = append(list, LinkExplanation{u.IntegrationID, x.integration(u), u.ID, u.UserName, u.Explanation})
	}
	return list
}

func (x *explaining) status() StatusExplanation {
	e := StatusExplanation{Status: x.account.Status, Cause: string(x.account.StatusCause)}
	var scopes []string
	for i := range x.users {
		if u := &x.users[i]; u.Explanation.InScope == (e.Status == model.AccountActive) {
			scopes = append(scopes, x.integration(u)+": "+u.Explanation.Scope)
		}
	}
	switch {
	case e.Status == model.AccountArchived:
		e.Reason = "an operator archived the account"
	case x.account.StatusCause == model.CauseOperator && e.Status == model.AccountActive:
		e.Reason = "an operator reactivated the account"
	case x.account.StatusCause == model.CauseOperator:
		e.Reason = "an operator deactivated the account"
	case x.account.StatusCause == model.CauseEmployee && x.employee != nil && x.employee.ResignationDate != nil:
		e.Reason = "employee " + x.employee.ExternalID + " left on " + *x.employee.ResignationDate
	case x.account.StatusCause == model.CauseEmployee:
		e.Reason = "the employee decided it"
	case len(scopes) > 0:
		e.Reason = strings.Join(scopes, "; ")
	case len(x.users) == 0 && x.account.StatusCause == model.CauseNone:
		e.Reason = "the account was made by hand"
	default:
		e.Reason = "as the last sync left it"
	}
	return e
}

func (x *explaining) roles() []RoleExplanation {
	list := []RoleExplanation{}
	for _, role := range x.account.Roles {
		e := RoleExplanation{Role: role, Reasons: []Reason{}}
		for i := range x.users {
			u := &x.users[i]
			for _, g := range u.Explanation.Grants {
				if g.Role == role {
					e.Reasons = append(e.Reasons, Reason{ReasonGroup, u.IntegrationID, x.integration(u), g.GroupID, g.Group, "group " + g.Group + " gives role " + role})
				}
			}
		}
		if len(e.Reasons) == 0 {
			e.Reasons = x.ungranted(role)
		}
		list = append(list, e)
	}
	return list
}

// ungranted explains a role that no group gives: by what a sync said of it, or by hand.
func (x *explaining) ungranted(role string) []Reason {
	var reasons []Reason
	for i := range x.users {
		u := &x.users[i]
		for part := range strings.SplitSeq(u.Explanation.Roles, "; ") {
			if strings.HasPrefix(part, "role "+role+" is ") {
				reasons = append(reasons, Reason{Source: ReasonRule, IntegrationID: u.IntegrationID, Integration: x.integration(u), Text: part})
			}
		}
	}
	if len(reasons) > 0 {
		return reasons
	}
	text := "given by hand"
	for i := range x.users {
		if note := x.users[i].Explanation.Roles; note != "" {
			text += " (the last sync: " + note + ")"
			break
		}
	}
	return []Reason{{Source: ReasonHand, Text: text}}
}

func (x *explaining) permissions() []PermissionExplanation {
	list := []PermissionExplanation{}
	for _, p := range x.account.Permissions {
		e := PermissionExplanation{Permission: p, Reasons: []Reason{}}
		if slices.Contains(x.account.ByHand, p) {
			e.Reasons = append(e.Reasons, Reason{Source: ReasonHand, Text: "given by hand"})
		}
		for i := range x.users {
			u := &x.users[i]
			for _, g := range u.Explanation.Permissions {
				if g.Permission == p {
					e.Reasons = append(e.Reasons, Reason{ReasonGroup, u.IntegrationID, x.integration(u), g.GroupID, g.Group, grantText(g)})
				}
			}
		}
		if len(e.Reasons) == 0 {
			e.Reasons = append(e.Reasons, Reason{Source: ReasonUnknown, Text: "given before; nothing gives it now"})
		}
		list = append(list, e)
	}
	return list
}

func grantText(g model.PermissionGrant) string {
	text := "group " + g.Group + " gives " + string(g.Level) + " in " + g.Module + " at " + g.Site
	if g.From != "" {
		text += ", which inherits from " + g.From
	}
	return text
}

func (x *explaining) fields() []FieldExplanation {
	list := []FieldExplanation{}
	targets := accountTargets()
	for _, key := range customKeys(x.account, &model.Account{}) {
		targets = append(targets, customPrefix+key)
	}
	for _, target := range targets {
		e := FieldExplanation{Field: target, Reasons: []Reason{}}
		if field := builtIn(x.account, target); field != nil {
			e.Value = *field
		} else {
			e.Value = x.account.CustomFields[strings.TrimPrefix(target, customPrefix)]
		}
		if isEmpty(e.Value) {
			continue
		}
		for i := range x.users {
			u := &x.users[i]
			for _, f := range u.Explanation.Fields {
				if f.Field == target {
					e.Reasons = append(e.Reasons, Reason{Source: ReasonRule, IntegrationID: u.IntegrationID, Integration: x.integration(u), Text: f.Reason})
				}
			}
		}
		if len(e.Reasons) == 0 {
			e.Reasons = append(e.Reasons, x.unmapped(target))
		}
		list = append(list, e)
	}
	return list
}

// unmapped explains a field that no sync filled.
func (x *explaining) unmapped(target string) Reason {
	if e := x.employee; e != nil && slices.Contains([]string{targetGivenName, targetFamilyName, targetDepartment, targetJobTitle, targetDisplayName}, target) {
		return Reason{Source: ReasonRule, Text: "employee " + e.ExternalID + " owns the profile"}
	}
	return Reason{Source: ReasonHand, Text: "given by hand"}
}
