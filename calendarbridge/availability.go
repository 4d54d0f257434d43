package calendarbridge

import (
	"context"
	"slices"
	"time"

	"usher/model"
	"usher/model/outlook"
	"usher/model/store"
)

// The bounds of a question for free and busy times.
const (
	maxAsked      = 200
	maxAskedTime  = 62 * 24 * time.Hour
	maxBusy       = 20_000
	schedulesOnce = 20 // addresses per call, as Graph takes
)

// Availability says when somebody, or a room, is not free. Busy does not overlap itself and is in order. Known is false where
// neither the store nor Microsoft 365 could say; Detail says why.
type Availability struct {
	AccountID *string          `json:"account_id"`
	RoomID    *string          `json:"room_id"`
	Busy      []outlook.Window `json:"-"`
	Known     bool             `json:"known"`
	Detail    string           `json:"detail,omitempty"`
}

// asked is one account or room of a question.
type asked struct {
	answer  *Availability
	mailbox model.Mailbox
}

// Availability tells the busy times of accounts and rooms between from and to: from the store where the calendar is
// synchronized over that time, else from Microsoft 365. Errors: Invalid, where too much is asked or somebody is not known.
func (s *Service) Availability(ctx context.Context, organizationID string, accounts, rooms []string, from, to time.Time) ([]Availability, error) {
	switch {
	case !to.After(from):
		return nil, invalid("to", "must be after from")
	case to.Sub(from) > maxAskedTime:
		return nil, invalid("to", "is more than 62 days after from")
	case len(accounts)+len(rooms) > maxAsked:
		return nil, invalid("accounts", "names more than %d accounts and rooms", maxAsked)
	}
	out := make([]Availability, 0, len(accounts)+len(rooms))
	for _, id := range accounts {
		if _, err := s.Store.Read(ctx).Account(organizationID, id); err != nil {
			return nil, unknown("accounts", id, err)
		}
		out = append(out, Availability{AccountID: &id})
	}
	for _, id := range rooms {
		if _, err := s.Store.Read(ctx).Room(organizationID, id); err != nil {
			return nil, unknown("rooms", id, err)
		}
		out = append(out, Availability{RoomID: &id})
	}
	window := outlook.Window{From: from.UTC(), To: to.UTC()}
	rest := map[model.Ref][]asked{}
	for i := range out {
		if err := s.fromStore(ctx, organizationID, &out[i], window, rest); err != nil {
			return nil, err
		}
	}
	for ref, list := range rest {
		if err := s.fromTenant(ctx, ref, list, window); err != nil {
			return nil, err
		}
	}
	for i := range out {
		out[i].Busy = joined(out[i].Busy, window)
	}
	return out, nil
}

func unknown(name, id string, err error) error {
	if model.KindOf(err) == model.NotFound {
		return invalid(name, "%q is not known", id)
	}
	return err
}

// fromStore answers from the store; what it cannot answer it adds to rest.
func (s *Service) fromStore(ctx context.Context, org string, a *Availability, window outlook.Window, rest map[model.Ref][]asked) error {
	read, enabled := s.Store.Read(ctx), true
	filter := store.CalendarFilter{Enabled: &enabled}
	if a.AccountID != nil {
		filter.Account = *a.AccountID
	} else {
		filter.Room = *a.RoomID
	}
	calendars, err := read.CalendarsAfter(org, filter, "", maxAsked)
	if err != nil {
		return err
	}
	a.Detail = "there is no mailbox that is synchronized"
	var ids []string
	for i := range calendars {
		c := &calendars[i]
		m, err := read.Mailbox(c.Ref(), c.MailboxID)
		if err != nil {
			return err
		}
		if m.State != model.MailboxActive {
			continue
		}
		covered := c.Sync.SyncedAt != nil && c.Sync.SweptAt != nil && !window.From.Before(c.Sync.From) && !window.To.After(c.Sync.To)
		switch {
		case covered:
			ids = append(ids, c.ID)
			a.Known = a.Known || c.IsDefault
		case c.IsDefault:
			rest[c.Ref()] = append(rest[c.Ref()], asked{a, m})
		}
	}
	busy, err := read.BusyOf(org, ids, window.From, window.To, maxBusy)
	if err != nil {
		return err
	}
	for _, b := range busy {
		a.Busy = append(a.Busy, outlook.Window{From: b.Start, To: b.End})
	}
	if a.Known {
		a.Detail = ""
	}
	return nil
}

// fromTenant asks Microsoft 365. What it refuses is said of those whom it was asked for.
func (s *Service) fromTenant(ctx context.Context, ref model.Ref, list []asked, window outlook.Window) error {
	api, err := s.Connect(ctx, ref)
	if err != nil {
		return refuse(ctx, list, err)
	}
	for part := range slices.Chunk(list, schedulesOnce) {
		addresses := make([]string, len(part))
		for i := range part {
			addresses[i] = part[i].mailbox.Address
		}
		got, err := api.Schedules(ctx, orElse(part[0].mailbox.GraphUserID, part[0].mailbox.Address), addresses, window)
		if err != nil {
			if err := refuse(ctx, part, err); err != nil {
				return err
			}
			continue
		}
		for _, schedule := range got {
			for _, a := range part {
				if model.Fold(a.mailbox.Address) != model.Fold(schedule.Address) {
					continue
				}
				if schedule.Err != nil {
					a.answer.Detail = "Microsoft 365 cannot say: " + schedule.Err.Error()
					continue
				}
				a.answer.Known, a.answer.Detail = true, ""
				for _, b := range schedule.Busy {
					a.answer.Busy = append(a.answer.Busy, b.Window)
				}
			}
		}
	}
	return nil
}

func refuse(ctx context.Context, list []asked, err error) error {
	if ctx.Err() != nil {
		return err
	}
	for _, a := range list {
		a.answer.Detail = "Microsoft 365 cannot say: " + err.Error()
	}
	return nil
}

// joined puts times in order, within the window, and joins those that touch.
func joined(list []outlook.Window, window outlook.Window) []outlook.Window {
	slices.SortFunc(list, func(a, b outlook.Window) int { return a.From.Compare(b.From) })
	out := []outlook.Window{}
	for _, w := range list {
		if w.From.Before(window.From) {
			w.From = window.From
		}
		if w.To.After(window.To) {
			w.To = window.To
		}
		if !w.To.After(w.From) {
			continue
		}
		if last := len(out) - 1; last >= 0 && !w.From.After(out[last].To) {
			if w.To.After(out[last].To) {
				out[last].To = w.To
			}
			continue
		}
		out = append(out, w)
	}
	return out
}
