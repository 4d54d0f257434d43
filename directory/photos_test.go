package directory_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"testing"
	"time"

	"usher/directory"
	"usher/model"
	entraid "usher/model/entra"
	"usher/model/outlook"
	"usher/model/store/storetest"
)

// picture draws one in the format.
func picture(t *testing.T, format string, side int) []byte {
	t.Helper()
	var b bytes.Buffer
	img := image.NewGray(image.Rect(0, 0, side, side))
	err := map[string]func() error{
		"jpeg": func() error { return jpeg.Encode(&b, img, nil) }, "png": func() error { return png.Encode(&b, img) },
		"gif": func() error { return gif.Encode(&b, img, nil) },
	}[format]()
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// portrayed is an integration that takes everyone, with people who have pictures in Entra.
func (w *world) portrayed(names ...string) (model.Ref, *reading) {
	w.Helper()
	ref, tenant := w.pulls(func(i *model.Integration) { i.Scope = model.ScopeEveryone })
	for i, name := range names {
		u := person(20+i, name+"@contoso.com")
		w.mirrored(ref, u)
		tenant.photos[u.ID] = entraid.Photo{Bytes: picture(w.T, "jpeg", 48+i), ContentType: "image/jpeg", ETag: `"` + name + `"`}
	}
	return ref, tenant
}

func (w *world) readPhotos(ref model.Ref) entries {
	w.Helper()
	return w.during(func() {
		w.ok(w.svc.ReadPhotos(w.ctx, directory.ReadPhotos{OrganizationID: ref.OrganizationID, IntegrationID: ref.IntegrationID}))
	})
}

func (w *world) photo(email string) (model.AccountPhoto, error) {
	return w.svc.AccountPhoto(w.ctx, w.org, w.account(email).ID)
}

func TestPhotos(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		ref, tenant := w.portrayed("ada", "alan")
		w.mirrored(ref, person(30, "plain@contoso.com"))
		_, err := w.photo("ada@contoso.com")
		w.refused(err, model.NotFound, "", "has no photo")

		w.wrote(w.readPhotos(ref), "account.updated account.updated", "")
		p, err := w.photo("ada@contoso.com")
		if err != nil || p.ContentType != "image/jpeg" || !bytes.Equal(p.Bytes, tenant.photos[object(20)].Bytes) {
			t.Fatalf("%+v, %v", p, err)
		}
		_, err = w.photo("plain@contoso.com")
		w.refused(err, model.NotFound, "", "has no photo")
		if tenant.calls["Photo"] != 3 {
			t.Fatalf("asked %d times", tenant.calls["Photo"])
		}
		w.wrote(w.readPhotos(ref), "", "") // nothing is asked again so soon
		if tenant.calls["Photo"] != 3 {
			t.Fatalf("asked %d times", tenant.calls["Photo"])
		}

		// A day later: one is the same, one has changed, one has come; then one goes.
		w.clock.move(25 * time.Hour)
		tenant.photos[object(21)] = entraid.Photo{Bytes: picture(t, "png", 20), ETag: "new"}
		tenant.photos[object(30)] = entraid.Photo{Bytes: picture(t, "gif", 20)}
		e := w.readPhotos(ref)
		w.wrote(e, "account.updated account.updated", "")
		var data struct{ Changes []model.FieldChange }
		for _, c := range e.changes {
			w.ok(json.Unmarshal(c.Data, &data))
			if len(data.Changes) != 1 || data.Changes[0].Field != "photo" || c.SubjectID == w.account("ada@contoso.com").ID {
				t.Fatalf("%+v", data)
			}
		}
		if p, err := w.photo("alan@contoso.com"); err != nil || p.ContentType != "image/png" {
			t.Fatalf("%+v, %v", p, err)
		}
		w.clock.move(25 * time.Hour)
		delete(tenant.photos, object(21))
		w.wrote(w.readPhotos(ref), "account.updated", "")
		_, err = w.photo("alan@contoso.com")
		w.refused(err, model.NotFound, "", "has no photo")
		if p, err := w.photo("plain@contoso.com"); err != nil || p.ContentType != "image/gif" {
			t.Fatalf("%+v, %v", p, err)
		}
	})
}

// TestPhotosThatAreNotTaken: what Graph sends is not believed to be what it says.
func TestPhotosThatAreNotTaken(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		ref, tenant := w.portrayed("ada")
		large := append(picture(t, "png", 20), make([]byte, 1<<20)...)
		for name, raw := range map[string][]byte{
			"a drawing that runs": []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`), "a page": []byte("<html><script>1</script></html>"),
			"nothing": nil, "a single point": picture(t, "gif", 1), "too much": large, "too many points": picture(t, "png", 4097),
		} {
			w.clock.move(25 * time.Hour)
			tenant.photos[object(20)] = entraid.Photo{Bytes: raw, ContentType: "image/jpeg", ETag: name}
			w.readPhotos(ref)
			if p, err := w.photo("ada@contoso.com"); model.KindOf(err) != model.NotFound || err == nil {
				t.Errorf("%s was taken as %s", name, p.ContentType)
			}
		}
	})
}

// TestPhotoGoes with the account, and when the account gets an employee.
func TestPhotoGoes(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		ref, tenant := w.portrayed("ada", "alan")
		w.readPhotos(ref)
		w.employee(model.Employee{ExternalID: "7", Email: "ada@contoso.com"})
		w.clock.move(25 * time.Hour)
		tenant.photos[object(20)] = entraid.Photo{Bytes: picture(t, "png", 20), ETag: "new"}
		w.wrote(w.readPhotos(ref), "", "")
		_, err := w.photo("ada@contoso.com")
		w.refused(err, model.NotFound, "", "has no photo")
		w.ok(w.svc.DeleteEmployee(w.ctx, w.org, "7"))
		_, err = w.photo("ada@contoso.com") // it was forgotten, not hidden
		w.refused(err, model.NotFound, "", "has no photo")
		w.readPhotos(ref)
		if _, err := w.photo("ada@contoso.com"); err != nil {
			t.Fatal(err)
		}

		id := w.account("alan@contoso.com").ID
		other := must(w, w.svc.CreateOrganization)(w.ctx, "fabrikam", "").ID
		_, err = w.svc.AccountPhoto(w.ctx, other, id)
		w.refused(err, model.NotFound, "", "has no photo")
		for _, end := range []func() error{
			func() error { _, err := w.svc.DeactivateAccount(w.ctx, w.org, id); return err },
			func() error { _, err := w.svc.ArchiveAccount(w.ctx, w.org, id); return err },
			func() error { return w.svc.DeleteAccount(w.ctx, w.org, id) },
		} {
			if _, err := w.svc.AccountPhoto(w.ctx, w.org, id); err != nil {
				t.Fatal(err)
			}
			w.ok(end())
		}
		var left int
		if err := w.store.DB().QueryRowContext(w.ctx, "SELECT count(*) FROM account_photos").Scan(&left); err != nil || left != 1 {
			t.Fatalf("%d pictures are left, %v", left, err)
		}
	})
}

func TestPhotosWhenGraphFails(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		ref, tenant := w.portrayed("ada")
		job := directory.ReadPhotos{OrganizationID: ref.OrganizationID, IntegrationID: ref.IntegrationID}
		tenant.fail = &outlook.Error{Kind: outlook.Throttled, Status: 429, After: 7 * time.Second}
		if wait, ok := errors.AsType[*model.Throttled](w.svc.ReadPhotos(w.ctx, job)); !ok || wait.After != 7*time.Second {
			t.Fatalf("%+v", wait)
		}
		tenant.fail = &outlook.Error{Kind: outlook.Forbidden, Status: 403, Code: "ErrorAccessDenied"}
		w.ok(w.svc.ReadPhotos(w.ctx, job))
		w.svc.Tenants = nil
		w.ok(w.svc.ReadPhotos(w.ctx, job))
		w.ok(w.svc.ReadPhotos(w.ctx, directory.ReadPhotos{OrganizationID: w.org, IntegrationID: w.org}))
	})
}

func TestSweepPhotos(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		w.user("pushed@contoso.com") // of an integration that does not pull
		ref, _ := w.portrayed("ada")
		asked := func() (n int) {
			w.Helper()
			w.ok(w.svc.SweepPhotos(w.ctx, directory.SweepPhotos{}))
			for _, job := range storetest.Jobs(w, w.store) {
				if job.Kind == (directory.ReadPhotos{}).Kind() {
					var args directory.ReadPhotos
					w.ok(json.Unmarshal(job.Args, &args))
					if n++; args.IntegrationID != ref.IntegrationID {
						t.Fatalf("%+v", args)
					}
				}
			}
			return n
		}
		if n := asked(); n != 1 {
			t.Fatalf("%d jobs", n)
		}
		w.readPhotos(ref)
		if n := asked(); n != 1 {
			t.Fatalf("%d jobs, though nobody is due", n)
		}
		w.clock.move(25 * time.Hour)
		if n := asked(); n != 2 {
			t.Fatalf("%d jobs a day later", n)
		}
	})
}
