package calendarbridge

import (
	"context"
	"encoding/json"
	"slices"

	"usher/model"
	"usher/model/store"
)

// FollowAccounts reads the change feed for people who came, went or changed, and looks at their mailboxes at once; it is
// periodic, every 15 seconds or so. Nothing of it is done in the transactions of those who push people.
type FollowAccounts struct{}

// Kind names the job.
func (FollowAccounts) Kind() string { return "calendar.follow_accounts" }

// feedReader is the bridge's name as a reader of the change feed.
const feedReader = "calendars"

// The bounds of following: how many changes are worked off in one transaction, how many positions that are of no interest may
// pass before that is noted, and how far behind the end everybody is looked at instead.
const (
	followPage   = 500
	followStep   = 1000
	followBehind = 200_000
)

// followed are the changes after which a mailbox may have to be looked for, or to end.
func followed() []string {
	return []string{
		string(model.AccountCreated), string(model.AccountUpdated), string(model.AccountWasDeactivated), string(model.AccountReactivated),
		string(model.AccountWasArchived), string(model.AccountDeleted),
		string(model.DirectoryUserCreated), string(model.DirectoryUserUpdated), string(model.DirectoryUserDeleted),
	}
}

// FollowAccounts works the job. It also has the subscriptions ended whose calendars were deleted.
func (s *Service) FollowAccounts(ctx context.Context, _ FollowAccounts) error {
	if err := s.endDeleted(ctx); err != nil {
		return err
	}
	if some, err := s.Store.Read(ctx).CalendarFeedsAfter(feedReader, "", 1); err != nil || len(some) == 0 {
		return err // and the feed is left alone: giving its entries their positions is work that only a reader asks for
	}
	end, err := s.Store.FeedEnd(ctx)
	if err != nil {
		return err
	}
	for after := ""; ; {
		list, err := s.Store.Read(ctx).CalendarFeedsAfter(feedReader, after, discoverPage)
		if err != nil {
			return err
		}
		for _, f := range list {
			if err := s.follow(ctx, f, end); err != nil {
				return err
			}
			after = f.OrganizationID
		}
		if len(list) < discoverPage {
			return nil
		}
	}
}

// follow reads what happened in one organization.
func (s *Service) follow(ctx context.Context, f store.FeedReader, end int64) error {
	if f.Position == nil || end-*f.Position > followBehind {
		return s.followAnew(ctx, f.OrganizationID, end)
	}
	for at := *f.Position; at < end; {
		list, next, err := s.Store.Changes(ctx, f.OrganizationID, store.ChangeQuery{After: at, Types: followed(), Limit: followPage})
		if err != nil {
			return err
		}
		if len(list) == 0 && next-*f.Position < followStep {
			return nil
		}
		err = s.Store.InTx(ctx, func(tx *store.Tx) error {
			tx.SetFeedReader(f.OrganizationID, feedReader, next)
			return s.followed(tx, f.OrganizationID, accountsOf(list))
		})
		if err != nil {
			return err
		}
		at = next
	}
	return nil
}

// followAnew begins at the feed's end, and has everybody looked at.
func (s *Service) followAnew(ctx context.Context, organizationID string, end int64) error {
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		tx.SetFeedReader(organizationID, feedReader, end)
		list, err := tx.Integrations(organizationID)
		for i := range list {
			if err == nil && list[i].CalendarSync {
				err = tx.Enqueue(DiscoverMailboxes{OrganizationID: organizationID, IntegrationID: list[i].ID})
			}
		}
		return err
	})
}

// accountsOf gives the accounts that changes are about, each once: those of directory users are in their data.
func accountsOf(changes []model.Change) []string {
	var ids []string
	for _, c := range changes {
		if c.SubjectType == "account" {
			ids = append(ids, c.SubjectID)
			continue
		}
		var data struct {
			User struct {
				AccountID *string `json:"account_id"`
			} `json:"directory_user"`
		}
		if json.Unmarshal(c.Data, &data) == nil && data.User.AccountID != nil {
			ids = append(ids, *data.User.AccountID)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// followed looks at the mailboxes of some accounts, in every integration that has calendars.
func (s *Service) followed(tx *store.Tx, organizationID string, accounts []string) error {
	if len(accounts) == 0 {
		return nil
	}
	list, err := tx.Integrations(organizationID)
	if err != nil {
		return err
	}
	for _, i := range list {
		if !i.CalendarSync {
			continue
		}
		candidates, err := tx.MailboxCandidates(i.Ref(), accounts)
		if err != nil {
			return err
		}
		mailboxes, err := tx.MailboxesOfAccounts(i.Ref(), accounts)
		if err != nil {
			return err
		}
		for _, id := range accounts {
			if err := s.followOne(tx, i, candidates[id], mailboxes[id]); err != nil {
				return err
			}
		}
	}
	return nil
}

// followOne gives an account its mailbox, ends it or looks for it again; the zero value says that there is none of either.
func (s *Service) followOne(tx *store.Tx, i model.Integration, c store.MailboxCandidate, m model.Mailbox) error {
	wanted := c.AccountID != "" && c.Status == model.AccountActive
	switch {
	case m.ID == "" && c.AccountID == "":
		return nil
	case wanted && (m.ID == "" || m.State == model.MailboxOff):
		return candidate(tx, i.Ref(), &c)
	case wanted && m.State != model.MailboxMissing:
		return nil // nothing of it depends on what else the account has
	case m.ID == "":
		return nil
	}
	return s.review(tx, i, &m)
}
