package main

import (
	"net/http"
	"strings"
	"time"

	"usher/internal/simulator/exchange"
	"usher/model/outlook"
)

// aSeries makes a series in Outlook and moves one of its occurrences.
func (st *story) aSeries() error {
	const times = 4
	subject, first := "Weekly review", on(8, "14:00:00")
	day, err := time.Parse(time.DateOnly, first.DateTime[:len(time.DateOnly)])
	if err != nil {
		return err
	}
	made, err := st.ada.Create("", outlook.Draft{
		Subject: &subject, Start: first, End: on(8, "14:30:00"),
		Recurrence: &outlook.Recurrence{
			Pattern: outlook.Pattern{Type: outlook.Weekly, Interval: 1, DaysOfWeek: []string{strings.ToLower(day.Weekday().String())}},
			Range:   outlook.Range{Type: outlook.Numbered, StartDate: day.Format(time.DateOnly), NumberOfOccurrences: times},
		},
	})
	if err != nil {
		return err
	}
	if _, err = st.within("all occurrences are in the application", func() (bool, error) {
		found, err := st.find(subject)
		return len(found) == times, err
	}); err != nil {
		return err
	}
	view, err := st.ada.View("", outlook.Window{From: time.Now(), To: time.Now().AddDate(0, 0, 60)})
	if err != nil {
		return err
	}
	for _, e := range view {
		if e.SeriesMasterID == made.ID {
			if _, err := st.ada.Change(e.ID, outlook.Draft{Start: on(8, "16:00:00"), End: on(8, "16:30:00")}); err != nil {
				return err
			}
			break
		}
	}
	_, err = st.within("the moved occurrence is an exception", func() (bool, error) {
		found, err := st.find(subject)
		moved := 0
		for _, e := range found {
			if e.Kind == "exception" && strings.HasSuffix(e.Start.DateTime, "T16:00:00") {
				moved++
			}
		}
		return len(found) == times && moved == 1, err
	})
	if err == nil {
		st.say("  a weekly series comes as its %d occurrences, one of them moved to another hour", times)
	}
	return err
}

// aSecret shows what is kept of a private event.
func (st *story) aSecret() error {
	subject, private := "Doctor", "private"
	if _, err := st.ada.Create("", outlook.Draft{Subject: &subject, Sensitivity: &private, Start: on(9, "08:00:00"), End: on(9, "09:00:00")}); err != nil {
		return err
	}
	var found []eventView
	_, err := st.within("the private event is in the application", func() (bool, error) {
		all, err := st.events()
		found = nil
		for _, e := range all {
			if e.Sensitivity == private {
				found = append(found, e)
			}
		}
		return len(found) == 1, err
	})
	if err != nil {
		return err
	}
	st.check(found[0].Subject == "" && found[0].Body == "", "a private event came with its subject %q", found[0].Subject)
	st.say("  a private appointment is known by its time alone: %s, subject %q", found[0].Start.DateTime, found[0].Subject)
	return nil
}

// toOutlook makes a meeting in the application, with a guest and a room, and looks for it in Outlook.
func (st *story) toOutlook() error {
	all, err := list[roomView](st.ctx, st.api, "/rooms", nil)
	if err != nil {
		return err
	}
	st.check(len(all) == rooms, "the application knows %d rooms", len(all))
	guest, err := st.named("Grace Murray")
	if err != nil {
		return err
	}
	subject := "Review of the tables"
	var made eventView
	err = st.api.call(st.ctx, http.MethodPost, "/calendars/"+st.calendar+"/events", map[string]any{
		"subject": subject, "room_id": all[0].ID, "send_invitations": true,
		"start":     map[string]any{"date_time": on(10, "13:00:00").DateTime, "time_zone": "Europe/Copenhagen"},
		"end":       map[string]any{"date_time": on(10, "14:00:00").DateTime, "time_zone": "Europe/Copenhagen"},
		"attendees": []map[string]any{{"email": guest.Mail, "name": guest.DisplayName, "type": "required"}},
	}, &made)
	if err != nil {
		return err
	}
	took, err := st.within("the meeting is in Outlook and the room has accepted", func() (bool, error) {
		var e eventView
		err := st.api.call(st.ctx, http.MethodGet, "/events/"+made.ID, nil, &e)
		accepted := false
		for _, a := range e.Attendees {
			accepted = accepted || a.Email == all[0].Email && a.Response == "accepted"
		}
		return e.SyncState == "synced" && accepted, err
	})
	if err != nil {
		return err
	}
	there, err := st.ada.Series("")
	if err != nil {
		return err
	}
	n := 0
	for _, e := range there {
		if e.Subject == subject {
			n++
		}
	}
	st.check(n == 1, "the meeting is %d times in Outlook", n)
	invited := map[string]int{}
	for _, m := range st.world.mail.Mails() {
		if m.Kind == exchange.Invitation && m.Subject == subject {
			invited[m.To]++
		}
	}
	st.check(invited[guest.Mail] == 1 && invited[all[0].Email] == 1 && len(invited) == 2, "invitations went out as %v", invited)
	st.say("  the application books %s for %q: in Outlook, invited once each, accepted by the room after %.1f s", all[0].DisplayName, subject, took.Seconds())
	return nil
}

// aLostNotification has Graph lose a notification and say so, and sees the change all the same.
func (st *story) aLostNotification() error {
	lost := st.world.faults.mail
	lost.Missing, lost.TellMissed = 1, true
	st.world.mail.SetFaults(lost)
	subject := "Heard of late"
	_, err := st.ada.Create("", outlook.Draft{Subject: &subject, Start: on(11, "09:00:00"), End: on(11, "09:30:00")})
	if err != nil {
		return err
	}
	took, err := st.within("a change is known whose notification was lost", func() (bool, error) {
		found, err := st.find(subject)
		return len(found) == 1, err
	})
	st.world.mail.SetFaults(st.world.faults.mail)
	if err == nil {
		st.say("  Graph loses a notification and says \"missed\": the calendar is read anew, and nothing is missing after %.1f s", took.Seconds())
	}
	return err
}
