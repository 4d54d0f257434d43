package directory

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/google/uuid"

	"usher/model"
	"usher/model/store"
)

// FollowAccounts reads the change feed for accounts whose person is to be made, changed or deleted in Entra, where the switches of
// write-back are on; it is periodic, every 15 seconds or so. Nothing of it is done in the transactions of those who change accounts.
type FollowAccounts struct{}

// Kind names the job.
func (FollowAccounts) Kind() string { return "directory.follow_accounts" }

// writeBackReader is write-back's name as a reader of the change feed.
const writeBackReader = "write_back"

// The bounds of following; see calendarbridge's.
const (
	followPage   = 200
	followStep   = 1000
	followBehind = 200_000
	followOrgs   = 100
)

// actorWriteBack is who asks for what follows from a change of an account.
const actorWriteBack = "write-back"

// FollowAccounts works the job.
func (s *Service) FollowAccounts(ctx context.Context, _ FollowAccounts) error {
	ctx = WithActor(ctx, actorWriteBack)
	if some, err := s.Store.Read(ctx).WritingFeedsAfter(writeBackReader, "", 1); err != nil || len(some) == 0 {
		return err // and the feed is left alone: giving its entries their positions is work that only a reader asks for
	}
	end, err := s.Store.FeedEnd(ctx)
	if err != nil {
		return err
	}
	for after := ""; ; {
		list, err := s.Store.Read(ctx).WritingFeedsAfter(writeBackReader, after, followOrgs)
		if err != nil {
			return err
		}
		for _, f := range list {
			if err := s.followFeed(ctx, f, end); err != nil {
				return err
			}
			after = f.OrganizationID
		}
		if len(list) < followOrgs {
			return nil
		}
	}
}

// followFeed reads what happened to the accounts of one organization. Where nobody has followed it yet, what happens from now on counts.
func (s *Service) followFeed(ctx context.Context, f store.FeedReader, end int64) error {
	if f.Position == nil || end-*f.Position > followBehind {
		return s.Store.InTx(ctx, func(tx *store.Tx) error { tx.SetFeedReader(f.OrganizationID, writeBackReader, end); return nil })
	}
	types := []string{string(model.AccountCreated), string(model.AccountUpdated), string(model.AccountReactivated), string(model.AccountDeleted)}
	for at := *f.Position; at < end; {
		list, next, err := s.Store.Changes(ctx, f.OrganizationID, store.ChangeQuery{After: at, Types: types, Limit: followPage})
		if err != nil {
			return err
		}
		if len(list) == 0 && next-*f.Position < followStep {
			return nil
		}
		err = s.Store.InTx(ctx, func(tx *store.Tx) error {
			tx.SetFeedReader(f.OrganizationID, writeBackReader, next)
			return s.followChanges(ctx, tx, f.OrganizationID, list)
		})
		if err != nil {
			return err
		}
		at = next
	}
	return nil
}

// followChanges asks for what follows from some changes. Of an account that changed several times the last state counts.
func (s *Service) followChanges(ctx context.Context, tx *store.Tx, organizationID string, changes []model.Change) error {
	settings, err := tx.Settings(organizationID)
	if err != nil {
		return err
	}
	w := &following{Service: s, ctx: ctx, tx: tx, settings: settings}
	for _, entry := range settings.Integrations {
		if i := entry.Integration; !i.ReadOnly && !i.WriteBack.ByHandOnly {
			w.integrations = append(w.integrations, i)
		}
	}
	slices.SortFunc(w.integrations, func(a, b model.Integration) int {
		return cmp.Or(cmp.Compare(a.Priority, b.Priority), cmp.Compare(a.ID, b.ID))
	})
	seen := map[string]bool{}
	for i := len(changes) - 1; i >= 0; i-- { // the newest first
		c := &changes[i]
		var data accountData
		if seen[c.SubjectID] || json.Unmarshal(c.Data, &data) != nil || data.Account == nil {
			continue
		}
		seen[c.SubjectID] = true
		data.Account.OrganizationID = organizationID
		if err := w.follow(c.Type, data.Account); err != nil {
			return err
		}
	}
	return nil
}

// following is a page of changes that is followed.
type following struct {
	*Service
	ctx          context.Context
	tx           *store.Tx
	settings     *model.Settings
	integrations []model.Integration // that may write by themselves, in the order of their priority
}

func (w *following) follow(kind model.ChangeType, a *model.Account) error {
	if kind == model.AccountDeleted {
		return w.deleted(a)
	}
	if a.EmployeeID == nil { // an external account, or one whose profile came from Entra
		return nil
	}
	now, err := w.tx.Account(a.OrganizationID, a.ID)
	if err != nil {
		return ignoreGone(err)
	}
	if now.EmployeeID == nil || now.Status != model.AccountActive {
		return nil
	}
	employee, err := w.tx.Employee(now.OrganizationID, *now.EmployeeID)
	if err != nil {
		return ignoreGone(err)
	}
	if EmployeeState(employee, w.Now()) == model.EmployeeArchived {
		return nil
	}
	if len(now.Links) == 0 {
		return w.missing(&now, &employee)
	}
	return w.changed(&now, &employee)
}

// profile gives what an employee owns of the profile, by Graph's names.
func (w *following) profile(a *model.Account, e *model.Employee) map[string]string {
	department := e.Department
	if known, ok := w.settings.Departments[a.Department]; ok && e.Department != "" {
		department = known.Name
	}
	all := map[string]string{"givenName": e.GivenName, "surname": e.FamilyName, "jobTitle": e.JobTitle, "department": department}
	if full := strings.TrimSpace(e.GivenName + " " + e.FamilyName); full != "" && a.DisplayName == full {
		all["displayName"] = full
	}
	for name, value := range all {
		if p := entraProperties()[name]; value == "" || len([]rune(value)) > p.most {
			delete(all, name)
		}
	}
	return all
}

// missing asks for the user of an in-house account that nobody in Entra belongs to.
func (w *following) missing(a *model.Account, e *model.Employee) error {
	at := slices.IndexFunc(w.integrations, func(i model.Integration) bool { return i.WriteBack.Create })
	if at < 0 || a.Email == "" || a.Origin != model.OriginManual {
		return nil
	}
	in := NewEntraUser{UserPrincipalName: a.Email, Profile: w.profile(a, e)}
	if in.Profile["displayName"] == "" {
		in.Profile["displayName"] = a.Name()
	}
	if checkNewUser(&in) != nil {
		return nil // such as an e-mail that cannot be a user principal name
	}
	ref := w.integrations[at].Ref()
	o := newOperation(ref, model.OperationCreateUser, "upn:"+model.Fold(in.UserPrincipalName), "create")
	o.UserName, o.AccountID, o.Request.Profile = in.UserPrincipalName, &a.ID, in.Profile
	before, err := w.tx.OperationsOfAccounts(ref, o.Kind, []string{a.ID})
	if err != nil {
		return err
	}
	for i := range before { // it was asked for already, or failed for what has not changed since
		over := before[i].State == model.OperationFailed || before[i].State == model.OperationCancelled
		if !over || before[i].UserName == o.UserName && sameJSON(before[i].Request, o.Request) {
			return nil
		}
	}
	plan(o, model.StepCheck, "")
	plan(o, model.StepCreate, "")
	w.sealPassword(o, "")
	return w.ask(o)
}

// changed asks for the change of the users that an account is linked to.
func (w *following) changed(a *model.Account, e *model.Employee) error {
	users, err := w.tx.LinkedUsers(a.OrganizationID, a.ID)
	if err != nil {
		return err
	}
	for i := range users {
		u := &users[i]
		if !w.may(u.IntegrationID, func(b model.WriteBack) bool { return b.Update }) {
			continue
		}
		profile := w.profile(a, e)
		for name := range profile {
			if mirroredValue(u, name) == profile[name] {
				delete(profile, name)
			}
		}
		if len(profile) == 0 {
			continue
		}
		o := aboutUser(u, model.OperationUpdateUser, "")
		o.AccountID, o.Request.Profile = &a.ID, profile
		plan(o, model.StepCheck, "")
		plan(o, model.StepUpdate, "")
		if err := w.ask(o); err != nil {
			return err
		}
	}
	return nil
}

// mirroredValue gives what the mirror has of a property of Graph's, by the default mapping of Entra's provisioning.
func mirroredValue(u *model.DirectoryUser, property string) string {
	attributes := u.Document.Attributes()
	within := func(object, name string) string {
		part, _ := attributes[object].(map[string]any)
		text, _ := part[name].(string)
		return text
	}
	switch property {
	case "givenName":
		return within("name", "givenName")
	case "surname":
		return within("name", "familyName")
	case "department":
		return within("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User", "department")
	case "jobTitle":
		text, _ := attributes["title"].(string)
		return text
	}
	return u.DisplayName
}

// deleted asks that the users of an account that is gone be deleted: those that it was linked to.
func (w *following) deleted(a *model.Account) error {
	for _, link := range a.Links {
		ref := model.Ref{OrganizationID: a.OrganizationID, IntegrationID: link.IntegrationID}
		if !w.may(link.IntegrationID, func(b model.WriteBack) bool { return b.Delete }) {
			continue
		}
		u, err := w.tx.DirectoryUser(ref, link.DirectoryUserID)
		if err != nil {
			if model.KindOf(err) == model.NotFound {
				continue // it has left Entra by itself
			}
			return err
		}
		o := aboutUser(&u, model.OperationDeleteUser, "delete")
		o.AccountID = &a.ID
		plan(o, model.StepCheck, "")
		plan(o, model.StepDelete, "")
		if err := w.guarded(o); err != nil {
			return err
		}
	}
	return nil
}

// guarded asks for a deletion, unless there were as many within the last hour as a run may deactivate: then it fails at once, and
// somebody has to ask for it by hand.
func (w *following) guarded(o *model.Operation) error {
	at := slices.IndexFunc(w.integrations, func(i model.Integration) bool { return i.ID == o.IntegrationID })
	active, err := w.tx.CountActiveAccounts(o.Ref())
	if err != nil {
		return err
	}
	recent, err := w.tx.CountAutomatic(o.Ref(), o.Kind, w.tx.Now().Add(-alarmPeriod))
	if err != nil {
		return err
	}
	limit := w.integrations[at].Guard.Limit(active)
	if recent < limit {
		return w.ask(o)
	}
	now := w.tx.Now()
	o.State, o.Open, o.FinishedAt, o.Automatic, o.Actor = model.OperationFailed, false, &now, true, actorWriteBack
	for i := range o.Steps {
		o.Steps[i].State = model.StepSkipped
	}
	o.Error = &model.OperationError{Code: codeGuard, Detail: "more than " + counted(limit, "account") +
		" were deleted within an hour, and no more users are deleted in Entra by themselves: delete the user by hand where that is meant"}
	if _, err := w.tx.InsertOperation(o); err != nil {
		return err
	}
	w.Observe(EventOperationFailed, 1)
	return w.tellOperation(w.ctx, w.tx, o)
}

func (w *following) may(integrationID string, on func(model.WriteBack) bool) bool {
	return slices.ContainsFunc(w.integrations, func(i model.Integration) bool { return i.ID == integrationID && on(i.WriteBack) })
}

// aboutUser begins an operation on a user of the mirror, whose externalId is the object id only where Entra was told to send that.
func aboutUser(u *model.DirectoryUser, kind model.OperationKind, claim string) *model.Operation {
	subject := "upn:" + u.UserNameKey
	id := ""
	if uuid.Validate(u.ExternalID) == nil {
		id = objectID(u.ExternalID)
		subject = "id:" + id
	}
	o := newOperation(u.Ref(), kind, subject, claim)
	o.UserID, o.UserName = id, u.UserName
	return o
}

// ask asks for an operation, unless one that is open does the same.
func (w *following) ask(o *model.Operation) error {
	o.Automatic = true
	err := w.store(w.ctx, w.tx, o, nil)
	if err != nil && model.KindOf(err) == model.Conflict {
		return nil
	}
	return err
}
