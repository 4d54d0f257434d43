package scim

import (
	"maps"
	"net/http"

	"usher/model"
	"usher/scim/resource"
	"usher/scim/schemas"
)

// groupsOf are the groups of users, shown where they are asked for.
func (h *Handler) groupsOf(c *call) references {
	return references{
		name: "groups", instead: `/Groups?filter=members eq "<id of the user>"`,
		read: func(ids []string, most int) (map[string][]reference, error) {
			groups, err := h.opt.Directory.GroupsOf(c.ctx(), c.ref, ids, most)
			found := make(map[string][]reference, len(groups))
			for id, list := range groups {
				refs := make([]reference, len(list))
				for i, g := range list {
					refs[i] = reference{g.ID, "direct", g.DisplayName}
				}
				found[id] = refs
			}
			return found, err
		},
		count: func(ids []string) (map[string]int, error) { return h.opt.Directory.CountGroupsOf(c.ctx(), c.ref, ids) },
	}
}

// answerUser answers with one user.
func (h *Handler) answerUser(c *call, status int, u model.DirectoryUser) (answer, error) {
	p, users, r := c.projection(h.tables.User), h.users(), userOf(u)
	if err := h.fillOne(c, &users, &p, &r, c.request.Method != http.MethodGet && c.request.Method != http.MethodHead); err != nil {
		return answer{}, err
	}
	return h.single(c, status, h.tables.User, &p, r)
}

func (h *Handler) user(c *call) (answer, error) {
	u, err := h.opt.Directory.User(c.ctx(), c.ref, c.id)
	if err != nil {
		return answer{}, err
	}
	r := userOf(u)
	unchanged, err := c.unchanged(&r)
	if err != nil {
		return answer{}, err
	}
	// The version does not count the groups: whoever asks for them gets them.
	if p := c.projection(h.tables.User); unchanged && !p.Wants(h.tables.User.Core.Attribute("groups")) {
		return notModified(&r), nil
	}
	if err := c.spare(u.Document.Size(), perPageByte); err != nil {
		return answer{}, err
	}
	return h.answerUser(c, http.StatusOK, u)
}

func (h *Handler) createUser(c *call) (answer, error) {
	n, err := h.sent(c, h.tables.User)
	if err != nil {
		return answer{}, err
	}
	doc, err := c.document(n.Attributes)
	if err != nil {
		return answer{}, err
	}
	u, err := h.opt.Directory.CreateUser(c.ctx(), c.ref, model.DirectoryUser{Document: doc})
	if err != nil {
		return answer{}, h.taken(c, h.tables.User, &doc, err)
	}
	return h.answerUser(c, http.StatusCreated, u)
}

// sent reads a whole resource from the body.
func (h *Handler) sent(c *call, res *schemas.Resource) (resource.Normal, error) {
	body, err := c.body()
	if err != nil {
		return resource.Normal{}, err
	}
	return resource.Normalise(res, body, c.note)
}

// replaceUser replaces a user. A body that does not speak of active leaves it alone, as RFC 7644 §3.5.1 lets the server
// choose: a client that writes a profile back without it must not bring a leaver back.
func (h *Handler) replaceUser(c *call) (answer, error) {
	conditions, err := c.conditions()
	if err != nil {
		return answer{}, err
	}
	n, err := h.sent(c, h.tables.User)
	if err != nil {
		return answer{}, err
	}
	var doc model.Document
	u, err := h.opt.Directory.ChangeUser(c.ctx(), c.ref, c.id, func(u *model.DirectoryUser) error {
		r := userOf(*u)
		c.about(&r)
		if err := conditions.forChange(&r); err != nil {
			return err
		}
		after := maps.Clone(n.Attributes)
		if held, ok := u.Document.Attributes()["active"]; ok && !n.Names("active") {
			after["active"] = held
		}
		changed, err := c.document(after)
		doc, u.Document = changed, changed
		return err
	})
	if err != nil {
		return answer{}, h.taken(c, h.tables.User, &doc, err)
	}
	return h.answerUser(c, http.StatusOK, u)
}

func (h *Handler) patchUser(c *call) (answer, error) {
	conditions, err := c.conditions()
	if err != nil {
		return answer{}, err
	}
	patch, err := h.patch(c, h.tables.User)
	if err != nil {
		return answer{}, err
	}
	var doc model.Document
	u, err := h.opt.Directory.ChangeUser(c.ctx(), c.ref, c.id, func(u *model.DirectoryUser) error {
		r := userOf(*u)
		c.about(&r)
		if err := conditions.forChange(&r); err != nil {
			return err
		}
		err := c.edit(&u.Document, patch)
		doc = u.Document
		return err
	})
	if err != nil {
		return answer{}, h.taken(c, h.tables.User, &doc, err)
	}
	return h.answerUser(c, http.StatusOK, u)
}

// patch reads the body of a PATCH.
func (h *Handler) patch(c *call, res *schemas.Resource) (*resource.Patch, error) {
	body, err := c.body()
	if err != nil {
		return nil, err
	}
	return resource.ParsePatch(res, body, c.note)
}

// edit applies a patch to a document; one that changes nothing leaves it as it is.
func (c *call) edit(d *model.Document, patch *resource.Patch) error {
	if err := c.spare(d.Size(), perDocumentByte); err != nil {
		return err
	}
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
	conditions, err := c.conditions()
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, h.opt.Directory.DeleteUser(c.ctx(), c.ref, c.id, func(u *model.DirectoryUser) error {
		r := userOf(*u)
		c.about(&r)
		return conditions.forChange(&r)
	})
}
