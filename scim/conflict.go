package scim

import (
	"errors"

	"usher/model"
	"usher/scim/filter"
	"usher/scim/schemas"
	"usher/scim/wire"
)

// taken says of a Conflict which value is taken, and by whom, so that whoever reads Entra's log knows which user or group
// to look at. It reads once more, on this way alone. Any other error is given back as it is.
func (h *Handler) taken(c *call, res *schemas.Resource, wanted *model.Document, err error) error {
	e, ok := errors.AsType[*model.Error](err)
	if !ok || e.Kind != model.Conflict {
		return err
	}
	value, ok := wanted.Attributes()[e.Field].(string)
	if !ok {
		return err
	}
	holder := h.holder(c, res, e.Field, value)
	if holder == "" {
		return model.FieldErrorf(model.Conflict, e.Field, "%q is taken already; it must be unique in the integration, whatever the case", clip(value))
	}
	return model.FieldErrorf(model.Conflict, e.Field, "%q is taken by the %s %s already; it must be unique in the integration, whatever the case",
		clip(value), model.Fold(res.Name), holder)
}

// holder gives the id of the resource that has the value; "" where it is gone again.
func (h *Handler) holder(c *call, res *schemas.Resource, attribute, value string) string {
	ignore := func(string) {}
	expr, err := filter.Parse(attribute+" eq "+string(wire.AppendString(nil, value)), ignore)
	if err != nil {
		return ""
	}
	q := model.ResourceQuery{StartIndex: 1, Count: 1}
	if q.Filter, err = (filter.Scope{Resource: res, Note: ignore}).Filter(expr); err != nil {
		return ""
	}
	if res == h.tables.User {
		if users, _, err := h.opt.Directory.Users(c.ctx(), c.ref, q); err == nil && len(users) > 0 {
			return users[0].ID
		}
		return ""
	}
	if groups, _, err := h.opt.Directory.Groups(c.ctx(), c.ref, q); err == nil && len(groups) > 0 {
		return groups[0].ID
	}
	return ""
}
