package api_test

import (
	"net/http"
	"strings"
	"testing"

	"usher/model"
	"usher/model/store"
	"usher/model/store/storetest"
)

func TestWebhookEndpoints(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		made := f.do("POST", "/webhook-endpoints", map[string]any{"url": "https://app.contoso.com/hooks", "types": []string{"account.*"}}).want(http.StatusCreated)
		path := "/webhook-endpoints/" + str(t, made, "id")
		if text := str(t, made, "secret"); !strings.HasPrefix(text, "whsec_") {
			t.Errorf("the secret is %q", text)
		}
		if list := f.do("GET", "/webhook-endpoints", nil).list(); len(list) != 1 || list[0]["secret"] != nil {
			t.Errorf("endpoints: %v", list)
		}
		changed := f.do("PATCH", path, map[string]any{"state": "paused", "types": nil, "description": "HR"}).want(http.StatusOK)
		if changed["state"] != "paused" || changed["description"] != "HR" || changed["url"] != "https://app.contoso.com/hooks" {
			t.Errorf("changed: %v", changed)
		}
		f.do("POST", path+"/test", nil).wantProblem(http.StatusConflict, "state")
		f.do("PATCH", path, map[string]any{"state": "active"}).want(http.StatusOK)
		delivery := f.do("POST", path+"/test", nil).want(http.StatusAccepted)
		one := path + "/deliveries/" + str(t, delivery, "id")
		if body, ok := f.do("GET", one, nil).want(http.StatusOK)["body"].(map[string]any); !ok || body["type"] != string(model.WebhookTest) {
			t.Errorf("the body is %v", body)
		}
		f.do("POST", one+"/resend", nil).want(http.StatusAccepted)
		if list := f.do("GET", path+"/deliveries?state=pending", nil).list(); len(list) != 1 {
			t.Errorf("deliveries: %v", list)
		}
		if text := str(t, f.do("POST", path+"/rotate-secret", nil).want(http.StatusOK), "secret"); text == made["secret"] {
			t.Error("the secret is still the old one")
		}
		f.do("POST", path+"/rotate-secret", nil).wantProblem(http.StatusConflict, "")
		if res := f.do("DELETE", path, nil); res.StatusCode != http.StatusNoContent {
			t.Errorf("deleting answers %d", res.StatusCode)
		}
		f.do("GET", path, nil).wantProblem(http.StatusNotFound, "")
	})
}

func TestWebhookEndpointsRefuse(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		for _, c := range []struct {
			body  map[string]any
			field string
		}{
			{map[string]any{}, "url"},
			{map[string]any{"url": "ftp://app.contoso.com"}, "url"},
			{map[string]any{"url": "http://app.contoso.com"}, "url"},
			{map[string]any{"url": "https://"}, "url"},
			{map[string]any{"url": "https://ada:secret@app.contoso.com"}, "url"},
			{map[string]any{"url": "https://app.contoso.com", "types": []string{"account"}}, "types"},
			{map[string]any{"url": "https://app.contoso.com", "types": []string{"acc*"}}, "types"},
			{map[string]any{"url": "https://app.contoso.com", "integration_id": store.NewID()}, "integration_id"},
		} {
			f.do("POST", "/webhook-endpoints", c.body).wantProblem(http.StatusUnprocessableEntity, c.field)
		}
		made := f.do("POST", "/webhook-endpoints", map[string]any{"url": "https://app.contoso.com/hooks"}).want(http.StatusCreated)
		path := "/webhook-endpoints/" + str(t, made, "id")
		f.do("PATCH", path, map[string]any{"state": "disabled"}).wantProblem(http.StatusUnprocessableEntity, "state")
		f.do("POST", path+"/replay", map[string]any{"from": "900000000000"}).wantProblem(http.StatusUnprocessableEntity, "from")
		f.do("POST", path+"/replay", map[string]any{"from": "2", "to": "1"}).wantProblem(http.StatusUnprocessableEntity, "to")
		f.do("GET", path+"/deliveries?after=AAAA", nil).wantProblem(http.StatusUnprocessableEntity, "after")
		f.do("GET", path+"/deliveries/"+store.NewID(), nil).wantProblem(http.StatusNotFound, "")
	})
}

// TestAReaderBehindTheFeedIsToldSo prunes the feed and asks on from before.
func TestAReaderBehindTheFeedIsToldSo(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.estate()
		end, err := f.svc.Store.FeedEnd(t.Context())
		if err != nil || end < 3 {
			t.Fatalf("the feed ends at %d: %v", end, err)
		}
		storetest.InTx(t, f.svc.Store, func(tx *store.Tx) error {
			n, err := tx.PruneChanges(tx.Now().AddDate(0, 0, 1), int(end)-1)
			if n != int(end)-1 {
				t.Errorf("%d entries were deleted, want %d", n, end-1)
			}
			return err
		})
		f.do("GET", "/changes?after=1", nil).wantProblem(http.StatusGone, "after")
		if list := f.do("GET", "/changes", nil).list(); len(list) != 1 {
			t.Errorf("%d entries are kept, want 1", len(list))
		}
	})
}
