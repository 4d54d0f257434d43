package calendarstest

import (
	"testing"
	"time"

	"usher/model/outlook"
)

func subscriptions() []promise {
	return []promise{
		{"a subscription is made, listed, renewed and ended", subscriptionLife},
		{"a second subscription to the same is Duplicate", duplicate},
		{"a URL that does not answer is ValidationFailed", deadURL},
		{"no subscription lives longer than Graph lets it", tooLong},
		{"renewals are answered in order, each for itself", renewals},
		{"a subscription is reauthorized without another end", reauthorized},
		{"a calendar is subscribed to by its id", byCalendarID},
	}
}

func duplicate(t *testing.T, w World) {
	must[outlook.Subscription](t)(w.Calendars.Subscribe(t.Context(), w.wish(w.Ada)))
	_, err := w.Calendars.Subscribe(t.Context(), w.wish(w.Ada))
	wantKind(t, err, outlook.Duplicate)
	must[outlook.Subscription](t)(w.Calendars.Subscribe(t.Context(), w.wish(w.Grace)))
}

func deadURL(t *testing.T, w World) {
	wish := w.wish(w.Ada)
	wish.NotificationURL = w.DeadURL
	_, err := w.Calendars.Subscribe(t.Context(), wish)
	wantKind(t, err, outlook.ValidationFailed)
	wish = w.wish(w.Ada)
	wish.LifecycleURL = w.DeadURL
	_, err = w.Calendars.Subscribe(t.Context(), wish)
	wantKind(t, err, outlook.ValidationFailed)
	if got := w.subscriptions(t); len(got) != 0 {
		t.Errorf("there are %d subscriptions", len(got))
	}
}

func tooLong(t *testing.T, w World) {
	wish := w.wish(w.Ada)
	wish.ExpiresAt = w.Now().Add(60 * 24 * time.Hour)
	got, err := w.Calendars.Subscribe(t.Context(), wish)
	if err != nil {
		wantKind(t, err, outlook.TooLong)
	} else if got.ExpiresAt.After(w.Now().Add(7 * 24 * time.Hour)) {
		t.Errorf("it ends at %v", got.ExpiresAt)
	}
}

func renewals(t *testing.T, w World) {
	first := must[outlook.Subscription](t)(w.Calendars.Subscribe(t.Context(), w.wish(w.Ada)))
	second := must[outlook.Subscription](t)(w.Calendars.Subscribe(t.Context(), w.wish(w.Grace)))
	until := w.Now().Add(72 * time.Hour).Truncate(time.Second)
	list := []outlook.Renewal{{ID: first.ID, ExpiresAt: until}}
	for range 22 { // more than a batch
		list = append(list, outlook.Renewal{ID: "c6126aa3-0ed8-412f-a988-71e6cee627c4", ExpiresAt: until})
	}
	list = append(list, outlook.Renewal{ID: second.ID, ExpiresAt: until})
	got := must[[]outlook.Renewed](t)(w.Calendars.Renew(t.Context(), list))
	if len(got) != len(list) {
		t.Fatalf("%d answers to %d renewals", len(got), len(list))
	}
	for i, r := range got {
		known := i == 0 || i == len(got)-1
		switch {
		case r.ID != list[i].ID:
			t.Errorf("answer %d is that of %s", i, r.ID)
		case known && (r.Err != nil || !r.ExpiresAt.Equal(until)):
			t.Errorf("answer %d: %v, ends at %v", i, r.Err, r.ExpiresAt)
		case !known:
			wantKind(t, r.Err, outlook.NotFound)
		}
	}
}

func reauthorized(t *testing.T, w World) {
	made := must[outlook.Subscription](t)(w.Calendars.Subscribe(t.Context(), w.wish(w.Ada)))
	if err := w.Calendars.Reauthorize(t.Context(), made.ID); err != nil {
		t.Error(err)
	}
	if got := w.subscriptions(t); len(got) != 1 || !got[0].ExpiresAt.Equal(made.ExpiresAt) {
		t.Errorf("got %+v, want the end %v", got, made.ExpiresAt)
	}
	wantKind(t, w.Calendars.Reauthorize(t.Context(), "c6126aa3-0ed8-412f-a988-71e6cee627c4"), outlook.NotFound)
}

func byCalendarID(t *testing.T, w World) {
	list := must[[]outlook.Calendar](t)(w.Calendars.Calendars(t.Context(), w.Ada.ID))
	wish := w.wish(w.Ada)
	wish.Calendar.Calendar = list[0].ID
	made, err := w.Calendars.Subscribe(t.Context(), wish)
	if err != nil || made.ID == "" {
		t.Errorf("got %+v, %v", made, err)
	}
}

// wish is a subscription to the default calendar of somebody.
func (w World) wish(who outlook.User) outlook.NewSubscription {
	return outlook.NewSubscription{
		Calendar: calendarOf(who), NotificationURL: w.URL + "?cal=1", LifecycleURL: w.URL + "?life=1", ClientState: "s3cret-state",
		ExpiresAt: w.Now().Add(48 * time.Hour).Truncate(time.Second),
	}
}

func (w World) subscriptions(t *testing.T) []outlook.Subscription {
	t.Helper()
	var list []outlook.Subscription
	for next := ""; ; {
		page := must[outlook.SubscriptionPage](t)(w.Calendars.Subscriptions(t.Context(), next))
		list = append(list, page.Subscriptions...)
		if next = page.Next; next == "" || len(list) > 1000 {
			return list
		}
	}
}

func subscriptionLife(t *testing.T, w World) {
	wish := w.wish(w.Ada)
	made := must[outlook.Subscription](t)(w.Calendars.Subscribe(t.Context(), wish))
	if made.ID == "" || !made.ExpiresAt.Equal(wish.ExpiresAt) {
		t.Fatalf("made %+v, want the end %v", made, wish.ExpiresAt)
	}
	list := w.subscriptions(t)
	if len(list) != 1 || list[0].ID != made.ID || list[0].NotificationURL != wish.NotificationURL || list[0].Resource == "" {
		t.Errorf("list %+v", list)
	}
	until := w.Now().Add(96 * time.Hour).Truncate(time.Second)
	got := must[[]outlook.Renewed](t)(w.Calendars.Renew(t.Context(), []outlook.Renewal{{ID: made.ID, ExpiresAt: until}}))
	if len(got) != 1 || got[0].Err != nil || !got[0].ExpiresAt.Equal(until) {
		t.Errorf("renewed %+v", got)
	}
	for range 2 { // the second time it is gone already
		if err := w.Calendars.Unsubscribe(t.Context(), made.ID); err != nil {
			t.Error(err)
		}
	}
	if list := w.subscriptions(t); len(list) != 0 {
		t.Errorf("it is still listed: %+v", list)
	}
	renewed := must[[]outlook.Renewed](t)(w.Calendars.Renew(t.Context(), []outlook.Renewal{{ID: made.ID, ExpiresAt: until}}))
	wantKind(t, renewed[0].Err, outlook.NotFound)
}
