package console

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"usher/directory"
	"usher/model"
)

// alarm is something that somebody should see to. It is told of until an operator acknowledges it, and again when it happens anew.
type alarm struct {
	alert
	Ack *acknowledge
}

// acknowledge is the form that acknowledges an alarm, or who has.
type acknowledge struct {
	Alarm      string // kind:id
	Occurrence string // what happened, by a name that is another one when it happens anew
	Title      string // of the alarm, for the log
	Offer      bool   // the operator may
	By         string // who acknowledged it; "" where nobody has
	At         time.Time
}

// alarms gives what somebody should see to beside the integrations' lights, the worst first.
func (v *visit) alarms(integrations []model.Integration) ([]alarm, error) {
	var list []alarm
	for _, find := range []func([]model.Integration) ([]alarm, error){v.heldAlarms, v.webhookAlarms, v.credentialAlarms, v.keyAlarms, v.graphAlarms} {
		found, err := find(integrations)
		if err != nil {
			return nil, err
		}
		list = append(list, found...)
	}
	worst := func(a alarm) int { return slices.Index([]tone{bad, warn}, a.Tone) }
	slices.SortStableFunc(list, func(a, b alarm) int { return worst(a) - worst(b) })
	return list, nil
}

func newAlarm(key, occurrence string, a alert) alarm {
	return alarm{a, &acknowledge{Alarm: key, Occurrence: occurrence, Title: strings.TrimSuffix(a.Title, ".")}}
}

func (v *visit) heldAlarms([]model.Integration) ([]alarm, error) {
	held, err := v.read.HeldRuns(v.org)
	var list []alarm
	for _, run := range held {
		list = append(list, newAlarm("run:"+run.ID, "held", alert{
			Tone: warn, Icon: "player-play", Title: "A plan is held",
			Text:   fmt.Sprintf("It would deactivate %s. Look at it, then apply or discard it.", quantity(run.Counts[model.ActionDeactivate], "account")),
			Action: link{"Open the plan", Base + "/runs/" + run.ID, ""},
		}))
	}
	return list, err
}

func (v *visit) webhookAlarms([]model.Integration) ([]alarm, error) {
	endpoints, err := v.read.FailingWebhookEndpoints(v.org)
	var list []alarm
	for _, e := range endpoints {
		a := alert{Tone: warn, Icon: "webhook", Title: "The webhook endpoint " + e.URL + " fails", Action: link{"Look at it", Base + "/webhooks/" + e.ID, ""}}
		occurrence := string(e.State)
		if e.FailingSince != nil {
			occurrence += " since " + e.FailingSince.UTC().Format(time.RFC3339)
			a.Text = "It has failed for " + strings.TrimSuffix(ago(v.now().Sub(*e.FailingSince)), " ago") + ": " + sentence(e.LastError)
		}
		if e.State == model.WebhookDisabled {
			a.Tone, a.Title = bad, "The webhook endpoint "+e.URL+" is not called any more"
			a.Text = sentence(orWord(e.Reason, e.LastError))
		}
		list = append(list, newAlarm("webhook_endpoint:"+e.ID, occurrence, a))
	}
	return list, err
}

// ending is how an alarm tells of a credential that ends: in red when it has, and what happened by the number of days that a warning
// was due at.
func ending(endsAt, now time.Time) (t tone, occurrence string) {
	threshold, _ := model.DueThreshold(&endsAt, now)
	occurrence = fmt.Sprintf("%d days before %s", threshold, endsAt.UTC().Format(time.DateOnly))
	if !endsAt.After(now) {
		return bad, occurrence
	}
	return warn, occurrence
}

func (v *visit) credentialAlarms(integrations []model.Integration) ([]alarm, error) {
	var list []alarm
	for _, i := range integrations {
		warnings, err := v.svc.Warnings(v.ctx, i.Ref())
		if err != nil {
			return nil, err
		}
		for _, w := range warnings {
			t, occurrence := ending(w.ExpiresAt, v.now())
			list = append(list, newAlarm(string(w.Kind)+":"+w.ID, occurrence, alert{
				Tone: t, Icon: "key", Title: i.Name + ": " + w.Name, Text: sentence(w.Detail), Action: link{"Rotate it", Base + "/integrations/" + i.ID + "#tokens", ""},
			}))
		}
	}
	return list, nil
}

func (v *visit) keyAlarms([]model.Integration) ([]alarm, error) {
	shown := directory.ExpiredShown()
	keys, err := v.read.EndingAPIKeys(v.org, v.now().Add(-shown), v.now().Add(shown))
	var list []alarm
	for _, k := range keys {
		t, occurrence := ending(*k.ExpiresAt, v.now())
		a := alert{Tone: t, Icon: "key", Title: "API key " + k.Name, Text: "The API key " + directory.EndsInWords(*k.ExpiresAt, v.now()) + ". Make another one where it is still needed."}
		if v.can(model.RightManageKeys) {
			a.Action = link{"API keys", Base + "/settings/api-keys", ""}
		}
		list = append(list, newAlarm("api_key:"+k.ID, occurrence, a))
	}
	return list, err
}

// The age at which a sealing key or a client secret is spoken of: a year, and what Entra gives a secret at most.
const (
	oldKey    = 365 * 24 * time.Hour
	oldSecret = 700 * 24 * time.Hour
)

// graphAlarms tell of what integrations reach Microsoft Graph with, and of the key that it is sealed with.
func (v *visit) graphAlarms(integrations []model.Integration) ([]alarm, error) {
	credentials, err := v.svc.GraphCredentials(v.ctx, v.org)
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	for _, i := range integrations {
		names[i.ID] = i.Name
	}
	var list []alarm
	var earlier int
	var oldest time.Time
	for _, c := range credentials {
		edit := link{"Replace it", Base + "/integrations/" + c.IntegrationID + "/edit", ""}
		days, soon := directory.Expiring(c.EndsAt, v.now())
		switch age := v.now().Sub(c.Since); {
		case soon:
			t, occurrence := ending(*c.EndsAt, v.now())
			text := "The certificate for Microsoft Graph " + directory.EndsInWords(*c.EndsAt, v.now()) + ". Add another one to the application in Entra, and enter it here."
			if days == 0 {
				text += " Until then imports, calendars and writing to Entra do not work."
			}
			list = append(list, newAlarm("certificate:"+c.IntegrationID, occurrence, alert{t, "key", names[c.IntegrationID], text, edit}))
		case !c.Certificate && age > oldSecret:
			list = append(list, newAlarm("client_secret:"+c.IntegrationID, c.Since.Format(time.DateOnly), alert{
				warn, "key", names[c.IntegrationID],
				"The client secret for Microsoft Graph was entered " + ago(age) + ". Entra gives secrets two years at most, and does not tell Usher when this one ends.", edit,
			}))
		}
		if c.EarlierKey {
			earlier++
		} else if oldest.IsZero() || c.Since.Before(oldest) {
			oldest = c.Since
		}
	}
	return append(list, v.sealingAlarms(earlier, oldest)...), nil
}

// sealingAlarms tell of secrets that an earlier key has sealed, and of a key that is old: it is at least as old as what it sealed first.
func (v *visit) sealingAlarms(earlier int, oldest time.Time) []alarm {
	var list []alarm
	if earlier > 0 {
		list = append(list, newAlarm("sealing_key:earlier", fmt.Sprint(earlier), alert{
			Tone: warn, Icon: "lock", Title: "An earlier key still seals secrets",
			Text: quantity(earlier, "secret") + " of integrations would be lost with it. Run “usher key rotate”, then take the earlier key out of USHER_SECRET_KEY.",
		}))
	}
	if age := v.now().Sub(oldest); !oldest.IsZero() && age > oldKey {
		years := int(age / oldKey)
		list = append(list, newAlarm("sealing_key:age", fmt.Sprintf("%d years", years), alert{
			Tone: warn, Icon: "lock", Title: "The sealing key is old",
			Text: "It has sealed secrets since " + oldest.UTC().Format("2 January 2006") + " at the latest. Put a new key before it in USHER_SECRET_KEY, and run “usher key rotate”.",
		}))
	}
	return list
}
