package api_test

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"usher/model"
	"usher/model/store"
)

func TestChangesHaveNoGapsWhileWritersRun(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		const writers, each = 4, 15
		var wg sync.WaitGroup
		for w := range writers {
			wg.Go(func() {
				for i := range each {
					email := fmt.Sprintf("person-%d-%d@contoso.example", w, i)
					if _, err := f.svc.CreateAccount(t.Context(), f.org.ID, model.Account{Email: email}); err != nil {
						t.Errorf("create %s: %v", email, err)
					}
				}
			})
		}
		finished := make(chan struct{})
		go func() { wg.Wait(); close(finished) }()
		seen, after, last := map[string]bool{}, "", int64(0)
		deadline := time.Now().Add(time.Minute)
		for len(seen) < writers*each {
			if time.Now().After(deadline) {
				t.Fatalf("%d of %d changes after a minute", len(seen), writers*each)
			}
			feed := f.do("GET", "/changes?limit=7&wait=5s&types=account.*&after="+after, nil).want(http.StatusOK)
			for _, c := range objects(t, feed["data"]) {
				id, err := strconv.ParseInt(str(t, c, "id"), 10, 64)
				if err != nil || id <= last {
					t.Fatalf("position %v after %d", c["id"], last)
				}
				last = id
				subject, _ := c["subject"].(map[string]any)
				if seen[str(t, subject, "id")] || c["type"] != "account.created" || subject["type"] != "account" || c["occurred_at"] == nil || c["data"] == nil {
					t.Errorf("change %v", c)
				}
				seen[str(t, subject, "id")] = true
			}
			after = str(t, feed, "next")
		}
		<-finished
		if feed := f.do("GET", "/changes?types=account.*&after="+after, nil).want(http.StatusOK); len(objects(t, feed["data"])) != 0 || feed["next"] != after {
			t.Errorf("behind the end: %v", feed)
		}
	})
}

func TestChangesWait(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		start := str(t, f.do("GET", "/changes?limit=500", nil).want(http.StatusOK), "next")
		answers := make(chan response, 1)
		began := time.Now()
		go func() { answers <- f.do("GET", "/changes?wait=55s&after="+start, nil) }()
		if _, err := f.svc.CreateAccount(t.Context(), f.org.ID, model.Account{Email: "ada@contoso.example"}); err != nil {
			t.Fatal(err)
		}
		feed := (<-answers).want(http.StatusOK)
		if n := len(objects(t, feed["data"])); n != 1 || time.Since(began) > 30*time.Second {
			t.Errorf("%d changes after %s", n, time.Since(began))
		}
		empty := f.do("GET", "/changes?wait=50ms&after="+str(t, feed, "next"), nil).want(http.StatusOK)
		if len(objects(t, empty["data"])) != 0 || empty["next"] != feed["next"] {
			t.Errorf("after a wait in vain: %v", empty)
		}
		for query, field := range map[string]string{
			"after=x": "after", "after=-1": "after", "after=99999999999999999999": "after", "wait=long": "wait", "wait=2m": "wait", "wait=-1s": "wait",
			"limit=0": "limit",
		} {
			f.do("GET", "/changes?"+query, nil).wantProblem(http.StatusUnprocessableEntity, field)
		}
		if n := len(objects(t, f.do("GET", "/changes?types=role.%25,nothing", nil).want(http.StatusOK)["data"])); n != 0 {
			t.Errorf("%d changes of types that do not exist", n)
		}
	})
}

func TestActivity(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		made := f.do("POST", "/accounts", map[string]any{"email": "ada@contoso.example", "display_name": "=HYPERLINK(1)"}).want(http.StatusCreated)
		id := f.integration()
		for query, want := range map[string]int{
			"subject=" + str(t, made, "id"): 1, "integration=" + id: 1, "q=MADE%20BY%20HAND": 1, "actor=nobody": 0, "to=2000-01-01T00:00:00Z": 0,
			"from=2000-01-01T00:00:00Z&actor=api-key:test": 2,
		} {
			if n := len(f.do("GET", "/activity?"+query, nil).list()); n != want {
				t.Errorf("?%s gave %d lines, want %d", query, n, want)
			}
		}
		f.do("GET", "/activity?from=yesterday", nil).wantProblem(http.StatusUnprocessableEntity, "from")
		f.do("GET", "/activity?after=bm8", nil).wantProblem(http.StatusUnprocessableEntity, "after")
		all := len(f.do("GET", "/activity?limit=500", nil).list())
		err := f.svc.Store.InTx(t.Context(), func(tx *store.Tx) error {
			for range 600 {
				if err := tx.Log(model.Activity{OrganizationID: f.org.ID, Actor: "test", Action: "x", Subject: "x", Summary: "x"}, nil); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		res := f.do("GET", "/activity", nil, "Accept", "text/csv")
		rows, err := csv.NewReader(strings.NewReader(string(res.raw))).ReadAll()
		if err != nil || len(rows) != all+600+1 || rows[0][0] != "occurred_at" || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/csv") {
			t.Fatalf("CSV of %d rows, want %d: %v", len(rows), all+601, err)
		}
		for _, row := range rows {
			for _, cell := range row {
				if strings.HasPrefix(cell, "=") {
					t.Errorf("a spreadsheet would run %q", cell)
				}
			}
		}
	})
}
