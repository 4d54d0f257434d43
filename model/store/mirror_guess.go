package store

import (
	"sync"
	"time"

	"usher/model"
)

// GuessGroup gives a group as LockGroup does, without a round trip, where there is one step that adds or removes members, and as much
// is known as the caller needs: the names that the group had last, and the version of the settings. It guesses that these are as they
// were, and that the step does exactly what it says, to users. AddMembers or RemoveMembers, which must be called with the step, then
// says so. Of the group nothing but its names is given; TouchDirectoryGroup, which must be called too, has its version set when the
// transaction commits.
//
// The step is taken where the transaction writes, in a statement that fails where the guess is wrong; the transaction is then run
// again without guessing.
func (tx *Tx) GuessGroup(ref model.Ref, id string, steps []model.MemberOp) (g model.DirectoryGroup, version int64, ok bool) {
	if !tx.try.guess || tx.begun || len(steps) != 1 || !ValidID(id) {
		return g, 0, false
	}
	step := steps[0]
	ids := validIDs(step.IDs)
	name, known := tx.s.groups.of(ref, id, tx.now)
	version, settled := tx.s.settings.guessable(ref.OrganizationID, tx.now)
	if !known || !settled || len(ids) == 0 || len(ids) != len(step.IDs) || step.Kind == model.MembersReplace {
		return g, 0, false
	}
	members := make([]model.Member, len(ids))
	for i := range ids {
		members[i] = model.Member{ID: ids[i], Type: model.MemberUser}
	}
	g = model.DirectoryGroup{
		ID: id, OrganizationID: ref.OrganizationID, IntegrationID: ref.IntegrationID, DisplayName: name.display, ExternalID: name.external,
	}
	tx.ahead = &ahead{groupID: id, kind: step.Kind, values: step.IDs, members: members}
	tx.touched = &touched{id: id}
	tx.guessed = func() { tx.s.groups.doubt(id, tx.now) }
	if len(ids) <= fewMembers { // more are work enough for a connection of their own
		tx.company = ref.IntegrationID
	}
	tx.buffer(append(tx.holdLocks(ref.OrganizationID), tx.guessStep(ref, &g, version, step.Kind, ids))...)
	return g, version, true
}

// fewMembers is how many members come or go in a step that commits in company.
const fewMembers = 10

// touched is a group whose version is raised by a guess.
type touched struct {
	id   string
	into *model.DirectoryGroup // whose version is wanted
}

// guessStep changes the members of the group and its version, and divides by zero unless all is as was guessed.
func (tx *Tx) guessStep(ref model.Ref, g *model.DirectoryGroup, version int64, kind model.MemberOpKind, ids []string) statement {
	args := []any{
		tx.now, g.OrganizationID, g.IntegrationID, g.ID, g.DisplayName, g.ExternalID, ref.OrganizationID, version, g.ID,
	}
	step := `DELETE FROM memberships WHERE group_id = ? AND member_id` + tx.anyOf("uuid", ids) + ` AND EXISTS (SELECT 1 FROM g) RETURNING member_type`
	if kind == model.MembersAdd {
		order := ""
		if len(ids) > 1 { // as insertMembers has it
			order = " ORDER BY t.id"
		}
		step = `INSERT INTO memberships (group_id, member_id, organization_id, integration_id, member_type, display)
 SELECT ?::uuid, t.id, t.organization_id, t.integration_id, 'User', t.display_name FROM directory_users t
 WHERE t.organization_id = ? AND t.integration_id = ? AND t.id` + tx.anyOf("uuid", ids) + ` AND EXISTS (SELECT 1 FROM g)` + order + `
 FOR KEY SHARE OF t ON CONFLICT DO NOTHING RETURNING member_type`
		args = append(args, ref.OrganizationID, ref.IntegrationID)
	}
	return statement{
		sql: `WITH g AS (UPDATE directory_groups SET version = version + 1, updated_at = ? WHERE organization_id = ? AND integration_id = ?
 AND id = ? AND display_name = ? AND external_id = ?
 AND EXISTS (SELECT 1 FROM organizations o WHERE o.id = ? AND o.settings_version = ?) RETURNING id, version),
 m AS (` + step + `)
 SELECT coalesce(max(version), 1) / ((SELECT count(*) FROM m WHERE member_type = 'User') = ?)::int FROM g`,
		args:  append(args, tx.list(ids), len(ids)),
		guess: true,
		scan: func(row scanner) error {
			if tx.touched.into == nil {
				return errWrongGuess
			}
			return row.Scan(&tx.touched.into.Version)
		},
	}
}

// groupNames remembers what groups were called when they were last read: a guess of that is nearly always right.
type groupNames struct {
	mu    sync.Mutex
	names map[string]groupName // by id
}

type groupName struct {
	ref               model.Ref
	display, external string
	doubtful          time.Time // until when nothing is guessed
}

// maxGroupNames bounds the memory of it: past it the names are learned anew.
const maxGroupNames = 5000

// learn notes the names of a group that was read.
func (n *groupNames) learn(g *model.DirectoryGroup) {
	n.mu.Lock()
	defer n.mu.Unlock()
	name, ok := n.names[g.ID]
	if n.names == nil || !ok && len(n.names) >= maxGroupNames {
		n.names = map[string]groupName{}
	}
	name.ref, name.display, name.external = g.Ref(), g.DisplayName, g.ExternalID
	n.names[g.ID] = name
}

func (n *groupNames) of(ref model.Ref, id string, now time.Time) (groupName, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	name, ok := n.names[id]
	return name, ok && name.ref == ref && !now.Before(name.doubtful)
}

// doubt keeps a group from being guessed about for a while, as where members come that are not known yet.
func (n *groupNames) doubt(id string, now time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if name, ok := n.names[id]; ok {
		name.doubtful = now.Add(time.Minute)
		n.names[id] = name
	}
}
