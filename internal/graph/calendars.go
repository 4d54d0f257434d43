package graph

import (
	"context"
	"fmt"
	"strings"
	"time"

	abstractions "github.com/microsoft/kiota-abstractions-go"
	"github.com/microsoftgraph/msgraph-sdk-go/models"
	sdkusers "github.com/microsoftgraph/msgraph-sdk-go/users"

	"usher/model/outlook"
)

// Calendars gives every calendar of a mailbox, shared ones included.
func (c *Client) Calendars(ctx context.Context, mailbox string) ([]outlook.Calendar, error) {
	if unnamed(mailbox) {
		return nil, missing("a mailbox")
	}
	var list []outlook.Calendar
	next := ""
	for range mostPages {
		top := int32(100)
		info, err := c.users().ByUserId(mailbox).Calendars().ToGetRequestInformation(ctx, &sdkusers.ItemCalendarsRequestBuilderGetRequestConfiguration{
			QueryParameters: &sdkusers.ItemCalendarsRequestBuilderGetQueryParameters{
				Select: []string{"id", "name", "color", "canEdit", "isDefaultCalendar", "owner"}, Top: &top,
			},
		})
		if err := c.follow(info, next); err != nil {
			return nil, err
		}
		page, err := fetch[models.CalendarCollectionResponseable](ctx, c,
			call{operation: "calendars.list", mailbox: mailbox, safe: true, prefer: []string{preferImmutable}}, info, err,
			models.CreateCalendarCollectionResponseFromDiscriminatorValue)
		if err != nil {
			return nil, err
		}
		for _, found := range page.GetValue() {
			if found != nil && value(found.GetId()) != "" {
				list = append(list, calendar(found))
			}
		}
		if next, err = c.link(page.GetOdataNextLink()); err != nil || next == "" {
			return list, err
		}
	}
	return nil, unreadable("the list of calendars does not end")
}

func calendar(found models.Calendarable) outlook.Calendar {
	result := outlook.Calendar{
		ID:        value(found.GetId()),
		Name:      value(found.GetName()),
		Color:     name(found.GetColor()),
		IsDefault: value(found.GetIsDefaultCalendar()),
		CanEdit:   value(found.GetCanEdit()),
	}
	if owner := found.GetOwner(); owner != nil {
		result.Owner = outlook.Address{Email: value(owner.GetAddress()), Name: value(owner.GetName())}
	}
	return result
}

// name gives a value of one of the SDK's enumerations as Graph writes it; one that the SDK does not know is "".
func name[T fmt.Stringer](pointer *T) string {
	if pointer == nil {
		return ""
	}
	return (*pointer).String()
}

// Delta gives a page of what changed in the calendar's view. A link that is not this Graph's is as lost as one that Graph has
// forgotten: the round begins anew.
func (c *Client) Delta(ctx context.Context, cal outlook.CalendarRef, window outlook.Window, link string) (outlook.DeltaPage, error) {
	if err := checkView(cal, window, link); err != nil {
		return outlook.DeltaPage{}, err
	}
	from, to := instant(window.From), instant(window.To)
	build := func() (*abstractions.RequestInformation, error) {
		info, err := c.users().ByUserId(cal.Mailbox).CalendarView().Delta().ToGetRequestInformation(ctx,
			&sdkusers.ItemCalendarViewDeltaRequestBuilderGetRequestConfiguration{
				QueryParameters: &sdkusers.ItemCalendarViewDeltaRequestBuilderGetQueryParameters{StartDateTime: &from, EndDateTime: &to},
			})
		return inCalendar(info, cal), err
	}
	if info, err := build(); err == nil && c.follow(info, link) != nil {
		return outlook.DeltaPage{}, &outlook.Error{Kind: outlook.SyncLost, Code: codeForeign, Message: "the link does not lead to this Graph"}
	}
	page, err := fetchPage[sdkusers.ItemCalendarViewDeltaGetResponseable](ctx, c, call{operation: "calendarView.delta", mailbox: cal.Mailbox}, build,
		link, sdkusers.CreateItemCalendarViewDeltaGetResponseFromDiscriminatorValue)
	if err != nil {
		return outlook.DeltaPage{}, err
	}
	result := outlook.DeltaPage{Events: events(page.GetValue())}
	if result.Next, err = c.link(page.GetOdataNextLink()); err != nil {
		return outlook.DeltaPage{}, err
	}
	if result.Next == "" {
		if result.Delta, err = c.link(page.GetOdataDeltaLink()); err != nil {
			return outlook.DeltaPage{}, err
		}
		if result.Delta == "" {
			return outlook.DeltaPage{}, unreadable("the page leads neither to a next one nor to the next round")
		}
	}
	return result, nil
}

// View gives a page of the singles, occurrences and exceptions that touch the window.
func (c *Client) View(ctx context.Context, cal outlook.CalendarRef, window outlook.Window, next string) (outlook.EventPage, error) {
	if err := checkView(cal, window, next); err != nil {
		return outlook.EventPage{}, err
	}
	from, to := instant(window.From), instant(window.To)
	return c.eventPage(ctx, call{operation: "calendarView.list", mailbox: cal.Mailbox}, func() (*abstractions.RequestInformation, error) {
		info, err := c.users().ByUserId(cal.Mailbox).CalendarView().ToGetRequestInformation(ctx,
			&sdkusers.ItemCalendarViewRequestBuilderGetRequestConfiguration{
				QueryParameters: &sdkusers.ItemCalendarViewRequestBuilderGetQueryParameters{StartDateTime: &from, EndDateTime: &to},
			})
		return inCalendar(info, cal), err
	}, next)
}

// eventPage reads a page of any list of events.
func (c *Client) eventPage(ctx context.Context, call call, build builder, next string) (outlook.EventPage, error) {
	page, err := fetchPage[models.EventCollectionResponseable](ctx, c, call, build, next, models.CreateEventCollectionResponseFromDiscriminatorValue)
	if err != nil {
		return outlook.EventPage{}, err
	}
	link, err := c.link(page.GetOdataNextLink())
	if err != nil {
		return outlook.EventPage{}, err
	}
	return outlook.EventPage{Events: events(page.GetValue()), Next: link}, nil
}

func checkView(cal outlook.CalendarRef, window outlook.Window, link string) error {
	switch {
	case unnamed(cal.Mailbox):
		return missing("a mailbox")
	case link == "" && !window.From.Before(window.To):
		return badValue("the window must end after it begins")
	}
	return nil
}

// instant writes a time as OData's query parameters take it; the offset in the value decides.
func instant(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// inCalendar turns a request about the default calendar into one about a named one. The paths differ by one step alone, while the
// SDK has other types for each.
func inCalendar(info *abstractions.RequestInformation, cal outlook.CalendarRef) *abstractions.RequestInformation {
	const mailbox = "/users/{user%2Did}/"
	if info != nil && cal.Calendar != "" {
		info.UrlTemplate = strings.Replace(info.UrlTemplate, mailbox, mailbox+"calendars/{calendar%2Did}/", 1)
		info.PathParameters["calendar%2Did"] = cal.Calendar
	}
	return info
}
