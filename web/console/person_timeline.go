package console

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"usher/model"
	"usher/model/store"
)

// timelineOf is how many lines of each kind a timeline takes.
const timelineOf = 25

// personTimeline merges what was done to a person: activities of runs and operators, and requests of Entra.
func (v *visit) personTimeline(view *personView, users []model.DirectoryUser, _ *model.Settings) error {
	activities, err := v.read.ActivitiesBefore(v.org, store.ActivityFilter{Subject: view.ID}, "", timelineOf)
	if err != nil {
		return err
	}
	for i := range users {
		more, err := v.mirrorEvents(&users[i], &activities)
		if err != nil {
			return err
		}
		view.Timeline = append(view.Timeline, more...)
	}
	for _, a := range activities {
		e := activityEvent(a)
		e.Path, e.Subject, e.Detail = "", "", changeText(a.Data)
		e.Summary = sentence(a.Summary)
		view.Timeline = append(view.Timeline, e)
	}
	slices.SortFunc(view.Timeline, func(a, b event) int { return b.At.Compare(a.At) })
	view.Timeline = view.Timeline[:min(len(view.Timeline), timelineOf)]
	return nil
}

// mirrorEvents gives the requests about a directory user, and adds its activities.
func (v *visit) mirrorEvents(u *model.DirectoryUser, activities *[]model.Activity) ([]event, error) {
	own, err := v.read.ActivitiesBefore(v.org, store.ActivityFilter{Subject: u.ID}, "", timelineOf)
	if err != nil {
		return nil, err
	}
	*activities = append(*activities, own...)
	requests, _, err := v.read.SCIMRequestsBefore(u.Ref(), store.SCIMRequestFilter{Subject: u.ID}, "", timelineOf)
	var list []event
	for _, q := range requests {
		e := requestEvent(q)
		e.Subject = ""
		list = append(list, e)
	}
	return list, err
}

// requestEvent gives a SCIM request as a line of a timeline.
func requestEvent(q model.SCIMRequest) event {
	e := event{
		Icon: "bolt", Tone: fresh, Summary: sentence(q.Summary), Actor: "Entra", At: q.OccurredAt, Subject: "Request",
		Path: Base + "/logs/requests/" + q.IntegrationID + "/" + q.ID, Detail: fmt.Sprintf("%s, %d", q.Method, q.Status),
	}
	if q.Status >= 400 {
		e.Tone, e.Icon = bad, "alert-circle"
		e.Summary = sentence(q.Summary) + " " + sentence(q.Detail)
	}
	return e
}

// changeText tells before and after of an activity's data in few words, where it has them.
func changeText(data json.RawMessage) string {
	var list struct {
		Changes []model.FieldChange `json:"changes"`
	}
	if json.Unmarshal(data, &list) != nil {
		return ""
	}
	var parts []string
	for i, c := range list.Changes {
		if i == 4 {
			parts = append(parts, fmt.Sprintf("and %d more", len(list.Changes)-i))
			break
		}
		parts = append(parts, fmt.Sprintf("%s: %s → %s", fieldName(c.Field), words(c.Before), words(c.After)))
	}
	return strings.Join(parts, "; ")
}

// words tells a JSON value to a person.
func words(v any) string {
	switch v := v.(type) {
	case nil:
		return "nothing"
	case string:
		return orDash(v)
	case []any:
		var parts []string
		for _, x := range v {
			parts = append(parts, words(x))
		}
		if len(parts) == 0 {
			return "none"
		}
		return strings.Join(parts, ", ")
	case []string:
		if len(v) == 0 {
			return "none"
		}
		return strings.Join(v, ", ")
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(raw)
}

// pretty gives the document as Entra sent it, for people.
func pretty(u *model.DirectoryUser) string {
	document := u.Document
	raw, err := document.Raw()
	if err != nil {
		return ""
	}
	var b bytes.Buffer
	if json.Indent(&b, raw, "", "  ") != nil {
		return string(raw)
	}
	return b.String()
}
