package directory

import (
	"fmt"
	"slices"
	"testing"

	"usher/model"
)

func TestSuggestExclusions(t *testing.T) {
	person := func(userName string) map[string]any {
		return with(adaAttributes(), map[string]any{"userName": userName, "emails": []any{map[string]any{"value": userName}}})
	}
	service := map[string]any{"userName": "svc-backup@contoso.com", "displayName": "Backup"}
	shared := with(person("info@contoso.com"), map[string]any{usherUserSchema: map[string]any{"userPurpose": "shared"}})
	licensed := with(person("carla@contoso.com"), map[string]any{usherUserSchema: map[string]any{"assignedLicenses": []any{"E5"}}})
	for _, tt := range []struct {
		name  string
		users []map[string]any
		want  []string // exclusion, count, first example
	}{
		{"nobody suggests nothing", nil, nil},
		{"ordinary people suggest nothing", []map[string]any{person("ada@contoso.com"), person("abbott@contoso.com"), person("zaroomba@contoso.com"), person("badminton@contoso.com")}, nil},
		{
			"an account without names and mail", []map[string]any{service}, []string{
				"{,*[-._]}svc{,[-._]*}@* 1 svc-backup@contoso.com", "name empty 1 svc-backup@contoso.com", "emails empty 1 svc-backup@contoso.com",
			},
		},
		{"service accounts are counted", []map[string]any{person("service.mail@contoso.com"), person("mailservice@contoso.com")}, []string{"*service* 2 service.mail@contoso.com"}},
		{"bots", []map[string]any{person("hr-bot@contoso.com"), person("bot@contoso.com")}, []string{"{,*[-._]}{bot,robot}{,[-._]*}@* 2 hr-bot@contoso.com"}},
		{"no-reply", []map[string]any{person("No-Reply@contoso.com")}, []string{"*{noreply,no-reply,no_reply,no.reply,donotreply,do-not-reply}* 1 No-Reply@contoso.com"}},
		{"administration", []map[string]any{person("admin@contoso.com"), person("ada.admin@contoso.com")}, []string{"{,*[-._]}{admin,administrator,adm}{,[-._]*}@* 2 admin@contoso.com"}},
		{"devices", []map[string]any{person("scanner3@contoso.com")}, []string{"*{scanner,printer,copier}* 1 scanner3@contoso.com"}},
		{"rooms", []map[string]any{person("room-1@contoso.com")}, []string{"{,*[-._]}{room,meetingroom,boardroom}{,[-._]*}@* 1 room-1@contoso.com"}},
		{"directory synchronization", []map[string]any{person("Sync_SRV1_0af3@contoso.com")}, []string{"sync_* 1 Sync_SRV1_0af3@contoso.com"}},
		{"shared mailboxes", []map[string]any{shared}, []string{usherUserSchema + ":userPurpose equals shared 1 info@contoso.com"}},
		{"no licence counts only where licences are known", []map[string]any{person("ada@contoso.com"), licensed}, []string{usherUserSchema + ":assignedLicenses empty 1 ada@contoso.com"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := SuggestExclusions(func(yield func(model.DirectoryUser) bool) {
				for _, attrs := range tt.users {
					if !yield(userOf(t, "i1", attrs)) {
						return
					}
				}
			})
			var lines []string
			for _, s := range got {
				text := s.Exclusion.Pattern
				if text == "" {
					text = s.Exclusion.Attribute + " " + s.Exclusion.Operator
				}
				if s.Exclusion.Value != "" {
					text += " " + s.Exclusion.Value
				}
				lines = append(lines, fmt.Sprintf("%s %d %s", text, s.Count, s.Examples[0]))
				if s.Reason == "" {
					t.Errorf("no reason for %s", text)
				}
			}
			if !slices.Equal(lines, tt.want) {
				t.Errorf("got  %q\nwant %q", lines, tt.want)
			}
		})
	}
}

func TestSuggestionsAreValidExclusions(t *testing.T) {
	var list []model.Exclusion
	for _, s := range suggestables() {
		list = append(list, s.exclusion)
	}
	if err := ValidateExclusions(list); err != nil || len(list) == 0 {
		t.Errorf("%d suggestions: %v", len(list), err)
	}
}

func TestSuggestionsNameAFewExamples(t *testing.T) {
	got := SuggestExclusions(func(yield func(model.DirectoryUser) bool) {
		for i := range 100 {
			if !yield(userOf(t, "i1", with(adaAttributes(), map[string]any{"userName": fmt.Sprintf("bot-%d@contoso.com", i), "emails": nil}))) {
				return
			}
		}
	})
	if len(got) != 2 || got[0].Count != 100 || len(got[0].Examples) != maxExamples {
		t.Errorf("%+v", got)
	}
}
