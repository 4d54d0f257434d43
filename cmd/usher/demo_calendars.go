package main

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"usher/internal/simulator/exchange"
	"usher/model/outlook"
)

// calendarView, eventView and roomView are as much of the API's answers as the story reads.
type calendarView struct {
	ID           string  `json:"id"`
	AccountID    *string `json:"account_id"`
	RoomID       *string `json:"room_id"`
	Subscription struct {
		State string `json:"state"`
	} `json:"subscription"`
	LastSyncedAt *time.Time `json:"last_synced_at"`
}

type eventView struct {
	ID          string `json:"id"`
	Kind        string `json:"kind"`
	Subject     string `json:"subject"`
	Body        string `json:"body"`
	Sensitivity string `json:"sensitivity"`
	SyncState   string `json:"sync_state"`
	Start       struct {
		DateTime string `json:"date_time"`
		TimeZone string `json:"time_zone"`
	} `json:"start"`
	Attendees []struct {
		Email    string `json:"email"`
		Response string `json:"response"`
	} `json:"attendees"`
}

type roomView struct {
	ID          string `json:"id"`
	Email       string `json:"email"`
	DisplayName string `json:"display_name"`
}

// theCalendars gives everybody a mailbox, switches the calendars on, and follows events both ways.
func (st *story) theCalendars() error {
	st.heading("Calendars: mailboxes, subscriptions and events, over real Graph HTTP")
	st.goWrong(st.faults)
	for _, step := range []func() error{
		st.moveIn, st.permissions, st.subscribed, st.fromOutlook, st.aSeries, st.aSecret, st.toOutlook, st.aLostNotification,
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// moveIn makes the mailboxes and the rooms, and gives the integration its way to Graph.
func (st *story) moveIn() error {
	for _, id := range st.tenant.UserIDs() {
		u, _ := st.tenant.User(id)
		hosting := exchange.Hosted
		if u.SoftDeleted() {
			continue
		}
		st.world.mail.AddUser(exchange.NewUser{
			ID: u.ID, Name: u.DisplayName, UPN: u.UserPrincipalName, Mail: u.Mail, Disabled: !u.AccountEnabled, Hosting: hosting,
		})
	}
	st.world.mail.AddRoom(exchange.NewRoom{Name: "Analytical Engine", Capacity: 12, Building: "Copenhagen"})
	st.world.mail.AddRoom(exchange.NewRoom{Name: "Difference Engine", Capacity: 4, Building: "Copenhagen"})
	return st.api.call(st.ctx, http.MethodPatch, "/integrations/"+st.integration, map[string]any{
		"tenant_id": st.world.mail.ID(), "calendar_sync": true,
		"graph": map[string]any{"client_id": demoClientID, "client_secret": st.world.secret},
	}, nil)
}

// permissions shows what an administrator has granted, before anything is asked of a mailbox.
func (st *story) permissions() error {
	var p struct {
		Complete    bool `json:"complete"`
		Permissions []struct {
			Permission string `json:"permission"`
			Granted    bool   `json:"granted"`
		} `json:"permissions"`
	}
	if err := st.api.call(st.ctx, http.MethodGet, st.path("/permissions"), nil, &p); err != nil {
		return err
	}
	var names []string
	for _, one := range p.Permissions {
		names = append(names, one.Permission)
		st.check(one.Granted, "permission %s is not granted", one.Permission)
	}
	st.say("  granted in the tenant: %s", strings.Join(names, ", "))
	st.check(p.Complete, "the preflight says that permissions are missing")
	return nil
}

// The wait between two looks at what happens behind the scenes. A look that takes long, as in a large tenant, is followed by a longer
// one, so that looking does not keep from happening what is looked for.
const (
	lookEvery  = 200 * time.Millisecond
	lookRarest = 2 * time.Second
	lookShare  = 20 // of the time at most one part in so many is spent on looking
)

// within waits for what happens behind the scenes, and says how long it took.
func (st *story) within(what string, is func() (bool, error)) (time.Duration, error) {
	begun, limit := time.Now(), time.NewTimer(demoWait+time.Duration(st.people)*demoWaitEach)
	defer limit.Stop()
	for {
		look := time.Now()
		if ok, err := is(); ok || err != nil {
			return time.Since(begun), err
		}
		select {
		case <-time.After(min(max(lookEvery, lookShare*time.Since(look)), lookRarest)):
		case <-st.ctx.Done():
			return 0, st.ctx.Err()
		case <-limit.C:
			return 0, errors.New("it takes too long: " + what)
		}
	}
}

// subscribed waits until every active account's calendar, and every room's, is subscribed to and has been read.
func (st *story) subscribed() error {
	active, err := st.accounts(url.Values{"status": {"active"}, "integration": {st.integration}})
	if err != nil {
		return err
	}
	var calendars []calendarView
	want := len(active) + rooms
	took, err := st.within("everybody's calendar is subscribed to", func() (bool, error) {
		var err error
		if calendars, err = list[calendarView](st.ctx, st.api, "/calendars", url.Values{"enabled": {"true"}}); err != nil {
			return false, err
		}
		ready := 0
		for _, c := range calendars {
			if c.Subscription.State == "active" && c.LastSyncedAt != nil {
				ready++
			}
		}
		return ready >= want, nil
	})
	if err != nil {
		return err
	}
	st.check(len(calendars) == want, "%d calendars are enabled, want those of %d accounts and %d rooms", len(calendars), len(active), rooms)
	st.say("  %d calendars of people and %d of rooms are subscribed to and read, %.1f s after the switch", len(active), rooms, took.Seconds())
	ada, err := st.accounts(url.Values{"q": {"Ada Lovelace"}})
	if err != nil || len(ada) != 1 {
		return errors.Join(err, errors.New("there is not one account of Ada Lovelace"))
	}
	st.ada = st.world.mail.As(ada[0].Email)
	for _, c := range calendars {
		if c.AccountID != nil && *c.AccountID == ada[0].ID {
			st.calendar = c.ID
		}
	}
	return nil
}

// rooms is how many meeting rooms the pretend tenant has.
const rooms = 2

// events gives what the application has of Ada's calendar in the next weeks.
func (st *story) events() ([]eventView, error) {
	from := time.Now().UTC().Truncate(time.Hour)
	return list[eventView](st.ctx, st.api, "/calendars/"+st.calendar+"/events", url.Values{
		"from": {from.Format(time.RFC3339)}, "to": {from.AddDate(0, 0, 60).Format(time.RFC3339)},
	})
}

// find gives the events of a subject.
func (st *story) find(subject string) ([]eventView, error) {
	all, err := st.events()
	var found []eventView
	for _, e := range all {
		if e.Subject == subject {
			found = append(found, e)
		}
	}
	return found, err
}

// on gives a wall time some days from now, where the tenant is.
func on(days int, clock string) *outlook.Moment {
	return &outlook.Moment{DateTime: time.Now().AddDate(0, 0, days).Format(time.DateOnly) + "T" + clock, TimeZone: "Europe/Copenhagen"}
}

func (st *story) fromOutlook() error {
	subject := "Notes on the engine"
	made, err := st.ada.Create("", outlook.Draft{Subject: &subject, Start: on(7, "09:00:00"), End: on(7, "10:00:00")})
	if err != nil {
		return err
	}
	took, err := st.within("an event of Outlook's is in the application", func() (bool, error) {
		found, err := st.find(subject)
		return len(found) == 1, err
	})
	if err != nil {
		return err
	}
	st.say("  Ada writes %q in Outlook: the application has it after %.1f s", subject, took.Seconds())
	if _, err := st.ada.Change(made.ID, outlook.Draft{Start: on(7, "11:00:00"), End: on(7, "12:00:00")}); err != nil {
		return err
	}
	took, err = st.within("the move is in the application", func() (bool, error) {
		found, err := st.find(subject)
		return len(found) == 1 && strings.HasSuffix(found[0].Start.DateTime, "T11:00:00"), err
	})
	if err == nil {
		st.say("  she moves it to eleven: known after %.1f s", took.Seconds())
	}
	return err
}
