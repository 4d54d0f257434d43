package directory

import (
	"context"
	"time"

	"usher/internal/secret"
	"usher/model"
	"usher/model/store"
)

// TrimFeed is the job that deletes what is too old of the change feed and of the deliveries of webhooks.
type TrimFeed struct {
	Days int `json:"days"`
}

// Kind names the job.
func (TrimFeed) Kind() string { return "directory.trim_feed" }

// trimFeedPage is how many rows are deleted in one transaction, and trimFeedFor how long one job works at it.
const (
	trimFeedPage = 1000
	trimFeedFor  = 20 * time.Second
)

// TrimFeed deletes changes and finished deliveries that are older than the job says, in small transactions. Where there is more to
// delete than one job has time for it gives *model.Throttled.
func (s *Service) TrimFeed(ctx context.Context, job TrimFeed) error {
	started := s.Now()
	before := started.AddDate(0, 0, -job.Days)
	for s.Now().Sub(started) < trimFeedFor {
		var changes int
		var deliveries int64
		err := s.Store.InTx(ctx, func(tx *store.Tx) (err error) {
			if changes, err = tx.PruneChanges(before, trimFeedPage); err != nil {
				return err
			}
			deliveries, err = tx.DeleteWebhookDeliveries(before, trimFeedPage)
			return err
		})
		if err != nil || changes < trimFeedPage && deliveries < trimFeedPage {
			return err
		}
	}
	return &model.Throttled{}
}

// NumberFeed is the job that gives the changes their positions where nobody reads them, so that the first who does waits for those of
// a few minutes at most, and TrimFeed finds what it may delete.
type NumberFeed struct{}

// Kind names the job.
func (NumberFeed) Kind() string { return "directory.number_feed" }

// NumberFeed works the job.
func (s *Service) NumberFeed(ctx context.Context, _ NumberFeed) error {
	_, err := s.Store.FeedEnd(ctx)
	return err
}

// resealWebhooks is Reseal of the secrets of webhook endpoints.
func (s *Service) resealWebhooks(ctx context.Context) (int, error) {
	done, after := 0, ""
	for {
		var page []model.WebhookSecret
		sealed := 0
		err := s.Store.InTx(ctx, func(tx *store.Tx) (err error) {
			sealed = 0
			if page, err = tx.WebhookSecretsAfter(after, secretPage); err != nil {
				return err
			}
			for i := range page {
				row := &page[i]
				if row.KeyID == s.Keys.KeyID() {
					continue
				}
				what := secret.WebhookUse(row.EndpointID, row.ID)
				plain, err := s.Keys.Open(row.KeyID, row.Sealed, what)
				if err != nil {
					return err
				}
				row.KeyID, row.Sealed = s.Keys.Seal(plain, what)
				if err := tx.ResealWebhookSecret(row); err != nil {
					return err
				}
				sealed++
			}
			return nil
		})
		if err != nil {
			return done, err
		}
		if done += sealed; len(page) < secretPage {
			return done, nil
		}
		after = page[len(page)-1].ID
	}
}
