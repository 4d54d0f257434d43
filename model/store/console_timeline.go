package store

import (
	"encoding/json"
	"time"

	"usher/model"
)

// PersonDecision is what a run decided about one person.
type PersonDecision struct {
	RunID    string
	Kind     model.RunKind
	RunState model.RunState
	State    model.DecisionState
	Action   model.Action
	Reason   string
	Note     string
	Changes  []model.FieldChange
	At       time.Time // when the run was last worked
}

// DecisionsAbout gives what the newest runs of an organization decided about some directory users, the newest first; runs is how
// many of the newest are looked at. Decisions that leave everything as it is are left out.
func (r *Reader) DecisionsAbout(organizationID string, userIDs []string, runs int) ([]PersonDecision, error) {
	ids := validIDs(userIDs)
	if len(ids) == 0 {
		return nil, nil
	}
	var list []PersonDecision
	err := r.query(statement{
		sql: `SELECT r.id, r.kind, r.state, d.state, d.action, d.reason, d.note, d.changes, r.updated_at
 FROM (SELECT id, kind, state, updated_at FROM runs WHERE organization_id = ? ORDER BY id DESC LIMIT ?) r
 JOIN run_decisions d ON d.organization_id = ? AND d.run_id = r.id AND d.subject_id` + r.anyOf("uuid", ids) + `
 WHERE d.action <> 'none' ORDER BY r.id DESC`,
		args: []any{organizationID, runs, organizationID, r.list(ids)},
		scan: func(row scanner) error {
			var d PersonDecision
			var changes []byte
			if err := row.Scan(&d.RunID, &d.Kind, &d.RunState, &d.State, &d.Action, &d.Reason, &d.Note, &changes, &d.At); err != nil {
				return err
			}
			d.At = d.At.UTC()
			list = append(list, d)
			return json.Unmarshal(changes, &list[len(list)-1].Changes)
		},
	})
	return list, translate(err)
}
