package entraid

import (
	"context"
	"slices"
	"strings"

	"usher/internal/simulator"
	"usher/model/outlook"
)

// maxBind is how many members one PATCH of a group adds.
const maxBind = 20

// writable refuses groups whose members Graph does not change.
func (s *Session) writable(g simulator.Group) error {
	unified := slices.Contains(g.GroupTypes, "Unified")
	switch {
	case g.OnPremisesSync:
		return mastered()
	case g.MailEnabled && !unified:
		e := Invalid("Cannot Update a mail-enabled security groups and or distribution list.")
		e.Kind = outlook.Unwritable
		return e
	case g.MembershipRule != "", slices.Contains(g.GroupTypes, "DynamicMembership"), g.ManagementRestricted,
		g.RoleAssignable && !s.may("RoleManagement.ReadWrite.Directory"):
		return Denied()
	}
	return nil
}

// AddMembers puts users and groups into a group, all or none (Graph: POST /groups/{id}/members/$ref with one, PATCH /groups/{id}
// with up to 20).
func (s *Session) AddMembers(ctx context.Context, groupID string, ids ...string) error {
	return s.do(ctx, call{method: "AddMembers", target: groupID, needs: writeMembers(), write: true}, func() error {
		g, err := s.directory.findGroup(groupID)
		if err != nil {
			return err
		}
		if err := s.writable(g); err != nil {
			return err
		}
		if len(ids) > maxBind {
			return Invalid("The number of references to be added exceeds the maximum of %d.", maxBind)
		}
		for i, id := range ids {
			if err := s.mayJoin(g, id); err != nil {
				return err
			}
			if slices.Contains(ids[:i], id) {
				return alreadyMember()
			}
		}
		for _, id := range ids {
			if err := s.directory.tenant.AddMember(g.ID, strings.ToLower(id)); err != nil {
				return notFound(id)
			}
		}
		return nil
	})
}

func alreadyMember() error {
	e := Invalid("One or more added object references already exist for the following modified properties: 'members'.")
	e.Kind = outlook.Duplicate
	return e
}

// mayJoin refuses who is not there, who is in the group already, and groups within a Microsoft 365 group.
func (s *Session) mayJoin(g simulator.Group, id string) error {
	id = strings.ToLower(id)
	_, isGroup := s.directory.tenant.Group(id)
	if isGroup && slices.Contains(g.GroupTypes, "Unified") || id == g.ID {
		return Invalid("Invalid value specified for property 'members' of resource 'Group'.")
	}
	if u, isUser := s.directory.tenant.User(id); !isGroup && (!isUser || u.Deleted() || !s.directory.seen(id)) {
		return noUser(id)
	}
	if s.directory.tenant.IsMember(g.ID, id) {
		return alreadyMember()
	}
	return nil
}

// RemoveMember takes a user or group out of a group (Graph: DELETE /groups/{id}/members/{member}/$ref).
func (s *Session) RemoveMember(ctx context.Context, groupID, memberID string) error {
	return s.do(ctx, call{method: "RemoveMember", target: groupID, needs: writeMembers(), write: true}, func() error {
		g, err := s.directory.findGroup(groupID)
		if err != nil {
			return err
		}
		if err := s.writable(g); err != nil {
			return err
		}
		memberID = strings.ToLower(memberID)
		if !s.directory.tenant.IsMember(g.ID, memberID) {
			return notFound(memberID)
		}
		return s.directory.tenant.RemoveMember(g.ID, memberID)
	})
}
