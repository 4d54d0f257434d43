package store

import "usher/model"

// EndedSubscriptions gives the ids of subscriptions of Microsoft Graph whose calendars were deleted, in the integration, which may
// itself be gone by now. A trigger notes them, whatever deletes a calendar; they are yet to be ended.
func (r *Reader) EndedSubscriptions(ref model.Ref, limit int) ([]string, error) {
	var list []string
	if !ValidID(ref.IntegrationID) {
		return list, nil
	}
	err := r.query(statement{
		sql:  "SELECT graph_id FROM ended_subscriptions WHERE integration_id = ? AND organization_id = ? ORDER BY graph_id LIMIT ?",
		args: []any{ref.IntegrationID, ref.OrganizationID, limit},
		scan: func(row scanner) error {
			return scanAppend(row, &list, func(row scanner, id *string) error { return row.Scan(id) })
		},
	})
	return list, translate(err)
}

// IntegrationsWithEnded gives integrations, of whatever organization, that have subscriptions to be ended.
func (r *Reader) IntegrationsWithEnded(limit int) ([]model.Ref, error) {
	var list []model.Ref
	err := r.query(statement{
		sql: `SELECT DISTINCT i.organization_id, i.id FROM ended_subscriptions e
 JOIN integrations i ON i.id = e.integration_id AND i.organization_id = e.organization_id LIMIT ?`,
		args: []any{limit},
		scan: func(row scanner) error {
			return scanAppend(row, &list, func(row scanner, ref *model.Ref) error { return row.Scan(&ref.OrganizationID, &ref.IntegrationID) })
		},
	})
	return list, translate(err)
}

// LeftSubscriptions gives the ids of all subscriptions that an organization has at Microsoft Graph, also those whose calendars were
// deleted, by integration, of which one may be gone by now.
func (r *Reader) LeftSubscriptions(organizationID string) (map[string][]string, error) {
	left := map[string][]string{}
	if !ValidID(organizationID) {
		return left, nil
	}
	err := r.query(statement{
		sql: `SELECT integration_id, sub_graph_id FROM calendars WHERE organization_id = ? AND sub_graph_id <> ''
 UNION SELECT integration_id, graph_id FROM ended_subscriptions WHERE organization_id = ? ORDER BY 1, 2`,
		args: []any{organizationID, organizationID},
		scan: func(row scanner) error {
			var integration, id string
			err := row.Scan(&integration, &id)
			left[integration] = append(left[integration], id)
			return err
		},
	})
	return left, translate(err)
}

// ForgetEnded forgets subscriptions of an integration that were ended, or never will be.
func (tx *Tx) ForgetEnded(ref model.Ref, graphIDs []string) {
	if len(graphIDs) == 0 || !ValidID(ref.IntegrationID) {
		return
	}
	tx.buffer(statement{
		sql:  "DELETE FROM ended_subscriptions WHERE integration_id = ? AND organization_id = ? AND graph_id" + tx.anyOf("text", graphIDs),
		args: []any{ref.IntegrationID, ref.OrganizationID, tx.list(graphIDs)},
	})
}

// TrimEnded forgets the subscriptions of integrations that went a day ago: nobody has the credentials to end them, and they have
// ended by themselves or soon will.
func (tx *Tx) TrimEnded() {
	now := "unixepoch()"
	if tx.s.dialect == postgres {
		now = "extract(epoch FROM now())::bigint"
	}
	tx.buffer(statement{
		sql: "DELETE FROM ended_subscriptions WHERE ended_at < " + now + ` - 86400
 AND NOT EXISTS (SELECT 1 FROM integrations i WHERE i.id = ended_subscriptions.integration_id)`,
	})
}
