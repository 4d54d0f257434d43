package store

import (
	"slices"
	"strconv"

	"usher/model"
)

// IntegrationCounts says what there is of an integration, by what it is. With a limit it counts no further than that, at a cost that
// does not grow with the integration, in one round trip; atLeast names what there may be more of.
func (r *Reader) IntegrationCounts(ref model.Ref, limit int) (counts map[string]int, atLeast []string, err error) {
	counts = map[string]int{}
	if !ValidID(ref.IntegrationID) {
		return counts, nil, nil
	}
	var list []statement
	for _, c := range r.integrationCounts(limit) {
		list = append(list, statement{
			sql: c.sql, args: []any{ref.OrganizationID, ref.IntegrationID},
			scan: func(row scanner) error {
				n := 0
				err := row.Scan(&n)
				counts[c.what] = n
				return err
			},
		})
	}
	if err := r.query(list...); err != nil {
		return counts, nil, translate(err)
	}
	if limit <= 0 {
		return counts, nil, nil
	}
	for what, n := range counts {
		// What is counted by way of something else is not counted whole where that is not.
		if of := countedBy(what); n >= limit || of != "" && counts[of] >= limit {
			atLeast = append(atLeast, what)
		}
	}
	slices.Sort(atLeast)
	return counts, atLeast, nil
}

// countedBy says by way of what something is counted.
func countedBy(what string) string {
	return map[string]string{"links": "directory_users", "memberships": "directory_groups", "events": "calendars"}[what]
}

type integrationCount struct{ what, sql string }

// integrationCounts are the statements that count. The integration is looked for within its organization once for each, so that what it
// has is found by indexes of the integration alone.
func (r *Reader) integrationCounts(limit int) []integrationCount {
	most := limited(limit)
	const own = "integration_id = (SELECT id FROM integrations WHERE organization_id = ? AND id = ?)"
	some := func(columns, from string) string {
		return "(SELECT " + columns + " FROM " + from + most + ") AS counted"
	}
	users := "directory_users WHERE " + own
	if limit > 0 {
		users += " ORDER BY id" // which only the integration's own index has, however many users others have
	}
	list := []integrationCount{
		{"directory_users", "SELECT count(*) FROM " + some("1", users)},
		{"links", "SELECT count(account_id) FROM " + some("account_id", users)},
	}
	for _, table := range []string{
		"directory_groups", "mailboxes", "calendars", "rooms", "runs", "scim_tokens", "scim_clients", "sealed_secrets",
		"integration_lists", "webhook_endpoints",
	} {
		list = append(list, integrationCount{table, "SELECT count(*) FROM " + some("1", table+" WHERE "+own)})
	}
	// One group after the other by its key: a membership has no index by integration, so that none is written for each.
	of := func(what, key, parent string) integrationCount {
		parents := "(SELECT id FROM " + parent + " WHERE " + own + most + ") AS p"
		children := what + " c WHERE c." + key + " = p.id"
		if limit > 0 && r.s.dialect == postgres {
			return integrationCount{what, "SELECT count(*) FROM " + some("1", parents+" CROSS JOIN LATERAL (SELECT 1 FROM "+children+" LIMIT "+strconv.Itoa(limit)+") AS m")}
		}
		return integrationCount{what, "SELECT count(*) FROM " + some("1", parents+" JOIN "+what+" c ON c."+key+" = p.id")}
	}
	return append(list, of("memberships", "group_id", "directory_groups"), of("events", "calendar_id", "calendars"),
		integrationCount{"subscriptions", "SELECT count(*) FROM " + some("1", "calendars WHERE "+own+" AND sub_graph_id <> ''")})
}
