package storetest

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"usher/model"
	"usher/model/store"
)

func isolationCases() []testCase {
	return []testCase{
		{"no read finds anything of another organization, or of another integration's mirror", readsAreIsolated},
		{"no write changes anything of another organization, or of another integration's mirror", writesAreIsolated},
	}
}

// installationWide are the methods that belong to no organization, with the reason.
func installationWide() map[string]string {
	return map[string]string{
		"Organization":       "finds an organization by its own name",
		"OrganizationsAfter": "lists organizations for the installation's operator",
		"APIKey":             "the key is what tells the organization",
		"SCIMToken":          "the token is what tells the organization",
		"UseAPIKey":          "the caller has shown the key",
		"UseSCIMToken":       "the caller has shown the token",
		"SecretsAfter":       "seals all secrets under a new key",
		"SCIMClientByID":     "the client is what tells the organization",
		"SCIMClientOf":       "the access token is what tells the organization",
		"SCIMClientSecret":   "the secret is what tells the organization",
		"SCIMFederations":    "the assertion is what tells the organization",
		"UseSCIMClient":      "the caller has shown the access token", "UseSCIMClientSecret": "the caller has shown the secret",
		"UseSCIMClientFederation": "the caller has shown the assertion",
		"AllExpiringCredentials":  "the doctor looks at all organizations", "CredentialsToWarn": "the job looks at all organizations",
		"DueEmployees": "the daily job looks at all organizations",
		"ImportsDue":   "the job looks at all organizations",
		"StaleRuns":    "the rescue of runs looks at all organizations",
		"ExpiredRuns":  "the job looks at all organizations", "PruneDecisions": "the job looks at all organizations",
		"RemoveMembers":      "works on a group that the caller holds by LockGroup, which names the integration",
		"KeepMembers":        "works on a group that the caller holds by LockGroup, which names the integration",
		"InsertOrganization": "makes one", "UpdateOrganization": "is given the organization itself",
		"DeleteOrganization": "is given the organization itself", "ChangeSettings": "is given the organization itself",
		"Enqueue": "jobs carry their own names", "Now": "asks for the time",
		"CalendarByID":           "the notification's address is what tells the organization",
		"CalendarBySubscription": "the lifecycle notification is what tells the organization",
		"CalendarsDue":           "the job looks at all organizations", "SubscriptionsDue": "the job looks at all organizations",
		"MarkDirty":    "the notifications' secrets are what tells the organizations",
		"DeleteWrites": "the job looks at all organizations",
		"MarkNotified": "the notifications' secrets are what tells the organizations",
		"TrimEnded":    "the job looks at all organizations", "IntegrationsWithEnded": "the job looks at all organizations",
		"OperationsDue": "the job looks at all organizations", "WipeSecrets": "the job looks at all organizations",
		"WritingFeedsAfter":  "the job looks at all organizations",
		"OperatorSession":    "the session is what tells the organization",
		"UseOperatorSession": "the caller has shown the session", "OperatorLink": "the link is what tells the organization",
		"DeleteEndedSessions": "the job looks at all organizations",
		"WebhookSecretsAfter": "seals all secrets under a new key", "WebhookEndpointsDue": "the dispatcher looks at all organizations",
		"AnyActiveWebhook":        "the dispatcher looks at all organizations",
		"DeleteWebhookDeliveries": "the job looks at all organizations",
		"PruneOperations":         "the job looks at all organizations", "PruneRuns": "the job looks at all organizations",
		"PruneActivities": "the job looks at all organizations", "PruneOnce": "the job looks at all organizations",
		"RenewWebhookLeases": "the worker renews what it has, of whatever organizations",
		"SetupsAfter":        "the job looks at all organizations", "OpenRemovals": "the job looks at all organizations",
		"TrimRemovals":      "the job looks at all organizations",
		"IntegrationsOfApp": "says whether any organization still uses an application",
		"PruneChanges":      "the job looks at all organizations", "PrunedChanges": "is of the whole installation, as positions are",
		"CalendarFeedsAfter": "the job looks at all organizations", "CalendarStats": "metrics are of the whole installation",
	}
}

// call is one way to call a method: by reflection, with ids of the owner under the name of the caller.
type call struct {
	name string
	args []reflect.Value
}

// calls makes calls of every method of a reader or transaction, in the name of org and ref, about the things of w. Strings
// behind the organization try everything that w has a name for.
func calls(receiver reflect.Type, org string, ref model.Ref, w *world) []call {
	var list []call
	for i := range receiver.NumMethod() {
		m := receiver.Method(i)
		if installationWide()[m.Name] != "" {
			continue
		}
		choices := [][]reflect.Value{}
		texts := 0
		for p := 1; p < m.Type.NumIn(); p++ {
			in := m.Type.In(p)
			if in.Kind() == reflect.String && in == reflect.TypeFor[string]() {
				texts++
				if texts == 1 && (m.Type.In(1).Kind() == reflect.String) {
					choices = append(choices, []reflect.Value{reflect.ValueOf(org)})
					continue
				}
			}
			choices = append(choices, arguments(in, org, ref, w))
		}
		for _, args := range product(choices) {
			list = append(list, call{m.Name, args})
		}
	}
	return list
}

func product(choices [][]reflect.Value) [][]reflect.Value {
	all := [][]reflect.Value{{}}
	for _, options := range choices {
		var longer [][]reflect.Value
		for _, head := range all {
			for _, option := range options {
				longer = append(longer, append(slices.Clone(head), option))
			}
		}
		all = longer
	}
	return all
}

// names gives everything that a string may name in the world.
func (w *world) names() []string {
	return []string{
		"", w.user.ID, w.group.ID, w.account.ID, w.run.ID, w.key.ID, w.token.ID, w.operator.ID, w.employee.ExternalID, w.operator.Email,
		w.secret.Name, w.client.ID, w.clientSecret.ID, w.federation.ID, w.request.ID, w.room.ID, w.room.Email, w.mailbox.ID, w.calendar.ID,
		w.event.ID, w.twin.ID, w.event.GraphID, w.event.SeriesGraphID, w.list.ID, w.portrait.ID, w.operation.ID, w.user.UserName,
		w.operator.EntraObjectID, w.session.ID, w.link.ID, w.endpoint.ID, w.webhookSecret.ID, w.delivery.ID, w.importLink.ID,
	}
}

// arguments gives what may stand for a parameter of the type.
func arguments(in reflect.Type, org string, ref model.Ref, w *world) []reflect.Value {
	ids := w.names()
	claim := func(v any) []reflect.Value {
		p := reflect.New(reflect.TypeOf(v))
		p.Elem().Set(reflect.ValueOf(v))
		for field, value := range map[string]string{"OrganizationID": org, "IntegrationID": ref.IntegrationID} {
			if f := p.Elem().FieldByName(field); f.IsValid() && f.Kind() == reflect.String {
				f.SetString(value)
			}
		}
		if in.Kind() == reflect.Pointer {
			return []reflect.Value{p}
		}
		return []reflect.Value{p.Elem()}
	}
	element := in
	if in.Kind() == reflect.Pointer {
		element = in.Elem()
	}
	for _, v := range []any{
		*w.user, *w.group, *w.account, w.employee, w.run, w.key, w.token, w.operator, w.secret, w.integration, w.decision,
		w.client, w.clientSecret, w.federation, w.credential(), w.room, w.mailbox, w.calendar, w.event, w.write,
		w.importState, w.importLink, w.list, w.photo, w.groupName, w.operation,
		w.session, w.link, w.endpoint, w.sealedAnew(), w.delivery, w.setup, w.removal, w.version, w.acknowledged,
	} {
		if element == reflect.TypeOf(v) {
			return claim(v)
		}
	}
	if list, ok := operationArguments(in, w); ok {
		return list
	}
	if list, ok := webhookArguments(in, org, w); ok {
		return list
	}
	switch in {
	case reflect.TypeFor[model.Ref]():
		return []reflect.Value{reflect.ValueOf(ref)}
	case reflect.TypeFor[string]():
		var list []reflect.Value
		for _, id := range ids {
			list = append(list, reflect.ValueOf(id))
		}
		return list
	case reflect.TypeFor[[]string]():
		return []reflect.Value{reflect.ValueOf(append(ids[1:], w.employee.Email, model.Fold(w.account.UserName), w.user.ExternalID, w.group.ExternalID,
			string(model.AccountWasDeactivated)))}
	case reflect.TypeFor[[]model.RunDecision]():
		v := w.decision
		v.OrganizationID, v.Reason = org, "changed"
		return []reflect.Value{reflect.ValueOf([]model.RunDecision{v})}
	case reflect.TypeFor[int]():
		return []reflect.Value{reflect.ValueOf(100)}
	case reflect.TypeFor[model.ResourceQuery]():
		return []reflect.Value{reflect.ValueOf(model.ResourceQuery{StartIndex: 1, Count: 100})}
	case reflect.TypeFor[*store.Facts]():
		return []reflect.Value{reflect.ValueOf(&store.Facts{
			Accounts: map[string]*model.Account{}, Others: map[string][]model.DirectoryUser{}, Groups: map[string][]model.GroupRef{},
			ByKey: map[string][]model.Employee{},
		})}
	case reflect.TypeFor[model.Change]():
		return []reflect.Value{reflect.ValueOf(model.Change{OrganizationID: org})}
	case reflect.TypeFor[[]any]():
		return []reflect.Value{reflect.ValueOf([]any{})}
	}
	return calendarArguments(in, org, ref, w)
}

// calendarArguments is arguments for the types of calendars: events, times, numbers of rounds.
func calendarArguments(in reflect.Type, org string, ref model.Ref, w *world) []reflect.Value {
	switch in {
	case reflect.TypeFor[[]model.Event]():
		v := w.event
		v.ID, v.GraphID, v.OrganizationID, v.IntegrationID = "", "new", org, ref.IntegrationID
		return []reflect.Value{reflect.ValueOf([]model.Event{v})}
	case reflect.TypeFor[int64]():
		return []reflect.Value{reflect.ValueOf(int64(0)), reflect.ValueOf(int64(100))}
	case reflect.TypeFor[time.Duration]():
		return []reflect.Value{reflect.ValueOf(time.Nanosecond)}
	case reflect.TypeFor[time.Time]():
		return []reflect.Value{reflect.ValueOf(time.Unix(0, 0)), reflect.ValueOf(time.Unix(1<<33, 0))}
	}
	return importArguments(in, w)
}

func (c call) run(receiver any) (results []reflect.Value) {
	return reflect.ValueOf(receiver).MethodByName(c.name).Call(c.args)
}

// mentions says whether the text occurs anywhere in what the values hold.
func mentions(v reflect.Value, text string, depth int) bool {
	if !v.IsValid() || depth > 12 {
		return false
	}
	switch v.Kind() {
	case reflect.String:
		return strings.Contains(v.String(), text)
	case reflect.Pointer, reflect.Interface:
		return !v.IsNil() && mentions(v.Elem(), text, depth+1)
	case reflect.Struct:
		for i := range v.NumField() {
			if mentions(v.Field(i), text, depth+1) {
				return true
			}
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			if mentions(k, text, depth+1) || mentions(v.MapIndex(k), text, depth+1) {
				return true
			}
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return strings.Contains(string(v.Bytes()), text)
		}
		for i := range v.Len() {
			if mentions(v.Index(i), text, depth+1) {
				return true
			}
		}
	default: // numbers, times and functions hold no text
	}
	return false
}

// counts says whether a result in which no name can be found tells of something all the same: by a number, a yes, or a time.
func counts(v reflect.Value) bool {
	switch v.Type() {
	case reflect.TypeFor[bool]():
		return v.Bool()
	case reflect.TypeFor[int]():
		return v.Int() > 0
	case reflect.TypeFor[[]time.Time](), reflect.TypeFor[[]store.RequestPoint]():
		return v.Len() > 0
	case reflect.TypeFor[map[string]int]():
		return slices.ContainsFunc(v.MapKeys(), func(k reflect.Value) bool { return counts(v.MapIndex(k)) })
	case reflect.TypeFor[store.WebhookCounts](), reflect.TypeFor[store.CalendarHealth](), reflect.TypeFor[store.OrganizationNumbers]():
		for i := range v.NumField() {
			if v.Type().Field(i).Name != "Bound" && counts(v.Field(i)) { // how far is counted is the same for all
				return true
			}
		}
	}
	return false
}

// finds says whether a call gave anything of the world: a text of it, one of its ids, or a count. Errors may repeat what was
// asked, and arguments are results where the method fills them.
func finds(results []reflect.Value, args []reflect.Value, w *world) bool {
	given := slices.DeleteFunc(slices.Clone(results), func(v reflect.Value) bool { return v.Type() == reflect.TypeFor[error]() })
	if slices.ContainsFunc(given, counts) {
		return true
	}
	for _, v := range args {
		if v.Type() == reflect.TypeFor[*store.Facts]() {
			given = append(given, v)
		}
	}
	for _, v := range given {
		for _, text := range []string{w.integration.Name, w.user.ID, w.group.ID, w.account.ID, w.run.ID, w.calendar.ID, w.room.ID} {
			if mentions(v, text, 0) {
				return true
			}
		}
	}
	return false
}

func readsAreIsolated(t *testing.T, s suite) {
	w := newWorld(t, s.Store, "secretada")
	other := Ref(t, s.Store)
	sister := Integration(t, s.Store, w.org).Ref()
	reader := reflect.TypeFor[*store.Reader]()
	r := s.Read(t.Context())
	found := map[string]bool{}
	for _, c := range calls(reader, w.org, w.ref, w) {
		found[c.name] = found[c.name] || finds(c.run(r), c.args, w)
	}
	for _, name := range slices.Sorted(maps.Keys(found)) {
		if !found[name] {
			t.Errorf("%s finds nothing even in its own organization, so that this test proves nothing of it", name)
		}
	}
	for _, foreign := range []model.Ref{other, {OrganizationID: other.OrganizationID, IntegrationID: w.ref.IntegrationID}, sister} {
		for _, c := range calls(reader, foreign.OrganizationID, foreign, w) {
			byRef := slices.ContainsFunc(c.args, func(v reflect.Value) bool { return v.Type() == reflect.TypeFor[model.Ref]() })
			if foreign == sister && !byRef {
				continue
			}
			if results := c.run(r); finds(results, c.args, w) {
				t.Errorf("%s%v in the name of %v finds %s", c.name, c.args, foreign, fmt.Sprint(results))
			}
		}
	}
}

func writesAreIsolated(t *testing.T, s suite) {
	w := newWorld(t, s.Store, "secretada")
	other := Ref(t, s.Store)
	sister := Integration(t, s.Store, w.org).Ref()
	mine := func() []string { return dump(t, s, "organization_id", w.org) }
	mirror := func() []string {
		return slices.DeleteFunc(dump(t, s, "integration_id", w.ref.IntegrationID), func(line string) bool {
			return strings.HasPrefix(line, "integrations:")
		})
	}
	reader := reflect.TypeFor[*store.Reader]()
	for _, c := range []struct {
		ref  model.Ref
		rows func() []string
	}{
		{other, mine},
		{model.Ref{OrganizationID: other.OrganizationID, IntegrationID: w.ref.IntegrationID}, mine},
		{sister, mirror},
	} {
		tried, last := 0, ""
		before := c.rows()
		unchanged := func(method string) {
			if after := c.rows(); !slices.Equal(before, after) {
				t.Fatalf("%s in the name of %v changes\n%q to\n%q", method, c.ref, before, after)
			}
		}
		for _, call := range calls(reflect.TypeFor[*store.Tx](), c.ref.OrganizationID, c.ref, w) {
			if _, reads := reader.MethodByName(call.name); reads {
				continue // which SQLite runs where nothing can be written
			}
			hasName := slices.ContainsFunc(call.args, func(v reflect.Value) bool { return carriesIntegration(v.Type()) })
			if c.ref == sister && !hasName {
				continue
			}
			if tried++; call.name != last { // looking is what takes time, so that it is done once per method
				unchanged(last)
				last = call.name
			}
			_ = s.InTx(t.Context(), func(tx *store.Tx) error { // whether it is refused or finds nothing
				for _, result := range call.run(tx) {
					if err, ok := result.Interface().(error); ok {
						return err
					}
				}
				return nil
			})
		}
		unchanged(last)
		if tried < 20 {
			t.Errorf("only %d writes were tried in the name of %v", tried, c.ref)
		}
	}
}

func carriesIntegration(in reflect.Type) bool {
	if in.Kind() == reflect.Pointer {
		in = in.Elem()
	}
	switch in {
	case reflect.TypeFor[model.Ref](), reflect.TypeFor[model.DirectoryUser](), reflect.TypeFor[model.DirectoryGroup](),
		reflect.TypeFor[model.SealedSecret](), reflect.TypeFor[model.SCIMToken](), reflect.TypeFor[model.SCIMClient](),
		reflect.TypeFor[model.SCIMClientSecret](), reflect.TypeFor[model.SCIMClientFederation](), reflect.TypeFor[model.Credential](),
		reflect.TypeFor[model.Room](), reflect.TypeFor[model.Mailbox](), reflect.TypeFor[model.Calendar](), reflect.TypeFor[model.Event](),
		reflect.TypeFor[model.ImportState](), reflect.TypeFor[model.ImportLink](), reflect.TypeFor[model.List](), reflect.TypeFor[model.Operation](),
		reflect.TypeFor[model.Setup](), reflect.TypeFor[model.Removal](), reflect.TypeFor[model.FieldMappingVersion](),
		reflect.TypeFor[model.EventWrite](), reflect.TypeFor[[]model.Event]():
		return true
	}
	return false
}
