package directory

import (
	"testing"
	"time"

	"usher/model"
)

func TestPushWatchAsksForACount(t *testing.T) {
	t.Parallel()
	var w pushWatch
	ref := model.Ref{OrganizationID: "o", IntegrationID: "i"}
	now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	ask := func(what string, n int, want bool) {
		t.Helper()
		seen := w.note(ref, n, now)
		if got := !seen.alarmed && (!seen.fresh || seen.pushed > 10); got != want {
			t.Errorf("%s: a count is asked for: %v", what, got)
		}
	}
	ask("the first one, of which nothing is known", 1, true)
	w.counted(ref, 1, now)
	ask("as many as the limit", 9, false)
	ask("one more than the limit", 1, true)
	w.counted(ref, 4, now) // the older ones are out of the hour
	ask("below the limit again", 1, false)
	now = now.Add(watchAge + time.Second)
	ask("when the count is old, because another process may have seen some", 1, true)
	w.alarmed(ref, now)
	ask("while the alarm stands", 100, false)
	now = now.Add(watchAge + time.Second)
	ask("later", 1, true)
	if other := (model.Ref{OrganizationID: "o", IntegrationID: "j"}); w.note(other, 1, now).fresh {
		t.Error("an integration's count serves another one")
	}
}
