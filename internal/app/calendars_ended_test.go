package app_test

import (
	"testing"

	"usher/directory"
	pretend "usher/internal/simulator/exchange"
	"usher/model"
	"usher/model/store"
	"usher/model/store/storetest"
)

// TestDeletedOrganizationOverHTTP: the subscriptions of an organization that is deleted are ended at Microsoft Graph, with credentials
// that are gone from everywhere else; those of another organization in the same tenant stay.
func TestDeletedOrganizationOverHTTP(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, url string) {
		w := newCalendarWorld(t, url)
		organization, subscribed := w.neighbour()
		if !w.live(w.cal.Subscription.GraphID) || !w.live(subscribed) {
			t.Fatal("not both calendars are subscribed to")
		}
		if err := w.app.Service.DeleteOrganization(t.Context(), organization); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the neighbour's subscription is ended", func() bool { return !w.live(subscribed) })
		if !w.live(w.cal.Subscription.GraphID) {
			t.Error("Ada's subscription is ended as well")
		}
	})
}

// live says whether Microsoft 365 has a subscription.
func (w *calendarWorld) live(id string) bool {
	w.t.Helper()
	for next := ""; ; {
		page, err := w.mail.Client(wireClientID).Subscriptions(w.t.Context(), next)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, s := range page.Subscriptions {
			if s.ID == id {
				return true
			}
		}
		if next = page.Next; next == "" {
			return false
		}
	}
}

// neighbour is another organization with somebody of the tenant, whose calendar is subscribed to.
func (w *calendarWorld) neighbour() (organization, subscription string) {
	w.t.Helper()
	ctx, svc := w.t.Context(), w.app.Service
	o, err := svc.CreateOrganization(ctx, "fabrikam", "Fabrikam")
	if err != nil {
		w.t.Fatal(err)
	}
	i, err := svc.CreateIntegration(ctx, o.ID, directory.DefaultIntegration("Fabrikam", model.IngressSCIM), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	person := w.mail.AddUser(pretend.NewUser{Name: "Mary Neighbour"})
	account := storetest.Account(w.t, w.app.Store, o.ID, person.Mail)
	u := storetest.NewUser(i.Ref(), person.UserPrincipalName)
	u.ExternalID, u.AccountID = person.ID, &account.ID
	storetest.InTx(w.t, w.app.Store, func(tx *store.Tx) error { return tx.InsertDirectoryUser(u) })
	_, err = svc.ChangeIntegration(ctx, i.Ref(), func(i *model.Integration) error {
		i.TenantID, i.CalendarSync, i.Graph.ClientID = w.mail.ID(), true, wireClientID
		return nil
	}, map[string]string{directory.SecretClientSecret: calendarSecret})
	if err != nil {
		w.t.Fatal(err)
	}
	eventually(w.t, "the neighbour's calendar is subscribed to", func() bool {
		list, err := w.app.Store.Read(ctx).CalendarsAfter(o.ID, store.CalendarFilter{Account: account.ID}, "", 2)
		if err != nil {
			w.t.Fatal(err)
		}
		if len(list) == 1 && list[0].Subscription.State == model.SubscriptionActive {
			subscription = list[0].Subscription.GraphID
		}
		return subscription != ""
	})
	return o.ID, subscription
}
