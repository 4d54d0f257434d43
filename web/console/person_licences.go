package console

import (
	"usher/directory"
	"usher/model"
)

// licencesView are the licences of a person in each tenant, as Entra has them at this moment.
type licencesView struct {
	Person, Back string
	Tenants      []tenantLicences
	Empty        *empty
}

type tenantLicences struct {
	Integration, Path string // of the person in Entra
	Licences          []entraLicenceRow
	Empty             *empty
}

// showLicences asks Microsoft Graph, and so is no part of the person's page, which waits for nobody.
func (v *visit) showLicences() error {
	a, err := v.read.Account(v.org, v.accountID())
	if err != nil {
		return err
	}
	users, err := v.read.LinkedUsers(v.org, a.ID)
	if err != nil {
		return err
	}
	view := licencesView{Person: a.Name(), Back: Base + "/people/" + a.ID}
	for i := range users {
		one, err := v.licencesIn(&users[i])
		if err != nil {
			return err
		}
		view.Tenants = append(view.Tenants, one)
	}
	if len(view.Tenants) == 0 {
		view.Empty = new(emptyYet("users", "Linked to nobody in Entra", "Licences are given to people of a tenant.", link{}))
	}
	if v.partial() {
		return v.fragment("person_licences", "licences", view)
	}
	return v.render("person_licences", page{Title: "Licences", Crumbs: []crumb{{"People", "/people"}, {a.Name(), "/people/" + a.ID}}, Body: view})
}

func (v *visit) licencesIn(u *model.DirectoryUser) (tenantLicences, error) {
	i, err := v.read.Integration(u.Ref())
	if err != nil {
		return tenantLicences{}, err
	}
	one := tenantLicences{Integration: i.Name, Path: Base + "/entra/people/" + i.ID + "/" + u.ExternalID}
	if u.ExternalID == "" {
		one.Empty, one.Path = new(emptyYet("help", "The object id is not known", "Entra did not send an externalId: map objectId to it, and licences can be asked for.", link{})), ""
		return one, nil
	}
	var list []directory.EntraLicence
	if list, err = v.svc.EntraUserLicences(v.ctx, i.Ref(), u.ExternalID); err != nil {
		if model.KindOf(err) == model.NotFound {
			err = model.Errorf(model.Refused, "Entra has nobody with the object id %s", u.ExternalID)
		}
		one.Empty, err = unreachable(err, i)
		return one, err
	}
	for n := range list {
		one.Licences = append(one.Licences, licenceLine(&list[n]))
	}
	if len(list) == 0 {
		one.Empty = new(emptyYet("key", "No licences", "Entra says that this person has none, directly or by a group.", link{}))
	}
	return one, nil
}
