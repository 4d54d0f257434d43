package store

import (
	"slices"

	"usher/model"
)

// ahead is a step that was taken when its group was locked.
type ahead struct {
	groupID string
	kind    model.MemberOpKind
	values  []string
	members []model.Member // added or removed
}

// stepAhead gives the statement of the first step, where it begins with one.
func (tx *Tx) stepAhead(ref model.Ref, groupID string, steps []model.MemberOp) []statement {
	if len(steps) == 0 || !ValidID(groupID) || tx.s.dialect != postgres {
		return nil
	}
	ids := validIDs(steps[0].IDs)
	if len(ids) == 0 {
		return nil
	}
	tx.ahead = &ahead{groupID: groupID, kind: steps[0].Kind, values: steps[0].IDs}
	switch steps[0].Kind {
	case model.MembersAdd:
		return []statement{tx.insertMembers(ref, groupID, ids, model.MemberUser, &tx.ahead.members)}
	case model.MembersRemove:
		return []statement{tx.removeMembers(groupID, ids, &tx.ahead.members)}
	case model.MembersReplace:
	}
	tx.ahead = nil
	return nil
}

// taken gives what a step did that was taken ahead, once.
func (tx *Tx) taken(kind model.MemberOpKind, groupID string, values []string) ([]model.Member, bool) {
	step := tx.ahead
	tx.ahead = nil
	if step == nil || step.kind != kind || step.groupID != groupID || !slices.Equal(step.values, values) {
		return nil, false
	}
	return step.members, true
}
