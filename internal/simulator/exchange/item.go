package exchange

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"usher/internal/recurrence"
	"usher/internal/timezone"
	"usher/model/outlook"
)

// item is a single event or a series as one mailbox holds it.
type item struct {
	id               string
	cal              *calendar
	key              string // change key
	seq              int64  // of its last change
	whole            int64  // of the last change that was about all occurrences
	created, updated time.Time
	// event has the contents, with Start and End as they were written.
	event outlook.Event
	// custom says that the zone it was made in is known to its author's machine alone.
	custom bool
	gen    int              // of the pattern
	parts  map[string]*part // what differs from the pattern, by Slot.Wall
	told   map[string]bool  // ids of occurrences that somebody has seen
}

// part is an occurrence that differs from its series.
type part struct {
	slot      recurrence.Slot
	id, key   string
	seq       int64
	deleted   bool             // it is no more
	calledOff bool             // by the organizer; of a copy
	patch     outlook.Draft    // what is other than in the series
	response  outlook.Response // of the owner; "" is that of the series
}

// recurring is an occurrence: a slot of the pattern, with its part where it differs.
type recurring struct {
	slot recurrence.Slot
	part *part
}

// occurrenceRef is what the id of an occurrence stands for.
type occurrenceRef struct {
	item *item
	gen  int
	slot recurrence.Slot
}

// maxInstances bounds what is shown of one series.
const maxInstances = 2_000

// custom is the zone that Exchange names where it knows of none.
const custom = "tzone://Microsoft/Custom"

// tags is what the preview of a body leaves out.
var tags = regexp.MustCompile(`(?s)<head>.*?</head>|<[^>]*>`)

// shown gives the item as Graph does: times in UTC, the body a document, what is empty as Graph leaves it.
func (it *item) shown() outlook.Event {
	e := it.event
	e.ID, e.ChangeKey, e.CreatedAt, e.UpdatedAt = it.id, it.key, it.created, it.updated
	e.Type = outlook.SingleInstance
	if e.Recurrence != nil {
		e.Type = outlook.SeriesMaster
		r := *e.Recurrence
		e.Recurrence = &r
		r.Pattern.DaysOfWeek = slices.Clone(r.Pattern.DaysOfWeek)
		e.Recurrence.Pattern.Index = cmp.Or(r.Pattern.Index, "first")
		e.Recurrence.Pattern.FirstDayOfWeek = cmp.Or(r.Pattern.FirstDayOfWeek, "sunday")
		e.Recurrence.Range.EndDate = cmp.Or(r.Range.EndDate, "0001-01-01")
		e.Recurrence.Range.TimeZone = it.zoneName(cmp.Or(r.Range.TimeZone, e.Start.TimeZone))
	}
	e.OriginalStartTimeZone, e.OriginalEndTimeZone = it.zoneName(e.Start.TimeZone), it.zoneName(e.End.TimeZone)
	e.Start, e.End = inUTC(e.Start, e.AllDay), inUTC(e.End, e.AllDay)
	e.Attendees, e.Categories = slices.Clone(e.Attendees), slices.Clone(e.Categories)
	return finish(e)
}

// finish fills in what follows from the rest.
func finish(e outlook.Event) outlook.Event {
	e.WebLink = "https://outlook.office365.com/owa/?itemid=" + url.QueryEscape(e.ID) + "&exvsurl=1&path=/calendar/item"
	e.Body = document(e.Body)
	preview := strings.Join(strings.Fields(html.UnescapeString(tags.ReplaceAllString(e.Body.Content, " "))), " ")
	if letters := []rune(preview); len(letters) > 255 {
		preview = string(letters[:255])
	}
	e.BodyPreview = preview
	return e
}

// document makes a body the HTML document that Exchange stores of it.
func document(b outlook.Body) outlook.Body {
	content := b.Content
	if strings.EqualFold(b.ContentType, "text") {
		content = strings.ReplaceAll(html.EscapeString(content), "\n", "<br>\r\n")
	}
	if content != "" && !strings.HasPrefix(strings.ToLower(content), "<html") {
		content = "<html>\r\n<head>\r\n<meta http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\">\r\n</head>\r\n<body>\r\n" + content + "\r\n</body>\r\n</html>\r\n"
	}
	return outlook.Body{ContentType: "html", Content: content}
}

// zoneName gives the name that Exchange keeps of a zone: Windows' own where there is one.
func (it *item) zoneName(name string) string {
	if it.custom {
		return custom
	}
	if windows, ok := timezone.Windows(name); ok {
		return windows
	}
	return name
}

// inUTC reads a moment that was checked when it was written. All-day events keep their dates in every zone.
func inUTC(m outlook.Moment, allDay bool) outlook.Moment {
	return instant(at(m, allDay))
}

func at(m outlook.Moment, allDay bool) time.Time {
	loc := time.UTC
	if !allDay {
		if known, err := timezone.Load(m.TimeZone); err == nil {
			loc = known
		}
	}
	read, err := timezone.Instant(m.DateTime, loc)
	if err != nil {
		return time.Time{}
	}
	return read.UTC()
}

// span gives when a single event begins and ends.
func (it *item) span() outlook.Window {
	return outlook.Window{From: at(it.event.Start, it.event.AllDay), To: at(it.event.End, it.event.AllDay)}
}

func touches(from, to time.Time, w outlook.Window) bool {
	return (w.To.IsZero() || from.Before(w.To)) && (to.After(w.From) || from.Equal(to) && from.Equal(w.From))
}

// slots gives the series' slots that touch the window, whether anything takes place in them or not.
func (it *item) slots(w outlook.Window, limit int) []recurrence.Slot {
	slots, err := recurrence.Expand(it.event.Start, it.event.End, it.event.AllDay, *it.event.Recurrence, w, limit)
	if err != nil {
		return nil // what was checked when it was written is always understood
	}
	return slots
}

// instances gives the occurrences and exceptions of a series that touch the window.
func (it *item) instances(w outlook.Window) []recurring {
	var out []recurring
	seen := map[string]bool{}
	for _, slot := range it.slots(w, maxInstances) {
		p := it.parts[slot.Wall]
		seen[slot.Wall] = true
		if p != nil && p.deleted {
			continue
		}
		if span := it.when(recurring{slot, p}); touches(span.From, span.To, w) {
			out = append(out, recurring{slot, p})
		}
	}
	for wall, p := range it.parts { // those that were moved into the window
		if seen[wall] || p.deleted {
			continue
		}
		if span := it.when(recurring{p.slot, p}); touches(span.From, span.To, w) {
			out = append(out, recurring{p.slot, p})
		}
	}
	slices.SortFunc(out, func(a, b recurring) int { return cmp.Compare(a.slot.Wall, b.slot.Wall) })
	return out
}

// when gives the time at which an occurrence takes place.
func (it *item) when(r recurring) outlook.Window {
	span := outlook.Window{From: r.slot.Start, To: r.slot.End}
	if r.part == nil {
		return span
	}
	allDay := it.event.AllDay
	if r.part.patch.AllDay != nil {
		allDay = *r.part.patch.AllDay
	}
	if r.part.patch.Start != nil {
		span.From = at(*r.part.patch.Start, allDay)
	}
	if r.part.patch.End != nil {
		span.To = at(*r.part.patch.End, allDay)
	}
	return span
}

// occurrence finds the occurrence that an id stood for; nil where it is no more.
func (it *item) occurrence(ref occurrenceRef) *recurring {
	if it.event.Recurrence == nil || it.gen != ref.gen {
		return nil
	}
	p := it.parts[ref.slot.Wall]
	if p != nil && p.deleted {
		return nil
	}
	window := outlook.Window{From: ref.slot.Start, To: ref.slot.Start.Add(time.Second)}
	for _, slot := range it.slots(window, 10) {
		if slot.Wall == ref.slot.Wall {
			return &recurring{slot, p}
		}
	}
	return nil
}

// occurrenceID gives the id of an occurrence, and remembers what it stands for.
func (it *item) occurrenceID(slot recurrence.Slot) string {
	sum := sha256.Sum256([]byte(it.id + "/" + slot.Wall + "/" + string(rune('0'+it.gen))))
	id := "AAkALgAAAAAAHYQDEapmEc2byACqAC-EWg0A" + base64.URLEncoding.EncodeToString(sum[:28])
	if !it.told[id] {
		it.told[id] = true
		it.cal.box.occurrences[id] = occurrenceRef{it, it.gen, slot}
	}
	return id
}

// stub gives what a delta tells of an occurrence.
func (it *item) stub(r recurring) outlook.Event {
	return outlook.Event{
		ID: it.occurrenceID(r.slot), ChangeKey: it.key, SeriesMasterID: it.id, Type: outlook.Occurrence, Stub: true,
		Start: instant(r.slot.Start), End: instant(r.slot.End),
	}
}

// shownAs gives an occurrence or exception whole. series is what shown gives.
func (it *item) shownAs(series outlook.Event, r recurring) outlook.Event {
	e := series
	e.ID, e.SeriesMasterID, e.Type = it.occurrenceID(r.slot), it.id, outlook.Occurrence
	e.OriginalStart, e.Start, e.End = r.slot.Start, instant(r.slot.Start), instant(r.slot.End)
	e.Recurrence, e.TransactionID = nil, ""
	e.Attendees, e.Categories = slices.Clone(e.Attendees), slices.Clone(e.Categories)
	if p := r.part; p != nil {
		e.Type, e.ChangeKey = outlook.Exception, p.key
		apply(&e, p.patch)
		span := it.when(r)
		e.Start, e.End = instant(span.From), instant(span.To)
		e.Response = cmp.Or(p.response, e.Response)
		if p.calledOff {
			e.IsCancelled, e.Subject = true, calledOff(e.Subject)
		}
	}
	return finish(e)
}

// calledOff gives the subject that Exchange writes over a meeting that was cancelled.
func calledOff(subject string) string {
	return "Canceled: " + strings.TrimPrefix(subject, "Canceled: ")
}
