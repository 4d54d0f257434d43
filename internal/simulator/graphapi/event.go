package graphapi

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"usher/model/outlook"
)

// shape gives what a request wants to read of an event: $select, and $expand of the extended property.
func (s *Server) shape(c *call) (func(outlook.Event) object, error) {
	names, err := c.selected("event", eventProperties()...)
	if err != nil {
		return nil, err
	}
	mark, exceptions := "", false
	for _, one := range c.expansions() {
		switch found := expandMark.FindStringSubmatch(one); {
		case found != nil:
			if mark = unquote(found[1]); !propertyFormat.MatchString(mark) {
				return nil, malformedProperty()
			}
		case strings.EqualFold(one, "exceptionOccurrences"):
			exceptions = true
		default:
			return nil, badRequest("Parsing OData Select and Expand failed: '" + one + "' cannot be expanded.")
		}
	}
	return func(e outlook.Event) object {
		whole := c.prefer.event(e)
		if slices.Contains(names, "cancelledOccurrences") {
			whole["cancelledOccurrences"] = c.prefer.ids(e.CancelledOccurrences)
		}
		o := project(whole, names)
		if exceptions {
			list := make([]object, 0, len(e.ExceptionOccurrences))
			for _, one := range e.ExceptionOccurrences {
				list = append(list, c.prefer.event(one))
			}
			o["exceptionOccurrences"] = list
		}
		if mark != "" && e.Origin != "" && s.isMark(mark) {
			o["singleValueExtendedProperties"] = []object{{"id": mark, "value": e.Origin}}
		}
		return o
	}, nil
}

func (p preferences) ids(list []string) []string {
	out := make([]string, 0, len(list))
	for _, id := range list {
		out = append(out, p.outID(id))
	}
	return out
}

func malformedProperty() *outlook.Error {
	return refuse(400, "ErrorInvalidExtendedProperty", "The id of an extended property must read like 'String {GUID} Name name'.")
}

// isMark says whether the id is the one extended property that is kept; the first id that anybody names becomes it.
func (s *Server) isMark(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mark == "" {
		s.mark = id
	}
	return strings.EqualFold(s.mark, id)
}

func (s *Server) entity(c *call, status int, o object) (answer, error) {
	o["@odata.context"] = s.GraphURL + "/" + c.version + "/$metadata#users('" + c.vars["user"] + "')/events/$entity"
	return jsonAnswer(status, o)
}

// event reads one event; as a series with what was changed in it only where that is asked for.
func (s *Server) event(ctx context.Context, c *call) (answer, error) {
	shape, err := s.shape(c)
	if err != nil {
		return answer{}, err
	}
	id := inID(c.vars["event"])
	e, err := s.world.Event(ctx, c.ref(), id)
	asked := strings.ToLower(c.query.Get("$select") + "," + c.query.Get("$expand"))
	if err == nil && e.Type == outlook.SeriesMaster && (strings.Contains(asked, "cancelledoccurrences") || strings.Contains(asked, "exceptionoccurrences")) {
		e, err = s.world.Master(ctx, c.ref(), id)
	}
	if err != nil {
		return answer{}, err
	}
	return s.entity(c, http.StatusOK, shape(e))
}

// findEvents lists what a filter finds; the list without a filter is not held.
func (s *Server) findEvents(ctx context.Context, c *call) (answer, error) {
	shape, err := s.shape(c)
	if err != nil {
		return answer{}, err
	}
	var origin, uid string
	filter := c.query.Get("$filter")
	if found := filterICal.FindStringSubmatch(filter); found != nil {
		uid = unquote(found[1])
	} else if found := filterMark.FindStringSubmatch(filter); found != nil && found[1] == found[2] && found[1] == found[4] {
		id := unquote(found[3])
		if !propertyFormat.MatchString(id) {
			return answer{}, malformedProperty()
		}
		if !s.isMark(id) {
			return s.slice(c, "users('"+c.vars["user"]+"')/events", nil)
		}
		origin = unquote(found[5])
	} else if filter == "" {
		return answer{}, notHeld("the list of all events; filter by iCalUId or by an extended property")
	} else {
		return answer{}, refuse(400, "ErrorInvalidUrlQueryFilter", "The query filter contains one or more invalid nodes.")
	}
	if origin == "" && uid == "" {
		return s.slice(c, "users('"+c.vars["user"]+"')/events", nil)
	}
	events, err := s.world.FindEvents(ctx, c.ref(), origin, uid)
	if err != nil {
		return answer{}, err
	}
	all := make([]object, 0, len(events))
	for _, e := range events {
		all = append(all, shape(e))
	}
	return s.slice(c, "users('"+c.vars["user"]+"')/events", all)
}

func (s *Server) createEvent(ctx context.Context, c *call) (answer, error) {
	draft, err := s.readDraft(c, true)
	if err != nil {
		return answer{}, err
	}
	e, err := s.world.CreateEvent(ctx, c.ref(), draft)
	if err != nil {
		return answer{}, err
	}
	a, err := s.entity(c, http.StatusCreated, c.prefer.event(e))
	if err == nil {
		a.header.Set("Location", s.GraphURL+"/"+c.version+"/users('"+c.vars["user"]+"')/events('"+c.prefer.outID(e.ID)+"')")
	}
	return a, err
}

func (s *Server) updateEvent(ctx context.Context, c *call) (answer, error) {
	draft, err := s.readDraft(c, false)
	if err != nil {
		return answer{}, err
	}
	key, err := c.ifMatch()
	if err != nil {
		return answer{}, err
	}
	e, err := s.world.UpdateEvent(ctx, c.ref(), inID(c.vars["event"]), draft, key)
	if err != nil {
		return answer{}, err
	}
	return s.entity(c, http.StatusOK, c.prefer.event(e))
}

func (s *Server) deleteEvent(ctx context.Context, c *call) (answer, error) {
	key, err := c.ifMatch()
	if err != nil {
		return answer{}, err
	}
	return newAnswer(http.StatusNoContent), s.world.DeleteEvent(ctx, c.ref(), inID(c.vars["event"]), key)
}

func (s *Server) cancelEvent(ctx context.Context, c *call) (answer, error) {
	fields, err := c.fields("cancel", "comment")
	if err != nil {
		return answer{}, err
	}
	comment := ""
	if raw, ok := fields["comment"]; ok && json.Unmarshal(raw, &comment) != nil {
		return answer{}, unconvertible("Comment", "Edm.String")
	}
	return newAnswer(http.StatusAccepted), s.world.CancelEvent(ctx, c.ref(), inID(c.vars["event"]), comment)
}

// ifMatch reads the change key that an event must still have; "" is any.
func (c *call) ifMatch() (string, error) {
	value := strings.TrimSpace(c.header.Get("If-Match"))
	if value == "" || value == "*" {
		return "", nil
	}
	key, ok := strings.CutPrefix(value, `W/"`)
	if !ok || !strings.HasSuffix(key, `"`) || len(key) < 2 {
		return "", refuse(400, "ErrorInvalidChangeKey", "The change key is invalid.")
	}
	return key[:len(key)-1], nil
}
