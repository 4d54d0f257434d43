package directory

import (
	"context"
	"strings"

	"usher/model"
	"usher/model/entra"
	"usher/model/outlook"
)

// EntraGroup is a group as Entra has it at this moment.
type EntraGroup struct {
	ID                 string    `json:"id" doc:"Object id in Entra."`
	DisplayName        string    `json:"display_name"`
	Description        string    `json:"description"`
	Email              string    `json:"email"`
	Kind               GroupKind `json:"kind"`
	Dynamic            bool      `json:"dynamic" doc:"Entra itself decides by a rule who is in it."`
	OnPremisesSync     bool      `json:"on_premises_sync"`
	Visibility         string    `json:"visibility"`
	MembershipWritable bool      `json:"membership_writable" doc:"Usher can put people into it and take them out."`
	Reason             string    `json:"reason,omitempty" doc:"Why it is not writable."`
}

// AvailableGroup is a group that can be chosen, mapped or made a list.
type AvailableGroup struct {
	GroupCandidate
	Dynamic        bool `json:"dynamic"`
	OnPremisesSync bool `json:"on_premises_sync"`
	Chosen         bool `json:"chosen"`
	Mapped         bool `json:"mapped"`
	List           bool `json:"list"`
	CanBeList      bool `json:"can_be_list" doc:"It has an address."`
}

// AvailableGroups gives a page of the groups of the tenant whose display name has words that begin as those of q do; "" gives
// all. mail leaves out groups without an address.
func (s *Service) AvailableGroups(ctx context.Context, ref model.Ref, q string, mail bool, after string, limit int) (LivePage[AvailableGroup], error) {
	var none LivePage[AvailableGroup]
	tenant, err := s.reader(ctx, ref)
	if err != nil {
		return none, err
	}
	uses, err := s.groupsToRead(s.Store.Read(ctx), ref)
	if err != nil {
		return none, err
	}
	used := map[string]groupToRead{}
	for _, g := range uses {
		used[g.ExternalID] = g
	}
	return live(s, ref, searchName("available", q, mail), after, limit, func(link string) ([]AvailableGroup, string, error) {
		page, err := tenant.FindGroups(ctx, entra.GroupSearch{Text: q, MailEnabled: mail}, link)
		out := make([]AvailableGroup, len(page.Groups))
		for i := range page.Groups {
			g := &page.Groups[i]
			use := used[g.ID]
			out[i] = AvailableGroup{
				GroupCandidate: candidateOf(g), Dynamic: isDynamic(g), OnPremisesSync: g.OnPremisesSync,
				Chosen: use.Chosen, Mapped: use.Mapped, List: use.List, CanBeList: g.MailEnabled,
			}
		}
		return out, page.Next, err
	})
}

func searchName(list, q string, mail bool) string {
	if mail {
		list += "+mail"
	}
	return list + "?" + q
}

// EntraGroups gives a page of the groups of the tenant, searched as AvailableGroups does.
func (s *Service) EntraGroups(ctx context.Context, ref model.Ref, q string, after string, limit int) (LivePage[EntraGroup], error) {
	tenant, err := s.reader(ctx, ref)
	if err != nil {
		return LivePage[EntraGroup]{}, err
	}
	entry, err := s.Lists(ctx, ref)
	if err != nil {
		return LivePage[EntraGroup]{}, err
	}
	return live(s, ref, searchName("groups", q, false), after, limit, func(link string) ([]EntraGroup, string, error) {
		page, err := tenant.FindGroups(ctx, entra.GroupSearch{Text: q}, link)
		return s.entraGroups(&entry.Integration, page.Groups), page.Next, err
	})
}

// EntraGroup reads a group of the tenant by object id.
func (s *Service) EntraGroup(ctx context.Context, ref model.Ref, gid string) (EntraGroup, error) {
	tenant, err := s.reader(ctx, ref)
	if err != nil {
		return EntraGroup{}, err
	}
	g, err := entraGroup(ctx, tenant, gid)
	if err != nil {
		return EntraGroup{}, err
	}
	entry, err := s.Lists(ctx, ref)
	if err != nil {
		return EntraGroup{}, err
	}
	return s.entraGroups(&entry.Integration, []entra.Group{g})[0], nil
}

func entraGroup(ctx context.Context, tenant TenantReader, gid string) (entra.Group, error) {
	missing := model.Errorf(model.NotFound, "group %s is not in Entra", cut(gid, maxShown))
	if !tenantID.MatchString(gid) {
		return entra.Group{}, missing
	}
	g, err := tenant.Group(ctx, objectID(gid))
	if err != nil && outlook.KindOf(err) == outlook.NotFound {
		return g, missing
	}
	return g, err
}

// EntraMember is a direct member of a group of the tenant.
type EntraMember struct {
	ID                string           `json:"id" doc:"Object id in Entra."`
	Type              entra.MemberType `json:"type"`
	DisplayName       string           `json:"display_name" doc:"Of users; empty where the user is deleted."`
	UserPrincipalName string           `json:"user_principal_name"`
	DirectoryUserID   *string          `json:"directory_user_id"`
	AccountID         *string          `json:"account_id"`
}

// EntraGroupMembers gives a page of the direct members of a group of the tenant.
func (s *Service) EntraGroupMembers(ctx context.Context, ref model.Ref, gid, after string, limit int) (LivePage[EntraMember], error) {
	var none LivePage[EntraMember]
	tenant, err := s.reader(ctx, ref)
	if err != nil {
		return none, err
	}
	g, err := entraGroup(ctx, tenant, gid)
	if err != nil {
		return none, err
	}
	page, err := live(s, ref, "members/"+g.ID, after, limit, func(link string) ([]EntraMember, string, error) {
		page, err := tenant.Members(ctx, g.ID, link)
		out := make([]EntraMember, len(page.Members))
		for i, m := range page.Members {
			out[i] = EntraMember{ID: m.ID, Type: m.Type}
		}
		return out, page.Next, err
	})
	if err != nil {
		return page, err
	}
	return page, s.nameMembers(ctx, tenant, ref, page.Data)
}

// nameMembers adds who the users are.
func (s *Service) nameMembers(ctx context.Context, tenant TenantReader, ref model.Ref, list []EntraMember) error {
	var ids []string
	for i := range list {
		if list[i].Type == entra.MemberUser {
			ids = append(ids, list[i].ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	users, err := tenant.UsersByID(ctx, ids, nil)
	if err != nil {
		return err
	}
	views := entraUsers(users)
	if err := s.noteMirrored(ctx, ref, views); err != nil {
		return err
	}
	byID := map[string]*EntraUser{}
	for i := range views {
		byID[views[i].ID] = &views[i]
	}
	for i := range list {
		if u := byID[list[i].ID]; u != nil {
			list[i].DisplayName, list[i].UserPrincipalName = u.DisplayName, u.UserPrincipalName
			list[i].DirectoryUserID, list[i].AccountID = u.DirectoryUserID, u.AccountID
		}
	}
	return nil
}

func (s *Service) entraGroups(i *model.Integration, list []entra.Group) []EntraGroup {
	out := make([]EntraGroup, len(list))
	for n := range list {
		g := &list[n]
		reason := membersFixed(g)
		if reason == "" && i.ReadOnly {
			reason = "integration " + i.Name + " only reads"
		}
		out[n] = EntraGroup{
			ID: g.ID, DisplayName: g.DisplayName, Description: g.Description, Email: g.Mail, Kind: groupKind(g), Dynamic: isDynamic(g),
			OnPremisesSync: g.OnPremisesSync, Visibility: g.Visibility, MembershipWritable: reason == "", Reason: reason,
		}
	}
	return out
}

func isDynamic(g *entra.Group) bool {
	for _, t := range g.Types {
		if strings.EqualFold(t, "DynamicMembership") {
			return true
		}
	}
	return g.MembershipRule != ""
}

// membersFixed says why Graph refuses to change who is in a group; "" where it does not (Graph, groups overview and
// group-post-members).
func membersFixed(g *entra.Group) string {
	switch {
	case g.OnPremisesSync:
		return "the group is synchronised from Active Directory: change it there"
	case isDynamic(g):
		return "Entra decides by the group's rule who is in it"
	case groupKind(g) == KindMailSecurity:
		return "it is a mail-enabled security group, which only Exchange changes"
	case groupKind(g) == KindDistribution:
		return "it is a distribution group, which only Exchange changes"
	case g.RoleAssignable:
		return "roles of Entra can be assigned to it, so that changing it takes RoleManagement.ReadWrite.Directory, which Usher does not ask for"
	case g.ManagementRestricted:
		return "it is in an administrative unit whose management is restricted"
	}
	return ""
}
