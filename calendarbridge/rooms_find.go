package calendarbridge

import (
	"context"
	"time"

	"usher/model"
	"usher/model/outlook"
	"usher/model/store"
)

// maxRoomPages bounds the list of a tenant's rooms, and that of a group's members.
const maxRoomPages = 500

// finding is one look for the rooms of a tenant.
type finding struct {
	s      *Service
	api    Calendars
	ref    model.Ref
	there  map[string]bool // by address, folded
	unsure bool            // not everything was read
}

// find stores the rooms that Microsoft 365 lists as places, and then those that are members of the chosen groups alone: of
// these no more is known than name and address. Where groups are chosen, places may be refused.
func (f *finding) find(ctx context.Context) error {
	groups, err := f.s.Store.Read(ctx).RoomGroups(f.ref)
	if err != nil {
		return err
	}
	err = f.pages(ctx, func(next string) ([]outlook.Room, string, error) {
		page, err := f.api.Rooms(ctx, next)
		return page.Rooms, page.Next, err
	})
	if outlook.KindOf(err) == outlook.Forbidden && len(groups) > 0 {
		err = f.refused(ctx)
	}
	if err != nil {
		return err
	}
	for _, g := range groups {
		err := f.pages(ctx, func(next string) ([]outlook.Room, string, error) {
			page, err := f.api.GroupMembers(ctx, g.ExternalID, next)
			return f.news(page.Users), page.Next, err
		})
		switch outlook.KindOf(err) {
		case outlook.Forbidden, outlook.NotFound, outlook.Invalid: // the other groups may be read
			f.unsure = true
			f.s.Log.WarnContext(ctx, "a group of rooms cannot be read; no room is removed", "integration", f.ref.IntegrationID,
				"group", g.ExternalID, "err", err)
		default:
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// news gives the members of a group that are not known as rooms yet.
func (f *finding) news(members []outlook.User) []outlook.Room {
	var list []outlook.Room
	for _, u := range members {
		address := orElse(u.Mail, u.UserPrincipalName)
		if !f.there[model.Fold(f.s.clean.line(address))] {
			list = append(list, outlook.Room{Email: address, DisplayName: u.DisplayName})
		}
	}
	return list
}

// pages stores the rooms of every page.
func (f *finding) pages(ctx context.Context, read func(next string) ([]outlook.Room, string, error)) error {
	for next, pages := "", 0; pages < maxRoomPages; pages++ {
		rooms, following, err := read(next)
		if err != nil {
			return err
		}
		err = f.s.Store.InTx(ctx, func(tx *store.Tx) error {
			for _, room := range rooms {
				f.there[model.Fold(f.s.clean.line(room.Email))] = true
				if err := f.s.putRoom(tx, f.ref, room); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		if next = following; next == "" {
			return nil
		}
	}
	f.unsure = true
	return nil
}

// What the log says where places are refused, about this permission, and for how long that is said.
const (
	placePermission = "Place.Read.All"
	refusedSaid     = 30 * 24 * time.Hour
)

// refused tells the administrator, once in a while, that rooms come from the groups alone.
func (f *finding) refused(ctx context.Context) error {
	return f.s.Store.InTx(ctx, func(tx *store.Tx) error {
		filter := store.ActivityFilter{Integration: f.ref.IntegrationID, Actor: actorBridge, Subject: placePermission, From: tx.Now().Add(-refusedSaid)}
		said, err := tx.ActivitiesBefore(f.ref.OrganizationID, filter, "", 1)
		if err != nil || len(said) > 0 {
			return err
		}
		return tx.Log(model.Activity{
			OrganizationID: f.ref.OrganizationID, IntegrationID: &f.ref.IntegrationID, Actor: actorBridge, Action: "rooms.places_refused",
			SubjectType: "permission", SubjectID: placePermission, Subject: placePermission,
			Summary: "Microsoft 365 refuses its list of rooms (Place.Read.All is not granted): the members of the chosen groups are the rooms, without capacity and building",
		}, nil)
	})
}
