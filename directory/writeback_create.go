package directory

import (
	"maps"
	"slices"
	"strings"
	"time"

	"usher/model"
	"usher/model/entra"
	"usher/model/outlook"
)

// clockSkew is by how much Entra's clock may differ from ours.
const clockSkew = 5 * time.Minute

// create makes the user. A user principal name is unique in a tenant, so that no attempt can make a second one; but whether a user
// of the name is ours has to be found out where an answer was lost. Nobody had the name when it was checked, and so the user is ours
// who was made since, with everything that was asked for. Of any other user nothing is assumed: the operation fails, and says so.
func (x *operating) create(s *model.OperationStep) (model.StepState, string, error) {
	if x.before {
		u, found, err := x.named()
		if err != nil {
			return "", "", err
		}
		if found {
			return x.recognise(&u)
		}
	}
	password, err := x.password()
	if err != nil {
		return "", "", err
	}
	u, err := x.write.CreateUser(x.ctx, x.newUser(password))
	switch kind := outlook.KindOf(err); {
	case err == nil:
		return x.made(&u, "Entra made the user")
	case kind != outlook.Duplicate && kind != outlook.Conflict:
		return "", "", err
	}
	taken, found, failed := x.named()
	switch {
	case failed != nil:
		return "", "", failed
	case found && x.before:
		return x.recognise(&taken)
	case found:
		return "", "", x.exists()
	case x.before && s.Attempts <= freshTries: // it may be there, and not be known everywhere yet
		return "", "", &notYet{err}
	case x.before:
		return "", "", refuse(codeAmbiguous, "the answer to the creation of %s was lost, and now Entra says that the name or address is taken, but shows no user of it:"+
			" look for the user in the Entra admin centre, among the deleted ones too", x.o.UserName)
	}
	return "", "", explained(model.StepCreate, err, nil)
}

// named looks the user principal name up.
func (x *operating) named() (u entra.User, found bool, err error) {
	u, err = x.read.TenantUser(x.ctx, x.o.UserName, nil)
	switch outlook.KindOf(err) {
	case outlook.NoUser, outlook.NotFound:
		return u, false, nil
	default:
		return u, err == nil, err
	}
}

func (x *operating) exists() error {
	return refuse(codeUserExists, "a user named %s is in Entra already: choose another name, or take that user over by having it imported, which links it to the account with the same e-mail",
		x.o.UserName)
}

// recognise decides whether a user who is there is the one that an attempt without an answer has made.
func (x *operating) recognise(u *entra.User) (model.StepState, string, error) {
	asked := x.newUser("")
	change := remaining(&model.OperationRequest{Profile: asked.Set}, u)
	checked := x.checkedAt()
	since := !u.CreatedAt.IsZero() && !checked.IsZero() && u.CreatedAt.After(checked.Add(-clockSkew))
	if len(change.Set) == 0 && since && strings.EqualFold(u.MailNickname, asked.MailNickname) {
		return x.made(u, "the answer to the creation was lost; the user is there, made since the name was found free, and is as it was asked for")
	}
	different := changedNames(&change)
	if !since {
		different = append(different, "created "+u.CreatedAt.UTC().Format(time.RFC3339))
	}
	return "", "", refuse(codeAmbiguous, "the answer to the creation of %s was lost, and a user of that name is in Entra who differs from what was asked for (%s):"+
		" whether Usher made it cannot be told. Look at user %s in the Entra admin centre; if it is the right one, correct it there, else delete it and ask again",
		x.o.UserName, strings.Join(different, ", "), u.ID)
}

// checkedAt says when the name was found to be free.
func (x *operating) checkedAt() time.Time {
	for i := range x.o.Steps {
		if s := &x.o.Steps[i]; s.Action == model.StepCheck && s.State == model.StepDone && s.FinishedAt != nil {
			return *s.FinishedAt
		}
	}
	return time.Time{}
}

// made notes whom the operation is about from now on.
func (x *operating) made(u *entra.User, outcome string) (model.StepState, string, error) {
	x.o.UserID, x.o.Subject = u.ID, "id:"+u.ID
	x.o.Result["user_id"], x.o.Result["user_principal_name"] = u.ID, x.o.UserName
	return done(outcome, nil)
}

// password opens the password that was sealed for this.
func (x *operating) password() (string, error) {
	gone := refuse(codePasswordGone, "Entra could not be reached within an hour, after which the password of the new user was destroyed: ask again")
	if len(x.o.Sealed) == 0 || x.o.SealedUntil == nil || !x.Now().Before(*x.o.SealedUntil) {
		return "", gone
	}
	password, err := x.Keys.Open(x.o.KeyID, x.o.Sealed, "operation/"+x.o.ID)
	if err != nil {
		return "", gone // the key was taken away meanwhile
	}
	return password, nil
}

func (x *operating) newUser(password string) entra.NewUser {
	r := &x.o.Request
	local, _, _ := strings.Cut(x.o.UserName, "@")
	u := entra.NewUser{
		UserPrincipalName: x.o.UserName, MailNickname: r.Profile["mailNickname"], Password: password, Enabled: r.Enabled == nil || *r.Enabled,
	}
	if u.MailNickname == "" {
		u.MailNickname = local
	}
	u.Set = maps.Clone(r.Profile)
	delete(u.Set, "mailNickname")
	return u
}

// check finds out, before anything is written, whatever Entra would refuse.
func (x *operating) check() (model.StepState, string, error) {
	org, err := x.read.Organization(x.ctx)
	if err != nil {
		return "", "", err
	}
	if err := writableTenant(&org); err != nil {
		return "", "", err
	}
	switch x.o.Kind {
	case model.OperationCreateUser:
		return x.checkCreate(&org)
	case model.OperationRestoreUser:
		return done("the tenant can be written to", nil)
	default:
		return x.checkUser(&org)
	}
}

func (x *operating) checkCreate(org *entra.Organization) (model.StepState, string, error) {
	if err := inVerifiedDomain(org, x.o.UserName, true); err != nil {
		return "", "", err
	}
	if mail := x.o.Request.Profile["mail"]; mail != "" {
		if err := inVerifiedDomain(org, mail, false); err != nil {
			return "", "", err
		}
	}
	if err := x.checkTargets(x.o.Request.Profile["usageLocation"]); err != nil {
		return "", "", err
	}
	_, found, err := x.named()
	if err != nil {
		return "", "", err
	}
	if found {
		return "", "", x.exists()
	}
	return done("nobody has the name, and all that was asked for can be had", nil)
}

// checkUser checks an operation on a user who is there.
func (x *operating) checkUser(org *entra.Organization) (model.StepState, string, error) {
	u, err := x.theUser()
	if kind := outlook.KindOf(err); err != nil && (kind == outlook.NoUser || kind == outlook.NotFound) {
		return x.missing()
	}
	if err != nil {
		return "", "", err
	}
	x.o.Result["user_principal_name"] = u.UserPrincipalName
	if err := writableUser(u); err != nil {
		return "", "", err
	}
	for name, isName := range map[string]bool{"userPrincipalName": true, "mail": false} {
		if value := x.o.Request.Profile[name]; value != "" && !strings.EqualFold(value, valueOf(u, name)) {
			if err := inVerifiedDomain(org, value, isName); err != nil {
				return "", "", err
			}
		}
	}
	if err := x.checkTargets(u.UsageLocation); err != nil {
		return "", "", err
	}
	if x.o.Kind == model.OperationOffboardUser {
		if err := x.leftLate(u); err != nil {
			return "", "", err
		}
	}
	return done("Entra has the user, and the change can be made", nil)
}

// missing says of a user who is not there whether that is what was asked for.
func (x *operating) missing() (model.StepState, string, error) {
	if x.o.Kind != model.OperationDeleteUser {
		return "", "", refuse(codeUserNotFound, "Entra has no user %s: it was deleted, or never was there", whoOf(x.o))
	}
	deleted, err := x.amongDeleted()
	if err != nil {
		return "", "", err
	}
	if !deleted && x.o.Automatic {
		return done("Entra does not have the user any more", nil)
	}
	if !deleted {
		return "", "", refuse(codeUserNotFound, "Entra has no user %s, among the deleted ones neither", whoOf(x.o))
	}
	return done("the user is among the deleted ones already", nil)
}

// deletedPages bounds how many pages of the deleted users are looked through.
const deletedPages = 50

func (x *operating) amongDeleted() (bool, error) {
	next := ""
	for range deletedPages {
		page, err := x.read.DeletedUsers(x.ctx, next)
		if err != nil {
			return false, err
		}
		if slices.ContainsFunc(page.Users, func(u entra.User) bool { return strings.EqualFold(u.ID, x.o.UserID) }) {
			return true, nil
		}
		if next = page.Next; next == "" {
			break
		}
	}
	return false, nil
}

// checkTargets checks the groups and licences that are to be given or taken, and learns their names.
func (x *operating) checkTargets(location string) error {
	for i := range x.o.Steps {
		s := &x.o.Steps[i]
		if s.Action != model.StepAddMember && s.Action != model.StepRemoveMember || s.State != model.StepPending {
			continue
		}
		g, err := x.read.Group(x.ctx, s.Target)
		if kind := outlook.KindOf(err); err != nil && (kind == outlook.NotFound || kind == outlook.NoUser) {
			return refuse(codeGroupNotFound, "Entra has no group %s", s.Target)
		}
		if err != nil {
			return err
		}
		s.Name = g.DisplayName
		if err := changeable(&g); err != nil {
			return err
		}
	}
	return x.checkLicences(location)
}

func (x *operating) checkLicences(location string) error {
	adds := func(s model.OperationStep) bool {
		return s.Action == model.StepAddLicence && s.State == model.StepPending
	}
	if !slices.ContainsFunc(x.o.Steps, adds) {
		return nil
	}
	skus, err := x.read.SKUs(x.ctx)
	if err != nil {
		return err
	}
	var has []entra.Licence
	if x.o.UserID != "" {
		if has, err = x.read.Licences(x.ctx, x.o.UserID); err != nil {
			return err
		}
	}
	for i := range x.o.Steps {
		s := &x.o.Steps[i]
		if !adds(*s) {
			continue
		}
		if direct, _ := directly(has, s.Target); direct != nil {
			continue // the step finds it done
		}
		sku, err := assignable(skus, s.Target, location)
		if err != nil {
			return err
		}
		s.Name = sku.PartNumber
	}
	return nil
}
