package floor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// document is a resource whose values stay as they came.
type document = map[string]json.RawMessage

const enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

// The filters on users that the benchmark sends.
var (
	equals    = regexp.MustCompile(`^(userName|externalId|emails\[type eq "work"\]\.value) eq "([^"]*)"$`)
	engineers = regexp.MustCompile(`^` + regexp.QuoteMeta(enterprise) + `:department eq "([^"]*)" and \(title co "Engineer" or name\.familyName eq "Hopper"\) and active eq true$`)
)

func (s *Server) users(r *http.Request, id string) (answer, error) {
	switch {
	case r.Method == http.MethodGet && id != "":
		user, err := s.user(r.Context(), "id = $1", id)
		return answer{http.StatusOK, user}, err
	case r.Method == http.MethodGet:
		return s.listUsers(r)
	case r.Method == http.MethodPost:
		return s.createUser(r)
	case r.Method == http.MethodPatch:
		return s.patchUser(r, id)
	}
	return answer{}, errUnknown
}

func (s *Server) listUsers(r *http.Request) (answer, error) {
	query := r.URL.Query()
	filter := query.Get("filter")
	if filter == "" {
		return s.pageOfUsers(r.Context(), query.Get("startIndex"), query.Get("count"))
	}
	if match := engineers.FindStringSubmatch(filter); match != nil {
		return s.engineers(r.Context(), match[1], query.Get("count"))
	}
	match := equals.FindStringSubmatch(filter)
	if match == nil {
		return answer{}, errUnknown
	}
	condition := "lower(mail) = lower($1)"
	switch match[1] {
	case "userName":
		condition = "lower(user_name) = lower($1)"
	case "externalId":
		condition = "external_id = $1"
	}
	user, err := s.user(r.Context(), condition, match[2])
	if errors.Is(err, pgx.ErrNoRows) {
		return list(0, 1, nil), nil
	}
	return list(1, 1, [][]byte{user}), err
}

const columns = "id::text, document, version, created, modified"

func (s *Server) user(ctx context.Context, condition, argument string) ([]byte, error) {
	return render(s.pool.QueryRow(ctx, "SELECT "+columns+" FROM users WHERE "+condition, argument))
}

func (s *Server) pageOfUsers(ctx context.Context, start, count string) (answer, error) {
	first, err := strconv.Atoi(start)
	if err != nil {
		return answer{}, errUnknown
	}
	var total int
	if err := s.pool.QueryRow(ctx, "SELECT count(*) FROM users").Scan(&total); err != nil {
		return answer{}, err
	}
	// The index alone says who is on the page; only those rows are read.
	found, err := s.selectUsers(ctx, "SELECT "+columns+` FROM users
		JOIN (SELECT id AS chosen FROM users ORDER BY created, id LIMIT $1 OFFSET $2) page ON id = chosen
		ORDER BY created, id`, count, first-1)
	return list(total, first, found), err
}

func (s *Server) engineers(ctx context.Context, department, count string) (answer, error) {
	const from = ` FROM users WHERE lower(department) = lower($1) AND active
		AND (document->>'title' ILIKE '%Engineer%' OR lower(document#>>'{name,familyName}') = 'hopper')`
	var total int
	if err := s.pool.QueryRow(ctx, "SELECT count(*)"+from, department).Scan(&total); err != nil {
		return answer{}, err
	}
	found, err := s.selectUsers(ctx, "SELECT "+columns+from+" ORDER BY created, id LIMIT $2", department, count)
	return list(total, 1, found), err
}

func (s *Server) selectUsers(ctx context.Context, query string, arguments ...any) ([][]byte, error) {
	rows, err := s.pool.Query(ctx, query, arguments...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) ([]byte, error) { return render(row) })
}

func (s *Server) createUser(r *http.Request) (answer, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return answer{}, err
	}
	content := document{}
	if err := json.Unmarshal(body, &content); err != nil {
		return answer{}, err
	}
	delete(content, "meta")
	keys, err := keysOf(content)
	if err != nil {
		return answer{}, err
	}
	user, err := render(s.pool.QueryRow(r.Context(), `
		WITH created AS (
		  INSERT INTO users (user_name, external_id, mail, department, display_name, active, document)
		  VALUES ($1, $2, $3, $4, $5, $6, $7)
		  RETURNING id, document, version, created, modified
		), audited AS (
		  INSERT INTO audit (action, subject, detail) SELECT 'user.created', id, '{"actor":"entra"}' FROM created
		)
		SELECT `+columns+` FROM created`,
		keys.UserName, keys.ExternalID, keys.mail(), keys.Enterprise.Department, keys.DisplayName, keys.Active, content))
	return answer{http.StatusCreated, user}, err
}

func (s *Server) patchUser(r *http.Request, id string) (answer, error) {
	edits, err := operations(r)
	if err != nil {
		return answer{}, err
	}
	var user []byte
	err = pgx.BeginFunc(r.Context(), s.pool, func(tx pgx.Tx) error {
		content := document{}
		if err := tx.QueryRow(r.Context(), "SELECT document FROM users WHERE id = $1 FOR UPDATE", id).Scan(&content); err != nil {
			return err
		}
		for _, edit := range edits {
			if err := apply(content, edit); err != nil {
				return err
			}
		}
		keys, err := keysOf(content)
		if err != nil {
			return err
		}
		user, err = render(tx.QueryRow(r.Context(), `
			WITH changed AS (
			  UPDATE users SET department = $2, display_name = $3, active = $4, document = $5, version = version + 1, modified = now()
			  WHERE id = $1
			  RETURNING id, document, version, created, modified
			), audited AS (
			  INSERT INTO audit (action, subject, detail) SELECT 'user.updated', id, '{"actor":"entra"}' FROM changed
			)
			SELECT `+columns+` FROM changed`,
			id, keys.Enterprise.Department, keys.DisplayName, keys.Active, content))
		return err
	})
	return answer{http.StatusOK, user}, err
}

// apply replaces one attribute, or those of a value without a path.
func apply(content document, edit operation) error {
	if edit.Path != "" {
		return assign(content, edit.Path, edit.Value)
	}
	var attributes document
	if err := json.Unmarshal(edit.Value, &attributes); err != nil {
		return err
	}
	for path, value := range attributes {
		if err := assign(content, path, value); err != nil {
			return err
		}
	}
	return nil
}

func assign(content document, path string, value json.RawMessage) error {
	if path == "active" {
		value = json.RawMessage(strings.ToLower(strings.Trim(string(value), `"`))) // the legacy dialect's text
	}
	at := strings.LastIndexByte(path, ':')
	if at < 0 {
		content[path] = value
		return nil
	}
	extension := document{}
	if before, ok := content[path[:at]]; ok {
		if err := json.Unmarshal(before, &extension); err != nil {
			return err
		}
	}
	extension[path[at+1:]] = value
	encoded, err := json.Marshal(extension)
	content[path[:at]] = encoded
	return err
}

// keys are the attributes with a column of their own.
type keys struct {
	UserName, ExternalID, DisplayName string
	Active                            bool
	Emails                            []struct{ Type, Value string }
	Enterprise                        struct{ Department string } `json:"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"`
}

func (k keys) mail() *string {
	for _, mail := range k.Emails {
		if mail.Type == "work" {
			return &mail.Value
		}
	}
	return nil
}

func keysOf(content document) (keys, error) {
	var k keys
	encoded, err := json.Marshal(content)
	if err != nil {
		return k, err
	}
	return k, json.Unmarshal(encoded, &k)
}

// render puts id and meta in front of the stored document.
func render(row pgx.Row) ([]byte, error) {
	var (
		id                string
		stored            []byte
		version           int64
		created, modified time.Time
	)
	if err := row.Scan(&id, &stored, &version, &created, &modified); err != nil {
		return nil, err
	}
	head := fmt.Appendf(nil, `{"id":%q,"meta":{"resourceType":"User","version":"W/\"%d\"","created":%q,"lastModified":%q,"location":"/Users/%s"},`,
		id, version, created.UTC().Format(time.RFC3339Nano), modified.UTC().Format(time.RFC3339Nano), id)
	return append(head, stored[1:]...), nil
}
