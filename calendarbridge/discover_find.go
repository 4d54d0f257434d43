package calendarbridge

import (
	"context"
	"errors"
	"regexp"

	"usher/model"
	"usher/model/outlook"
	"usher/model/store"
)

// guid is the form of an object id of Entra's.
var guid = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// FindMailbox works the job: the mailbox is found, and its calendars are listed. A failure is the mailbox's state, and tried
// again when that says; it delays no other mailbox.
func (s *Service) FindMailbox(ctx context.Context, job FindMailbox) error {
	ref := model.Ref{OrganizationID: job.OrganizationID, IntegrationID: job.IntegrationID}
	m, err := s.Store.Read(ctx).Mailbox(ref, job.MailboxID)
	if err != nil {
		return ignoreMissing(err)
	}
	if !m.Enabled || m.State == model.MailboxOff {
		return nil
	}
	names, err := s.namesOf(ctx, m)
	if err != nil {
		return ignoreMissing(err)
	}
	api, err := s.Connect(ctx, ref)
	if err != nil {
		return s.later(ctx, "find a mailbox", ref, err)
	}
	user, list, err := find(ctx, api, names)
	if err != nil {
		if e, ok := errors.AsType[*outlook.Error](err); ok {
			switch e.Kind {
			case outlook.NoUser, outlook.NoMailbox, outlook.Forbidden:
				return s.park(ctx, m, e)
			default:
			}
		}
		return s.later(ctx, "find a mailbox", ref, err)
	}
	return s.found(ctx, m, user, list)
}

// namesOf gives what somebody, or a room, may be known by in Microsoft 365, the surest first.
func (s *Service) namesOf(ctx context.Context, m model.Mailbox) ([]string, error) {
	read := s.Store.Read(ctx)
	if m.RoomID != nil {
		room, err := read.Room(m.OrganizationID, *m.RoomID)
		return []string{room.Email}, err
	}
	var names []string
	add := func(name string) {
		if name != "" {
			names = append(names, name)
		}
	}
	a, err := read.Account(m.OrganizationID, *m.AccountID)
	if err != nil {
		return nil, err
	}
	for _, l := range a.Links {
		if l.IntegrationID != m.IntegrationID {
			continue
		}
		if guid.MatchString(l.ExternalID) {
			add(l.ExternalID)
		}
		u, err := read.DirectoryUser(m.Ref(), l.DirectoryUserID)
		if err != nil && model.KindOf(err) != model.NotFound {
			return nil, err
		}
		add(u.UserName)
		add(u.Email)
	}
	add(a.Email)
	return names, nil
}

// find tries the names one after the other. Somebody who is known and has no mailbox is not looked for under another name.
func find(ctx context.Context, api Calendars, names []string) (outlook.User, []outlook.Calendar, error) {
	last := error(&outlook.Error{Kind: outlook.NoUser, Code: "NoName", Message: "there is no name to look for"})
	for _, name := range names {
		user, err := api.User(ctx, name)
		switch outlook.KindOf(err) {
		case outlook.NoUser, outlook.NotFound, outlook.Invalid:
			last = err
			if outlook.KindOf(err) != outlook.NoUser {
				last = &outlook.Error{Kind: outlook.NoUser, Code: "NoUser", Message: err.Error()}
			}
			continue
		default:
		}
		if err != nil {
			return user, nil, err
		}
		list, err := api.Calendars(ctx, user.ID)
		if outlook.KindOf(err) == outlook.NotFound {
			err = &outlook.Error{Kind: outlook.NoMailbox, Code: "NotFound", Message: err.Error()}
		}
		return user, list, err
	}
	return outlook.User{}, nil, last
}

// found stores where a mailbox is and which calendars it has.
func (s *Service) found(ctx context.Context, was model.Mailbox, user outlook.User, list []outlook.Calendar) error {
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		m, err := tx.Mailbox(was.Ref(), was.ID)
		if err != nil {
			return ignoreMissing(err)
		}
		if !m.Enabled || m.State == model.MailboxOff {
			return nil
		}
		anew := m.State != model.MailboxActive || m.GraphUserID != user.ID
		now, retry := tx.Now(), tx.Now().Add(around(s.Periods.Mailbox))
		news := m.State == model.MailboxMissing || m.State == model.MailboxBlocked
		m.State, m.Detail, m.GraphUserID, m.TriedAt, m.RetryAt = model.MailboxActive, "", user.ID, &now, &retry
		m.Address = s.clean.line(orElse(user.Mail, user.UserPrincipalName))
		if err := tx.UpdateMailbox(&m); err != nil {
			return err
		}
		if news {
			if err := logMailbox(tx, &m, "mailbox.active", "The mailbox is synchronized again"); err != nil {
				return err
			}
		}
		l := listing{s: s, tx: tx, mailbox: m, anew: anew, owner: []string{user.Mail, user.UserPrincipalName, m.Address}}
		return l.store(list)
	})
}

// listing stores the calendars of a mailbox as Microsoft 365 lists them.
type listing struct {
	s       *Service
	tx      *store.Tx
	mailbox model.Mailbox
	owner   []string // addresses of the mailbox
	anew    bool     // what was known of the mailbox's calendars may be of another one
	dirty   []string
	wanted  []SubscribeCalendar
}

func (l *listing) store(list []outlook.Calendar) error {
	have, err := l.tx.CalendarsOf(l.mailbox.Ref(), l.mailbox.ID)
	if err != nil {
		return err
	}
	var own []outlook.Calendar
	for _, c := range list {
		if l.owns(c) && c.ID != "" && len(c.ID) <= maxID {
			own = append(own, c)
		}
	}
	if len(own) == 0 {
		return nil // no mailbox is without a calendar: the answer is not to be believed
	}
	matched, rest := match(have, own)
	for i := range have {
		c, ok := matched[have[i].ID]
		if !ok {
			err = l.gone(&have[i])
		} else {
			err = l.update(have[i], c)
		}
		if err != nil {
			return err
		}
	}
	for _, c := range rest {
		if err := l.add(c); err != nil {
			return err
		}
	}
	if err := enqueueAll(l.tx, l.wanted); err != nil {
		return err
	}
	return l.s.markDirty(l.tx, l.dirty...)
}

// owns says whether the calendar is the mailbox's own. Another's that is shared with its owner is synchronized where it is,
// or every copy would be one more calendar.
func (l *listing) owns(c outlook.Calendar) bool {
	if c.Owner.Email == "" {
		return true
	}
	for _, address := range l.owner {
		if model.Fold(address) == model.Fold(c.Owner.Email) {
			return true
		}
	}
	return false
}

// match finds for each stored calendar the one it is: by its id, by being the default one, or, as ids have been seen to
// change, by its name.
func match(have []model.Calendar, list []outlook.Calendar) (map[string]outlook.Calendar, []outlook.Calendar) {
	matched := map[string]outlook.Calendar{}
	for _, same := range []func(model.Calendar, outlook.Calendar) bool{
		func(h model.Calendar, c outlook.Calendar) bool { return h.GraphID == c.ID },
		func(h model.Calendar, c outlook.Calendar) bool { return h.IsDefault && c.IsDefault },
		func(h model.Calendar, c outlook.Calendar) bool {
			return h.Name == c.Name && !h.IsDefault && !c.IsDefault
		},
	} {
		var rest []outlook.Calendar
		for _, c := range list {
			taken := false
			for i := range have {
				if _, ok := matched[have[i].ID]; !ok && same(have[i], c) {
					matched[have[i].ID], taken = c, true
					break
				}
			}
			if !taken {
				rest = append(rest, c)
			}
		}
		list = rest
	}
	return matched, list
}

func (l *listing) add(c outlook.Calendar) error {
	if !c.IsDefault && !c.CanEdit {
		return nil
	}
	cal := model.Calendar{
		OrganizationID: l.mailbox.OrganizationID, IntegrationID: l.mailbox.IntegrationID, MailboxID: l.mailbox.ID,
		AccountID: l.mailbox.AccountID, RoomID: l.mailbox.RoomID, GraphID: c.ID, Name: l.s.clean.line(c.Name), IsDefault: c.IsDefault,
		CanEdit: c.CanEdit, Enabled: c.IsDefault,
	}
	cal.Subscription.State = model.SubscriptionNone
	if cal.Enabled {
		cal.Subscription.State = model.SubscriptionPending
	}
	if err := l.tx.InsertCalendar(&cal); err != nil {
		return err
	}
	if cal.Enabled {
		l.wants(&cal)
	}
	return tellCalendar(l.tx, actorBridge, model.CalendarCreated, &cal, "found in Microsoft 365")
}

// wants has a calendar subscribed to and read.
func (l *listing) wants(cal *model.Calendar) {
	l.wanted = append(l.wanted, SubscribeCalendar{OrganizationID: cal.OrganizationID, CalendarID: cal.ID})
	l.dirty = append(l.dirty, cal.ID)
}

func (l *listing) update(cal model.Calendar, c outlook.Calendar) error {
	moved := cal.GraphID != c.ID || cal.IsDefault != c.IsDefault
	name := l.s.clean.line(c.Name)
	if changed := cal.Name != name || cal.CanEdit != c.CanEdit; moved || changed {
		cal.GraphID, cal.Name, cal.IsDefault, cal.CanEdit = c.ID, name, c.IsDefault, c.CanEdit
		if err := l.tx.UpdateCalendar(&cal); err != nil {
			return err
		}
		if err := tellCalendar(l.tx, actorBridge, model.CalendarUpdated, &cal, "changed in Microsoft 365"); err != nil {
			return err
		}
	}
	if !cal.Enabled || !moved && !l.anew && cal.Subscription.State != model.SubscriptionNone {
		return nil
	}
	sub := &cal.Subscription
	sub.State, sub.GraphID, sub.RenewAt, sub.Failures, sub.Unsupported = model.SubscriptionPending, "", nil, 0, false
	if err := l.tx.SaveSubscription(&cal); err != nil {
		return err
	}
	l.wants(&cal)
	return l.tx.Enqueue(SyncCalendar{OrganizationID: cal.OrganizationID, CalendarID: cal.ID, Full: true, At: l.tx.Now()})
}

// gone removes a calendar that the mailbox does not have any more.
func (l *listing) gone(cal *model.Calendar) error {
	if _, err := l.tx.DeleteCalendar(cal.Ref(), cal.ID); err != nil {
		return err
	}
	return tellCalendar(l.tx, actorBridge, model.CalendarRemoved, cal, reasonMissing)
}

// tellCalendar appends to the change feed what happened to a calendar.
func tellCalendar(tx *store.Tx, actor string, what model.ChangeType, c *model.Calendar, reason string) error {
	return tx.Tell(model.Change{
		OrganizationID: c.OrganizationID, IntegrationID: &c.IntegrationID, Type: what, SubjectType: "calendar", SubjectID: c.ID, Actor: actor,
	}, map[string]any{"account_id": c.AccountID, "room_id": c.RoomID, "name": c.Name, "enabled": c.Enabled, "reason": reason})
}
