package storetest

import (
	"fmt"
	"testing"
	"time"

	"usher/model"
	"usher/model/store"
)

// addRequests adds a line of the request log and a refused attempt.
func (w *world) addRequests(t *testing.T, s *store.Store, name string) {
	t.Helper()
	w.request = NewRequest(w.ref, name)
	w.request.SubjectID, w.request.Subject, w.request.SubjectKey = w.user.ID, name, model.Fold(name)
	if err := s.AppendSCIMRequests(t.Context(), []model.SCIMRequest{w.request}); err != nil {
		t.Fatal(err)
	}
	at := s.Now()
	rejection := model.SCIMRejection{
		ID: store.NewID(), IntegrationID: w.ref.IntegrationID, Hour: at.Truncate(time.Hour), Cause: name + w.integration.Name, Count: 1, FirstAt: at, LastAt: at,
	}
	_, err := s.AddSCIMRejections(t.Context(), []model.SCIMRejection{rejection}, func(r model.SCIMRejection) model.SCIMRejection { return r })
	if err != nil {
		t.Fatal(err)
	}
}

// NewRequest makes a line of the request log of now.
func NewRequest(ref model.Ref, summary string) model.SCIMRequest {
	return model.SCIMRequest{
		ID: store.NewID(), OrganizationID: ref.OrganizationID, IntegrationID: ref.IntegrationID, OccurredAt: time.Now().UTC().Truncate(time.Microsecond),
		Method: "GET", Path: "/Users", Summary: summary, SubjectType: "User", Result: model.SCIMSuccess, Status: 200, Deviations: []string{},
		Exchange: []byte{1, 2, 3},
	}
}

// Entry is a request as the SCIM edge hands it to the log; it is a model.SCIMEntry.
type Entry struct {
	Of   model.Ref
	Line model.SCIMRequest
	Said model.SCIMExchange
}

// Ref gives the integration.
func (e Entry) Ref() model.Ref { return e.Of }

// Size is that of a small request, in bytes.
func (e Entry) Size() int { return 100 }

// Unnamed gives nothing: the line says all.
func (e Entry) Unnamed() []string { return nil }

// Named gives no name to others.
func (e Entry) Named() (id, name string) { return "", "" }

// Exchange gives what was said.
func (e Entry) Exchange() model.SCIMExchange { return e.Said }

// Row gives the line.
func (e Entry) Row(func(string) string) model.SCIMRequest { return e.Line }

func scimLogCases() []testCase {
	return []testCase{
		{"lines of the request log are written once, however often they are sent", requestsOnce},
		{"a page of the request log looks at a bounded number of lines", requestsBounded},
		{"names are those of the integration that asks", namesAreIsolated},
	}
}

func requestsOnce(t *testing.T, s suite) {
	ref := Ref(t, s.Store)
	var rows []model.SCIMRequest
	for i := range 200 {
		rows = append(rows, NewRequest(ref, fmt.Sprint(i)))
	}
	rows[7].Path, rows[7].Deviations, rows[7].Exchange = `Grüße "\`, []string{"a", `"b"`}, []byte{}
	for _, part := range [][]model.SCIMRequest{rows[:50], rows, rows[100:], nil} {
		if err := s.AppendSCIMRequests(t.Context(), part); err != nil {
			t.Fatal(err)
		}
	}
	list, next, err := s.Read(t.Context()).SCIMRequestsBefore(ref, store.SCIMRequestFilter{}, "", 500)
	if err != nil || len(list) != len(rows) || next != "" {
		t.Fatalf("%d lines, next %q, %v; want %d", len(list), next, err, len(rows))
	}
	got, err := s.Read(t.Context()).SCIMRequest(ref, rows[7].ID)
	if err != nil || fmt.Sprint(got) != fmt.Sprint(rows[7]) {
		t.Errorf("read back %+v, %v; want %+v", got, err, rows[7])
	}
	rows[0].ID = "no id"
	if err := s.AppendSCIMRequests(t.Context(), rows[:1]); err == nil && s.postgres() {
		t.Error("a line without an id was written")
	}
}

// requestsBounded makes more lines than a page looks at, of which the oldest alone is wanted.
func requestsBounded(t *testing.T, s suite) {
	const lines = 21_000
	ref := Ref(t, s.Store)
	rows := make([]model.SCIMRequest, lines)
	for i := range rows {
		rows[i] = NewRequest(ref, "dull")
	}
	rows[0].Summary = "wanted"
	for from := 0; from < lines; from += 1000 {
		if err := s.AppendSCIMRequests(t.Context(), rows[from:from+1000]); err != nil {
			t.Fatal(err)
		}
	}
	found, pages, before := 0, 0, ""
	for {
		page, next, err := s.Read(t.Context()).SCIMRequestsBefore(ref, store.SCIMRequestFilter{Search: "want"}, before, 10)
		if err != nil {
			t.Fatal(err)
		}
		found, pages = found+len(page), pages+1
		if before = next; next == "" {
			break
		}
	}
	if found != 1 || pages != 2 {
		t.Errorf("found %d lines on %d pages, want 1 on 2", found, pages)
	}
}

func namesAreIsolated(t *testing.T, s suite) {
	ref, other := Ref(t, s.Store), Ref(t, s.Store)
	ada, sales := User(t, s.Store, ref, "ada@contoso.com"), Group(t, s.Store, ref, "Sales")
	gone := NewRequest(ref, "x")
	gone.SubjectID, gone.Subject = store.NewID(), "gone@contoso.com"
	if err := s.AppendSCIMRequests(t.Context(), []model.SCIMRequest{gone}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		of   model.Ref
		want map[string]string
	}{
		{ref, map[string]string{ada.ID: "ada@contoso.com", sales.ID: "Sales", gone.SubjectID: "gone@contoso.com"}},
		{other, map[string]string{}},
		{model.Ref{OrganizationID: other.OrganizationID, IntegrationID: ref.IntegrationID}, map[string]string{}},
	} {
		var wanted []store.SCIMName
		for _, id := range []string{ada.ID, sales.ID, gone.SubjectID, store.NewID(), "no id", ""} {
			wanted = append(wanted, store.SCIMName{Ref: c.of, ID: id})
		}
		found, err := s.SCIMNames(t.Context(), wanted)
		if err != nil || len(found) != len(c.want) {
			t.Errorf("%v, %v; want %v", found, err, c.want)
		}
		for id, name := range c.want {
			if found[store.SCIMName{Ref: c.of, ID: id}] != name {
				t.Errorf("%s is called %q, want %q", id, found[store.SCIMName{Ref: c.of, ID: id}], name)
			}
		}
	}
}
