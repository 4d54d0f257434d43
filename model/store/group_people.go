package store

import (
	"encoding/json"

	"usher/model"
)

// GroupPerson is a directory user within a group, and the account, where there is one.
type GroupPerson struct {
	ID, Name string
	InScope  bool // as the rules last said
	Account  string
	Status   model.AccountStatus // "" without an account
	Roles    []string
}

// PeopleOfGroups gives directory users who are direct members of any of the groups, everyone once, in the order of ids: at most so
// many.
func (r *Reader) PeopleOfGroups(ref model.Ref, groupIDs []string, limit int) ([]GroupPerson, error) {
	var list []GroupPerson
	ids := validIDs(groupIDs)
	if len(ids) == 0 {
		return nil, nil
	}
	err := r.query(statement{
		sql: "SELECT u.id, coalesce(nullif(u.display_name, ''), nullif(u.email, ''), u.user_name), coalesce(" + r.inScope(true) + ", false), a.id," +
			" coalesce(a.status, ''), a.roles FROM directory_users u LEFT JOIN accounts a ON a.id = u.account_id" +
			" WHERE u.id IN (SELECT DISTINCT member_id FROM memberships WHERE group_id" + r.anyOf("uuid", ids) + " AND " + r.beside("organization_id") +
			" AND " + r.beside("integration_id") + " AND member_type = 'User' ORDER BY member_id LIMIT ?) AND " + r.beside("u.organization_id") +
			" AND " + r.beside("u.integration_id") + " ORDER BY u.id",
		args: []any{r.list(ids), ref.OrganizationID, ref.IntegrationID, limit, ref.OrganizationID, ref.IntegrationID},
		scan: func(row scanner) error { return scanAppend(row, &list, scanGroupPerson) },
	})
	return list, translate(err)
}

func scanGroupPerson(r scanner, p *GroupPerson) error {
	var account *string
	var roles []byte
	if err := r.Scan(&p.ID, &p.Name, &p.InScope, &account, &p.Status, &roles); err != nil || account == nil {
		return err
	}
	p.Account = *account
	return json.Unmarshal(roles, &p.Roles)
}
