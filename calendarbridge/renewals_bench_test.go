package calendarbridge

import (
	"context"
	"fmt"
	"testing"
	"time"

	"usher/internal/secret"
	"usher/model"
	"usher/model/outlook"
	"usher/model/store"
	"usher/model/store/storetest"
)

// renewer is a tenant that renews what it is asked to, and notes when.
type renewer struct {
	graph
	clock    *clock
	requests []time.Time
	renewals []time.Time
}

// Renew gives each subscription the end that was asked for.
func (r *renewer) Renew(_ context.Context, list []outlook.Renewal) ([]outlook.Renewed, error) {
	r.requests = append(r.requests, r.clock.Now())
	out := make([]outlook.Renewed, len(list))
	for i, one := range list {
		r.renewals = append(r.renewals, r.clock.Now())
		out[i] = outlook.Renewed{ID: one.ID, ExpiresAt: one.ExpiresAt}
	}
	return out, nil
}

// BenchmarkRenewals counts, in simulated time, what the renewal of subscriptions costs that were all made in the same minute: the
// worst there is. Requests are those to Graph, each of up to 20 renewals. Those of 100,000 calendars are reckoned from the minutes
// in which those of 2,000 were renewed.
func BenchmarkRenewals(b *testing.B) {
	const calendars, all = 2000, 100_000
	for b.Loop() {
		tenant := &renewer{clock: &clock{now: begin()}}
		s := subscribed(b, tenant, calendars)
		for range int(longLife / 2 * 6 / 5 / time.Minute) { // until the last of them is at 0.6 of its life
			tenant.clock.advance(time.Minute)
			if err := s.EnsureSubscriptions(b.Context(), EnsureSubscriptions{}); err != nil {
				b.Fatal(err)
			}
		}
		if len(tenant.renewals) != calendars {
			b.Errorf("%d renewals of %d calendars", len(tenant.renewals), calendars)
		}
		minutes := map[time.Time]int{}
		for _, at := range tenant.renewals {
			minutes[at]++
		}
		reckoned := 0
		for _, n := range minutes {
			reckoned += (n*all/calendars + renewAtOnce - 1) / renewAtOnce
		}
		hours := tenant.renewals[len(tenant.renewals)-1].Sub(tenant.renewals[0]).Hours()
		b.ReportMetric(hours, "hours-of-renewals")
		b.ReportMetric(float64(len(tenant.requests))/hours, "requests/h-of-2000")
		b.ReportMetric(float64(reckoned)/hours, "requests/h-of-100000")
	}
}

// subscribed makes calendars whose subscriptions were made now.
func subscribed(b *testing.B, tenant *renewer, calendars int) *Service {
	b.Helper()
	st := storetest.OpenWith(b, store.Options{URL: storetest.SQLiteURL(b), Now: tenant.clock.Now})
	keys, err := secret.Parse(secret.NewKey())
	if err != nil {
		b.Fatal(err)
	}
	s := New(Options{
		Store: st, Keys: keys, PublicURL: publicURL, Now: tenant.clock.Now,
		Connect: func(context.Context, model.Ref) (Calendars, error) { return tenant, nil },
	})
	m := storetest.Mailbox(b, st, storetest.Ref(b, st), "ada.lovelace@contoso.com")
	storetest.InTx(b, st, func(tx *store.Tx) error {
		for i := range calendars {
			c := storetest.NewCalendar(m, fmt.Sprintf("calendar-%d", i))
			c.IsDefault = false
			c.Subscription.GraphID = fmt.Sprintf("subscription-%d", i)
			s.live(&c.Subscription, s.now().Add(longLife))
			if err := tx.InsertCalendar(c); err != nil {
				return err
			}
		}
		return nil
	})
	return s
}
