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
	activities, err := v.read.ActivitiesBefore(v.org, store.ActivityFilter{SubjectID: view.ID}, "", timelineOf)
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
	ids := make([]string, len(users))
	for i := range users {
		ids[i] = users[i].ID
	}
	runs, err := v.runEvents(ids...)
	view.Timeline = newestFirst(append(view.Timeline, runs...))
	return err
}

// newestFirst orders a timeline, and cuts what is too long ago.
func newestFirst(list []event) []event {
	slices.SortStableFunc(list, func(a, b event) int { return b.At.Compare(a.At) })
	return list[:min(len(list), timelineOf)]
}

// timelineRuns is how many of the newest runs are asked for what they decided about a person.
const timelineRuns = 50

// runEvents gives what the newest runs decided about directory users.
func (v *visit) runEvents(ids ...string) ([]event, error) {
	decisions, err := v.read.DecisionsAbout(v.org, ids, timelineRuns)
	var list []event
	for i := range decisions {
		list = append(list, runEvent(&decisions[i]))
	}
	return list, err
}

// runEvent gives a decision of a run as a line of a timeline. What it applied stands there by itself.
func runEvent(d *store.PersonDecision) event {
	e := event{Icon: "player-play", Tone: calm, Actor: "run", At: d.At, Path: Base + "/runs/" + d.RunID, Subject: runKind(d.Kind)}
	what := wouldBe(d.Action).Text
	switch {
	case d.Action == model.ActionSkip:
		e.Summary = "Gives no account: " + sentence(d.Reason)
	case d.State == model.DecisionApplied:
		e.Summary, e.Tone = "Applied its plan: "+sentence(strings.Replace(what, "Would", "would", 1)), good
	case d.State == model.DecisionLeft:
		e.Summary, e.Tone = what+", and left as it was: "+sentence(d.Note), warn
	case d.RunState == model.RunHeld:
		e.Summary, e.Tone = what+". The plan is held until somebody applies it. "+sentence(d.Reason), warn
	default:
		e.Summary = what + ". " + sentence(d.Reason)
	}
	if d.State != model.DecisionApplied {
		e.Detail = changesText(d.Changes)
	}
	return e
}

// mirrorEvents gives the requests about a directory user, and adds its activities.
func (v *visit) mirrorEvents(u *model.DirectoryUser, activities *[]model.Activity) ([]event, error) {
	own, err := v.read.ActivitiesBefore(v.org, store.ActivityFilter{SubjectID: u.ID}, "", timelineOf)
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
	return changesText(list.Changes)
}

// changesText tells before and after in few words.
func changesText(changes []model.FieldChange) string {
	var parts []string
	for i, c := range changes {
		if i == 4 {
			parts = append(parts, fmt.Sprintf("and %d more", len(changes)-i))
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
	case []model.Permission:
		var parts []string
		for _, p := range v {
			parts = append(parts, string(p.Level)+" of "+p.Module+" at "+p.Site)
		}
		return words(parts)
	case map[string]any: // a permission as it is stored
		if v["module"] != nil && v["level"] != nil {
			return fmt.Sprintf("%v of %v at %v", v["level"], v["module"], v["site"])
		}
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
