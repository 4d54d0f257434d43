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
		err := s.Store.InTx(ctx, func(tx *store.Tx) (err error) {
			if page, err = tx.SecretsAfter(after, secretPage); err != nil {
				return err
			}
			for i := range page {
				if page[i].KeyID == s.Keys.KeyID() {
					continue
				}
				if err := s.reseal(tx, page[i]); err != nil {
					return err
				}
				done++
			}
			return nil
		})
		if err != nil || len(page) < secretPage {
			return done, err
		}
		after = page[len(page)-1].ID
	}
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
