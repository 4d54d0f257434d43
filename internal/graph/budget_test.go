package graph_test

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"usher/internal/graph"
	"usher/model/entra"
	"usher/model/outlook"
)

var (
	tenantRead   = func(ctx context.Context, c *graph.Client) error { _, err := c.Organization(ctx); return err }
	creatingUser = func(ctx context.Context, c *graph.Client) error { _, err := c.CreateUser(ctx, newGrace()); return err }
	joining      = func(ctx context.Context, c *graph.Client) error { return c.AddMember(ctx, board, ada) }
	removing     = func(ctx context.Context, c *graph.Client) error { return c.DeleteUser(ctx, ada) }
	licensing    = func(ctx context.Context, c *graph.Client) error { return c.AssignLicences(ctx, ada, nil, []string{e3}) }
	installing   = func(ctx context.Context, c *graph.Client) error {
		_, err := c.Instantiate(ctx, template, "Usher")
		return err
	}
)

const organization = `{"value":[{"id":"` + tenant + `"}]}`

// TestRepetitionInTheDirectory: what creates is never sent twice unless Graph said that it did not even begin.
func TestRepetitionInTheDirectory(t *testing.T) {
	busy := with(refusal(429, "TooManyRequests", ""), "Retry-After", "2")
	broken, made, done := answer{status: -1}, answer{status: 201, body: `{"id":"g"}`}, answer{status: 204}
	for _, test := range []struct {
		name    string
		call    func(context.Context, *graph.Client) error
		answers []answer
		want    outlook.Kind
	}{
		{"a read, broken off", tenantRead, []answer{broken, ok(organization)}, kindNone},
		{"a new user, put off", creatingUser, []answer{busy, made}, kindNone},
		{"a new user, broken off", creatingUser, []answer{broken}, outlook.Unavailable},
		{"a new user, 503", creatingUser, []answer{refusal(503, "", "")}, outlook.Unavailable},
		{"a new user, 504", creatingUser, []answer{refusal(504, "", "")}, outlook.Unavailable},
		{"a member, broken off", joining, []answer{broken}, outlook.Unavailable},
		{"a member, put off", joining, []answer{busy, done}, kindNone},
		{"licences, broken off", licensing, []answer{broken}, outlook.Unavailable},
		{"an application, broken off", installing, []answer{broken}, outlook.Unavailable},
		{"a deletion, broken off", removing, []answer{broken, done}, kindNone},
		{"a deletion, carried out unseen", removing, []answer{broken, refusal(404, "Request_ResourceNotFound", "")}, outlook.NoUser},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, test.answers...)
			err := test.call(t.Context(), w.client())
			if (err == nil) != (test.want == kindNone) || err != nil && outlook.KindOf(err) != test.want {
				t.Errorf("%v", err)
			}
			w.asked(len(test.answers))
		})
	}
}

// TestTheDirectoryIsLeftAlone: while Graph wants no requests none is sent, and the mailboxes do not mind.
func TestTheDirectoryIsLeftAlone(t *testing.T) {
	w := newWorld(t, with(refusal(429, "TooManyRequests", ""), "Retry-After", "130"), ok(`{"id":"e"}`), ok(organization))
	c := w.client()
	checkKind(t, tenantRead(t.Context(), c), outlook.Throttled)
	err := creatingUser(t.Context(), c)
	if failed, _ := errors.AsType[*outlook.Error](err); failed == nil || failed.Kind != outlook.Throttled || failed.After != 130*time.Second || failed.Status != 0 {
		t.Errorf("%#v", err)
	}
	if err := reading(t.Context(), c); err != nil {
		t.Error(err)
	}
	w.asked(2)
	w.now = w.now.Add(131 * time.Second)
	if err := tenantRead(t.Context(), c); err != nil {
		t.Error(err)
	}
	w.asked(3)
}

// TestBudgets: a tenant's units and writes are waited for, or told where that takes too long.
func TestBudgets(t *testing.T) {
	fill := func(n int, a answer) (list []answer) {
		for range n {
			list = append(list, a)
		}
		return list
	}
	seconds := func(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
	for _, test := range []struct {
		name          string
		units, writes int
		ctx           context.Context
		answers       []answer
		call          func(context.Context, *graph.Client) error
		sleeps        []time.Duration
	}{
		{"three units and a fourth", 3, 100, t.Context(), fill(4, ok(organization)), tenantRead, []time.Duration{seconds(10.0 / 3)}},
		{"two writes and a third", 100, 30, t.Context(), fill(32, answer{status: 204}), removing, []time.Duration{5 * time.Second, 5 * time.Second}},
		{"what it really cost", 4, 100, t.Context(), fill(2, with(ok(organization), "x-ms-resource-unit", "5")), tenantRead, []time.Duration{5 * time.Second}},
		{"what works by itself leaves a tenth", 20, 100, entra.WithPriority(t.Context(), entra.Low), fill(19, ok(organization)), tenantRead, []time.Duration{seconds(10.0 / 18)}},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, test.answers...)
			options := w.options()
			options.Units, options.Writes = test.units, test.writes
			c := w.clientOf(options)
			for range test.answers {
				if err := test.call(test.ctx, c); err != nil {
					t.Fatal(err)
				}
			}
			var sleeps []time.Duration
			for _, s := range w.sleeps {
				sleeps = append(sleeps, s.Round(time.Microsecond))
			}
			var want []time.Duration
			for _, s := range test.sleeps {
				want = append(want, s.Round(time.Microsecond))
			}
			if !reflect.DeepEqual(sleeps, want) {
				t.Errorf("slept %v, want %v", sleeps, want)
			}
		})
	}
	t.Run("too long a wait is told, and costs nothing", func(t *testing.T) {
		w := newWorld(t, answer{status: 204}, answer{status: 204})
		options := w.options()
		options.Writes = 1
		c := w.clientOf(options)
		if err := removing(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			err := removing(t.Context(), c)
			if failed, _ := errors.AsType[*outlook.Error](err); failed == nil || failed.Kind != outlook.Throttled || failed.After != 150*time.Second {
				t.Errorf("%#v", err)
			}
		}
		w.now = w.now.Add(150 * time.Second)
		if err := removing(t.Context(), c); err != nil {
			t.Error(err)
		}
		w.asked(2)
	})
}

func TestPriority(t *testing.T) {
	w := newWorld(t, ok(organization), ok(organization), ok(organization), ok(`{"id":"e"}`))
	c := w.client()
	low, high := entra.WithPriority(t.Context(), entra.Low), entra.WithPriority(t.Context(), entra.High)
	for _, err := range []error{tenantRead(low, c), tenantRead(t.Context(), c), tenantRead(high, c), reading(high, c)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for i, want := range []string{"Low", "", "High", ""} {
		if got := w.asked(4)[i].Header.Get("x-ms-throttle-priority"); got != want {
			t.Errorf("request %d has priority %q, want %q", i, got, want)
		}
	}
}

// TestKindsInTheDirectory: nearly all refusals have one code, and mean different things.
func TestKindsInTheDirectory(t *testing.T) {
	detail := func(message, code, target string) answer {
		return answer{status: 400, body: `{"error":{"code":"Request_BadRequest","message":"` + message + `","details":[{"code":"` + code + `","message":"m","target":"` + target + `"}]}}`}
	}
	plain := func(message string) answer { return refusal(400, "Request_BadRequest", message) }
	for _, test := range []struct {
		answer answer
		want   outlook.Kind
	}{
		{detail("Another object with the same value for property userPrincipalName already exists.", "ObjectConflict", "userPrincipalName"), outlook.Duplicate},
		{detail("In another wording.", "ObjectConflict", "userPrincipalName"), outlook.Duplicate},
		{plain("Another object with the same value for property userPrincipalName already exists."), outlook.Duplicate},
		{detail("Another object with the same value for property proxyAddresses already exists.", "ObjectConflict", "proxyAddresses"), outlook.AddressTaken},
		{plain("One or more added object references already exist for the following modified properties: 'members'."), outlook.Duplicate},
		{plain("Permission being assigned already exists on the object"), outlook.Duplicate},
		{plain("One or more properties contains invalid values."), outlook.Invalid},
		{plain("The domain portion of the userPrincipalName property is invalid. You must use one of the verified domain names in your organization."), outlook.BadDomain},
		{plain("The specified password does not comply with password complexity requirements. Please provide a different password."), outlook.PasswordPolicy},
		{detail("Does not comply with the policy.", "PasswordBannedWord", "password"), outlook.PasswordPolicy},
		{plain("Unable to update the specified properties for on-premises mastered Directory Sync objects or objects currently undergoing migration."), outlook.Hybrid},
		{plain("Unable to update the specified properties for objects that have originated within an external service."), outlook.Hybrid},
		{plain("License assignment cannot be done for user with invalid usage location."), outlook.BadLocation},
		{plain("Subscription with SKU 05e9a617 does not have any available licenses."), outlook.NoSeats},
		{plain("User license is inherited from a group membership and it cannot be removed directly from the user."), outlook.InheritedLicence},
		{plain("License assignment failed because service plans 1 and 2 are mutually exclusive"), outlook.PlanConflict},
		{plain("License assignment failed because service plan 1 depends on the service plan(s) 2"), outlook.PlanConflict},
		{plain("User does not have a corresponding license."), outlook.NotFound},
		{plain("Cannot Update a mail-enabled security groups and or distribution list."), outlook.Unwritable},
		{refusal(400, "Directory_ExpiredPageToken", "The specified page token value has expired."), outlook.SyncLost},
		{refusal(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation."), outlook.Forbidden},
		{refusal(403, "Directory_QuotaExceeded", "The directory object quota limit for the Tenant has been exceeded."), outlook.Quota},
		{refusal(409, "Request_MultipleObjectsWithSameKeyValue", ""), outlook.Conflict},
		{refusal(501, "NotImplemented", "This operation target is not yet supported."), outlook.Unavailable},
		{answer{status: 404, body: `{"Message":"No HTTP resource was found that matches the request URI"}`}, outlook.NoUser},
		{refusal(429, "TooManyRequests", ""), outlook.Throttled},
	} {
		got := graph.DirectoryFailure("users.create", test.answer.status, []byte(test.answer.body), start)
		if got.Kind != test.want {
			t.Errorf("%s: %v is of kind %d, want %d", test.answer.body, got, got.Kind, test.want)
		}
	}
}
