package directory

import (
	"context"
	"errors"
	"fmt"
	"time"

	"usher/model"
	"usher/model/store"
)

// WarnExpiring is the job that warns of tokens and secrets that are about to expire.
type WarnExpiring struct{}

// Kind names the job.
func (WarnExpiring) Kind() string { return "directory.warn_expiring" }

const (
	warnPage     = 200
	maxExpiring  = 1000
	day          = 24 * time.Hour
	expiredShown = 30 * day // how long one that has expired is spoken of
)

// passed gives the threshold that a new credential has reached when it is made: of that nobody needs a warning.
func passed(expiresAt *time.Time, now time.Time) *int {
	days, ok := model.DueThreshold(expiresAt, now)
	if !ok {
		return nil
	}
	return &days
}

// Warn writes a line of the administrator's log, and one of the program's, for each credential that passed a threshold of
// model.ExpiryThresholds, once per threshold however many processes do it. It goes on after a failure and reports it.
func (s *Service) Warn(ctx context.Context, _ WarnExpiring) error {
	ctx = WithActor(ctx, "expiry watch")
	var failures []error
	for _, days := range model.ExpiryThresholds() {
		for {
			now := s.Now()
			due, err := s.Store.Read(ctx).CredentialsToWarn(now.Add(-expiredShown), now.Add(time.Duration(days)*day), days, warnPage)
			if err != nil {
				return errors.Join(append(failures, err)...)
			}
			for i := range due {
				if err := s.warn(ctx, &due[i], days); err != nil {
					failures = append(failures, err)
				}
			}
			if len(failures) > 0 || len(due) < warnPage || ctx.Err() != nil {
				break
			}
		}
	}
	return errors.Join(append(failures, ctx.Err())...)
}

// warn writes the warning, unless another process has.
func (s *Service) warn(ctx context.Context, c *model.Credential, days int) error {
	claimed := false
	err := s.Store.InTx(ctx, func(tx *store.Tx) (err error) {
		if claimed, err = tx.WarnedOfExpiry(c, days); err != nil || !claimed {
			return err
		}
		w := warningOf(c, tx.Now())
		return s.logSetting(ctx, tx, c.OrganizationID, &c.IntegrationID, w.Code, string(c.Kind), c.ID, c.Name, w.Detail,
			map[string]any{"expires_at": c.ExpiresAt, "last_used_at": c.LastUsedAt, "client_id": c.ClientID})
	})
	if err != nil || !claimed {
		return err
	}
	event := EventCredentialEnding
	if days == 0 {
		event = EventCredentialEnded
	}
	s.Observe(event, 1)
	s.Log.WarnContext(ctx, "credential expires", "kind", c.Kind, "id", c.ID, "name", c.Name, "integration", c.IntegrationID,
		"expires_at", c.ExpiresAt, "within_days", days)
	return nil
}

// Warnings gives what an administrator of the integration should know now: credentials that end within 30 days, or have
// ended within the last 30, the most urgent first.
func (s *Service) Warnings(ctx context.Context, ref model.Ref) ([]model.Warning, error) {
	if _, err := s.Store.Read(ctx).Integration(ref); err != nil {
		return nil, err
	}
	now := s.Now()
	list, err := s.Store.Read(ctx).ExpiringCredentials(ref, now.Add(-expiredShown), now.Add(expiredShown))
	return warnings(list, now), err
}

// AllWarnings gives those of the whole installation, at most a thousand.
func (s *Service) AllWarnings(ctx context.Context) ([]model.Warning, error) {
	now := s.Now()
	list, err := s.Store.Read(ctx).AllExpiringCredentials(now.Add(-expiredShown), now.Add(expiredShown), maxExpiring)
	return warnings(list, now), err
}

func warnings(list []model.Credential, now time.Time) []model.Warning {
	out := make([]model.Warning, len(list))
	for i := range list {
		out[i] = warningOf(&list[i], now)
	}
	return out
}

// warningOf puts a warning into words.
func warningOf(c *model.Credential, now time.Time) model.Warning {
	what := "SCIM token " + c.Name
	if c.Kind == model.CredentialSecret {
		what = "a secret of SCIM client " + c.Name
	}
	used := "it was never used"
	if c.LastUsedAt != nil {
		used = "it was last used " + c.LastUsedAt.UTC().Format(time.RFC3339)
	}
	w := model.Warning{
		Kind: c.Kind, ID: c.ID, ClientID: c.ClientID, Name: c.Name, ExpiresAt: c.ExpiresAt, IntegrationID: c.IntegrationID,
	}
	at := c.ExpiresAt.UTC().Format(time.RFC3339)
	if left := c.ExpiresAt.Sub(now); left > 0 {
		w.Code = string(c.Kind) + ".expiring"
		w.Days = int((left + day - 1) / day)
		w.Detail = fmt.Sprintf("%s expires within %s, at %s; %s; make another one and enter it in Entra before", what, inDays(w.Days), at, used)
		return w
	}
	w.Code = string(c.Kind) + ".expired"
	w.Detail = fmt.Sprintf("%s expired at %s; %s; delete it, and make another one where it is still needed", what, at, used)
	return w
}

func inDays(n int) string {
	if n == 1 {
		return "1 day"
	}
	return fmt.Sprintf("%d days", n)
}
