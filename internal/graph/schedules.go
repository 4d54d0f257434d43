package graph

import (
	"context"
	"strings"
	"time"

	"github.com/microsoftgraph/msgraph-sdk-go/models"
	sdkusers "github.com/microsoftgraph/msgraph-sdk-go/users"

	"usher/model/outlook"
)

// mostSchedules is how many addresses one getSchedule may name.
const mostSchedules = 20

// Schedules says when up to 20 addresses are busy, asked in the name of a mailbox. There is one result for each address, in their
// order; what Graph could not say of one is in its Err.
func (c *Client) Schedules(ctx context.Context, mailbox string, addresses []string, window outlook.Window) ([]outlook.Schedule, error) {
	switch {
	case unnamed(mailbox):
		return nil, missing("a mailbox")
	case len(addresses) > mostSchedules:
		return nil, badValue("getSchedule takes 20 addresses at most")
	case !window.From.Before(window.To):
		return nil, badValue("the window must end after it begins")
	case len(addresses) == 0:
		return nil, nil
	}
	body := sdkusers.NewItemCalendarGetSchedulePostRequestBody()
	interval := int32(30)
	body.SetSchedules(addresses)
	body.SetStartTime(writtenMoment(inUTC(window.From)))
	body.SetEndTime(writtenMoment(inUTC(window.To)))
	body.SetAvailabilityViewInterval(&interval)
	info, err := c.users().ByUserId(mailbox).Calendar().GetSchedule().ToPostRequestInformation(ctx, body, nil)
	answer, err := fetch[sdkusers.ItemCalendarGetSchedulePostResponseable](ctx, c,
		call{operation: "calendar.getSchedule", mailbox: mailbox, safe: true, prefer: []string{preferUTC}}, info, err,
		sdkusers.CreateItemCalendarGetSchedulePostResponseFromDiscriminatorValue)
	if err != nil {
		return nil, err
	}
	told := map[string]models.ScheduleInformationable{}
	for _, schedule := range answer.GetValue() {
		if schedule != nil {
			told[strings.ToLower(value(schedule.GetScheduleId()))] = schedule
		}
	}
	result := make([]outlook.Schedule, len(addresses))
	for i, address := range addresses {
		result[i] = schedule(address, told[strings.ToLower(address)])
	}
	return result, nil
}

func inUTC(t time.Time) *outlook.Moment {
	return &outlook.Moment{DateTime: t.UTC().Format("2006-01-02T15:04:05"), TimeZone: "UTC"}
}

func schedule(address string, told models.ScheduleInformationable) outlook.Schedule {
	result := outlook.Schedule{Address: address}
	if told == nil {
		result.Err = unreadable("the answer does not speak of this address")
		return result
	}
	if failed := told.GetError(); failed != nil {
		code := cleanCode(value(failed.GetResponseCode()))
		result.Err = &outlook.Error{Kind: kindOfSchedule(code), Code: code, Message: shorten(value(failed.GetMessage()), 500)}
		return result
	}
	for _, item := range told.GetScheduleItems() {
		if item == nil || value(item.GetStatus()) == models.FREE_FREEBUSYSTATUS && item.GetStatus() != nil {
			continue
		}
		from, to, ok := span(item)
		if !ok {
			result.Err = unreadable("a time of the schedule cannot be read")
			return result
		}
		result.Busy = append(result.Busy, outlook.Busy{Window: outlook.Window{From: from, To: to}, Status: busyStatus(item)})
	}
	return result
}

// busyStatus takes for busy what Graph does not know: a room must not be given away for that.
func busyStatus(item models.ScheduleItemable) string {
	switch status := name(item.GetStatus()); status {
	case "tentative", "oof", "workingElsewhere":
		return status
	}
	return "busy"
}

// span reads the times of an item, which are in UTC because that was asked for.
func span(item models.ScheduleItemable) (from, to time.Time, ok bool) {
	from, one := readUTC(item.GetStart())
	to, two := readUTC(item.GetEnd())
	return from, to, one && two
}

func readUTC(m models.DateTimeTimeZoneable) (time.Time, bool) {
	read := moment(m)
	if !strings.EqualFold(read.TimeZone, "UTC") {
		return time.Time{}, false
	}
	t, err := time.Parse("2006-01-02T15:04:05", strings.TrimSuffix(read.DateTime, "Z")) // fractions are read as well
	return t, err == nil
}

// kindOfSchedule reads the response code of Exchange's availability service; there is no status.
func kindOfSchedule(code string) outlook.Kind {
	switch lower := strings.ToLower(code); {
	case strings.Contains(lower, "mailrecipientnotfound"), strings.Contains(lower, "errorinvaliduser"), strings.Contains(lower, "errornonexistentmailbox"):
		return outlook.NoMailbox
	case strings.Contains(lower, "accessdenied"), strings.Contains(lower, "nofreebusyaccess"):
		return outlook.Forbidden
	case strings.Contains(lower, "serverbusy"), strings.Contains(lower, "timeout"), strings.Contains(lower, "mailboxfailover"),
		strings.Contains(lower, "mailboxlogonfailed"):
		return outlook.Unavailable
	}
	return outlook.Other
}
