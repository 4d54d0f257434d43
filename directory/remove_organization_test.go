package directory_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"usher/directory"
	"usher/model"
	"usher/model/outlook"
	"usher/model/store"
	"usher/model/store/storetest"
)

// leftQueue keeps the jobs that end what a deleted organization left.
type leftQueue struct {
	store.Queue
	mu   sync.Mutex
	list []directory.EndLeft
}

func (q *leftQueue) Insert(_ context.Context, _ store.TxHandle, job store.Job) error {
	left, ok := job.(directory.EndLeft)
	if !ok {
		return nil
	}
	raw, err := json.Marshal(left) // as the queue keeps it
	if err == nil {
		err = json.Unmarshal(raw, &left)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.list = append(q.list, left)
	return err
}

// subscribe gives an integration a mailbox whose calendars have subscriptions of Microsoft 365.
func (w *world) subscribe(ref model.Ref, graphIDs ...string) (m model.Mailbox) {
	w.Helper()
	account := storetest.Account(w, w.store, ref.OrganizationID, graphIDs[0]+"@contoso.com")
	m = model.Mailbox{OrganizationID: ref.OrganizationID, IntegrationID: ref.IntegrationID, AccountID: &account.ID, Address: account.Email, State: model.MailboxActive, Enabled: true}
	w.ok(w.store.InTx(w.ctx, func(tx *store.Tx) error {
		if err := tx.InsertMailbox(&m); err != nil {
			return err
		}
		for _, id := range graphIDs {
			c := model.Calendar{
				OrganizationID: ref.OrganizationID, IntegrationID: ref.IntegrationID, MailboxID: m.ID, AccountID: &account.ID, GraphID: "of " + id, Name: id, Enabled: true,
			}
			if err := tx.InsertCalendar(&c); err != nil {
				return err
			}
			c.Subscription = model.CalendarSubscription{State: model.SubscriptionActive, GraphID: id}
			if err := tx.SaveSubscription(&c); err != nil {
				return err
			}
		}
		return nil
	}))
	return m
}

// TestDeletedOrganizationEndsItsSubscriptions: they are ended with the credentials that went with it, those of another organization
// stay, and what cannot be ended is logged.
func TestDeletedOrganizationEndsItsSubscriptions(t *testing.T) {
	each(t, func(w *world) {
		for name, test := range map[string]struct {
			refused int
			err     error
			late    bool
			waits   bool
			logged  string
		}{
			"ended":          {logged: "are ended"},
			"some refused":   {refused: 2, logged: "refused to end"},
			"throttled":      {err: &outlook.Error{Kind: outlook.Throttled, After: 2 * time.Minute}, waits: true},
			"down for a day": {err: &outlook.Error{Kind: outlook.Unavailable}, late: true, logged: "cannot be ended"},
			"consent gone":   {err: &outlook.Error{Kind: outlook.BadCredentials}, logged: "cannot be ended"},
		} {
			queue, log, asked := &leftQueue{}, &bytes.Buffer{}, map[string][]string{}
			opt := w.svc.Options
			opt.Log = slog.New(slog.NewTextHandler(log, nil))
			opt.EndTheirs = func(_ context.Context, access directory.GraphAccess, ids []string) (int, error) {
				if access.ClientSecret != plantedSecret || access.Integration.Graph.ClientID != "app-own" {
					return 0, errors.New("with the wrong access")
				}
				asked[access.Integration.Name] = append(asked[access.Integration.Name], ids...)
				return test.refused, test.err
			}
			svc := directory.New(opt)
			o, err := svc.CreateOrganization(w.ctx, strings.ReplaceAll("gone "+name, " ", "-"), "")
			w.ok(err)
			ref := w.reachable(svc, o.ID, "Fabrikam")
			sister := w.reachable(svc, o.ID, "Sister")
			w.subscribe(ref, name+" 1", name+" 2")
			w.subscribe(sister, name+" 3")
			w.subscribe(w.ref, name+" of another organization")
			put := w.subscribe(sister, name+" 4") // whose calendars were deleted a moment ago
			w.ok(w.store.InTx(w.ctx, func(tx *store.Tx) error { _, err := tx.DeleteMailbox(sister, put.ID); return err }))

			w.store.SetQueue(queue)
			w.ok(svc.DeleteOrganization(w.ctx, o.ID))
			if len(queue.list) != 2 {
				w.Fatalf("%s: %d jobs", name, len(queue.list))
			}
			for _, job := range queue.list {
				if raw, err := json.Marshal(job); err != nil || bytes.Contains(raw, []byte(plantedSecret)) {
					w.Fatalf("%s: the job tells the secret, or %v", name, err)
				}
				if test.late {
					job.Since = job.Since.Add(-25 * time.Hour)
				}
				err := svc.EndLeft(w.ctx, job)
				if _, waits := errors.AsType[*model.Throttled](err); waits != test.waits || err != nil && !waits {
					w.Errorf("%s: %v", name, err)
				}
			}
			slices.Sort(asked["Sister"])
			if !slices.Equal(asked["Fabrikam"], []string{name + " 1", name + " 2"}) || !slices.Equal(asked["Sister"], []string{name + " 3", name + " 4"}) || len(asked) != 2 {
				w.Errorf("%s: %v was to be ended", name, asked)
			}
			if !strings.Contains(log.String(), test.logged) || strings.Contains(log.String(), plantedSecret) {
				w.Errorf("%s: logged %s", name, log)
			}
		}
	})
}

// reachable makes an integration with credentials of its own.
func (w *world) reachable(svc *directory.Service, org, name string) model.Ref {
	w.Helper()
	ref := storetest.Integration(w, w.store, org, func(i *model.Integration) { i.Name = name }).Ref()
	_, err := svc.ChangeIntegration(w.ctx, ref, func(i *model.Integration) error {
		i.TenantID, i.Graph.ClientID = tenantA, "app-own"
		return nil
	}, map[string]string{directory.SecretClientSecret: plantedSecret})
	w.ok(err)
	return ref
}
