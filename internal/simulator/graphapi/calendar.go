package graphapi

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"strings"

	"usher/model/outlook"
)

// ref is the calendar that the path names; without one the default one.
func (c *call) ref() outlook.CalendarRef {
	return outlook.CalendarRef{Mailbox: c.vars["user"], Calendar: c.vars["calendar"]}
}

func (s *Server) calendars(ctx context.Context, c *call) (answer, error) {
	list, err := s.world.Calendars(ctx, c.vars["user"])
	if err != nil {
		return answer{}, err
	}
	names, err := c.selected("calendar", calendarProperties()...)
	if err != nil {
		return answer{}, err
	}
	all := make([]object, 0, len(list))
	for _, one := range list {
		all = append(all, project(renderCalendar(one), names))
	}
	return s.slice(c, "users('"+c.vars["user"]+"')/calendars", all)
}

func (s *Server) calendar(ctx context.Context, c *call) (answer, error) {
	list, err := s.world.Calendars(ctx, c.vars["user"])
	if err != nil {
		return answer{}, err
	}
	names, err := c.selected("calendar", calendarProperties()...)
	if err != nil {
		return answer{}, err
	}
	for _, one := range list {
		if wanted := c.vars["calendar"]; wanted == one.ID || wanted == "" && one.IsDefault {
			o := project(renderCalendar(one), names)
			o["@odata.context"] = s.GraphURL + "/" + c.version + "/$metadata#users('" + c.vars["user"] + "')/calendars/$entity"
			return jsonAnswer(http.StatusOK, o)
		}
	}
	return answer{}, &outlook.Error{Kind: outlook.NotFound}
}

func calendarProperties() []string {
	return []string{
		"id", "name", "color", "hexColor", "changeKey", "canEdit", "canShare", "canViewPrivateItems", "isDefaultCalendar",
		"isRemovable", "isTallyingResponses", "owner", "allowedOnlineMeetingProviders", "defaultOnlineMeetingProvider",
	}
}

func renderCalendar(c outlook.Calendar) object {
	return object{
		"id": c.ID, "name": c.Name, "color": orDefault(c.Color, "auto"), "hexColor": "", "changeKey": "DxYSthXJXEWwAQSYQnXvIgAAIxGttg==",
		"canEdit": c.CanEdit, "canShare": c.CanEdit, "canViewPrivateItems": true, "isDefaultCalendar": c.IsDefault,
		"isRemovable": !c.IsDefault, "isTallyingResponses": c.IsDefault, "owner": address(c.Owner),
		"allowedOnlineMeetingProviders": []string{"teamsForBusiness"}, "defaultOnlineMeetingProvider": "teamsForBusiness",
	}
}

// view answers a page of singles, occurrences and exceptions.
func (s *Server) view(ctx context.Context, c *call) (answer, error) {
	return s.pages(c, "calendarView", func(w outlook.Window, next string) (outlook.EventPage, error) {
		return s.world.View(ctx, c.ref(), w, next)
	})
}

// instances answers a page of what a series has in a window.
func (s *Server) instances(ctx context.Context, c *call) (answer, error) {
	return s.pages(c, "events('"+c.vars["event"]+"')/instances", func(w outlook.Window, next string) (outlook.EventPage, error) {
		return s.world.Instances(ctx, c.ref(), inID(c.vars["event"]), w, next)
	})
}

// pages is the way of every list over a window: $top or odata.maxpagesize, $skiptoken, $select and one $expand.
func (s *Server) pages(c *call, what string, read func(outlook.Window, string) (outlook.EventPage, error)) (answer, error) {
	window, err := c.window()
	if err != nil {
		return answer{}, err
	}
	size, err := c.number("$top", orSize(c.prefer.pageSize, defaultPage), 1)
	if err != nil {
		return answer{}, err
	}
	shape, err := s.shape(c)
	if err != nil {
		return answer{}, err
	}
	var p page
	link := ""
	if token := c.query.Get("$skiptoken"); token != "" {
		rest, ok := (*page)(nil), false
		if link, rest, ok = s.open(token); !ok {
			return answer{}, badRequest("The skip token is invalid.")
		} else if rest != nil {
			p = *rest
		}
	}
	if p.events == nil {
		got, err := read(window, link)
		if err != nil {
			return answer{}, err
		}
		p = page{events: got.Events, next: got.Next}
	}
	events, skip := s.shorten(p, min(size, 1000))
	values := make([]object, 0, len(events))
	for _, e := range events {
		values = append(values, shape(e))
	}
	next := ""
	if skip != "" {
		next = s.link(c, url.Values(maps.Clone(c.query)), "$skiptoken", skip)
	}
	return jsonAnswer(http.StatusOK, s.collection(c, "users('"+c.vars["user"]+"')/"+what, values, next))
}

func orSize(size, otherwise int) int {
	if size == 0 {
		return otherwise
	}
	return size
}

// delta answers a page of what changed. Its links carry the window and nothing else.
func (s *Server) delta(ctx context.Context, c *call) (answer, error) {
	for _, name := range []string{"$orderby", "$filter", "$select", "$expand", "$search"} {
		if c.query.Has(name) {
			return answer{}, refuse(400, "ErrorInvalidUrlQuery", "The following parameters are not supported with change tracking over the 'CalendarView' resource: '$orderby, $filter, $select, $expand, $search'.")
		}
	}
	p, err := s.deltaPage(ctx, c)
	if err != nil {
		return answer{}, err
	}
	events, skip := s.shorten(p, c.prefer.pageSize)
	values := make([]object, 0, len(events))
	for _, e := range events {
		values = append(values, c.prefer.change(e))
	}
	o := s.collection(c, "Collection(event)", values, "")
	switch {
	case skip != "":
		o["@odata.nextLink"] = s.link(c, nil, "$skiptoken", skip)
	case p.delta != "":
		o["@odata.deltaLink"] = s.link(c, nil, "$deltatoken", linkToken(p.delta))
	}
	return jsonAnswer(http.StatusOK, o)
}

func (s *Server) deltaPage(ctx context.Context, c *call) (page, error) {
	token := c.query.Get("$skiptoken") + c.query.Get("$deltatoken")
	var window outlook.Window
	link := ""
	if token == "" {
		var err error
		if window, err = c.window(); err != nil {
			return page{}, err
		}
	} else {
		rest, ok := (*page)(nil), false
		link, rest, ok = s.open(token)
		switch {
		case !ok && strings.HasPrefix(token, "R"):
			return page{}, &outlook.Error{Kind: outlook.SyncLost}
		case !ok:
			return page{}, &outlook.Error{Kind: outlook.SyncLost, Status: 400, Code: "SyncStateInvalid", Message: "The sync state is invalid."}
		case rest != nil:
			return *rest, nil
		}
	}
	got, err := s.world.Delta(ctx, c.ref(), window, link)
	return page{events: got.Events, next: got.Next, delta: got.Delta}, err
}

// change tells an item of a delta: what is gone, the stub of an occurrence, or the whole event.
func (p preferences) change(e outlook.Event) object {
	switch {
	case e.Removed != "":
		return p.removed(e)
	case e.Stub || e.Type == outlook.Occurrence:
		return p.stub(e)
	}
	o := p.event(e)
	o["@odata.type"] = "#microsoft.graph.event"
	return o
}
