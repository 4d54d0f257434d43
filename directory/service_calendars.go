package directory

import "usher/model"

// endCalendars removes the mailboxes of an account that is put away, and tells of their calendars.
func (e *accountEdit) endCalendars(a *model.Account) error {
	list, err := e.tx.DeleteMailboxesOf(a)
	if err != nil {
		return err
	}
	for i := range list {
		c := &list[i]
		err := e.tx.Tell(model.Change{
			OrganizationID: c.OrganizationID, IntegrationID: &c.IntegrationID, Type: model.CalendarRemoved, SubjectType: "calendar",
			SubjectID: c.ID, Actor: ActorOf(e.ctx),
		}, map[string]any{"account_id": c.AccountID, "room_id": c.RoomID, "name": c.Name, "enabled": c.Enabled, "reason": "the account was put away"})
		if err != nil {
			return err
		}
	}
	return nil
}
