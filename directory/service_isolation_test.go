package directory_test

import (
	"context"
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"usher/directory"
	"usher/model"
	"usher/model/store/storetest"
)

// attempt calls one method of the service with the names of things that belong to somebody else.
type attempt struct {
	method string
	do     func() error
	empty  bool // it finds nothing instead of failing
}

// TestServiceKeepsOrganizationsApart tries every method that names a thing with another organization's, and with another
// integration's where the thing belongs to one. Nothing may be found and nothing may change.
func TestServiceKeepsOrganizationsApart(t *testing.T) {
	each(t, func(w *world) {
		w.roles("hr")
		u := w.user(ada)
		g := w.group("HR", u)
		w.employee(model.Employee{ExternalID: "1", Email: ada})
		w.sync()
		_, token, err := w.svc.CreateSCIMToken(w.ctx, w.ref, "entra", nil)
		w.ok(err)
		operators := []model.Right{model.RightRead}
		operator, err := w.svc.CreateOperator(w.ctx, w.org, ada, "", "correct horse battery", operators)
		w.ok(err)
		things := foreign{user: u.ID, group: g.ID, account: w.account(ada).ID, run: w.run().ID, token: token, operator: operator.ID}
		var text string
		things.client, text, err = w.svc.CreateSCIMClient(w.ctx, w.ref, "Entra", 0, nil)
		w.ok(err)
		things.federation = must(w, func(ref model.Ref, id string, f model.SCIMClientFederation) (model.SCIMClientFederation, error) {
			return w.svc.CreateSCIMFederation(w.ctx, ref, id, f)
		})(w.ref, things.client.ID, contosoTrust()).ID
		line := storetest.NewRequest(w.ref, "create user ada@contoso.com")
		things.request = line.ID
		w.ok(w.store.AppendSCIMRequests(w.ctx, []model.SCIMRequest{line}))
		endpoint, _, err := w.svc.CreateWebhookEndpoint(w.ctx, model.WebhookEndpoint{OrganizationID: w.org, URL: "https://app.contoso.com/hooks"})
		w.ok(err)
		things.endpoint, things.message = endpoint.ID, must(w, w.svc.TestWebhookEndpoint)(w.ctx, w.org, endpoint.ID).ID
		things.access = must(w, w.svc.SecretGrant)(w.ctx, things.client.ID, text).Token

		intruder := *w
		intruder.org = must(w, w.svc.CreateOrganization)(w.ctx, "intruder", "").ID
		intruder.ref = intruder.integration("Intruder", model.RoleSyncReconcile)
		elsewhere := *w
		elsewhere.ref = w.integration("Elsewhere", model.RoleSyncReconcile)
		crossed := *w
		crossed.org, crossed.ref = intruder.org, model.Ref{OrganizationID: intruder.org, IntegrationID: w.ref.IntegrationID}

		tried := map[string]bool{}
		e := w.during(func() {
			for name, list := range map[string][]attempt{
				"another organization": slices.Concat(intruder.mirrorAttempts(things), intruder.clientAttempts(things), []attempt{intruder.tokenAttempt(things)}, intruder.organizationAttempts(things), intruder.webhookAttempts(things)),
				"another integration":  slices.Concat(elsewhere.mirrorAttempts(things), elsewhere.clientAttempts(things), []attempt{elsewhere.tokenAttempt(things)}),
				"a crossed reference":  slices.Concat(crossed.mirrorAttempts(things), crossed.clientAttempts(things)[:5], crossed.settingsAttempts(), crossed.listAttempts(), crossed.setupAttempts(), crossed.writeAttempts()),
			} {
				for _, a := range list {
					tried[a.method] = true
					err := a.do()
					if a.empty && err == nil {
						continue
					}
					if kind := model.KindOf(err); err == nil || (kind != model.NotFound && kind != model.Unauthorized && kind != model.Invalid) {
						w.Fatalf("%s from %s: %v", a.method, name, err)
					}
				}
			}
		})
		w.wrote(e, "", "")
		if got := w.mirror(u); got.Version != 1 || w.account(ada).Version > 2 {
			w.Fatalf("%+v", got)
		}
		w.everyMethodTried(tried)
	})
}

type foreign struct {
	operator                                                      string
	endpoint, message                                             string
	user, group, account, run, token, federation, access, request string
	client                                                        model.SCIMClient
}

// outsider is an operator of the world's organization who may do everything there.
func (w *world) outsider() model.Operator {
	return model.Operator{OrganizationID: w.org, Email: "eve@intruder.example", Rights: []model.Right{model.RightAll}}
}

// errFound says that something was read that should not have been.
var errFound = model.Errorf(model.Internal, "something was found")

func found(n int, err error) error {
	if err == nil && n > 0 {
		return errFound
	}
	return err
}

func (w *world) mirrorAttempts(x foreign) []attempt {
	noUser := func(*model.DirectoryUser) error { return errFound }
	noGroup := func(*model.DirectoryGroup) ([]model.MemberOp, error) { return nil, errFound }
	return []attempt{
		{"User", func() error { _, err := w.svc.User(w.ctx, w.ref, x.user); return err }, false},
		{"Users", func() error {
			list, _, err := w.svc.Users(w.ctx, w.ref, model.ResourceQuery{StartIndex: 1, Count: 10})
			return found(len(list), err)
		}, true},
		{"ChangeUser", func() error { _, err := w.svc.ChangeUser(w.ctx, w.ref, x.user, noUser); return err }, false},
		{"DeleteUser", func() error { return w.svc.DeleteUser(w.ctx, w.ref, x.user, nil) }, false},
		{"Group", func() error { _, err := w.svc.Group(w.ctx, w.ref, x.group); return err }, false},
		{"Groups", func() error {
			list, _, err := w.svc.Groups(w.ctx, w.ref, model.ResourceQuery{StartIndex: 1, Count: 10})
			return found(len(list), err)
		}, true},
		{"GroupWithMembers", func() error { _, _, err := w.svc.GroupWithMembers(w.ctx, w.ref, x.group, 10); return err }, false},
		{"Members", func() error {
			list, err := w.svc.Members(w.ctx, w.ref, []string{x.group}, 0)
			return found(len(list[x.group]), err)
		}, true},
		{"GroupsOf", func() error {
			list, err := w.svc.GroupsOf(w.ctx, w.ref, []string{x.user}, 0)
			return found(len(list[x.user]), err)
		}, true},
		{"CountMembers", func() error {
			counts, err := w.svc.CountMembers(w.ctx, w.ref, []string{x.group})
			return found(counts[x.group], err)
		}, true},
		{"CountGroupsOf", func() error {
			counts, err := w.svc.CountGroupsOf(w.ctx, w.ref, []string{x.user})
			return found(counts[x.user], err)
		}, true},
		{"SyncPerson", func() error { _, err := w.svc.SyncPerson(w.ctx, w.ref, x.user); return err }, false},
		{"TryGroupMappings", func() error {
			out, err := w.svc.TryGroupMappings(w.ctx, w.ref, x.group, nil)
			return found(out.Looked, err)
		}, true},
		{"WhatIf", func() error { _, err := w.svc.WhatIf(w.ctx, w.ref, x.user, nil, nil); return err }, false},
		{"SCIMRequest", func() error { _, _, err := w.svc.SCIMRequest(w.ctx, w.ref, x.request); return err }, false},
		{"ChangeMembers", func() error {
			steps := []model.MemberOp{{Kind: model.MembersRemove, IDs: []string{x.user}}}
			_, err := w.svc.ChangeMembers(w.ctx, w.ref, x.group, steps, false, func(*model.DirectoryGroup) error { return nil })
			return err
		}, false},
		{"ChangeMembers with a guess", func() error {
			steps := []model.MemberOp{{Kind: model.MembersRemove, IDs: []string{x.user}}}
			_, err := w.svc.ChangeMembers(w.ctx, w.ref, x.group, steps, true, func(g *model.DirectoryGroup) error {
				return fmt.Errorf("somebody else's group %s was shown", g.DisplayName)
			})
			return err
		}, false},
		{"ChangeGroup", func() error { _, err := w.svc.ChangeGroup(w.ctx, w.ref, x.group, noGroup); return err }, false},
		{"DeleteGroup", func() error { return w.svc.DeleteGroup(w.ctx, w.ref, x.group, nil) }, false},
	}
}

// tokenAttempt uses a token with the integration of the URL that is not its own.
func (w *world) tokenAttempt(x foreign) attempt {
	return attempt{"SCIMToken", func() error { _, err := w.svc.SCIMToken(w.ctx, w.ref.IntegrationID, x.token); return err }, false}
}

// clientAttempts name a SCIM client of another integration, its secret and its federation.
func (w *world) clientAttempts(x foreign) []attempt {
	return []attempt{
		{"CreateSCIMClientSecret", func() error { _, _, err := w.svc.CreateSCIMClientSecret(w.ctx, w.ref, x.client.ID, nil); return err }, false},
		{"DeleteSCIMClientSecret", func() error {
			return w.svc.DeleteSCIMClientSecret(w.ctx, w.ref, x.client.ID, x.client.Secrets[0].ID)
		}, false},
		{"CreateSCIMFederation", func() error {
			_, err := w.svc.CreateSCIMFederation(w.ctx, w.ref, x.client.ID, contosoTrust())
			return err
		}, false},
		{"DeleteSCIMFederation", func() error {
			return w.svc.DeleteSCIMFederation(w.ctx, w.ref, x.client.ID, x.federation)
		}, false},
		{"DeleteSCIMClient", func() error { return w.svc.DeleteSCIMClient(w.ctx, w.ref, x.client.ID) }, false},
		{"SCIMToken of a client", func() error { _, err := w.svc.SCIMToken(w.ctx, w.ref.IntegrationID, x.access); return err }, false},
	}
}

// contosoTrust is a federation as an administrator of Contoso configures it.
func contosoTrust() model.SCIMClientFederation {
	return model.SCIMClientFederation{TenantID: tenantID, Subject: "9a1c1d6e-3d6a-4b52-9e0a-0a1b2c3d4e5f", Audience: "api://usher.contoso.example"}
}

const tenantID = "5f9e1b1c-3d6a-4b52-9e0a-0a1b2c3d4e5f"

// settingsAttempts name another organization's integration.
func (w *world) settingsAttempts() []attempt {
	return []attempt{
		{"CreateUser", func() error { _, err := w.push(w.ref, "x@contoso.com"); return err }, false},
		{"CreateGroup", func() error {
			doc := model.NewDocument(map[string]any{"displayName": "X"})
			_, err := w.svc.CreateGroup(w.ctx, w.ref, model.DirectoryGroup{Document: doc}, nil)
			return err
		}, false},
		{"ContinueSurvey", func() error { return w.svc.ContinueSurvey(w.ctx, w.ref, directory.NewSurvey(), 0) }, false},
		{"Lists", func() error { _, err := w.svc.Lists(w.ctx, w.ref); return err }, false},
		{"RuleEffects", func() error { _, err := w.svc.RuleEffects(w.ctx, w.ref, nil); return err }, false},
		{"TryExclusions", func() error { _, err := w.svc.TryExclusions(w.ctx, w.ref, nil); return err }, false},
		{"FieldMappingVersions", func() error { _, err := w.svc.FieldMappingVersions(w.ctx, w.ref, 0, 1); return err }, false},
		{"FieldMappingVersion", func() error { _, err := w.svc.FieldMappingVersion(w.ctx, w.ref, 1); return err }, false},
		{"RestoreFieldMappings", func() error { _, err := w.svc.RestoreFieldMappings(w.ctx, w.ref, 1); return err }, false},
		{"PreviewFieldMappings", func() error { _, err := w.svc.PreviewFieldMappings(w.ctx, w.ref, 1); return err }, false},
		{"GraphAccess", func() error { _, err := w.svc.GraphAccess(w.ctx, w.ref); return err }, false},
		{"ConsentURL", func() error { _, err := w.svc.ConsentURL(w.ctx, w.ref, "https://usher.contoso.example"); return err }, false},
		{"FinishConsent", func() error {
			_, err := w.svc.FinishConsent(w.ctx, url.Values{"state": {w.ref.IntegrationID}, "tenant": {tenantA}, "admin_consent": {"True"}})
			return err
		}, false},
		{"ChooseGroups", func() error { _, err := w.svc.ChooseGroups(w.ctx, w.ref, strings.NewReader("HR"), false); return err }, false},
		{"DistributionLists", func() error { _, err := w.svc.DistributionLists(w.ctx, w.ref); return err }, false},
		{"AddDistributionLists", func() error {
			_, err := w.svc.AddDistributionLists(w.ctx, w.ref, strings.NewReader("HR"), false)
			return err
		}, false},
		{"AvailableGroups", func() error { _, err := w.svc.AvailableGroups(w.ctx, w.ref, "", false, "", 1); return err }, false},
		{"EntraUsers", func() error { _, err := w.svc.EntraUsers(w.ctx, w.ref, "", false, "", 1); return err }, false},
		{"EntraUser", func() error { _, err := w.svc.EntraUser(w.ctx, w.ref, tenantID); return err }, false},
		{"EntraUserGroups", func() error { _, err := w.svc.EntraUserGroups(w.ctx, w.ref, tenantID); return err }, false},
		{"EntraUserLicences", func() error { _, err := w.svc.EntraUserLicences(w.ctx, w.ref, tenantID); return err }, false},
		{"EntraGroups", func() error { _, err := w.svc.EntraGroups(w.ctx, w.ref, "", "", 1); return err }, false},
		{"EntraGroup", func() error { _, err := w.svc.EntraGroup(w.ctx, w.ref, tenantID); return err }, false},
		{"EntraGroupMembers", func() error { _, err := w.svc.EntraGroupMembers(w.ctx, w.ref, tenantID, "", 1); return err }, false},
		{"EntraLicences", func() error { _, err := w.svc.EntraLicences(w.ctx, w.ref); return err }, false},
		{"DirectoryExtensions", func() error { _, err := w.svc.DirectoryExtensions(w.ctx, w.ref); return err }, false},
		{"ChangeIntegration", func() error {
			_, err := w.svc.ChangeIntegration(w.ctx, w.ref, func(*model.Integration) error { return errFound }, nil)
			return err
		}, false},
		{"DeleteIntegration", func() error { return w.svc.DeleteIntegration(w.ctx, w.ref) }, false},
		{"StartPreview", func() error {
			_, err := w.svc.StartPreview(w.ctx, w.ref, model.PreviewSettings{Exclusions: &[]model.Exclusion{}})
			return err
		}, false},
		{"StartRun", func() error { _, err := w.svc.StartRun(w.ctx, w.ref, model.RunPreview); return err }, false},
		{"CreateSCIMToken", func() error { _, _, err := w.svc.CreateSCIMToken(w.ctx, w.ref, "x", nil); return err }, false},
		{"CreateSCIMClient", func() error { _, _, err := w.svc.CreateSCIMClient(w.ctx, w.ref, "x", 0, nil); return err }, false},
		{"Warnings", func() error { _, err := w.svc.Warnings(w.ctx, w.ref); return err }, false},
		{"DeleteSCIMToken", func() error { return w.svc.DeleteSCIMToken(w.ctx, w.ref, w.ref.IntegrationID) }, false},
	}
}

func (w *world) organizationAttempts(x foreign) []attempt {
	account := func(fn func(context.Context, string, string) (model.Account, error)) func() error {
		return func() error { _, err := fn(w.ctx, w.org, x.account); return err }
	}
	run := func(fn func(context.Context, string, string) (model.Run, error)) func() error {
		return func() error { _, err := fn(w.ctx, w.org, x.run); return err }
	}
	choosing := func(fn func(context.Context, string, string, directory.PlanChoice) (model.Run, error)) func() error {
		return run(func(ctx context.Context, org, id string) (model.Run, error) {
			return fn(ctx, org, id, directory.PlanChoice{})
		})
	}
	entry := func(fn func(context.Context, string, string) error, key string) func() error {
		return func() error { return fn(w.ctx, w.org, key) }
	}
	return []attempt{
		{"ChangeAccount", func() error {
			_, err := w.svc.ChangeAccount(w.ctx, w.org, x.account, func(*model.Account) error { return errFound })
			return err
		}, false},
		{"SetRoles", func() error { _, err := w.svc.SetRoles(w.ctx, w.org, x.account, nil); return err }, false},
		{"DeactivateAccount", account(w.svc.DeactivateAccount), false},
		{"ReactivateAccount", account(w.svc.ReactivateAccount), false},
		{"ArchiveAccount", account(w.svc.ArchiveAccount), false},
		{"AccountPhoto", func() error { _, err := w.svc.AccountPhoto(w.ctx, w.org, x.account); return err }, false},
		{"DeleteAccount", entry(w.svc.DeleteAccount, x.account), false},
		{"Explain", func() error { _, err := w.svc.Explain(w.ctx, w.org, x.account); return err }, false},
		{"BulkAccounts", func() error {
			r, err := w.svc.BulkAccounts(w.ctx, w.org, "deactivate", directory.BulkFilter{Q: "ada"}, false)
			return found(r.Matched, err)
		}, true},
		{"DeleteEmployee", entry(w.svc.DeleteEmployee, "1"), false},
		{"DeleteRole", entry(w.svc.DeleteRole, "hr"), false},
		{"CreateAccount", func() error {
			_, err := w.svc.CreateAccount(w.ctx, w.org, model.Account{Email: "x@contoso.com", Roles: []string{"hr"}})
			return err
		}, false},
		{"SetOperatorPassword", func() error { return w.svc.SetOperatorPassword(w.ctx, w.org, ada, "another long password") }, false},
		{"DeleteOperator", entry(w.svc.DeleteOperator, ada), false},
		{"SetOperatorRights", func() error {
			_, err := w.svc.SetOperatorRights(w.ctx, w.outsider(), x.operator, []model.Right{model.RightAll})
			return err
		}, false},
		{"RenewOperatorLink", func() error {
			_, err := w.svc.RenewOperatorLink(w.ctx, w.outsider(), x.operator, model.LinkSignIn)
			return err
		}, false},
		{"RemoveOperator", func() error { return w.svc.RemoveOperator(w.ctx, w.outsider(), x.operator) }, false},
		{"SignOutOperator", entry(w.svc.SignOutOperator, x.operator), false},
		{"SignIn", func() error {
			_, err := w.svc.SignIn(w.ctx, w.org, ada, "correct horse battery", directory.Visitor{})
			return err
		}, false},
		{"EntraSignIn", func() error {
			_, err := w.svc.EntraSignIn(w.ctx, w.org, directory.EntraIdentity{ObjectID: "1", Emails: []string{ada}}, directory.Visitor{})
			if model.KindOf(err) == model.Forbidden {
				return model.Errorf(model.NotFound, "nobody")
			}
			return err
		}, false},
		{"SignOut", func() error { return w.svc.SignOut(w.ctx, w.org, x.operator, x.run) }, true},
		{"SavePreview", run(w.svc.SavePreview), false},
		{"CancelRun", run(w.svc.CancelRun), false},
		{"ApplyRun", choosing(w.svc.ApplyRun), false},
		{"DiscardRun", choosing(w.svc.DiscardRun), false},
		{"UndoRun", run(w.svc.UndoRun), false},
		{"Work", func() error {
			return w.svc.Work(w.ctx, directory.WorkRun{OrganizationID: w.org, RunID: x.run})
		}, true},
		{"DeleteAPIKey", entry(w.svc.DeleteAPIKey, x.run), false},
		{"GraphCredentials", func() error { list, err := w.svc.GraphCredentials(w.ctx, w.org); return found(len(list), err) }, true},
	}
}

// webhookAttempts name an endpoint of another organization, and a delivery of it.
func (w *world) webhookAttempts(x foreign) []attempt {
	return []attempt{
		{"ChangeWebhookEndpoint", func() error {
			_, err := w.svc.ChangeWebhookEndpoint(w.ctx, w.org, x.endpoint, func(e *model.WebhookEndpoint) { e.URL = "https://intruder.example" })
			return err
		}, false},
		{"DeleteWebhookEndpoint", func() error { return w.svc.DeleteWebhookEndpoint(w.ctx, w.org, x.endpoint) }, false},
		{"RotateWebhookSecret", func() error { _, err := w.svc.RotateWebhookSecret(w.ctx, w.org, x.endpoint); return err }, false},
		{"TestWebhookEndpoint", func() error { _, err := w.svc.TestWebhookEndpoint(w.ctx, w.org, x.endpoint); return err }, false},
		{"ResendWebhook", func() error { _, err := w.svc.ResendWebhook(w.ctx, w.org, x.endpoint, x.message); return err }, false},
		{"ReplayWebhooks", func() error { _, err := w.svc.ReplayWebhooks(w.ctx, w.org, x.endpoint, 1, 2); return err }, false},
		{"TryFieldMapping", func() error {
			_, err := w.svc.TryFieldMapping(w.ctx, w.ref, model.FieldMapping{Source: "title", Target: "job_title"}, 5)
			return err
		}, true},
		{"Suggestions", func() error { list, err := w.svc.Suggestions(w.ctx, w.ref); return found(len(list), err) }, true},
	}
}

// everyMethodTried fails the test when the service has a method that names something of an organization and was not tried.
func (w *world) everyMethodTried(tried map[string]bool) {
	w.Helper()
	others := []string{
		// They make or put a thing in the organization that they name, and read none of another.
		"CreateIntegration", "CreateWebhookEndpoint", "CreateAPIKey", "CreateOperator", "PutEmployee", "ImportEmployees", "PutRole", "PutDepartment", "PutSite",
		"PutModule", "PutCustomField", "AcknowledgeAlarm",
		// They take a key of the catalogue, as DeleteRole does by the same function.
		"DeleteDepartment", "DeleteSite", "DeleteModule", "DeleteCustomField",
		// TestListsOfAnotherOrganization tries the first; the others are jobs, which nobody outside names.
		"ListMembers", "ReadPhotos", "SweepPhotos", "EndLeft",
		// TestOperationsOfAnotherOrganization tries the first three; the others are jobs of the installation.
		"Operation", "CancelOperation", "WorkOperation", "OperationsDue", "FollowAccounts",
		// They concern the installation.
		"EnsureDefault", "CreateOrganization", "ChangeOrganization", "DeleteOrganization", "Resume", "Tidy", "Retire", "Reseal", "APIKey", "Warn",
		"AllWarnings", "TrimSCIMLog", "TrimFeed", "NumberFeed", "TrimJournals", "WatchSetups", "ScheduleImports",
		// It reads what was sealed.
		"AnswersSignIn",
		// What is shown tells the organization.
		"SecretGrant", "AssertionGrant", "OperatorSession", "StandingSession", "OperatorLink", "UseOperatorLink", "ChangeOwnPassword", "EndOtherSessions",
		// The operator who does it tells the organization, or there is nobody yet.
		"InviteOperator", "FirstOperatorLink",
	}
	methods := reflect.TypeFor[*directory.Service]()
	var missing []string
	for i := range methods.NumMethod() {
		if name := methods.Method(i).Name; !tried[name] && !slices.Contains(others, name) {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		w.Fatalf("not tried with another organization's things: %s", strings.Join(missing, ", "))
	}
}

// TestServiceSameThingsInTwoOrganizations makes the same person, employee and catalogue in two organizations.
func TestServiceSameThingsInTwoOrganizations(t *testing.T) {
	each(t, func(w *world) {
		other := *w
		other.org = must(w, w.svc.CreateOrganization)(w.ctx, "fabrikam", "").ID
		other.ref = other.integration("Fabrikam", model.RoleSyncReconcile)
		for _, v := range []*world{w, &other} {
			staffed(v, model.RoleSyncReconcile)
			v.employee(model.Employee{ExternalID: "1", Email: ada, JobTitle: v.org})
			u := v.user(ada)
			v.group("HR", u)
		}
		mine, theirs := w.account(ada), other.account(ada)
		if mine.ID == theirs.ID || mine.JobTitle != w.org || theirs.JobTitle != other.org {
			w.Fatalf("%+v and %+v", mine, theirs)
		}
		_, err := w.svc.DeactivateAccount(w.ctx, w.org, mine.ID)
		w.ok(err)
		other.hasStatus(ada, model.AccountActive)
	})
}
