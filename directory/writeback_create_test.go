package directory_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"usher/directory"
	"usher/model"
	entraid "usher/model/entra"
	"usher/model/outlook"
)

const planted = "xWwvJ]6NMw+bWH-d"

func adaToBe() directory.NewEntraUser {
	return directory.NewEntraUser{
		UserPrincipalName: ada, Password: planted, Groups: []string{"g1"}, Licences: []string{"sku-e3"},
		Profile: map[string]string{"displayName": "Ada Lovelace", "givenName": "Ada", "surname": "Lovelace", "usageLocation": "DK"},
	}
}

func TestCreateUserInEntra(t *testing.T) {
	each(t, func(w *world) {
		f := w.tenant()
		f.groups["g1"] = &entraid.Group{ID: "g1", DisplayName: "Engineers", SecurityEnabled: true}
		var o model.Operation
		e := w.during(func() {
			o = must(w, w.svc.CreateEntraUser)(w.ctx, w.ref, adaToBe())
			if o.State != model.OperationQueued || o.ID == "" {
				w.Fatalf("%+v", o)
			}
			o = w.operate(o)
		})
		if o.State != model.OperationSucceeded || o.Error != nil || o.UserID == "" || o.Result["user_id"] != o.UserID {
			w.Fatalf("%+v", o)
		}
		u := f.users[o.UserID]
		if u == nil || u.DisplayName != "Ada Lovelace" || !u.AccountEnabled || u.MailNickname != "ada" || f.password != planted {
			w.Fatalf("%+v", u)
		}
		if !slices.Equal(f.calls, []string{"create", "add g1", "licences"}) || len(f.licences[u.ID]) != 1 {
			w.Fatalf("%v", f.calls)
		}
		for _, s := range o.Steps {
			if s.State != model.StepDone || s.Outcome == "" || s.FinishedAt == nil || s.Attempts != 1 {
				w.Fatalf("%+v", s)
			}
		}
		w.wrote(e, "operation.succeeded", "operation.asked operation.succeeded")
		if len(o.Sealed) > 0 || o.KeyID != "" || o.SealedUntil != nil {
			w.Fatal("the password is still there")
		}
	})
}

// lost says that an answer was lost on the way.
func lost() error {
	return &outlook.Error{Kind: outlook.Unavailable, Status: 502, Code: "BadGateway"}
}

// TestLostAnswersMakeNoSecondUser loses answers to the creation: before it was carried out, after, or both in turn; by an error and by
// the death of the worker.
func TestLostAnswersMakeNoSecondUser(t *testing.T) {
	for _, tt := range []struct {
		name   string
		losses []bool // per attempt: whether it was carried out before the answer was lost
	}{
		{"before it was carried out", []bool{false}},
		{"after it was carried out", []bool{true}},
		{"before, before, then after", []bool{false, false, true}},
	} {
		for _, how := range []string{"an error", "the worker dies"} {
			t.Run(tt.name+" by "+how, func(t *testing.T) {
				each(t, func(w *world) {
					f := w.tenant()
					f.groups["g1"] = &entraid.Group{ID: "g1", DisplayName: "Engineers", SecurityEnabled: true}
					losses := slices.Clone(tt.losses)
					alive, die := context.WithCancel(w.ctx)
					f.fail = func(call string, after bool) error {
						if call != "create" || len(losses) == 0 || losses[0] != after {
							return nil
						}
						losses = losses[1:]
						if how == "the worker dies" {
							die()
						}
						return lost()
					}
					o := must(w, w.svc.CreateEntraUser)(w.ctx, w.ref, adaToBe())
					for range len(tt.losses) + 1 {
						err := w.svc.WorkOperation(alive, directory.WorkOperation{OrganizationID: w.org, OperationID: o.ID})
						if err == nil {
							break
						}
						alive, die = context.WithCancel(w.ctx)
						w.clock.move(6 * time.Minute)
					}
					die()
					o = w.operate(o)
					if o.State != model.OperationSucceeded || f.created != 1 || len(f.users) != 1 || o.UserID == "" {
						w.Fatalf("%d users were made; %+v %+v", f.created, o, o.Error)
					}
					if !slices.Contains(f.members["g1"], o.UserID) || len(o.Sealed) > 0 {
						w.Fatalf("%+v", f.members)
					}
				})
			})
		}
	}
}

// TestUsersThatAreNotOurs has a user of the name appear, whom somebody else made.
func TestUsersThatAreNotOurs(t *testing.T) {
	for _, tt := range []struct {
		name, code string
		loses      bool
		user       func(w *world) *entraid.User
	}{
		{"somebody has the name before", "user_exists", false, nil},
		{"a user of the name and of another kind appears while an answer is lost", "ambiguous_user", true, func(w *world) *entraid.User {
			return &entraid.User{ID: "x", UserPrincipalName: ada, MailNickname: "ada", DisplayName: "Another Ada", CreatedAt: w.clock.Now()}
		}},
		{"a user appears who was made long ago", "ambiguous_user", true, func(w *world) *entraid.User {
			return &entraid.User{
				ID: "x", UserPrincipalName: ada, MailNickname: "ada", DisplayName: "Ada Lovelace", GivenName: "Ada", Surname: "Lovelace", UsageLocation: "DK",
				CreatedAt: w.clock.Now().Add(-24 * time.Hour),
			}
		}},
		{"somebody is faster", "user_exists", false, func(w *world) *entraid.User {
			return &entraid.User{
				ID: "x", UserPrincipalName: ada, MailNickname: "ada", DisplayName: "Ada Lovelace", GivenName: "Ada", Surname: "Lovelace", UsageLocation: "DK",
				CreatedAt: w.clock.Now(),
			}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			each(t, func(w *world) {
				f := w.tenant()
				f.groups["g1"] = &entraid.Group{ID: "g1", DisplayName: "Engineers", SecurityEnabled: true}
				if tt.user == nil {
					f.users["x"] = &entraid.User{ID: "x", UserPrincipalName: "ADA@contoso.com"}
				}
				f.fail = func(call string, _ bool) error {
					if call != "create" || f.users["x"] != nil {
						return nil
					}
					f.users["x"] = tt.user(w)
					if tt.loses {
						return lost()
					}
					return nil
				}
				o := w.operate(must(w, w.svc.CreateEntraUser)(w.ctx, w.ref, adaToBe()))
				if o.State != model.OperationFailed || o.Error.Code != tt.code || f.created != 0 || len(f.users) != 1 || len(o.Sealed) > 0 {
					w.Fatalf("%+v %+v", o, o.Error)
				}
				if len(f.members["g1"]) > 0 {
					w.Fatal("a stranger was put into a group")
				}
			})
		})
	}
}

// TestPasswordsDoNotWait has Entra unreachable for longer than a password may wait.
func TestPasswordsDoNotWait(t *testing.T) {
	each(t, func(w *world) {
		f := w.tenant()
		f.fail = func(string, bool) error { return lost() }
		o := must(w, w.svc.CreateEntraUser)(w.ctx, w.ref, adaToBe())
		w.tryOperation(o)
		if len(w.operation(o.ID).Sealed) == 0 {
			w.Fatal("the password is gone too early")
		}
		w.clock.move(time.Hour)
		w.ok(w.svc.OperationsDue(w.ctx, directory.OperationsDue{}))
		if got := w.operation(o.ID); len(got.Sealed) > 0 || got.KeyID != "" {
			w.Fatal("the password is still there")
		}
		f.fail = nil
		f.groups["g1"] = &entraid.Group{ID: "g1", SecurityEnabled: true}
		o = w.operate(o)
		if o.State != model.OperationFailed || o.Error.Code != "password_expired" || f.created != 0 {
			w.Fatalf("%+v %+v", o, o.Error)
		}
	})
}
