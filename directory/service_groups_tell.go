package directory

import (
	"fmt"

	"usher/model"
)

type groupData struct {
	Group  model.GroupRef `json:"directory_group"`
	Member *model.Member  `json:"member,omitempty"`
}

func (e *groupEdit) tell(kind model.ChangeType) error {
	return e.tx.Tell(e.change(kind), groupData{Group: refOf(e.group)})
}

func (e *groupEdit) change(kind model.ChangeType) model.Change {
	return model.Change{
		OrganizationID: e.ref.OrganizationID, Type: kind, IntegrationID: &e.ref.IntegrationID, SubjectType: "directory_group",
		SubjectID: e.group.ID, Actor: ActorOf(e.ctx),
	}
}

func (e *groupEdit) tellMembers(kind model.ChangeType, members []model.Member) error {
	subjects, data := make([]string, len(members)), make([]any, len(members))
	group := refOf(e.group)
	for i := range members {
		subjects[i], data[i] = e.group.ID, groupData{Group: group, Member: toldMember(members[i])}
	}
	return e.tx.TellMany(e.change(kind), subjects, data)
}

// toldMember is a member as the feed tells of it: the same however it came, and so without its name.
func toldMember(m model.Member) *model.Member {
	m.Display = ""
	return &m
}

// finish tells of members, logs one line, and settles whom the change concerns.
func (e *groupEdit) finish(action, summary string, alarm bool) error {
	if err := e.tellMembers(model.MembershipAdded, e.added); err != nil {
		return err
	}
	if err := e.tellMembers(model.MembershipRemoved, e.removed); err != nil {
		return err
	}
	if err := e.log(action, e.summary(summary)); err != nil {
		return err
	}
	if e.tooMany {
		return e.svc.requestReevaluation(e.ctx, e.tx, e.ref, e.summary(summary))
	}
	return e.settle(alarm)
}

func (e *groupEdit) log(action, summary string) error {
	return e.tx.Log(model.Activity{
		OrganizationID: e.ref.OrganizationID, IntegrationID: &e.ref.IntegrationID, Actor: ActorOf(e.ctx), Action: action,
		SubjectType: "directory_group", SubjectID: e.group.ID, Subject: e.group.DisplayName, Summary: summary,
	}, e.pendingData())
}

func (e *groupEdit) summary(text string) string {
	for _, part := range []struct {
		members []model.Member
		verb    string
	}{{e.added, "added to"}, {e.removed, "removed from"}} {
		if len(part.members) == 0 {
			continue
		}
		if text != "" {
			text += "; "
		}
		text += fmt.Sprintf("%s %s group %s", counted(len(part.members), "member"), part.verb, e.group.DisplayName)
	}
	return e.pendingSummary(text)
}
