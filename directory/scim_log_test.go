package directory_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"usher/directory"
	"usher/model"
	"usher/model/store"
	"usher/model/store/storetest"
)

// logged is an entry of the request log, as the edge makes them.
type logged struct {
	ref      model.Ref
	row      model.SCIMRequest
	exchange model.SCIMExchange
	unnamed  []string
	size     int
}

func (l logged) Ref() model.Ref               { return l.ref }
func (l logged) Size() int                    { return l.size }
func (l logged) Unnamed() []string            { return l.unnamed }
func (l logged) Named() (id, name string)     { return l.row.SubjectID, l.row.Subject }
func (l logged) Exchange() model.SCIMExchange { return l.exchange }
func (l logged) Row(name func(string) string) model.SCIMRequest {
	row := l.row
	row.OrganizationID, row.IntegrationID, row.SubjectKey = l.ref.OrganizationID, l.ref.IntegrationID, model.Fold(row.Subject)
	for _, id := range l.unnamed {
		row.Summary += " " + id + "=" + name(id)
	}
	return row
}

// request makes an entry for a request at the time of the world's clock, or later.
func (w *world) request(summary string, later time.Duration) logged {
	at := w.clock.Now().Add(later)
	return logged{ref: w.ref, size: 1000, row: model.SCIMRequest{
		ID: idAt(at), OccurredAt: at, Method: "PATCH", Path: "/Users/1", Summary: summary, Result: model.SCIMSuccess, Status: 200,
		Deviations: []string{"capitalized op"},
	}}
}

// idAt gives a new id that a request of that time may have.
func idAt(at time.Time) string {
	ms := fmt.Sprintf("%012x", at.UnixMilli())
	return ms[:8] + "-" + ms[8:] + store.NewID()[13:]
}

// requestLog starts a request log on the world's database, with a time of its own; what it observes is counted as the alarms of the world are.
func (w *world) requestLog(opt directory.RequestLogOptions) *directory.RequestLog {
	w.Helper()
	opt.Observe, opt.Now = w.alarms.add, w.clock.Now
	if opt.Store == nil {
		opt.Store = w.store
	}
	l := directory.NewRequestLog(opt)
	w.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		l.Close(ctx)
	})
	return l
}

func (c *counter) of(event string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n[event]
}

// requests reads the whole log of the integration, newest first.
func (w *world) requests(f store.SCIMRequestFilter) []model.SCIMRequest {
	w.Helper()
	var all []model.SCIMRequest
	for before := ""; ; {
		page, next, err := w.store.Read(w.ctx).SCIMRequestsBefore(w.ref, f, before, 500)
		w.ok(err)
		all = append(all, page...)
		if before = next; next == "" {
			return all
		}
	}
}

func summaries(rows []model.SCIMRequest) string {
	list := make([]string, len(rows))
	for i := range rows {
		list[i] = rows[i].Summary
	}
	return strings.Join(list, "|")
}

func TestRequestLogWritesAndReads(t *testing.T) {
	each(t, func(w *world) {
		ada := w.user("ada@contoso.com")
		gone := w.user("gone@contoso.com")
		l := w.requestLog(directory.RequestLogOptions{})
		first := w.request("first", 0)
		first.exchange = model.SCIMExchange{
			Request: model.SCIMMessage{Headers: []model.SCIMHeader{{Name: "Accept", Value: "*/*"}}, Body: `{"a":"` + strings.Repeat("x", 70000) + `"}`, Bytes: 99, Cut: true},
			Answer:  model.SCIMMessage{Headers: []model.SCIMHeader{}, Body: "Grüße"},
		}
		first.row.DurationUS, first.row.CredentialName, first.row.Status, first.row.Result = 4711, "Entra", 409, model.SCIMRejected
		first.row.SCIMType, first.row.Detail, first.row.Rule = "uniqueness", "taken", "uniqueness of userName"
		first.row.SubjectID, first.row.Subject = gone.ID, "gone@contoso.com"
		l.Keep(first)
		l.Flush(w.ctx)
		w.ok(w.svc.DeleteUser(w.ctx, w.ref, gone.ID, nil))
		second := w.request("names:", time.Millisecond)
		second.unnamed = []string{ada.ID, gone.ID, store.NewID()}
		third := w.request("third", 2*time.Millisecond)
		third.row.SubjectID, third.row.Subject = second.unnamed[2], "from the same batch"
		l.Keep(second)
		l.Keep(third)
		l.Flush(w.ctx)
		rows := w.requests(store.SCIMRequestFilter{})
		want := "third|names: " + ada.ID + "=ada@contoso.com " + gone.ID + "=gone@contoso.com " + second.unnamed[2] + "=from the same batch|first"
		if got := summaries(rows); got != want {
			w.Fatalf("the log says\n%s\nwant\n%s", got, want)
		}
		row, x, err := w.svc.SCIMRequest(w.ctx, w.ref, first.row.ID)
		w.ok(err)
		wantRow := first.Row(nil)
		row.Exchange = nil
		if !same(row, wantRow) || !same(x, first.exchange) {
			w.Errorf("read back\n%+v\n%.200v\nwant\n%+v", row, x, wantRow)
		}
		if n := w.alarms.of(directory.EventSCIMLogWritten); n != 3 {
			w.Errorf("%d counted as written", n)
		}
		_, _, err = w.svc.SCIMRequest(w.ctx, w.integration("Other", model.RoleSyncMirror), first.row.ID)
		w.refused(err, model.NotFound, "", "not found")
	})
}

func same(a, b any) bool {
	rawA, errA := json.Marshal(a)
	rawB, errB := json.Marshal(b)
	return errA == nil && errB == nil && string(rawA) == string(rawB)
}

func TestRequestLogFilters(t *testing.T) {
	each(t, func(w *world) {
		l := w.requestLog(directory.RequestLogOptions{})
		for i, change := range []func(*model.SCIMRequest){
			func(r *model.SCIMRequest) {
				r.Summary = "disable Ada"
				r.SubjectID, r.Subject = "0199a000-0000-7000-8000-00000000000a", "Ada@contoso.com"
			},
			func(r *model.SCIMRequest) {
				r.Summary = "create user eve"
				r.Method, r.Status, r.Result, r.Detail = "POST", 409, model.SCIMRejected, "100% taken"
			},
			func(r *model.SCIMRequest) { r.Summary = "look"; r.Method = "GET" },
			func(r *model.SCIMRequest) { r.Summary = "fail"; r.Status, r.Result = 500, model.SCIMFailed },
		} {
			e := w.request("", time.Duration(i)*time.Second)
			change(&e.row)
			l.Keep(e)
		}
		l.Flush(w.ctx)
		at := func(s float64) time.Time { return w.clock.Now().Add(time.Duration(s * float64(time.Second))) }
		for _, tt := range []struct {
			f    store.SCIMRequestFilter
			want string
		}{
			{store.SCIMRequestFilter{}, "fail|look|create user eve|disable Ada"},
			{store.SCIMRequestFilter{From: at(1)}, "fail|look|create user eve"},
			{store.SCIMRequestFilter{From: at(0.0005), To: at(2.0005)}, "look|create user eve"},
			{store.SCIMRequestFilter{To: at(1)}, "disable Ada"},
			{store.SCIMRequestFilter{Status: 409}, "create user eve"},
			{store.SCIMRequestFilter{Status: 200}, "look|disable Ada"},
			{store.SCIMRequestFilter{Errors: true}, "fail|create user eve"},
			{store.SCIMRequestFilter{Errors: true, Status: 200}, ""},
			{store.SCIMRequestFilter{Result: model.SCIMFailed}, "fail"},
			{store.SCIMRequestFilter{Result: model.SCIMSuccess}, "look|disable Ada"},
			{store.SCIMRequestFilter{Method: "GET"}, "look"},
			{store.SCIMRequestFilter{Method: "POST", Errors: true}, "create user eve"},
			{store.SCIMRequestFilter{Subject: "ADA@contoso.com"}, "disable Ada"},
			{store.SCIMRequestFilter{Subject: "0199a000-0000-7000-8000-00000000000a"}, "disable Ada"},
			{store.SCIMRequestFilter{Subject: "ada"}, ""},
			{store.SCIMRequestFilter{Search: "USER EVE"}, "create user eve"},
			{store.SCIMRequestFilter{Search: "ada@"}, "disable Ada"},
			{store.SCIMRequestFilter{Search: "0% t"}, "create user eve"},
			{store.SCIMRequestFilter{Search: "%"}, "create user eve"},
			{store.SCIMRequestFilter{Search: "l", Result: model.SCIMFailed}, "fail"},
		} {
			if got := summaries(w.requests(tt.f)); got != tt.want {
				w.Errorf("%+v gives %q, want %q", tt.f, got, tt.want)
			}
		}
		page, next, err := w.store.Read(w.ctx).SCIMRequestsBefore(w.ref, store.SCIMRequestFilter{}, "", 3)
		if err != nil || len(page) != 3 || next != page[2].ID {
			w.Errorf("a page of %d, next %q, %v", len(page), next, err)
		}
		page, next, err = w.store.Read(w.ctx).SCIMRequestsBefore(w.ref, store.SCIMRequestFilter{}, next, 3)
		if err != nil || summaries(page) != "disable Ada" || next != "" {
			w.Errorf("the last page is %q, next %q, %v", summaries(page), next, err)
		}
	})
}

func TestRequestLogModes(t *testing.T) {
	t.Parallel()
	for mode, want := range map[directory.SCIMLogMode][2]bool{
		directory.SCIMLogFull: {true, true}, directory.SCIMLogErrors: {false, true}, directory.SCIMLogOff: {false, false},
	} {
		l := directory.NewRequestLog(directory.RequestLogOptions{Store: storetest.OpenSQLite(t), Mode: mode})
		if got := [2]bool{l.Wants(201), l.Wants(404)}; got != want {
			t.Errorf("%s wants %v of 201 and 404, not %v", mode, got, want)
		}
		l.Close(t.Context())
	}
}

func TestRejectionsAreCountedAndBounded(t *testing.T) {
	each(t, func(w *world) {
		l := w.requestLog(directory.RequestLogOptions{})
		attempt := model.SCIMRejection{IntegrationID: w.ref.IntegrationID, Cause: "expired", RemoteAddress: "192.0.2.1", UserAgent: "x"}
		for range 3 {
			l.Reject(attempt)
			l.Flush(w.ctx)
		}
		unknown := attempt
		for _, id := range []string{store.NewID(), "no id", "\xff"} {
			unknown.IntegrationID = id
			l.Reject(unknown)
		}
		w.clock.move(time.Hour)
		l.Reject(attempt)
		l.Flush(w.ctx)
		list, err := w.store.Read(w.ctx).SCIMRejectionsBefore(w.ref, "", 500)
		w.ok(err)
		if len(list) != 2 || list[0].Count != 1 || list[1].Count != 3 || !list[0].Hour.After(list[1].Hour) || list[1].Cause != "expired" ||
			list[1].RemoteAddress != "192.0.2.1" || list[1].OrganizationID != w.org {
			w.Fatalf("counted %+v", list)
		}
		if n := w.alarms.of(directory.EventSCIMRejectedOther); n != 3 {
			w.Errorf("%d attempts on unknown integrations were counted", n)
		}
		w.floodRejections(l, attempt)
	})
}

// floodRejections sends attempts of as many sorts as there are attempts.
func (w *world) floodRejections(l *directory.RequestLog, attempt model.SCIMRejection) {
	w.Helper()
	const flood = 5000
	for i := range flood {
		attempt.UserAgent = fmt.Sprint("agent ", i)
		l.Reject(attempt)
		if i%1700 == 0 {
			l.Flush(w.ctx)
		}
	}
	l.Flush(w.ctx)
	list, err := w.store.Read(w.ctx).SCIMRejectionsBefore(w.ref, "", 500)
	w.ok(err)
	total := int64(0)
	for _, r := range list {
		total += r.Count
	}
	if len(list) > 103 || total != flood+4 {
		w.Errorf("a flood of %d sorts made %d rows that count %d", flood, len(list), total)
	}
}

func TestTrimSCIMLog(t *testing.T) {
	each(t, func(w *world) {
		l := w.requestLog(directory.RequestLogOptions{})
		day := 24 * time.Hour
		for i := range 2500 {
			l.Keep(w.request("old", -31*day+time.Duration(i)*time.Millisecond))
		}
		l.Keep(w.request("new", -29*day))
		l.Reject(model.SCIMRejection{IntegrationID: w.ref.IntegrationID, Cause: "new"})
		gone := w.integration("Gone", model.RoleSyncMirror)
		orphan := w.request("orphan", 0)
		orphan.ref = gone
		l.Keep(orphan)
		l.Flush(w.ctx)
		w.ok(w.svc.DeleteIntegration(w.ctx, gone))
		if n := w.rowsOf("scim_requests"); n != 2502 {
			w.Fatalf("%d lines before, want 2502", n)
		}
		w.ok(w.svc.TrimSCIMLog(w.ctx, directory.TrimSCIMLog{Days: 30}))
		if got := summaries(w.requests(store.SCIMRequestFilter{})); got != "new" || w.rowsOf("scim_requests") != 1 || w.rowsOf("scim_rejections") != 1 {
			w.Errorf("left are %q, %d lines and %d rejections", got, w.rowsOf("scim_requests"), w.rowsOf("scim_rejections"))
		}
		w.clock.move(40 * day)
		w.ok(w.svc.TrimSCIMLog(w.ctx, directory.TrimSCIMLog{Days: 30}))
		if n := w.rowsOf("scim_requests") + w.rowsOf("scim_rejections"); n != 0 {
			w.Errorf("%d rows are left of what is too old", n)
		}
	})
}

func (w *world) rowsOf(table string) int {
	w.Helper()
	n := 0
	err := w.store.DB().QueryRowContext(w.ctx, "SELECT count(*) FROM "+table).Scan(&n)
	if errors.Is(err, sql.ErrNoRows) {
		return 0
	}
	w.ok(err)
	return n
}

func BenchmarkRequestLog(b *testing.B) {
	for _, db := range storetest.Databases() {
		b.Run(db.Name, func(b *testing.B) {
			s := db.Open(b)
			l := directory.NewRequestLog(directory.RequestLogOptions{Store: s})
			ref := storetest.Ref(b, s)
			at := time.Now()
			e := logged{ref: ref, size: 2500, row: model.SCIMRequest{
				OccurredAt: at, Method: "PATCH", Path: "/Users/0199a000-0000-7000-8000-00000000000a", Summary: "change title and department of ada@contoso.com",
				SubjectType: "User", Subject: "ada@contoso.com", Result: model.SCIMSuccess, Status: 200, Deviations: []string{"capitalized op"},
				CredentialID: "0199a000-0000-7000-8000-00000000000a", CredentialName: "Entra", RemoteAddress: "192.0.2.1",
			}}
			e.exchange.Request.Body = strings.Repeat(`{"op":"Replace","path":"title","value":"Lady"},`, 6)
			e.exchange.Answer.Body = strings.Repeat(`{"userName":"ada@contoso.com","active":true,"title":"Lady","externalId":"2a69c9a6"},`, 10)
			b.ReportAllocs()
			for n := 1; b.Loop(); n++ {
				e.row.ID, e.row.SubjectID = idAt(at), store.NewID()
				l.Keep(e)
				if n%500 == 0 { // as many as wait at a time in a busy server, so that nothing is dropped
					l.Flush(b.Context())
				}
			}
			l.Close(b.Context())
		})
	}
}
