package directory

import (
	"context"
	"time"

	"usher/model"
	"usher/model/entra"
	"usher/model/outlook"
)

// EntraUser is a user as Entra has it at this moment, with what Usher knows of the person.
type EntraUser struct {
	ID                string     `json:"id" doc:"Object id in Entra."`
	UserPrincipalName string     `json:"user_principal_name"`
	DisplayName       string     `json:"display_name"`
	GivenName         string     `json:"given_name"`
	FamilyName        string     `json:"family_name"`
	Email             string     `json:"email"`
	Enabled           bool       `json:"enabled" doc:"May sign in."`
	UserType          string     `json:"user_type" doc:"Member or Guest."`
	OnPremisesSync    bool       `json:"on_premises_sync" doc:"Active Directory is its master: Entra refuses changes."`
	JobTitle          string     `json:"job_title"`
	Department        string     `json:"department"`
	UsageLocation     string     `json:"usage_location" doc:"Country of two letters; licences need one."`
	CreatedAt         *time.Time `json:"created_at"`
	DeletedAt         *time.Time `json:"deleted_at" doc:"Of one that can be restored."`
	DirectoryUserID   *string    `json:"directory_user_id" doc:"Null where the person is not mirrored."`
	AccountID         *string    `json:"account_id" doc:"Null without account."`
}

// EntraUsers gives a page of the users of the tenant whose name, user name or address begins with q; "" gives all. deleted gives
// those that can be restored, all of them.
func (s *Service) EntraUsers(ctx context.Context, ref model.Ref, q string, deleted bool, after string, limit int) (LivePage[EntraUser], error) {
	tenant, err := s.reader(ctx, ref)
	if err != nil {
		return LivePage[EntraUser]{}, err
	}
	what, find := "users?"+q, func(link string) (entra.UserPage, error) { return tenant.FindUsers(ctx, q, link) }
	if deleted {
		if q != "" {
			return LivePage[EntraUser]{}, model.FieldErrorf(model.Invalid, "q", "deleted users cannot be searched: ask for all of them")
		}
		what, find = "deleted", func(link string) (entra.UserPage, error) { return tenant.DeletedUsers(ctx, link) }
	}
	page, err := live(s, ref, what, after, limit, func(link string) ([]EntraUser, string, error) {
		page, err := find(link)
		return entraUsers(page.Users), page.Next, err
	})
	if err != nil {
		return page, err
	}
	return page, s.noteMirrored(ctx, ref, page.Data)
}

// EntraUser reads a user of the tenant by object id or user principal name.
func (s *Service) EntraUser(ctx context.Context, ref model.Ref, uid string) (EntraUser, error) {
	_, u, err := s.entraUser(ctx, ref, uid)
	if err != nil {
		return EntraUser{}, err
	}
	list := entraUsers([]entra.User{u})
	return list[0], s.noteMirrored(ctx, ref, list)
}

// entraUser finds a user of the tenant.
func (s *Service) entraUser(ctx context.Context, ref model.Ref, uid string) (TenantReader, entra.User, error) {
	tenant, err := s.reader(ctx, ref)
	if err != nil {
		return nil, entra.User{}, err
	}
	if err := checkEntraRef("uid", uid); err != nil {
		return nil, entra.User{}, err
	}
	u, err := tenant.TenantUser(ctx, objectID(uid), nil)
	if kind := outlook.KindOf(err); err != nil && (kind == outlook.NoUser || kind == outlook.NotFound) {
		return nil, u, model.Errorf(model.NotFound, "user %s is not in Entra; a deleted one is among ?deleted=true", cut(uid, maxShown))
	}
	return tenant, u, err
}

func entraUsers(list []entra.User) []EntraUser {
	out := make([]EntraUser, len(list))
	for i := range list {
		u := &list[i]
		out[i] = EntraUser{
			ID: u.ID, UserPrincipalName: u.UserPrincipalName, DisplayName: u.DisplayName, GivenName: u.GivenName, FamilyName: u.Surname,
			Email: u.Mail, Enabled: u.AccountEnabled, UserType: u.UserType, OnPremisesSync: u.OnPremisesSync, JobTitle: u.JobTitle,
			Department: u.Department, UsageLocation: u.UsageLocation, CreatedAt: timeOrNil(u.CreatedAt), DeletedAt: timeOrNil(u.DeletedAt),
		}
	}
	return out
}

func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// noteMirrored adds who of the users is mirrored, and their accounts.
func (s *Service) noteMirrored(ctx context.Context, ref model.Ref, list []EntraUser) error {
	ids := make([]string, len(list))
	for i := range list {
		ids[i] = list[i].ID
	}
	known, err := s.Store.Read(ctx).MirroredByExternalID(ref, ids)
	if err != nil {
		return err
	}
	for i := range list {
		if m, ok := known[list[i].ID]; ok {
			list[i].DirectoryUserID, list[i].AccountID = &m.DirectoryUserID, m.AccountID
		}
	}
	return nil
}

// EntraUserGroups gives the groups that a user is a direct member of.
func (s *Service) EntraUserGroups(ctx context.Context, ref model.Ref, uid string) ([]EntraGroup, error) {
	tenant, u, err := s.entraUser(ctx, ref, uid)
	if err != nil {
		return nil, err
	}
	groups, err := tenant.GroupsOf(ctx, u.ID)
	if err != nil {
		return nil, err
	}
	entry, err := s.Lists(ctx, ref)
	if err != nil {
		return nil, err
	}
	return s.entraGroups(&entry.Integration, groups), nil
}
