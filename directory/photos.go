package directory

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"image"
	_ "image/gif"  // the formats that Graph sends pictures in
	_ "image/jpeg" // see above
	_ "image/png"  // see above
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"usher/model"
	"usher/model/entra"
	"usher/model/outlook"
	"usher/model/store"
)

// SweepPhotos is the job that has the pictures of everybody looked at again; it is periodic.
type SweepPhotos struct{}

// Kind names the job.
func (SweepPhotos) Kind() string { return "directory.sweep_photos" }

// ReadPhotos is the job that looks in Entra for the pictures of an integration's people behind the directory user After, and goes
// on with the next ones.
type ReadPhotos struct {
	OrganizationID string `json:"organization_id"`
	IntegrationID  string `json:"integration_id"`
	After          string `json:"after,omitempty"`
}

// Kind names the job.
func (ReadPhotos) Kind() string { return "directory.read_photos" }

// Outward says that the job waits for Microsoft Graph.
func (ReadPhotos) Outward() bool { return true }

// Bounds of reading pictures. Graph's largest picture has 648 by 648 points.
const (
	photoPage    = 40
	photosAtOnce = 4
	photoSlice   = 20 * time.Second // how long one job goes on
	photoAge     = day              // how long a picture is taken to be the same
	maxPhoto     = 1 << 20
	maxPhotoSide = 4096
)

// SweepPhotos enqueues a ReadPhotos of each integration that imports over Graph and has pictures to look at.
func (s *Service) SweepPhotos(ctx context.Context, _ SweepPhotos) error {
	for after := ""; ; {
		organizations, err := s.Store.Read(ctx).OrganizationsAfter(after, photoPage)
		if err != nil {
			return err
		}
		for _, o := range organizations {
			if err := s.sweepPhotosOf(ctx, o.ID); err != nil {
				return err
			}
			after = o.ID
		}
		if len(organizations) < photoPage {
			return nil
		}
	}
}

func (s *Service) sweepPhotosOf(ctx context.Context, organizationID string) error {
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		list, err := tx.Integrations(organizationID)
		if err != nil {
			return err
		}
		for _, i := range list {
			if i.TenantID == "" || i.Ingress != model.IngressGraph {
				continue
			}
			due, err := tx.PhotosDue(i.Ref(), tx.Now().Add(-photoAge), "", 1)
			if err != nil {
				return err
			}
			if len(due) == 0 {
				continue
			}
			if err := tx.Enqueue(ReadPhotos{OrganizationID: i.OrganizationID, IntegrationID: i.ID}); err != nil {
				return err
			}
		}
		return nil
	})
}

// ReadPhotos works the job. Pictures are no part of an import: they are not in Graph's delta, take a request each, and nobody
// waits for them. Where the tenant cannot be reached, or refuses them, the next sweep tries again.
func (s *Service) ReadPhotos(ctx context.Context, job ReadPhotos) error {
	ref := model.Ref{OrganizationID: job.OrganizationID, IntegrationID: job.IntegrationID}
	ctx = WithActor(ctx, "photos")
	tenant, err := s.reader(ctx, ref)
	if kind := model.KindOf(err); err != nil && (kind == model.NotFound || kind == model.Refused) {
		return nil
	}
	if err != nil {
		return err
	}
	until := s.Now().Add(photoSlice)
	for ctx.Err() == nil {
		due, err := s.Store.Read(ctx).PhotosDue(ref, s.Now().Add(-photoAge), job.After, photoPage)
		if err != nil || len(due) == 0 {
			return err
		}
		if err := s.readPhotos(ctx, tenant, ref, due); err != nil {
			return s.photosStopped(ctx, ref, err)
		}
		job.After = due[len(due)-1].DirectoryUserID
		if !s.Now().Before(until) {
			return s.Store.InTx(ctx, func(tx *store.Tx) error { return tx.Enqueue(job) })
		}
	}
	return ctx.Err()
}

// photosStopped says what becomes of the job when Graph failed.
func (s *Service) photosStopped(ctx context.Context, ref model.Ref, err error) error {
	e, ok := errors.AsType[*outlook.Error](err)
	switch {
	case !ok || ctx.Err() != nil:
		return err
	case e.Kind == outlook.Throttled:
		return &model.Throttled{After: e.After}
	}
	s.Log.WarnContext(ctx, "pictures cannot be read", "integration", ref.IntegrationID, "err", err)
	return nil
}

func (s *Service) readPhotos(ctx context.Context, tenant TenantReader, ref model.Ref, due []model.PhotoSubject) error {
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(photosAtOnce)
	for i := range due {
		work.Go(func() error { return s.readPhoto(ctx, tenant, ref, &due[i]) })
	}
	return work.Wait()
}

func (s *Service) readPhoto(ctx context.Context, tenant TenantReader, ref model.Ref, who *model.PhotoSubject) error {
	var found entra.Photo
	var err error
	if user := photoOf(who); user != "" {
		found, err = tenant.Photo(ctx, user, who.ETag)
	}
	switch kind := outlook.KindOf(err); {
	case err == nil:
	case kind == outlook.NotFound, kind == outlook.NoUser, kind == outlook.NoMailbox:
		found = entra.Photo{}
	default:
		return err
	}
	photo := model.AccountPhoto{AccountID: who.AccountID, OrganizationID: ref.OrganizationID, IntegrationID: ref.IntegrationID}
	if !found.NotModified {
		if kind, bad := pictureKind(found.Bytes); bad == "" {
			photo.ETag, photo.ContentType, photo.Bytes = tagOf(&found), kind, found.Bytes
		} else if len(found.Bytes) > 0 {
			s.Log.WarnContext(ctx, "a picture is not taken", "integration", ref.IntegrationID, "user", who.DirectoryUserID, "reason", bad)
		}
	}
	return s.storePhoto(ctx, ref, who, &photo, found.NotModified)
}

// photoOf names somebody for Graph: by the object id, where externalId is one, else by the user principal name.
func photoOf(who *model.PhotoSubject) string {
	switch {
	case tenantID.MatchString(who.ExternalID):
		return who.ExternalID
	case strings.Contains(who.UserName, "@"):
		return who.UserName
	}
	return ""
}

// pictureKind gives the media type of a picture by what it is, whatever it is said to be, or why it is not taken: another
// format, such as SVG, could run in a browser.
func pictureKind(raw []byte) (kind, bad string) {
	if len(raw) > maxPhoto {
		return "", "it is too large"
	}
	config, format, err := image.DecodeConfig(bytes.NewReader(raw))
	switch {
	case err != nil:
		return "", "it is neither JPEG, PNG nor GIF"
	case config.Width > maxPhotoSide || config.Height > maxPhotoSide:
		return "", "it has too many points"
	case config.Width <= 1 || config.Height <= 1:
		return "", "it is the single point that Graph sends for none"
	}
	return "image/" + format, ""
}

// tagOf gives the tag that a picture is asked for with the next time.
func tagOf(p *entra.Photo) string {
	if p.ETag != "" && len(p.ETag) <= maxNameLength {
		return p.ETag
	}
	sum := sha256.Sum256(p.Bytes)
	return hex.EncodeToString(sum[:])
}

// storePhoto stores what was found, unless the account has gone or got an employee meanwhile, and tells of a picture that came,
// went or changed.
func (s *Service) storePhoto(ctx context.Context, ref model.Ref, who *model.PhotoSubject, p *model.AccountPhoto, same bool) error {
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		a, err := tx.LockAccount(ref.OrganizationID, who.AccountID)
		if model.KindOf(err) == model.NotFound && err != nil {
			return nil
		}
		if err != nil || a.EmployeeID != nil {
			return err
		}
		before, found, err := tx.PhotoTag(&a)
		if err != nil {
			return err
		}
		if found && before == who.ETag && (same || before == p.ETag) {
			tx.PhotoLookedAt(&a)
			return nil
		}
		if same {
			return nil // it was replaced or removed meanwhile
		}
		tx.PutPhoto(p)
		if before == p.ETag {
			return nil
		}
		return s.tellAccount(ctx, tx, &ref.IntegrationID, model.AccountUpdated, &a, []model.FieldChange{
			{Field: "photo", Before: orNil(before), After: orNil(p.ETag), Reason: "the picture in Entra"},
		})
	})
}

func orNil(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// AccountPhoto reads the picture of an account; NotFound without one. An account with an employee has none of Entra's.
func (s *Service) AccountPhoto(ctx context.Context, organizationID, accountID string) (model.AccountPhoto, error) {
	return s.Store.Read(ctx).Photo(organizationID, accountID)
}

// dropPhoto forgets the picture of an account that got an employee: from then on nothing of Entra's is shown of the person.
func dropPhoto(tx *store.Tx, a *model.Account, changes []model.FieldChange) {
	for _, c := range changes {
		if c.Field == "employee_id" && c.After != nil {
			tx.DeletePhoto(a)
		}
	}
}
