package directory_test

import (
	"bytes"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"usher/directory"
	"usher/model"
)

// warned gives the warnings of the log, oldest first.
func (w *world) warned() []string {
	w.Helper()
	var list []string
	for _, a := range w.log() {
		if strings.HasSuffix(a.Action, ".expiring") || strings.HasSuffix(a.Action, ".expired") {
			list = append(list, a.Action+" "+a.Subject+": "+a.Summary)
		}
	}
	slices.Sort(list)
	return list
}

// TestServiceWarnsOfExpiry walks a token and a secret towards their end: one warning per threshold, whoever looks how often.
func TestServiceWarnsOfExpiry(t *testing.T) {
	each(t, func(w *world) {
		var log bytes.Buffer
		opt := w.svc.Options
		opt.Log = slog.New(slog.NewTextHandler(&log, nil))
		svc, replica := directory.New(opt), directory.New(w.svc.Options)
		day := 24 * time.Hour
		in := func(d time.Duration) *time.Time { at := w.clock.Now().Add(d); return &at }
		_, _, err := w.svc.CreateSCIMToken(w.ctx, w.ref, "yearly", in(365*day))
		w.ok(err)
		client, _ := w.scimClient(0, in(365*day+time.Hour))
		_, _, err = w.svc.CreateSCIMToken(w.ctx, w.ref, "lasting", nil)
		w.ok(err)
		look := func(want int) {
			w.Helper()
			var wg sync.WaitGroup
			for i := range 4 {
				wg.Go(func() {
					if err := []*directory.Service{svc, replica}[i%2].Warn(w.ctx, directory.WarnExpiring{}); err != nil {
						w.Error(err)
					}
				})
			}
			wg.Wait()
			if got := w.warned(); len(got) != want {
				w.Fatalf("%d warnings, want %d: %q", len(got), want, got)
			}
		}
		look(0)
		w.clock.move(335 * day) // 30 days left
		look(1)
		w.clock.move(time.Hour)
		look(2)
		for i, left := range []time.Duration{14, 7, 1} {
			w.clock.move(w.until(365*day) - left*day)
			look(4 + 2*i)
		}
		w.clock.move(12 * time.Hour)
		look(8)
		w.clock.move(day)
		look(10)
		look(10)
		w.clock.move(40 * day)
		look(10)
		if n := w.alarms.n[directory.EventCredentialEnding] + w.alarms.n[directory.EventCredentialEnded]; n != 10 {
			w.Errorf("%d events, want 10", n)
		}
		if text := log.String() + strings.Join(w.warned(), ""); !strings.Contains(text, "a secret of SCIM client Entra expires within 30 days") ||
			!strings.Contains(text, "SCIM token yearly expired at") || strings.Contains(text, "lasting") {
			w.Errorf("%s\n%s", &log, strings.Join(w.warned(), "\n"))
		}
		if _, err := w.store.Read(w.ctx).SCIMClient(w.ref, client.ID); err != nil {
			w.Error(err)
		}
	})
}

// until gives the time that is left of the period since the world began, plus the hour that the secret outlives the token.
func (w *world) until(period time.Duration) time.Duration {
	return time.Date(2026, 11, 21, 13, 0, 0, 0, time.UTC).Add(period).Sub(w.clock.Now())
}

// TestServiceNoWarningForWhatWasMadeShort: who makes a token for three days knows that it ends in three days.
func TestServiceNoWarningForWhatWasMadeShort(t *testing.T) {
	each(t, func(w *world) {
		at := w.clock.Now().Add(3 * 24 * time.Hour)
		row, _, err := w.svc.CreateSCIMToken(w.ctx, w.ref, "short", &at)
		w.ok(err)
		if row.State != model.CredentialExpiring {
			w.Errorf("state %q", row.State)
		}
		w.ok(w.svc.Warn(w.ctx, directory.WarnExpiring{}))
		if got := w.warned(); len(got) != 0 {
			w.Fatalf("%q", got)
		}
		w.clock.move(2*24*time.Hour + time.Minute)
		w.ok(w.svc.Warn(w.ctx, directory.WarnExpiring{}))
		if got := w.warned(); len(got) != 1 || !strings.Contains(got[0], "expires within 1 day, at") {
			w.Fatalf("%q", got)
		}
	})
}

// TestServiceWarnsOfMany: more than one page of them.
func TestServiceWarnsOfMany(t *testing.T) {
	each(t, func(w *world) {
		at := w.clock.Now().Add(40 * 24 * time.Hour)
		for range 410 {
			_, _, err := w.svc.CreateSCIMToken(w.ctx, w.ref, "x", &at)
			w.ok(err)
		}
		w.clock.move(20 * 24 * time.Hour)
		w.ok(w.svc.Warn(w.ctx, directory.WarnExpiring{}))
		if n := w.alarms.n[directory.EventCredentialEnding]; n != 410 {
			w.Errorf("%d warnings, want 410", n)
		}
	})
}

func TestServiceWarnings(t *testing.T) {
	each(t, func(w *world) {
		now := w.clock.Now()
		for name, d := range map[string]time.Duration{"soon": 36 * time.Hour, "later": 29 * 24 * time.Hour, "next year": 365 * 24 * time.Hour} {
			at := now.Add(d)
			_, _, err := w.svc.CreateSCIMToken(w.ctx, w.ref, name, &at)
			w.ok(err)
		}
		end := now.Add(time.Hour)
		client, _ := w.scimClient(0, &end)
		w.clock.move(time.Hour)
		list, err := w.svc.Warnings(w.ctx, w.ref)
		w.ok(err)
		var got []string
		for _, x := range list {
			got = append(got, x.Code+" "+x.Name+" "+x.ClientID)
		}
		want := []string{"scim_client_secret.expired Entra " + client.ID, "scim_token.expiring soon ", "scim_token.expiring later "}
		if !slices.Equal(got, want) || list[1].Days != 2 || list[0].Days != 0 {
			w.Fatalf("%q, want %q", got, want)
		}
		other, err := w.svc.Warnings(w.ctx, w.integration("Other", model.RoleSyncReconcile))
		if err != nil || len(other) != 0 {
			w.Fatalf("%v, %v", other, err)
		}
		if all, err := w.svc.AllWarnings(w.ctx); err != nil || len(all) != 3 {
			w.Fatalf("%v, %v", all, err)
		}
	})
}
