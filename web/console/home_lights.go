package console

import (
	"fmt"
	"strings"
	"time"

	"usher/model"
	"usher/model/store"
)

// The times after which silence of Entra is worth a word: it calls every 20 to 40 minutes where there is something to tell, and
// at least tests the endpoint.
const (
	quietAfter  = 2 * time.Hour
	silentAfter = 24 * time.Hour
)

// integrationLight says in a sentence how an integration is getting on.
func (v *visit) integrationLight(i model.Integration) (light, error) {
	l := light{Name: i.Name, Path: Base + "/integrations/" + i.ID, Tone: good, Icon: "circle-check"}
	var err error
	if i.Ingress == model.IngressSCIM {
		if err = v.scimLight(i, &l); err == nil {
			err = v.quarantineLight(i, &l)
		}
	} else {
		err = v.graphLight(i, &l)
	}
	if err == nil && i.CalendarSync {
		err = v.calendarLight(i, &l)
	}
	return l, err
}

// attention gives a light the colour of something that somebody should look at.
func (l *light) attention(t tone, icon string) {
	l.Tone, l.Icon, l.Attention = t, icon, true
}

func (v *visit) scimLight(i model.Integration, l *light) error {
	last, found, err := v.read.LastSCIMRequest(i.Ref())
	if err != nil {
		return err
	}
	since := v.now().Sub(last.OccurredAt)
	l.Occurrence = "after request " + last.ID
	switch {
	case !found:
		l.attention(warn, "clock")
		l.Occurrence = "never called"
		l.Sentence = "Entra has not called yet. Enter the Tenant URL and a token in Entra, then choose Test Connection."
	case last.Result == model.SCIMFailed:
		l.attention(bad, "alert-triangle")
		l.Sentence = "Entra last called " + ago(since) + ", and Usher failed to answer."
	case last.Status >= 400 && last.Status != 404:
		l.attention(warn, "alert-circle")
		l.Sentence = "Entra last called " + ago(since) + "; the last request was refused: " + sentence(last.Detail)
	case since > silentAfter:
		l.attention(bad, "alert-triangle")
		l.Sentence = "Entra last called " + ago(since) + ". That is long: look whether provisioning is on, or in quarantine."
	case since > quietAfter:
		l.attention(warn, "clock")
		l.Sentence = "Entra last called " + ago(since) + ". It usually calls every 20 to 40 minutes."
	default:
		l.Sentence = "Entra last called " + ago(since) + "; normal."
	}
	return nil
}

// quarantineLight tells of a provisioning job that Entra runs less and less, as far as Usher has asked.
func (v *visit) quarantineLight(i model.Integration, l *light) error {
	setup, err := v.read.Setup(i.Ref())
	if model.KindOf(err) == model.NotFound && err != nil || err == nil && (setup.Job == nil || setup.Job.Quarantine == nil) {
		return nil
	}
	if err != nil {
		return err
	}
	q := setup.Job.Quarantine
	l.attention(bad, "alert-triangle")
	l.Sentence, l.Occurrence = "Entra has put provisioning in quarantine: "+sentence(q.Says), "quarantine"
	if q.BegunAt != nil {
		l.Occurrence += " since " + q.BegunAt.UTC().Format(time.RFC3339)
	}
	return nil
}

func (v *visit) graphLight(i model.Integration, l *light) error {
	runs, err := v.read.RunsBefore(v.org, store.RunFilter{Integration: i.ID, Kind: model.RunImport}, "", 1)
	if err != nil {
		return err
	}
	if len(runs) == 0 {
		l.attention(warn, "clock")
		l.Sentence = "Nothing has been imported yet. Choose groups, then start an import."
		return nil
	}
	run := runs[0]
	l.Occurrence = string(run.State) + " run " + run.ID
	when := ago(v.now().Sub(run.UpdatedAt))
	switch run.State {
	case model.RunSucceeded:
		l.Sentence = "Last imported " + when + "; normal."
	case model.RunHeld:
		l.attention(warn, "alert-circle")
		l.Sentence = "The last import is held since " + when + ": it waits for somebody to look at it."
	case model.RunFailed:
		l.attention(bad, "alert-triangle")
		l.Sentence = "The last import failed " + when + ": " + sentence(run.Error)
	case model.RunCancelled:
		l.Sentence = "The last import was cancelled " + when + "."
	case model.RunQueued, model.RunRunning:
		l.Tone, l.Icon = fresh, "loader"
		l.Sentence = fmt.Sprintf("Importing now: %s of %s people.", count(run.Progress.Done), count(run.Progress.Total))
	}
	return nil
}

func (v *visit) calendarLight(i model.Integration, l *light) error {
	h, err := v.read.CalendarHealth(i.Ref())
	if err != nil {
		return err
	}
	lag := "in step"
	b := badge{good, "calendar", ""}
	if h.OldestWaiting != nil {
		waiting := v.now().Sub(*h.OldestWaiting)
		lag = "the oldest change waits since " + strings.TrimSuffix(ago(waiting), " ago")
		if waiting > 5*time.Minute {
			b.Tone, l.Attention = warn, true
			l.Occurrence += ", calendars behind on " + v.now().UTC().Format(time.DateOnly)
		}
	}
	if h.Failing > 0 || h.Unsubscribed > 0 {
		b.Tone = warn
		lag += fmt.Sprintf(", %d of %s refused", h.Failing, atLeast(h.Mailboxes, "mailbox", "mailboxes"))
		if h.Unsubscribed > 0 {
			lag += ", " + atLeast(h.Unsubscribed, "calendar", "calendars") + " without a subscription"
		}
	}
	b.Text = atLeast(h.Calendars, "calendar", "calendars") + ": " + lag
	l.Extra = append(l.Extra, b)
	return nil
}

// atLeast tells a number that was counted up to CalendarHealthBound.
func atLeast(n int, one, many string) string {
	switch {
	case n >= store.CalendarHealthBound:
		return count(n) + "+ " + many
	case n == 1:
		return "1 " + one
	}
	return count(n) + " " + many
}
