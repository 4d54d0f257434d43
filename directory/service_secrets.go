package directory

import (
	"context"

	"usher/model"
	"usher/model/store"
)

// secretPage is how many secrets are sealed anew in one transaction.
const secretPage = 100

// Reseal opens every stored secret and seals it under the first key of the ring, and says how many it did. It may be run
// again after it was interrupted: what is sealed under the first key is left alone.
func (s *Service) Reseal(ctx context.Context) (int, error) {
	done, after := 0, ""
	for {
		var page []model.SealedSecret
		var sealed int
		err := s.Store.InTx(ctx, func(tx *store.Tx) (err error) {
			if page, err = tx.SecretsAfter(after, secretPage); err != nil {
				return err
			}
			sealed, err = s.resealPage(tx, page)
			return err
		})
		if err != nil {
			return done, err
		}
		if done += sealed; len(page) < secretPage {
			webhooks, err := s.resealWebhooks(ctx)
			if err != nil {
				return done + webhooks, err
			}
			removals, err := s.resealRemovals(ctx)
			return done + webhooks + removals, err
		}
		after = page[len(page)-1].ID
	}
}

// resealPage says how many of the secrets were sealed under another key than the first.
func (s *Service) resealPage(tx *store.Tx, page []model.SealedSecret) (sealed int, err error) {
	for _, secret := range page {
		if secret.KeyID == s.Keys.KeyID() {
			continue
		}
		if err := s.reseal(tx, secret); err != nil {
			return 0, err
		}
		sealed++
	}
	return sealed, nil
}

func (s *Service) reseal(tx *store.Tx, secret model.SealedSecret) error {
	what := secret.IntegrationID + "/" + secret.Name
	plain, err := s.Keys.Open(secret.KeyID, secret.Sealed, what)
	if err != nil {
		return err
	}
	secret.KeyID, secret.Sealed = s.Keys.Seal(plain, what)
	return tx.PutSecret(&secret)
}
