package console

import (
	"time"

	"usher/model"
	"usher/model/store"
)

func (c *Console) calendarRoutes() []route {
	const one = "/calendars/{calendar}"
	return []route{
		get("/calendars", model.RightRead, (*visit).showCalendars),
		get("/calendars/rooms", model.RightRead, (*visit).showRooms),
		get("/calendars/mailboxes", model.RightRead, (*visit).showMailboxes),
		post("/calendars/mailboxes/{mailbox}/switch", model.RightManageCalendars, (*visit).switchMailbox),
		get("/calendars/find", model.RightRead, (*visit).findRoom),
		get("/calendars/book", model.RightManageCalendars, (*visit).newBooking),
		post("/calendars/book", model.RightManageCalendars, (*visit).book),
		get(one, model.RightRead, (*visit).showWeek),
		get(one+"/switch", model.RightManageCalendars, (*visit).askSwitchCalendar),
		post(one+"/switch", model.RightManageCalendars, (*visit).switchCalendar),
		post(one+"/sync", model.RightManageCalendars, (*visit).syncCalendar),
	}
}

// calendarsPage is how many calendars, mailboxes or rooms one page shows.
const calendarsPage = 50

func calendarTabs(current string) []tab {
	list := []tab{
		{Name: "Calendars", Path: "/calendars"},
		{Name: "Rooms", Path: "/calendars/rooms"},
		{Name: "Mailboxes", Path: "/calendars/mailboxes"},
		{Name: "Find a room", Path: "/calendars/find"},
	}
	for i := range list {
		list[i].Current = list[i].Path == current
		list[i].Path = Base + list[i].Path
	}
	return list
}

// calendarsView is the list of calendars.
type calendarsView struct {
	Tabs        []tab
	Integration field
	Enabled     field
	Calendars   []calendarRow
	Empty       *empty
	Pager       pager
}

type calendarRow struct {
	Path, Name, Owner string
	Enabled           badge
	State             badge
	ExpiresAt         any
	NotifiedAt        any
	SyncedAt          any
	Lag, Problem      string
}

func (v *visit) showCalendars() error {
	settings, err := v.read.Settings(v.org)
	if err != nil {
		return err
	}
	view := calendarsView{Tabs: calendarTabs("/calendars"), Integration: v.integrationFilter(settings)}
	view.Enabled = field{ID: "enabled", Name: "enabled", Label: "Which", Type: "select", Value: v.query("enabled")}
	view.Enabled = view.Enabled.choose(option{Name: "All"}, option{Value: "on", Name: "Switched on"}, option{Value: "off", Name: "Switched off"})
	filter := store.CalendarFilter{Integration: view.Integration.Value}
	if on := view.Enabled.Value; on != "" {
		is := on == "on"
		filter.Enabled = &is
	}
	list, err := v.read.CalendarsAfter(v.org, filter, v.query("after"), calendarsPage+1)
	if err != nil {
		return err
	}
	next := ""
	if len(list) > calendarsPage {
		list = list[:calendarsPage]
		next = list[calendarsPage-1].ID
	}
	names, err := owners(v, list, ownerOfCalendar)
	if err != nil {
		return err
	}
	for _, c := range list {
		view.Calendars = append(view.Calendars, v.calendarRow(c, names))
	}
	view.Pager = v.paged(next, len(list), "calendars")
	if len(list) == 0 {
		view.Empty = v.noCalendars(settings, filter)
	}
	if v.partial() {
		return v.fragment("calendars", "calendar-list", view)
	}
	return v.render("calendars", page{Title: "Calendars", Lead: "What Usher reads and writes of Microsoft 365's calendars, and how it gets on.", Body: view})
}

func (v *visit) noCalendars(settings *model.Settings, f store.CalendarFilter) *empty {
	var e empty
	synced := false
	for _, i := range sortedIntegrations(settings) {
		synced = synced || i.CalendarSync
	}
	switch {
	case f.Enabled != nil || f.Integration != "":
		e = emptyFiltered("No calendars like that", Base+"/calendars")
	case !synced:
		e = emptyNotConnected("No integration synchronizes calendars", "Switch it on in the settings of an integration: the mailboxes of its people and rooms are found by themselves.", link{"Integrations", Base + "/integrations", "plug-connected"})
	default:
		e = emptyYet("calendar", "No calendar has been found yet", "Mailboxes are looked for in Microsoft 365; their state says how that goes.", link{"Mailboxes", Base + "/calendars/mailboxes", "mail"})
	}
	return &e
}

// ownerNames gives names of accounts and rooms, read together.
type ownerNames map[string]string

// owners reads whose calendars or mailboxes a page shows: each gives the ids of its account and of its room.
func owners[E any](v *visit, list []E, of func(E) (accountID, roomID *string)) (ownerNames, error) {
	var accounts, rooms []string
	for _, e := range list {
		account, room := of(e)
		if room != nil {
			rooms = append(rooms, *room)
		} else if account != nil {
			accounts = append(accounts, *account)
		}
	}
	names, err := v.read.Owners(v.org, accounts, rooms)
	return names, err
}

func ownerOfCalendar(c model.Calendar) (accountID, roomID *string) { return c.AccountID, c.RoomID }

// name gives the name of whoever has a calendar or mailbox.
func (n ownerNames) name(accountID, roomID *string) string {
	switch {
	case roomID != nil:
		return orWord(n[*roomID], "a room")
	case accountID != nil:
		return orWord(n[*accountID], "somebody")
	}
	return ""
}

func orWord(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

func (v *visit) calendarRow(c model.Calendar, names ownerNames) calendarRow {
	row := calendarRow{
		Path: Base + "/calendars/" + c.ID, Name: c.Name, Owner: names.name(c.AccountID, c.RoomID), Enabled: badge{calm, "circle-dashed", "Off"}, State: subscriptionState(c),
		ExpiresAt: c.Subscription.ExpiresAt, NotifiedAt: c.Subscription.NotifiedAt, SyncedAt: c.Sync.SyncedAt, Problem: c.Sync.Error,
	}
	if c.Enabled {
		row.Enabled = badge{good, "circle-check", "On"}
	}
	if row.Problem == "" && c.Subscription.State == model.SubscriptionFailed {
		row.Problem = c.Subscription.Detail
	}
	if c.Enabled && c.Sync.ChangedAt != nil {
		row.Lag = "behind by " + v.now().Sub(*c.Sync.ChangedAt).Round(time.Second).String()
	}
	row.Problem = sentence(row.Problem)
	return row
}

func subscriptionState(c model.Calendar) badge {
	switch {
	case !c.Enabled:
		return badge{calm, "circle-dashed", "Not read"}
	case c.Subscription.State == model.SubscriptionActive:
		return badge{good, "bolt", "Told of changes"}
	case c.Subscription.State == model.SubscriptionFailed:
		return badge{warn, "refresh", "Asked every now and then"}
	}
	return badge{fresh, "loader", "Being set up"}
}

// mailboxesView is the list of mailboxes of an integration.
type mailboxesView struct {
	Tabs        []tab
	Integration field
	Mailboxes   []mailboxRow
	Empty       *empty
	Pager       pager
	Manage      bool
	Back        string
}

type mailboxRow struct {
	ID, Integration, Address, Owner, Detail string
	State                                   badge
	Enabled                                 bool
	TriedAt                                 any
}

func (v *visit) showMailboxes() error {
	settings, err := v.read.Settings(v.org)
	if err != nil {
		return err
	}
	view := mailboxesView{Tabs: calendarTabs("/calendars/mailboxes"), Integration: v.integrationFilter(settings), Manage: v.can(model.RightManageCalendars)}
	integrations := sortedIntegrations(settings)
	chosen := view.Integration.Value
	if chosen == "" && len(integrations) > 0 {
		chosen = integrations[0].ID
		for _, i := range integrations {
			if i.CalendarSync {
				chosen = i.ID
				break
			}
		}
		view.Integration.Value = chosen
	}
	view.Integration = view.Integration.choose(view.Integration.Options[1:]...)
	next := ""
	if chosen != "" {
		list, err := v.read.MailboxesAfter(model.Ref{OrganizationID: v.org, IntegrationID: chosen}, v.query("after"), calendarsPage+1)
		if err != nil {
			return err
		}
		if len(list) > calendarsPage {
			list = list[:calendarsPage]
			next = list[calendarsPage-1].ID
		}
		names, err := owners(v, list, func(m model.Mailbox) (accountID, roomID *string) { return m.AccountID, m.RoomID })
		if err != nil {
			return err
		}
		for _, m := range list {
			view.Mailboxes = append(view.Mailboxes, mailboxRow{
				ID: m.ID, Integration: m.IntegrationID, Address: m.Address, Owner: names.name(m.AccountID, m.RoomID), Detail: sentence(m.Detail), State: mailboxState(m.State), Enabled: m.Enabled, TriedAt: m.TriedAt,
			})
		}
	}
	view.Pager = v.paged(next, len(view.Mailboxes), "mailboxes")
	if len(view.Mailboxes) == 0 {
		view.Empty = v.noCalendars(settings, store.CalendarFilter{})
	}
	return v.render("mailboxes", page{Title: "Mailboxes", Lead: "Whose calendars were looked for, and what was found.", Body: view})
}

func mailboxState(s model.MailboxState) badge {
	switch s {
	case model.MailboxActive:
		return badge{good, "circle-check", "Found"}
	case model.MailboxMissing:
		return badge{calm, "mail", "No mailbox"}
	case model.MailboxBlocked:
		return badge{bad, "lock", "No access"}
	case model.MailboxOff:
		return badge{calm, "ban", "Off"}
	case model.MailboxPending:
	}
	return badge{fresh, "loader", "Being looked for"}
}

func (v *visit) switchMailbox() error {
	m, err := v.calendars.SwitchMailbox(v.ctx, v.who.Operator.Actor(), v.org, v.r.PathValue("mailbox"), v.field("enabled") == "on")
	if err != nil {
		return err
	}
	said := "The mailbox is left alone; its Outlook events leave the application."
	if m.Enabled {
		said = "The mailbox is synchronized."
	}
	return v.done("/calendars/mailboxes?integration="+m.IntegrationID, said)
}
