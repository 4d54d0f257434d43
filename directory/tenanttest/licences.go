package tenanttest

import (
	"slices"
	"testing"

	"usher/model/entra"
	"usher/model/outlook"
)

func licences() []promise {
	return []promise{
		{"products tell their seats", skus},
		{"a licence is assigned and taken away", assign},
		{"a licence that cannot be assigned says why", refusedLicences},
		{"a licence that comes from a group is taken away there", inherited},
	}
}

// held gives a user's licences of a product.
func (w World) held(t *testing.T, user, sku string) []entra.Licence {
	t.Helper()
	list := must[[]entra.Licence](t)(w.Tenant.Licences(t.Context(), user))
	return slices.DeleteFunc(list, func(l entra.Licence) bool { return l.SKUID != sku })
}

func (w World) sku(t *testing.T, id string) entra.SKU {
	t.Helper()
	list := must[[]entra.SKU](t)(w.Tenant.SKUs(t.Context()))
	at := slices.IndexFunc(list, func(s entra.SKU) bool { return s.ID == id })
	if at < 0 {
		t.Fatalf("%s is missing in %+v", id, list)
	}
	return list[at]
}

func skus(t *testing.T, w World) {
	if s := w.sku(t, w.Product); s.Free() == 0 || s.Consumed == 0 || s.PartNumber == "" || s.AppliesTo != "User" || s.Status != "Enabled" || len(s.Plans) == 0 || s.Plans[0].Name == "" {
		t.Errorf("got %+v", s)
	}
	if s := w.sku(t, w.Full); s.Free() != 0 {
		t.Errorf("full: %+v", s)
	}
}

func assign(t *testing.T, w World) {
	before := w.sku(t, w.Free)
	plan := before.Plans[0].ID
	done(t, w.Tenant.AssignLicences(t.Context(), w.Ada.ID, []entra.Licence{{SKUID: w.Free, DisabledPlans: []string{plan}}}, []string{w.Product}))
	if got := w.held(t, w.Ada.ID, w.Free); len(got) != 1 || got[0].Group != "" || got[0].State != "Active" || !slices.Equal(got[0].DisabledPlans, []string{plan}) {
		t.Errorf("got %+v", got)
	}
	if got := w.held(t, w.Ada.ID, w.Product); len(got) != 0 {
		t.Errorf("taken away: %+v", got)
	}
	if after := w.sku(t, w.Free); after.Consumed != before.Consumed+1 {
		t.Errorf("%d seats are taken, want %d", after.Consumed, before.Consumed+1)
	}
	done(t, w.Tenant.AssignLicences(t.Context(), w.Ada.ID, []entra.Licence{{SKUID: w.Free}}, nil)) // again, with all plans
	if got := w.held(t, w.Ada.ID, w.Free); len(got) != 1 || len(got[0].DisabledPlans) != 0 {
		t.Errorf("with all plans: %+v", got)
	}
}

func refusedLicences(t *testing.T, w World) {
	add := func(user, sku string) error {
		return w.Tenant.AssignLicences(t.Context(), user, []entra.Licence{{SKUID: sku}}, nil)
	}
	wantKind(t, add(w.Ada.ID, w.Full), outlook.NoSeats)
	wantKind(t, add(w.Ada.ID, nobody), outlook.Invalid)
	wantKind(t, add(nobody, w.Free), outlook.NoUser)
	wantKind(t, w.Tenant.AssignLicences(t.Context(), w.Ada.ID, nil, []string{w.Free}), outlook.NotFound)
	in := w.newUser()
	delete(in.Set, "usageLocation")
	nowhere := must[entra.User](t)(w.Tenant.CreateUser(t.Context(), in))
	wantKind(t, add(nowhere.ID, w.Free), outlook.BadLocation)
	if got := w.held(t, w.Ada.ID, w.Product); len(got) != 1 {
		t.Errorf("Ada has %+v", got)
	}
}

func inherited(t *testing.T, w World) {
	w.Admin.LicenseGroup(w.Team, w.Free)
	if got := w.held(t, w.Ada.ID, w.Free); len(got) != 1 || got[0].Group != w.Team {
		t.Errorf("got %+v", got)
	}
	wantKind(t, w.Tenant.AssignLicences(t.Context(), w.Ada.ID, nil, []string{w.Free}), outlook.InheritedLicence)
}
