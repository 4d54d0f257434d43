package scim

import (
	"net/http"

	"usher/model"
	"usher/scim/resource"
)

func (h *Handler) listUsers(c *call) (answer, error) {
	res := h.tables.User
	q, err := c.page(res)
	if err != nil {
		return answer{}, err
	}
	users, total, err := h.opt.Directory.Users(c.ctx(), c.ref, q)
	if err != nil {
		return answer{}, err
	}
	p := c.projection(res)
	page := make([]rendered, len(users))
	for i := range users {
		page[i] = userOf(users[i])
	}
	if err := h.fillGroups(c, &p, page); err != nil {
		return answer{}, err
	}
	return h.list(c, res, &p, q.StartIndex, total, page)
}

// fillGroups reads the groups of all users of a page at once, where they are asked for.
func (h *Handler) fillGroups(c *call, p *resource.Projection, page []rendered) error {
	if len(page) == 0 || !p.Wants(h.tables.User.Core.Attribute("groups")) {
		return nil
	}
	ids := make([]string, len(page))
	for i := range page {
		ids[i] = page[i].id
	}
	groups, err := h.opt.Directory.GroupsOf(c.ctx(), c.ref, ids)
	if err != nil {
		return err
	}
	for i := range page {
		page[i].extraName = "groups"
		for _, g := range groups[page[i].id] {
			page[i].extra = append(page[i].extra, reference{g.ID, "direct", g.DisplayName})
		}
	}
	return nil
}

// answerUser answers with one user.
func (h *Handler) answerUser(c *call, status int, u model.DirectoryUser) (answer, error) {
	p := c.projection(h.tables.User)
	page := []rendered{userOf(u)}
	if err := h.fillGroups(c, &p, page); err != nil {
		return answer{}, err
	}
	return h.single(c, status, h.tables.User, &p, page[0])
}

func (h *Handler) user(c *call) (answer, error) {
	u, err := h.opt.Directory.User(c.ctx(), c.ref, c.id)
	if err != nil {
		return answer{}, err
	}
	return h.answerUser(c, http.StatusOK, u)
}

func (h *Handler) createUser(c *call) (answer, error) {
	doc, err := h.sentUser(c)
	if err != nil {
		return answer{}, err
	}
	u, err := h.opt.Directory.CreateUser(c.ctx(), c.ref, model.DirectoryUser{Document: doc})
	if err != nil {
		return answer{}, err
	}
	return h.answerUser(c, http.StatusCreated, u)
}

// sentUser reads a whole user from the body.
func (h *Handler) sentUser(c *call) (model.Document, error) {
	body, err := c.body()
	if err != nil {
		return model.Document{}, err
	}
	n, err := resource.Normalise(h.tables.User, body, c.note)
	if err != nil {
		return model.Document{}, err
	}
	return c.document(n.Attributes)
}

func (h *Handler) replaceUser(c *call) (answer, error) {
	doc, err := h.sentUser(c)
	if err != nil {
		return answer{}, err
	}
	u, err := h.opt.Directory.ChangeUser(c.ctx(), c.ref, c.id, func(u *model.DirectoryUser) error {
		u.Document = doc
		return nil
	})
	if err != nil {
		return answer{}, err
	}
	return h.answerUser(c, http.StatusOK, u)
}

func (h *Handler) patchUser(c *call) (answer, error) {
	body, err := c.body()
	if err != nil {
		return answer{}, err
	}
	patch, err := resource.ParsePatch(h.tables.User, body, c.note)
	if err != nil {
		return answer{}, err
	}
	u, err := h.opt.Directory.ChangeUser(c.ctx(), c.ref, c.id, func(u *model.DirectoryUser) error {
		return c.edit(&u.Document, patch)
	})
	if err != nil {
		return answer{}, err
	}
	return h.answerUser(c, http.StatusOK, u)
}

// edit applies a patch to a document; one that changes nothing leaves it as it is.
func (c *call) edit(d *model.Document, patch *resource.Patch) error {
	before, err := d.Parse()
	if err != nil {
		return err
	}
	after, differs, err := patch.Apply(before, c.note)
	if err != nil || !differs {
		return err
	}
	changed, err := c.document(after)
	if err == nil {
		*d = changed
	}
	return err
}

func (h *Handler) deleteUser(c *call) (answer, error) {
	return answer{status: http.StatusNoContent}, h.opt.Directory.DeleteUser(c.ctx(), c.ref, c.id)
}
