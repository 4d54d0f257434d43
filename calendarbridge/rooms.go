package calendarbridge

import (
	"context"

	"usher/model"
	"usher/model/outlook"
	"usher/model/store"
)

// DiscoverRooms works the job: the rooms of the tenant, its places and the members of the chosen groups, are those of the application, and each has its mailbox. Without an
// integration it enqueues one job of each.
func (s *Service) DiscoverRooms(ctx context.Context, job DiscoverRooms) error {
	if job.IntegrationID == "" {
		return s.eachIntegration(ctx, func(tx *store.Tx, i model.Integration) error {
			if !i.CalendarSync {
				return nil
			}
			return tx.Enqueue(DiscoverRooms{OrganizationID: i.OrganizationID, IntegrationID: i.ID})
		})
	}
	ref := model.Ref{OrganizationID: job.OrganizationID, IntegrationID: job.IntegrationID}
	api, err := s.Connect(ctx, ref)
	if err != nil {
		return s.later(ctx, "read the rooms", ref, err)
	}
	f := finding{s: s, api: api, ref: ref, there: map[string]bool{}}
	if err := f.find(ctx); err != nil {
		return s.later(ctx, "read the rooms", ref, err)
	}
	if f.unsure {
		return nil // which rooms are gone is not known
	}
	return s.endRooms(ctx, ref, f.there)
}

func (s *Service) putRoom(tx *store.Tx, ref model.Ref, r outlook.Room) error {
	integration, err := tx.Integration(ref)
	if err != nil || !integration.CalendarSync {
		return ignoreMissing(err)
	}
	room := model.Room{
		OrganizationID: ref.OrganizationID, IntegrationID: ref.IntegrationID, Email: s.clean.line(r.Email),
		DisplayName: s.clean.line(r.DisplayName), Capacity: max(r.Capacity, 0), Building: s.clean.line(r.Building), Floor: s.clean.line(r.Floor),
	}
	if room.Email == "" {
		return nil
	}
	if _, err := tx.PutRoom(&room); err != nil {
		return err
	}
	if _, found, err := tx.MailboxOf(ref, "", room.ID); err != nil || found {
		return err
	}
	return addMailbox(tx, &model.Mailbox{OrganizationID: ref.OrganizationID, IntegrationID: ref.IntegrationID, RoomID: &room.ID, Address: room.Email})
}

// endRooms removes the rooms that the tenant does not have any more.
func (s *Service) endRooms(ctx context.Context, ref model.Ref, there map[string]bool) error {
	for after := ""; ; {
		list, err := s.Store.Read(ctx).RoomsAfter(ref.OrganizationID, store.RoomFilter{Integration: ref.IntegrationID}, after, discoverPage)
		if err != nil {
			return err
		}
		for _, room := range list {
			after = room.ID
			if there[room.EmailKey] {
				continue
			}
			if err := s.endRoom(ctx, ref, room); err != nil {
				return err
			}
		}
		if len(list) < discoverPage {
			return nil
		}
	}
}

func (s *Service) endRoom(ctx context.Context, ref model.Ref, room model.Room) error {
	m, found, err := s.Store.Read(ctx).MailboxOf(ref, "", room.ID)
	if err != nil {
		return err
	}
	if found {
		err := s.EndMailbox(ctx, EndMailbox{
			OrganizationID: ref.OrganizationID, IntegrationID: ref.IntegrationID, MailboxID: m.ID, Remove: true, Reason: "the room is gone",
		})
		if err != nil {
			return err
		}
	}
	return ignoreMissing(s.Store.InTx(ctx, func(tx *store.Tx) error { return tx.DeleteRoom(ref, room.ID) }))
}
