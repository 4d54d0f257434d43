package graphapi

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"usher/internal/simulator/entraid"
)

// values reads the JSON object of a request as it is: which properties there are is the directory's affair. Annotations are
// passed over, save those that bind.
func (c *call) values() (entraid.Values, error) {
	var v entraid.Values
	if json.Unmarshal(c.body, &v) != nil || v == nil {
		return nil, refuse(http.StatusBadRequest, "BadRequest", "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.")
	}
	for name := range v {
		if strings.Contains(name, "@") && !strings.HasSuffix(name, "@odata.bind") {
			delete(v, name)
		}
	}
	return v, nil
}

func noContent(err error) (answer, error) { return newAnswer(http.StatusNoContent), err }

// createPerson answers POST /users.
func (s *Server) createPerson(ctx context.Context, c *call) (answer, error) {
	v, err := c.values()
	if err != nil {
		return answer{}, err
	}
	u, err := s.as(c).CreateUser(ctx, v)
	if err != nil {
		return answer{}, err
	}
	o := s.renderPerson(u, nil)
	o["@odata.context"] = s.GraphURL + "/" + c.version + "/$metadata#users/$entity"
	a, err := jsonAnswer(http.StatusCreated, o)
	a.header.Set("Location", s.GraphURL+"/"+c.version+"/directoryObjects/"+u.ID+"/Microsoft.DirectoryServices.User")
	return a, err
}

// updatePerson answers PATCH /users/{id}.
func (s *Server) updatePerson(ctx context.Context, c *call) (answer, error) {
	v, err := c.values()
	if err != nil {
		return answer{}, err
	}
	return noContent(s.as(c).UpdateUser(ctx, c.vars["user"], v))
}

// deletePerson answers DELETE /users/{id}.
func (s *Server) deletePerson(ctx context.Context, c *call) (answer, error) {
	return noContent(s.as(c).DeleteUser(ctx, c.vars["user"]))
}

// reference reads the id out of {"@odata.id": "https://…/{id}"}.
func (c *call) reference() (string, error) {
	var body struct {
		ID string `json:"@odata.id"`
	}
	if json.Unmarshal(c.body, &body) != nil || body.ID == "" {
		return "", entraid.Invalid("A value is required for property '@odata.id' of resource 'Reference'.")
	}
	return lastSegment(body.ID), nil
}

func lastSegment(address string) string {
	return address[strings.LastIndexByte(address, '/')+1:]
}

// setManager answers PUT and DELETE /users/{id}/manager/$ref.
func (s *Server) setManager(ctx context.Context, c *call) (answer, error) {
	manager := ""
	if c.method == http.MethodPut {
		var err error
		if manager, err = c.reference(); err != nil {
			return answer{}, err
		}
	}
	return noContent(s.as(c).SetManager(ctx, c.vars["user"], manager))
}

// manager answers GET /users/{id}/manager.
func (s *Server) manager(ctx context.Context, c *call) (answer, error) {
	names, err := c.selectedOpen("user", personProperties())
	if err != nil {
		return answer{}, err
	}
	u, err := s.as(c).Manager(ctx, c.vars["user"])
	if err != nil {
		return answer{}, err
	}
	return jsonAnswer(http.StatusOK, typed(s.renderPerson(u, names), "user"))
}

// revokeSessions answers POST /users/{id}/revokeSignInSessions.
func (s *Server) revokeSessions(ctx context.Context, c *call) (answer, error) {
	if err := s.as(c).RevokeSessions(ctx, c.vars["user"]); err != nil {
		return answer{}, err
	}
	return jsonAnswer(http.StatusOK, object{"@odata.context": s.GraphURL + "/" + c.version + "/$metadata#Edm.Boolean", "value": true})
}

// deletedPerson answers GET /directory/deletedItems/{id}.
func (s *Server) deletedPerson(ctx context.Context, c *call) (answer, error) {
	names, err := c.selectedOpen("user", personProperties())
	if err != nil {
		return answer{}, err
	}
	u, err := s.as(c).DeletedUser(ctx, c.vars["item"])
	if err != nil {
		return answer{}, err
	}
	return jsonAnswer(http.StatusOK, typed(s.renderPerson(u, names), "user"))
}

// restorePerson answers POST /directory/deletedItems/{id}/restore.
func (s *Server) restorePerson(ctx context.Context, c *call) (answer, error) {
	u, err := s.as(c).RestoreUser(ctx, c.vars["item"])
	if err != nil {
		return answer{}, err
	}
	return jsonAnswer(http.StatusOK, typed(s.renderPerson(u, nil), "user"))
}

// purgePerson answers DELETE /directory/deletedItems/{id}.
func (s *Server) purgePerson(ctx context.Context, c *call) (answer, error) {
	return noContent(s.as(c).PurgeUser(ctx, c.vars["item"]))
}

// photo answers GET /users/{id}/photo.
func (s *Server) photo(ctx context.Context, c *call) (answer, error) {
	p, err := s.as(c).Photo(ctx, c.vars["user"])
	if err != nil {
		return answer{}, err
	}
	return jsonAnswer(http.StatusOK, object{
		"@odata.mediaContentType": p.ContentType, "@odata.mediaEtag": p.ETag, "id": "648x648", "height": 648, "width": 648,
	})
}

// photoValue answers GET /users/{id}/photo/$value and /users/{id}/photos/{size}/$value.
func (s *Server) photoValue(ctx context.Context, c *call) (answer, error) {
	sizes := "48x48 64x64 96x96 120x120 240x240 360x360 432x432 504x504 648x648"
	if size := c.vars["size"]; size != "" && !strings.Contains(sizes, strings.ToLower(size)) {
		return answer{}, refuse(http.StatusBadRequest, "ErrorInvalidImageId", "The photo id is invalid.")
	}
	p, err := s.as(c).Photo(ctx, c.vars["user"])
	if err != nil {
		return answer{}, err
	}
	a := newAnswer(http.StatusOK)
	if c.header.Get("If-None-Match") == p.ETag {
		a = newAnswer(http.StatusNotModified)
	} else {
		a.body = p.Bytes
		a.header.Set("Content-Type", p.ContentType)
	}
	a.header.Set("ETag", p.ETag)
	return a, nil
}
