package store

import (
	"time"

	"usher/model"
)

// CalendarStats are numbers of the whole installation, for its metrics.
type CalendarStats struct {
	Subscriptions map[model.SubscriptionState]int // of enabled calendars
	Mailboxes     map[model.MailboxState]int
	Dirty         int        // calendars of which something was told that is not worked off yet
	Expiry        *time.Time // when the first subscription ends; nil where there is none
}

// CalendarStats counts the installation's calendars and mailboxes, in four short statements.
func (r *Reader) CalendarStats() (CalendarStats, error) {
	s := CalendarStats{Subscriptions: map[model.SubscriptionState]int{}, Mailboxes: map[model.MailboxState]int{}}
	err := r.query(
		statement{
			sql: "SELECT sub_state, count(*) FROM calendars WHERE enabled AND sub_state <> 'none' GROUP BY sub_state",
			scan: func(row scanner) error {
				var state model.SubscriptionState
				var n int
				err := row.Scan(&state, &n)
				s.Subscriptions[state] = n
				return err
			},
		},
		statement{
			sql: "SELECT state, count(*) FROM mailboxes GROUP BY state",
			scan: func(row scanner) error {
				var state model.MailboxState
				var n int
				err := row.Scan(&state, &n)
				s.Mailboxes[state] = n
				return err
			},
		},
		statement{
			sql:  "SELECT count(*) FROM calendars WHERE enabled AND sync_changed_at IS NOT NULL",
			scan: func(row scanner) error { return row.Scan(&s.Dirty) },
		},
		statement{
			sql:  "SELECT sub_expires_at FROM calendars WHERE enabled AND sub_state = 'active' AND sub_expires_at IS NOT NULL ORDER BY sub_expires_at LIMIT 1",
			scan: func(row scanner) error { return row.Scan(&s.Expiry) },
		})
	inUTC(s.Expiry)
	return s, translate(err)
}
