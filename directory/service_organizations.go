package directory

import (
	"context"
	"regexp"
	"strings"

	"usher/model"
	"usher/model/store"
)

// slugPattern is that of an organization's slug.
var slugPattern = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// maxTitle bounds the name of an organization or of an entry of the catalogue, in characters.
const maxTitle = 200

// EnsureDefault makes sure that the organization "default" exists; any number of processes may do so at once.
func (s *Service) EnsureDefault(ctx context.Context) error {
	_, err := s.Store.Read(ctx).Organization(model.DefaultOrganization)
	if err == nil || model.KindOf(err) != model.NotFound {
		return err
	}
	_, err = s.CreateOrganization(ctx, model.DefaultOrganization, "Default")
	if model.KindOf(err) == model.Conflict {
		return nil
	}
	return err
}

// CreateOrganization makes an organization. The slug is of lower-case letters, digits and hyphens, and a taken one is a
// Conflict; without a name the slug is it.
func (s *Service) CreateOrganization(ctx context.Context, slug, name string) (model.Organization, error) {
	var out model.Organization
	o := model.Organization{Slug: strings.TrimSpace(slug), Name: strings.TrimSpace(name)}
	if o.Name == "" {
		o.Name = o.Slug
	}
	if err := checkOrganization(o); err != nil {
		return out, err
	}
	err := s.Store.InTx(ctx, func(tx *store.Tx) error {
		out = o
		if err := tx.InsertOrganization(&out); err != nil {
			return err
		}
		return s.logSetting(ctx, tx, out.ID, nil, "organization.created", "organization", out.ID, out.Name,
			"organization "+out.Name+" was created", nil)
	})
	return out, err
}

func checkOrganization(o model.Organization) error {
	if !slugPattern.MatchString(o.Slug) || store.ValidID(o.Slug) {
		return model.FieldErrorf(model.Invalid, "slug", "%q is not a slug: up to 63 lower-case letters, digits and hyphens inside, and not an id", o.Slug)
	}
	if o.Name == "" {
		return model.FieldErrorf(model.Invalid, "name", "name is required")
	}
	return checkText("name", o.Name, maxTitle)
}

// ChangeOrganization runs edit on the organization inside the transaction; Slug and Name count. The slug of the default
// organization stays. Nothing changed: nothing is written.
func (s *Service) ChangeOrganization(ctx context.Context, id string, edit func(*model.Organization) error) (model.Organization, error) {
	var out model.Organization
	err := s.Store.InTx(ctx, func(tx *store.Tx) error {
		before, err := tx.Organization(id)
		if err != nil {
			return err
		}
		if err := tx.LockPeople(before.ID); err != nil {
			return err
		}
		if before, err = tx.Organization(before.ID); err != nil {
			return err
		}
		edited := before
		if err := edit(&edited); err != nil {
			return err
		}
		out = before
		out.Slug, out.Name = strings.TrimSpace(edited.Slug), strings.TrimSpace(edited.Name)
		if out == before {
			return nil
		}
		if before.Slug == model.DefaultOrganization && out.Slug != before.Slug {
			return model.FieldErrorf(model.Refused, "slug", "the default organization keeps its slug")
		}
		if err := checkOrganization(out); err != nil {
			return err
		}
		if err := tx.UpdateOrganization(&out); err != nil {
			return err
		}
		return s.logSetting(ctx, tx, out.ID, nil, "organization.updated", "organization", out.ID, out.Name,
			"organization "+before.Name+" was changed", map[string]any{"before": before, "after": out})
	})
	return out, err
}

// DeleteOrganization removes an organization with everything that it owns, its feed and its log too. The default
// organization cannot be deleted. Its subscriptions at Microsoft Graph are ended by jobs; see EndLeft.
func (s *Service) DeleteOrganization(ctx context.Context, id string) error {
	defer s.tokens.forget()
	var gone model.Organization
	err := s.Store.InTx(ctx, func(tx *store.Tx) error {
		o, err := tx.Organization(id)
		if err != nil {
			return err
		}
		if o.Slug == model.DefaultOrganization {
			return model.Errorf(model.Refused, "the default organization cannot be deleted")
		}
		if err := tx.LockPeople(o.ID); err != nil {
			return err
		}
		gone = o
		if err := s.leaveSubscriptions(tx, o); err != nil {
			return err
		}
		return tx.DeleteOrganization(o.ID)
	})
	if err == nil { // its own log is gone with it
		s.Log.InfoContext(ctx, "organization deleted", "id", gone.ID, "slug", gone.Slug, "actor", ActorOf(ctx))
	}
	return err
}
