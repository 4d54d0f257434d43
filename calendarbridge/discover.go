package calendarbridge

import (
	"context"
	"errors"

	"usher/model"
	"usher/model/outlook"
	"usher/model/store"
)

// discoverPage is how many accounts, mailboxes or organizations are looked at together.
const discoverPage = 100

// eachIntegration goes through all integrations of all organizations, those of one organization in one transaction.
func (s *Service) eachIntegration(ctx context.Context, fn func(*store.Tx, model.Integration) error) error {
	for after := ""; ; {
		organizations, err := s.Store.Read(ctx).OrganizationsAfter(after, discoverPage)
		if err != nil {
			return err
		}
		for _, o := range organizations {
			err := s.Store.InTx(ctx, func(tx *store.Tx) error {
				list, err := tx.Integrations(o.ID)
				for i := range list {
					if err == nil {
						err = fn(tx, list[i])
					}
				}
				return err
			})
			if err != nil {
				return err
			}
			after = o.ID
		}
		if len(organizations) < discoverPage {
			return nil
		}
	}
}

// later says what becomes of a job that Microsoft 365 refused: a throttled one comes back, any other one waits for its turn.
func (s *Service) later(ctx context.Context, what string, ref model.Ref, err error) error {
	e, ok := errors.AsType[*outlook.Error](err)
	if ctx.Err() != nil || !ok && model.KindOf(err) == model.Internal {
		return err
	}
	if ok && e.Kind == outlook.Throttled {
		s.Observe(EventThrottled, 1)
		return &model.Throttled{After: max(e.After, throttledWait)}
	}
	s.Log.WarnContext(ctx, "calendar bridge: "+what, "integration", ref.IntegrationID, "err", err)
	return nil
}

// Discover works the job. Of an integration whose calendars are switched off it ends what there is.
func (s *Service) Discover(ctx context.Context, _ Discover) error {
	return s.eachIntegration(ctx, func(tx *store.Tx, i model.Integration) error {
		if i.CalendarSync {
			return tx.Enqueue(DiscoverMailboxes{OrganizationID: i.OrganizationID, IntegrationID: i.ID})
		}
		left, err := tx.MailboxesAfter(i.Ref(), "", 1)
		if err != nil || len(left) == 0 {
			return err
		}
		return tx.Enqueue(ReviewMailboxes{OrganizationID: i.OrganizationID, IntegrationID: i.ID})
	})
}

// DiscoverMailboxes works the job: every active account of the integration has a mailbox that is looked for.
func (s *Service) DiscoverMailboxes(ctx context.Context, job DiscoverMailboxes) error {
	ref := model.Ref{OrganizationID: job.OrganizationID, IntegrationID: job.IntegrationID}
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		integration, err := tx.Integration(ref)
		if err != nil {
			return ignoreMissing(err)
		}
		review := ReviewMailboxes{OrganizationID: ref.OrganizationID, IntegrationID: ref.IntegrationID}
		if !integration.CalendarSync {
			return tx.Enqueue(review)
		}
		list, err := tx.MailboxCandidatesAfter(ref, job.After, discoverPage)
		if err != nil {
			return err
		}
		for i := range list {
			if err := candidate(tx, ref, &list[i]); err != nil {
				return err
			}
		}
		if len(list) < discoverPage {
			return tx.Enqueue(review)
		}
		job.After = list[len(list)-1].AccountID
		return tx.Enqueue(job)
	})
}

// candidate gives an active account its mailbox. Mailboxes of accounts that are not active are ended by ReviewMailboxes.
func candidate(tx *store.Tx, ref model.Ref, c *store.MailboxCandidate) error {
	if c.Status != model.AccountActive || !c.Active {
		return nil
	}
	m, found, err := tx.MailboxOf(ref, c.AccountID, "")
	if err != nil {
		return err
	}
	if found {
		if m.State != model.MailboxOff || !m.Enabled {
			return nil
		}
		return lookFor(tx, &m)
	}
	id := c.AccountID
	return addMailbox(tx, &model.Mailbox{OrganizationID: ref.OrganizationID, IntegrationID: ref.IntegrationID, AccountID: &id, Address: c.Email})
}

// addMailbox stores a mailbox that is yet to be found.
func addMailbox(tx *store.Tx, m *model.Mailbox) error {
	now := tx.Now()
	retry := now.Add(claimTime)
	m.State, m.Enabled, m.TriedAt, m.RetryAt = model.MailboxPending, true, &now, &retry
	if err := tx.InsertMailbox(m); err != nil {
		return ignoreMissing(err) // the account went meanwhile
	}
	return tx.Enqueue(FindMailbox{OrganizationID: m.OrganizationID, IntegrationID: m.IntegrationID, MailboxID: m.ID})
}

// lookFor has a mailbox looked for, and not again before that had time to happen.
func lookFor(tx *store.Tx, m *model.Mailbox) error {
	now := tx.Now()
	retry := now.Add(claimTime)
	m.TriedAt, m.RetryAt = &now, &retry
	if m.State == model.MailboxOff {
		m.State, m.Detail = model.MailboxPending, ""
	}
	if err := tx.UpdateMailbox(m); err != nil {
		return err
	}
	return tx.Enqueue(FindMailbox{OrganizationID: m.OrganizationID, IntegrationID: m.IntegrationID, MailboxID: m.ID})
}

// ReviewMailboxes works the job.
func (s *Service) ReviewMailboxes(ctx context.Context, job ReviewMailboxes) error {
	ref := model.Ref{OrganizationID: job.OrganizationID, IntegrationID: job.IntegrationID}
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		integration, err := tx.Integration(ref)
		if err != nil {
			return ignoreMissing(err)
		}
		list, err := tx.MailboxesAfter(ref, job.After, discoverPage)
		if err != nil {
			return err
		}
		for i := range list {
			if err := s.review(tx, integration, &list[i]); err != nil {
				return err
			}
		}
		if len(list) < discoverPage {
			return nil
		}
		job.After = list[len(list)-1].ID
		return tx.Enqueue(job)
	})
}

// review ends a mailbox, or has it looked for, where that is due.
func (s *Service) review(tx *store.Tx, i model.Integration, m *model.Mailbox) error {
	end := EndMailbox{OrganizationID: m.OrganizationID, IntegrationID: m.IntegrationID, MailboxID: m.ID}
	if !i.CalendarSync {
		end.Remove, end.Reason = true, "the integration's calendars are switched off"
		return tx.Enqueue(end)
	}
	changed := false
	if m.AccountID != nil {
		a, err := tx.Account(m.OrganizationID, *m.AccountID)
		if err != nil && model.KindOf(err) != model.NotFound {
			return err
		}
		switch {
		case err != nil || !linked(a, m.IntegrationID):
			end.Remove, end.Reason = true, "the person is not of the integration any more"
			return tx.Enqueue(end)
		case a.Status != model.AccountActive && m.State != model.MailboxOff:
			end.Reason = "the account is " + string(a.Status)
			return tx.Enqueue(end)
		}
		changed = m.TriedAt != nil && a.UpdatedAt.After(*m.TriedAt) && m.State == model.MailboxMissing
	}
	switch {
	case m.State == model.MailboxOff || !m.Enabled:
		return nil
	case changed, m.RetryAt == nil && m.State != model.MailboxActive, m.RetryAt != nil && !m.RetryAt.After(tx.Now()):
		return lookFor(tx, m)
	}
	return nil
}

func linked(a model.Account, integrationID string) bool {
	for _, l := range a.Links {
		if l.IntegrationID == integrationID {
			return true
		}
	}
	return false
}

// park notes that a mailbox cannot be reached, and when it is tried again. The administrator is told once.
func (s *Service) park(ctx context.Context, was model.Mailbox, e *outlook.Error) error {
	state, wait := model.MailboxMissing, s.Periods.Mailbox
	if e.Kind == outlook.Forbidden {
		state, wait = model.MailboxBlocked, s.Periods.Forbidden
	}
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		m, err := tx.Mailbox(was.Ref(), was.ID)
		if err != nil {
			return ignoreMissing(err)
		}
		if m.State == model.MailboxOff {
			return nil
		}
		news := m.State != state
		now, retry := tx.Now(), tx.Now().Add(around(wait))
		m.State, m.Detail, m.TriedAt, m.RetryAt = state, sentence(e), &now, &retry
		if err := tx.UpdateMailbox(&m); err != nil || !news {
			return err
		}
		return logMailbox(tx, &m, "mailbox."+string(state), "The mailbox is not synchronized: "+m.Detail)
	})
}

func logMailbox(tx *store.Tx, m *model.Mailbox, action, summary string) error {
	return tx.Log(model.Activity{
		OrganizationID: m.OrganizationID, IntegrationID: &m.IntegrationID, Actor: actorBridge, Action: action, SubjectType: "mailbox",
		SubjectID: m.ID, Subject: m.Address, Summary: summary,
	}, nil)
}
