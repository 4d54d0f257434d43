package exchange

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"usher/model/outlook"
)

// maxGone bounds the removals that a calendar remembers; links from before the ones it has forgotten lead nowhere.
const maxGone = 50_000

// link is what a link of a delta says. It needs no memory of the tenant's.
type link struct {
	Mailbox  string    `json:"m"` // object id
	Calendar string    `json:"c"`
	Epoch    int       `json:"e"`
	From     time.Time `json:"f"`
	To       time.Time `json:"t"`
	Initial  bool      `json:"i,omitempty"` // of a first round
	Next     bool      `json:"n,omitempty"` // within a round
	Since    int64     `json:"s"`           // changes up to this one were told before
	After    int64     `json:"a"`           // in this round, up to this one
	Upto     int64     `json:"u"`           // the round's last
	Nonce    uint64    `json:"x"`
	Padding  string    `json:"p,omitempty"`
}

func (t *Tenant) encode(l link) string {
	l.Nonce, l.Padding = t.random.Uint64(), strings.Repeat("0", t.faults.LinkPadding)
	text, err := json.Marshal(l)
	if err != nil {
		panic("exchange: a link that cannot be written: " + err.Error()) // times of years beyond 9999
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

// Delta gives a page of what changed in the calendar's view. Without a link it begins a round over the window; a link has
// its own window, calendar and mailbox, whatever else is asked for.
func (c *Client) Delta(ctx context.Context, cal outlook.CalendarRef, window outlook.Window, text string) (outlook.DeltaPage, error) {
	var page outlook.DeltaPage
	err := c.do(ctx, call{method: "Delta", mailbox: cal.Mailbox, target: text, needs: canRead()}, func(t *Tenant) error {
		l, folder, err := t.begin(cal, window, text)
		if err != nil {
			return err
		}
		page = t.deltaPage(folder, l)
		return nil
	})
	return page, err
}

// begin reads a link, or makes that of a new round.
func (t *Tenant) begin(cal outlook.CalendarRef, window outlook.Window, text string) (link, *calendar, error) {
	if text == "" {
		b, err := t.reach(cal.Mailbox)
		if err != nil {
			return link{}, nil, err
		}
		folder, err := b.calendar(cal.Calendar)
		if err != nil {
			return link{}, nil, err
		}
		if !window.From.Before(window.To) {
			return link{}, nil, failure(outlook.Invalid, 400, "ErrorInvalidParameter", "The end of the window is not after its start.")
		}
		return link{
			Mailbox: folder.box.owner.id, Calendar: folder.id, Epoch: folder.box.epoch, From: window.From.UTC(), To: window.To.UTC(),
			Initial: true, Next: true, Upto: t.seen(),
		}, folder, nil
	}
	var l link
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || json.Unmarshal(raw, &l) != nil {
		return link{}, nil, syncLost(400)
	}
	b, err := t.reach(l.Mailbox)
	if err != nil {
		return link{}, nil, err
	}
	folder, err := b.calendar(l.Calendar)
	if err != nil {
		return link{}, nil, err
	}
	if l.Epoch != b.epoch || l.Since < folder.forgotten && !l.Initial || l.Upto > t.tickedUpTo() {
		return link{}, nil, syncLost(410)
	}
	if t.chance(t.faults.SyncLost) {
		return link{}, nil, syncLost([]int{410, 400, 404}[t.random.IntN(3)])
	}
	if !l.Next {
		l.Next, l.Initial, l.After, l.Upto = true, false, l.Since, max(l.Since, t.seen())
	}
	return l, folder, nil
}

// change is what one numbered change gives in a delta.
type change struct {
	seq  int64
	item *item  // nil of a removal
	id   string // of a removal
}

// deltaPage gives the page that a link leads to. What changes during a round is told in the next one: what has not been told
// yet of it leaves this round.
func (t *Tenant) deltaPage(c *calendar, l link) outlook.DeltaPage {
	f := t.faults
	if t.chance(f.EmptyPage) {
		return outlook.DeltaPage{Next: t.encode(l)}
	}
	var page outlook.DeltaPage
	window := outlook.Window{From: l.From, To: l.To}
	last := l.After
	more := false
	for _, change := range changesOf(c, l) {
		if len(page.Events) >= t.options.PageSize && change.seq != last {
			more = true
			break
		}
		last = change.seq
		if change.item == nil {
			page.Events = append(page.Events, outlook.Event{ID: change.id, Removed: "deleted"})
			continue
		}
		page.Events = append(page.Events, t.deltaOf(change.item, window, l)...)
	}
	t.disturb(&page)
	switch {
	case f.Endless:
		page.Next = t.encode(l)
	case more:
		l.After = last
		page.Next = t.encode(l)
	default:
		l.Next = false
		if !t.chance(f.Replay) {
			l.Initial, l.Since = false, l.Upto
		}
		page.Delta = t.encode(l)
	}
	return page
}

// changesOf gives the changes of a calendar that the rest of a round has to tell, in order.
func changesOf(c *calendar, l link) []change {
	var changes []change
	for _, it := range c.items {
		if it.seq > l.After && it.seq <= l.Upto {
			changes = append(changes, change{seq: it.seq, item: it})
		}
	}
	for i := len(c.gone) - 1; i >= 0 && c.gone[i].seq > l.After && !l.Initial; i-- {
		if c.gone[i].seq <= l.Upto {
			changes = append(changes, change{seq: c.gone[i].seq, id: c.gone[i].id})
		}
	}
	slices.SortStableFunc(changes, func(a, b change) int { return cmp.Compare(a.seq, b.seq) })
	return changes
}

// deltaOf gives what a delta tells of an item that has changed.
func (t *Tenant) deltaOf(it *item, w outlook.Window, l link) []outlook.Event {
	shown := it.shown()
	shown.Origin = ""
	outside := outlook.Event{ID: it.id, Removed: "deleted"}
	if t.faults.ReasonChanged {
		outside.Removed = "changed"
	}
	if it.event.Recurrence == nil {
		if span := it.span(); touches(span.From, span.To, w) {
			return []outlook.Event{shown}
		}
		if l.Initial {
			return nil
		}
		return []outlook.Event{outside}
	}
	var events []outlook.Event
	there := map[string]bool{}
	sparse := t.faults.Sparse && !l.Initial && it.whole <= l.Since
	instances := it.instances(w)
	for _, r := range instances {
		there[r.slot.Wall] = true
		switch {
		case sparse && (r.part == nil || r.part.seq <= l.Since):
		case r.part == nil:
			events = append(events, it.stub(r))
		default:
			events = append(events, it.shownAs(shown, r))
		}
	}
	for _, p := range it.sortedParts() { // exceptions that have left the window
		if !l.Initial && !p.deleted && !there[p.slot.Wall] && p.seq > l.Since {
			events = append(events, outlook.Event{ID: p.id, Removed: outside.Removed})
		}
	}
	switch {
	case len(instances) > 0 && (!t.faults.NoMaster || len(events) == 0):
		return append([]outlook.Event{shown}, events...)
	case len(instances) == 0 && !l.Initial:
		return append(events, outside)
	}
	return events
}

// disturb makes a page as bad as the faults want it.
func (t *Tenant) disturb(page *outlook.DeltaPage) {
	if len(page.Events) > 0 && t.chance(t.faults.Repeat) {
		page.Events = append(page.Events, page.Events[t.random.IntN(len(page.Events))])
	}
	if t.chance(t.faults.Phantom) {
		page.Events = append(page.Events, outlook.Event{ID: t.itemID(), Removed: "deleted"})
	}
	if t.faults.Shuffle {
		t.random.Shuffle(len(page.Events), func(i, j int) { page.Events[i], page.Events[j] = page.Events[j], page.Events[i] })
	}
}
