package graph

import (
	"context"
	"errors"
	"strconv"

	abstractions "github.com/microsoft/kiota-abstractions-go"
	"github.com/microsoft/kiota-abstractions-go/serialization"
	"github.com/microsoftgraph/msgraph-sdk-go/models"
	sdkusers "github.com/microsoftgraph/msgraph-sdk-go/users"

	"usher/model/outlook"
)

// originProperty is the extended property that holds Draft.Origin. The GUID is Usher's own property set; it never changes,
// because the marks in every mailbox are found by it.
const originProperty = "String {6f1d4c5e-9a0b-4b53-8d0e-2f6a7c1b9e34} Name UsherOrigin"

// expandOrigin asks for the mark. Extended properties never come by themselves.
func expandOrigin() string {
	return "singleValueExtendedProperties($filter=id eq " + quote(originProperty) + ")"
}

// masterFields is everything that is read of an event, and the two properties of a series that come only when asked for.
func masterFields() []string {
	return []string{
		"id", "changeKey", "iCalUId", "transactionId", "seriesMasterId", "type", "subject", "body", "bodyPreview", "location",
		"start", "end", "isAllDay", "showAs", "sensitivity", "importance", "categories", "originalStartTimeZone",
		"originalEndTimeZone", "originalStart", "isCancelled", "isOrganizer", "isDraft", "organizer", "attendees", "responseStatus",
		"recurrence", "isOnlineMeeting", "onlineMeeting", "onlineMeetingUrl", "webLink", "createdDateTime", "lastModifiedDateTime",
		"cancelledOccurrences", "exceptionOccurrences",
	}
}

// builder makes a request; one that leads to a link is spent once it was sent.
type builder func() (*abstractions.RequestInformation, error)

// smallPage is the page size for which a page is asked again that was too large to read: bodies of several megabytes exist.
const smallPage = 2

// fetchPage reads a page of events, by a link where there is one.
func fetchPage[T any](ctx context.Context, c *Client, call call, build builder, link string, factory serialization.ParsableFactory) (page T, err error) {
	call.safe = true
	for _, size := range []int{c.pageSize, smallPage} {
		info, built := build()
		if err := c.follow(info, link); err != nil {
			return page, err
		}
		call.prefer = []string{preferImmutable, "odata.maxpagesize=" + strconv.Itoa(size), preferHTML}
		page, err = fetch[T](ctx, c, call, info, built, factory)
		if failed, ok := errors.AsType[*outlook.Error](err); !ok || failed.Code != codeTooLarge || size == smallPage {
			break
		}
	}
	return page, err
}

// readPrefer is what is asked of reads and writes of one event.
func readPrefer() []string { return []string{preferImmutable, preferHTML} }

func checkEvent(cal outlook.CalendarRef, id string) error {
	switch {
	case unnamed(cal.Mailbox):
		return missing("a mailbox")
	case unnamed(id):
		return missing("an event")
	}
	return nil
}

// Event reads one event.
func (c *Client) Event(ctx context.Context, cal outlook.CalendarRef, id string) (outlook.Event, error) {
	return c.read(ctx, cal, id, "events.get", &sdkusers.ItemEventsEventItemRequestBuilderGetQueryParameters{Expand: []string{expandOrigin()}})
}

// Master reads a series with its cancelled occurrences and its exceptions.
func (c *Client) Master(ctx context.Context, cal outlook.CalendarRef, id string) (outlook.Event, error) {
	return c.read(ctx, cal, id, "events.master", &sdkusers.ItemEventsEventItemRequestBuilderGetQueryParameters{
		Select: masterFields(), Expand: []string{"exceptionOccurrences", expandOrigin()},
	})
}

func (c *Client) read(
	ctx context.Context, cal outlook.CalendarRef, id, operation string, query *sdkusers.ItemEventsEventItemRequestBuilderGetQueryParameters,
) (outlook.Event, error) {
	if err := checkEvent(cal, id); err != nil {
		return outlook.Event{}, err
	}
	info, err := c.users().ByUserId(cal.Mailbox).Events().ByEventId(id).ToGetRequestInformation(ctx,
		&sdkusers.ItemEventsEventItemRequestBuilderGetRequestConfiguration{QueryParameters: query})
	return c.one(ctx, call{operation: operation, mailbox: cal.Mailbox, safe: true, prefer: readPrefer()}, inCalendar(info, cal), err)
}

// one sends a request whose answer is an event.
func (c *Client) one(ctx context.Context, call call, info *abstractions.RequestInformation, err error) (outlook.Event, error) {
	found, err := fetch[models.Eventable](ctx, c, call, info, err, models.CreateEventFromDiscriminatorValue)
	if err != nil {
		return outlook.Event{}, err
	}
	if value(found.GetId()) == "" {
		return outlook.Event{}, unreadable("the answer is an event without id")
	}
	return event(found), nil
}

// Instances gives a page of the occurrences and exceptions of a series that touch the window.
func (c *Client) Instances(ctx context.Context, cal outlook.CalendarRef, id string, window outlook.Window, next string) (outlook.EventPage, error) {
	if err := errors.Join(checkEvent(cal, id), checkView(cal, window, next)); err != nil {
		return outlook.EventPage{}, err
	}
	from, to := instant(window.From), instant(window.To)
	return c.eventPage(ctx, call{operation: "events.instances", mailbox: cal.Mailbox}, func() (*abstractions.RequestInformation, error) {
		info, err := c.users().ByUserId(cal.Mailbox).Events().ByEventId(id).Instances().ToGetRequestInformation(ctx,
			&sdkusers.ItemEventsItemInstancesRequestBuilderGetRequestConfiguration{
				QueryParameters: &sdkusers.ItemEventsItemInstancesRequestBuilderGetQueryParameters{StartDateTime: &from, EndDateTime: &to},
			})
		return inCalendar(info, cal), err
	}, next)
}

// FindEvents gives the events of the calendar that have the mark of Draft.Origin, or the iCalUId; one of both is empty.
func (c *Client) FindEvents(ctx context.Context, cal outlook.CalendarRef, origin, icalUID string) ([]outlook.Event, error) {
	if unnamed(cal.Mailbox) {
		return nil, missing("a mailbox")
	}
	if (origin == "") == (icalUID == "") {
		return nil, badValue("either the mark or the iCalUId is needed")
	}
	filter := "iCalUId eq " + quote(icalUID)
	if origin != "" {
		filter = "singleValueExtendedProperties/Any(ep: ep/id eq " + quote(originProperty) + " and ep/value eq " + quote(origin) + ")"
	}
	build := func() (*abstractions.RequestInformation, error) {
		info, err := c.users().ByUserId(cal.Mailbox).Events().ToGetRequestInformation(ctx, &sdkusers.ItemEventsRequestBuilderGetRequestConfiguration{
			QueryParameters: &sdkusers.ItemEventsRequestBuilderGetQueryParameters{Filter: &filter, Expand: []string{expandOrigin()}},
		})
		return inCalendar(info, cal), err
	}
	var found []outlook.Event
	next := ""
	for range mostPages {
		page, err := c.eventPage(ctx, call{operation: "events.find", mailbox: cal.Mailbox}, build, next)
		if err != nil {
			return nil, err
		}
		found = append(found, page.Events...)
		if next = page.Next; next == "" {
			return found, nil
		}
	}
	return nil, unreadable("the list of events does not end")
}
