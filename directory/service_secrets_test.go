package directory_test

import (
	"errors"
	"fmt"
	"testing"

	"usher/directory"
	"usher/internal/secret"
	"usher/model"
	"usher/model/store"
)

// withKeys gives the same service with other keys.
func (w *world) withKeys(keys string) *directory.Service {
	w.Helper()
	ring, err := secret.Parse(keys)
	w.ok(err)
	opt := w.svc.Options
	opt.Keys = ring
	return directory.New(opt)
}

// opens says what the integration's secret is to a service.
func (w *world) opens(svc *directory.Service, ref model.Ref, name string) (string, error) {
	w.Helper()
	stored, err := w.store.Read(w.ctx).Secret(ref, name)
	w.ok(err)
	return svc.Keys.Open(stored.KeyID, stored.Sealed, ref.IntegrationID+"/"+name)
}

func TestServiceSecretsAreSealedAnewSoThatTheOldKeyCanGo(t *testing.T) {
	each(t, func(w *world) {
		first, second := secret.NewKey(), secret.NewKey()
		before, rotated, after := w.withKeys(first), w.withKeys(second+","+first), w.withKeys(second)
		i, err := before.CreateIntegration(w.ctx, w.org, directory.DefaultIntegration("Graph", model.IngressGraph),
			map[string]string{directory.SecretClientSecret: "hunter2hunter2"})
		w.ok(err)
		if plain, err := w.opens(rotated, i.Ref(), directory.SecretClientSecret); err != nil || plain != "hunter2hunter2" {
			w.Fatalf("with both keys: %q, %v", plain, err)
		}
		if _, err := w.opens(after, i.Ref(), directory.SecretClientSecret); !errors.Is(err, secret.ErrUnknownKey) {
			w.Fatalf("without the key that sealed it: %v", err)
		}
		if n, err := after.Reseal(w.ctx); n != 0 || !errors.Is(err, secret.ErrUnknownKey) {
			w.Errorf("sealing anew without the old key: %d, %v", n, err)
		}
		for _, want := range []int{1, 0} { // the second time nothing is left to do
			if n, err := rotated.Reseal(w.ctx); err != nil || n != want {
				w.Errorf("%d secrets were sealed anew, %v, want %d", n, err, want)
			}
		}
		if plain, err := w.opens(after, i.Ref(), directory.SecretClientSecret); err != nil || plain != "hunter2hunter2" {
			w.Errorf("without the old key: %q, %v", plain, err)
		}
	})
}

// TestServiceSecretsOfManyPages: more secrets than one transaction takes, of which some were sealed anew before.
func TestServiceSecretsOfManyPages(t *testing.T) {
	each(t, func(w *world) {
		const all, done = 230, 17
		first, second := secret.NewKey(), secret.NewKey()
		old, rotated := w.withKeys(first), w.withKeys(second+","+first)
		w.ok(w.store.InTx(w.ctx, func(tx *store.Tx) error {
			for n := range all {
				svc := old
				if n%(all/done) == 0 && n/(all/done) < done {
					svc = rotated
				}
				s := model.SealedSecret{OrganizationID: w.org, IntegrationID: w.ref.IntegrationID, Name: fmt.Sprintf("secret-%03d", n)}
				s.KeyID, s.Sealed = svc.Keys.Seal(s.Name, s.IntegrationID+"/"+s.Name)
				if err := tx.PutSecret(&s); err != nil {
					return err
				}
			}
			return nil
		}))
		if n, err := rotated.Reseal(w.ctx); err != nil || n != all-done {
			w.Errorf("%d secrets were sealed anew, %v, want %d", n, err, all-done)
		}
		if n, err := rotated.Reseal(w.ctx); err != nil || n != 0 {
			w.Errorf("%d secrets were sealed anew the second time, %v", n, err)
		}
	})
}
