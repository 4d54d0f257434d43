package webhook

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"sync"
	"time"

	"usher/internal/secret"
	"usher/model"
	"usher/model/store"
)

// The bounds of a step.
const (
	pageSize    = 250
	maxWaiting  = 1000 // deliveries of an endpoint that wait before no more of the feed is read for it
	inFlight    = 8    // requests to an endpoint at once
	stepWithin  = 20 * time.Second
	keptHistory = 15 // attempts of a delivery, more than there are by themselves
)

// step tells an endpoint what is to be told now, as far as stepWithin allows. What it finds out is stored at its end, in one
// transaction with how far it came: a process that dies tells at most this step's messages again.
type step struct {
	d        *Dispatcher
	e        model.WebhookEndpoint
	tenure   tenure
	send     *sender
	progress store.WebhookProgress

	mu       sync.Mutex
	again    []model.WebhookDelivery // that were tried again
	made     []model.WebhookDelivery // that are new, in the order of the feed
	gone     bool                    // the endpoint wants no more
	success  bool
	failures int
	full     bool // there is more in the feed
	told     bool // everything there was to be told is read
}

// item is a message on its way.
type item struct {
	delivery model.WebhookDelivery
	message  Message
	known    bool // it has been tried before
	tried    bool
}

// step works an endpoint once, and says whether there is more to do at once.
func (d *Dispatcher) step(ctx context.Context, e model.WebhookEndpoint, t tenure) (more bool, err error) {
	s := &step{d: d, e: e, tenure: t}
	s.progress = store.WebhookProgress{
		Position: e.Position, ReplayPosition: e.ReplayPosition, FailingSince: e.FailingSince, LastSuccessAt: e.LastSuccessAt, LastError: e.LastError,
	}
	if s.send, err = d.sender(ctx, e); err != nil {
		return false, err
	}
	waiting, err := d.Store.Read(ctx).WebhooksWaiting(e, d.Now(), pageSize)
	if err != nil {
		return false, err
	}
	items, err := s.retries(ctx, waiting.Due)
	if err != nil {
		return false, err
	}
	full := false
	if waiting.Count < maxWaiting {
		fresh, err := s.fresh(ctx)
		if err != nil {
			return false, err
		}
		full, s.told = s.full, !s.full && waiting.Count == len(waiting.Due)
		items = append(items, fresh...)
	}
	blocked := waiting.Subjects
	for _, due := range waiting.Due {
		blocked[due.Subject]-- // its turn comes now, and that of what follows where nothing else waits before
	}
	s.tell(ctx, items, blocked)
	if err := s.save(ctx, items); err != nil {
		return false, err
	}
	works := s.success || s.failures == 0
	return works && !s.gone && (full || s.success && (waiting.Count > len(waiting.Due) || s.waits(items))), nil
}

// waits says whether something was left for later.
func (s *step) waits(items []*item) bool {
	return slices.ContainsFunc(items, func(i *item) bool { return i.delivery.State == model.DeliveryPending && !i.tried })
}

// retries makes items of deliveries that wait. One whose change is not kept any more is given up.
func (s *step) retries(ctx context.Context, due []model.WebhookDelivery) ([]*item, error) {
	messages, err := s.messages(ctx, due)
	if err != nil {
		return nil, err
	}
	items := make([]*item, 0, len(due))
	for _, delivery := range due {
		if message, ok := messages[delivery.MessageID]; ok {
			items = append(items, &item{delivery: delivery, message: message, known: true})
			continue
		}
		delivery.State, delivery.NextAt = model.DeliveryFailed, nil
		delivery.Attempts = append(delivery.Attempts, model.WebhookAttempt{
			Number: len(delivery.Attempts) + 1, At: s.d.Now().UTC(), Error: "the change is older than the change feed is kept",
		})
		s.again = append(s.again, delivery)
	}
	return items, nil
}

// messages gives what deliveries say, by the ids of messages, as far as their changes are kept.
func (s *step) messages(ctx context.Context, due []model.WebhookDelivery) (map[string]Message, error) {
	messages := make(map[string]Message, len(due))
	var positions []int64
	for _, delivery := range due {
		if delivery.Kind == model.DeliveryTest || delivery.Position == nil {
			messages[delivery.MessageID] = test(delivery)
		} else {
			positions = append(positions, *delivery.Position)
		}
	}
	list, err := s.d.Store.Read(ctx).ChangesOf(s.e.OrganizationID, positions)
	for _, c := range list {
		messages[MessageID(*c.Position)] = Of(c)
	}
	return messages, err
}

// fresh reads on in the range that is told again, and in the feed. What is older comes first, so that each subject keeps its order.
func (s *step) fresh(ctx context.Context) ([]*item, error) {
	items, err := s.replayed(ctx)
	if err != nil {
		return nil, err
	}
	list, next, err := s.d.Store.Changes(ctx, s.e.OrganizationID, store.ChangeQuery{After: s.e.Position, Types: s.e.Types, Limit: pageSize})
	if err != nil {
		return nil, err
	}
	s.progress.Position, s.full = next, s.full || len(list) == pageSize
	return append(items, s.wanted(list, model.DeliveryOfChange)...), nil
}

func (s *step) replayed(ctx context.Context) ([]*item, error) {
	if s.e.ReplayPosition == nil || s.e.ReplayUntil == nil {
		return nil, nil
	}
	list, err := s.d.Store.Read(ctx).ChangesAt(s.e.OrganizationID, *s.e.ReplayPosition+1, *s.e.ReplayUntil, pageSize)
	if err != nil {
		return nil, err
	}
	s.progress.ReplayPosition = nil
	if len(list) == pageSize {
		s.progress.ReplayPosition, s.full = list[len(list)-1].Position, true
	}
	return s.wanted(list, model.DeliveryReplay), nil
}

func (s *step) wanted(list []model.Change, kind model.DeliveryKind) []*item {
	var items []*item
	for _, c := range list {
		if !s.e.Wants(c) {
			continue
		}
		items = append(items, &item{message: Of(c), delivery: model.WebhookDelivery{
			ID: store.NewID(), OrganizationID: s.e.OrganizationID, EndpointID: s.e.ID, MessageID: MessageID(*c.Position), Position: c.Position,
			Type: c.Type, Subject: subjectOf(c), Kind: kind,
		}})
	}
	return items
}

// tell sends items, those of one subject one after the other: behind one that failed the others wait.
func (s *step) tell(ctx context.Context, items []*item, blocked map[string]int) {
	bySubject := map[string][]*item{}
	var order []string
	for _, i := range items {
		if !i.known && blocked[i.delivery.Subject] > 0 {
			continue
		}
		if bySubject[i.delivery.Subject] == nil {
			order = append(order, i.delivery.Subject)
		}
		bySubject[i.delivery.Subject] = append(bySubject[i.delivery.Subject], i)
	}
	ctx, cancel := context.WithTimeout(ctx, stepWithin)
	defer cancel()
	work := make(chan []*item)
	var workers sync.WaitGroup
	for range min(inFlight, len(order)) {
		workers.Go(func() {
			for list := range work {
				s.inOrder(ctx, list)
			}
		})
	}
	for _, subject := range order {
		work <- bySubject[subject]
	}
	close(work)
	workers.Wait()
}

func (s *step) inOrder(ctx context.Context, list []*item) {
	for _, i := range list {
		if ctx.Err() != nil || s.stopped() || !s.d.lasts(s.tenure) || !s.try(context.WithoutCancel(ctx), i) {
			return
		}
	}
}

func (s *step) stopped() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.gone
}

// try sends one message, and says whether it was taken.
func (s *step) try(ctx context.Context, i *item) bool {
	body, err := json.Marshal(i.message)
	if err != nil {
		s.d.Log.ErrorContext(ctx, "webhook message not rendered", "delivery", i.delivery.ID, "err", err)
		return false
	}
	number := 1
	if n := len(i.delivery.Attempts); n > 0 {
		number = i.delivery.Attempts[n-1].Number + 1
	}
	attempt := s.send.send(ctx, i.message.ID, body, number)
	i.tried = true
	i.delivery.Attempts = append(i.delivery.Attempts, attempt)
	if n := len(i.delivery.Attempts); n > keptHistory {
		i.delivery.Attempts = slices.Clone(i.delivery.Attempts[n-keptHistory:])
	}
	taken := attempt.Error == ""
	s.d.Observe(taken, time.Duration(attempt.Duration)*time.Millisecond)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gone = s.gone || attempt.Status == http.StatusGone
	if s.success = s.success || taken; taken {
		s.progress.LastSuccessAt = &attempt.At
	} else {
		s.failures++
		s.progress.LastError = attempt.Error
	}
	return taken
}

// secrets opens the endpoint's live secrets.
func secrets(keys *secret.Keyring, list []model.WebhookSecret) ([]string, error) {
	texts := make([]string, 0, len(list))
	for _, s := range list {
		text, err := keys.Open(s.KeyID, s.Sealed, secret.WebhookUse(s.EndpointID, s.ID))
		if err != nil {
			return nil, err
		}
		texts = append(texts, text)
	}
	return texts, nil
}
