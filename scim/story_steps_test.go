package scim_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"usher/directory"
	"usher/model"
	"usher/model/store"
)

// settings is a section of that name: what it names is set, the rest stays.
type settings struct {
	Roles         []model.Role         `json:"roles"`
	Modules       []model.Module       `json:"modules"`
	Sites         []model.Site         `json:"sites"`
	RoleSync      *model.RoleSync      `json:"role_sync"`
	DefaultRole   *string              `json:"default_role"`
	RequireGroup  *bool                `json:"require_group"`
	Guard         *model.Guard         `json:"guard"`
	GroupMappings []model.GroupMapping `json:"group_mappings"`
	Exclusions    []model.Exclusion    `json:"exclusions"`
	Employees     []model.Employee     `json:"employees"`
	Accounts      []model.Account      `json:"accounts"` // made by hand
}

// set puts a settings section through the service, in the order in which one thing refers to another, and works the
// runs that follow. It ends at the first refusal.
func (s *story) set(integration, text string) error {
	var in settings
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&in); err != nil {
		s.t.Fatalf("settings: %v\n%s", err, text)
	}
	ref := s.world.enter(s.t, integration).ref
	ctx, svc, org := s.operator(), s.world.service, ref.OrganizationID
	err := errors.Join(
		each(in.Roles, func(r model.Role) error { return second(svc.PutRole(ctx, org, r)) }),
		each(in.Modules, func(m model.Module) error { return second(svc.PutModule(ctx, org, m)) }),
		each(in.Sites, func(site model.Site) error { return second(svc.PutSite(ctx, org, site)) }),
	)
	if err == nil {
		_, err = svc.ChangeIntegration(ctx, ref, in.edit, nil)
	}
	if err == nil && in.GroupMappings != nil {
		_, err = svc.ChangeGroupMappings(ctx, ref, in.GroupMappings, directory.Replacing[model.GroupMapping]())
	}
	if err == nil && in.Exclusions != nil {
		_, err = svc.ChangeExclusions(ctx, ref, in.Exclusions, directory.Replacing[model.Exclusion]())
	}
	if err == nil {
		err = each(in.Accounts, func(a model.Account) error { return second(svc.CreateAccount(ctx, org, a)) })
	}
	if err == nil {
		err = each(in.Employees, func(e model.Employee) error {
			_, _, err := svc.PutEmployee(ctx, org, e)
			return err
		})
	}
	s.world.work(s.t)
	return err
}

// operator is the context of what is done in the application and not by Entra.
func (s *story) operator() context.Context {
	return directory.WithActor(s.t.Context(), "operator:ada@contoso.com")
}

// edit changes those settings of the integration that the section names.
func (in settings) edit(i *model.Integration) error {
	if in.RoleSync != nil {
		i.RoleSync = *in.RoleSync
	}
	if in.DefaultRole != nil {
		i.DefaultRole = *in.DefaultRole
	}
	if in.RequireGroup != nil {
		i.RequireGroup = *in.RequireGroup
	}
	if in.Guard != nil {
		i.Guard = *in.Guard
	}
	return nil
}

func each[T any](list []T, fn func(T) error) error {
	for _, entry := range list {
		if err := fn(entry); err != nil {
			return err
		}
	}
	return nil
}

func second[T any](_ T, err error) error { return err }

// byHand does what operators do, one act a line, and works the runs that follow. It ends at the first refusal.
func (s *story) byHand(text string) error {
	defer s.world.work(s.t)
	for line := range strings.Lines(text) {
		act, on, _ := strings.Cut(strings.TrimSpace(line), " ")
		if act == "" {
			continue
		}
		if err := s.act(act, on); err != nil {
			return err
		}
	}
	return nil
}

func (s *story) act(act, on string) error {
	ctx, svc, org := s.operator(), s.world.service, s.world.ref.OrganizationID
	if on == "run" {
		run := s.world.newestRun(s.t)
		switch act {
		case "apply":
			return second(svc.ApplyRun(ctx, org, run.ID, directory.PlanChoice{}))
		case "discard":
			return second(svc.DiscardRun(ctx, org, run.ID, directory.PlanChoice{}))
		}
		s.t.Fatalf("by hand: nobody can %s a run", act)
	}
	email, rest, _ := strings.Cut(on, " ")
	a := s.world.account(s.t, email)
	if a == nil {
		s.t.Fatalf("by hand: there is no account %s", email)
	}
	switch act {
	case "roles":
		roles := []string{}
		for role := range strings.SplitSeq(rest, ",") {
			if role = strings.TrimSpace(role); role != "" {
				roles = append(roles, role)
			}
		}
		return second(svc.SetRoles(ctx, org, a.ID, roles))
	case "deactivate":
		return second(svc.DeactivateAccount(ctx, org, a.ID))
	case "reactivate":
		return second(svc.ReactivateAccount(ctx, org, a.ID))
	case "archive":
		return second(svc.ArchiveAccount(ctx, org, a.ID))
	}
	s.t.Fatalf("by hand: unknown act %s", act)
	return nil
}

// day lets the day begin, and does what the program does then.
func (s *story) day(date string) error {
	at, err := time.Parse(time.DateOnly, date)
	if err != nil {
		s.t.Fatalf("day: %v", err)
	}
	s.world.clock.set(at)
	defer s.world.work(s.t)
	return s.world.service.Retire(s.t.Context(), directory.RetireEmployees{})
}

// told says how the account with the e-mail is, why, and what happened to it since the story last looked.
func (s *story) told(email string) string {
	a := s.world.account(s.t, email)
	if a == nil {
		return "there is none\n"
	}
	x, err := s.world.service.Explain(s.t.Context(), a.OrganizationID, a.ID)
	if err != nil {
		s.t.Fatal(err)
	}
	var out strings.Builder
	by := "nobody"
	if x.Status.Cause != "" {
		by = x.Status.Cause
	}
	fmt.Fprintf(&out, "status: %s, by %s: %s\n", x.Status.Status, by, x.Status.Reason)
	for _, r := range x.Roles {
		fmt.Fprintf(&out, "role %s: %s\n", r.Role, reasonText(r.Reasons))
	}
	for _, p := range x.Permissions {
		fmt.Fprintf(&out, "permission %s in %s at %s: %s\n", p.Level, p.Module, p.Site, reasonText(p.Reasons))
	}
	if e := x.Employee; e != nil {
		fmt.Fprintf(&out, "employee %s: %s\n", e.ExternalID, e.State)
	}
	for _, l := range x.Links {
		fmt.Fprintf(&out, "linked: %s in %s, because %s\n", l.UserName, l.Integration, l.Explanation.Link)
		fmt.Fprintf(&out, "about the roles: %s\n", l.Explanation.Roles)
		out.WriteString(problemText(l.Explanation.Problems))
	}
	out.WriteString(s.happened(a.ID))
	return out.String()
}

func reasonText(reasons []directory.Reason) string {
	var parts []string
	for _, r := range reasons {
		parts = append(parts, r.Text)
	}
	return strings.Join(parts, "; ")
}

func problemText(problems []model.Problem) string {
	text := ""
	for _, p := range problems {
		text += "problem: " + strings.TrimPrefix(p.Field+": ", ": ") + p.Detail + "\n"
	}
	return text
}

// happened gives what the change feed says of status, roles and permissions of the account since the story last looked.
func (s *story) happened(id string) string {
	var out strings.Builder
	changes, _ := s.world.changes(s.t)
	for _, c := range changes[s.looked[id]:] {
		var data struct {
			Changes []model.FieldChange `json:"changes"`
		}
		if c.SubjectID != id {
			continue
		}
		if err := json.Unmarshal(c.Data, &data); err != nil {
			s.t.Fatal(err)
		}
		actor, _, _ := strings.Cut(c.Actor, ":") // without the id of a run
		for _, f := range data.Changes {
			if slices.Contains([]string{"status", "roles", "permissions"}, f.Field) {
				fmt.Fprintf(&out, "%s by %s: %s from %s to %s", c.Type, actor, f.Field, valueText(f.Before), valueText(f.After))
				if f.Reason != "" {
					out.WriteString(": " + f.Reason)
				}
				out.WriteByte('\n')
			}
		}
	}
	s.looked[id] = len(changes)
	return out.String()
}

func valueText(v any) string {
	switch v := v.(type) {
	case []any:
		var parts []string
		for _, inner := range v {
			parts = append(parts, valueText(inner))
		}
		if len(parts) == 0 {
			return "none"
		}
		return strings.Join(parts, ", ")
	case map[string]any:
		return fmt.Sprintf("%v in %v at %v", v["level"], v["module"], v["site"])
	case nil:
		return "none"
	case string:
		if v == "" {
			return "none"
		}
	}
	return fmt.Sprint(v)
}

// accounts gives every account of the organization, one a line.
func (s *story) accounts() string {
	var lines []string
	for _, a := range s.world.accounts(s.t, store.AccountFilter{}) {
		userName := a.UserName
		if userName == "" {
			userName = "none"
		}
		lines = append(lines, fmt.Sprintf("%s, userName %s: %s, origin %s, %d linked\n", a.Email, userName, a.Status, a.Origin, len(a.Links)))
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}

// mirrored says what the rules say of the directory user whose id the story knows by the name.
func (s *story) mirrored(name string) string {
	id, ok := s.ids[name]
	if !ok {
		s.t.Fatalf("directory user: no answer gave %s an id", name)
	}
	u, err := s.world.service.User(s.t.Context(), s.world.ref, id)
	if err != nil {
		s.t.Fatal(err)
	}
	scope := "out of scope"
	if u.Explanation.InScope {
		scope = "in scope"
	}
	account := u.Explanation.Roles
	switch {
	case u.AccountID != nil:
		account = "has an account"
	case account == "":
		account = "no account"
	}
	return fmt.Sprintf("%s: %s\n%s\n%s", scope, u.Explanation.Scope, account, problemText(u.Explanation.Problems))
}

// run says how the newest run of the organization ended, and what it decided about whom.
func (s *story) run() string {
	r := s.world.newestRun(s.t)
	decisions, err := s.world.service.Store.Read(s.t.Context()).RunDecisionsAfter(r.OrganizationID, r.ID, "", "", 1000)
	if err != nil {
		s.t.Fatal(err)
	}
	text := fmt.Sprintf("%s %s: %s\n", r.Kind, r.State, r.Reason)
	var lines []string
	for i := range decisions {
		d := &decisions[i]
		lines = append(lines, fmt.Sprintf("%s %s: %s\n", d.Action, d.Name, d.Reason))
	}
	slices.Sort(lines)
	return text + strings.Join(lines, "")
}
