// Package floor answers the benchmark's requests with the least honest work.
//
// It is the bound that Usher is measured against: what Go and PostgreSQL can do at
// best on this machine with the same rows, the same unique keys and one durable
// audit row per change, but without schemas, a filter grammar, rules, tenants or
// rights. It is no SCIM server and understands nothing but what the benchmark
// sends. It imports pgx and the standard library alone.
package floor

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// connections is the size of the pool: more than the two to eight cores of a
// usual machine can keep busy.
const connections = 16

//go:embed schema.sql
var schema string

// Server is the floor on one database.
type Server struct {
	pool  *pgxpool.Pool
	token string
}

// New makes the tables in the empty database and returns the server, which lets
// in requests with the token. Close it.
func New(ctx context.Context, databaseURL, token string) (*Server, error) {
	config, err := pgxpool.ParseConfig(databaseURL)
	if err != nil {
		return nil, fmt.Errorf("read the floor's database URL: %w", err)
	}
	config.MaxConns = connections
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("connect the floor: %w", err)
	}
	if _, err := pool.Exec(ctx, schema); err != nil {
		pool.Close()
		return nil, fmt.Errorf("make the floor's tables: %w", err)
	}
	return &Server{pool: pool, token: token}, nil
}

// Close closes the connections to the database.
func (s *Server) Close() { s.pool.Close() }

// answer is what a request gets.
type answer struct {
	status int
	body   []byte
}

// errUnknown marks a request that the benchmark does not send.
var errUnknown = errors.New("the floor does not know this request")

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer "+s.token {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	collection, id, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	var (
		reply answer
		err   error
	)
	switch collection {
	case "Users":
		reply, err = s.users(r, id)
	case "Groups":
		reply, err = s.groups(r, id)
	default:
		err = errUnknown
	}
	if err != nil {
		reply = failure(err)
	}
	if reply.body != nil {
		w.Header().Set("Content-Type", "application/scim+json")
	}
	w.WriteHeader(reply.status)
	_, _ = w.Write(reply.body) // a client that went away needs no answer
}

func failure(err error) answer {
	status := http.StatusInternalServerError
	conflict, isPostgres := errors.AsType[*pgconn.PgError](err)
	_, isSyntax := errors.AsType[*json.SyntaxError](err)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		status = http.StatusNotFound
	case isPostgres && conflict.Code == "23505": // unique_violation
		status = http.StatusConflict
	case isSyntax, errors.Is(err, errUnknown):
		status = http.StatusBadRequest
	}
	return answer{status, fmt.Appendf(nil, `{"status":"%d","detail":%q}`, status, err.Error())}
}

// list is a ListResponse (RFC 7644 §3.4.2) of resources that are JSON already.
func list(total, start int, resources [][]byte) answer {
	body := fmt.Appendf(nil, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":%d,"startIndex":%d,"itemsPerPage":%d,"Resources":[`,
		total, start, len(resources))
	for i, resource := range resources {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(body, resource...)
	}
	return answer{http.StatusOK, append(body, "]}"...)}
}

// operation is one operation of a PATCH (RFC 7644 §3.5.2).
type operation struct {
	Op    string          `json:"op"`
	Path  string          `json:"path"`
	Value json.RawMessage `json:"value"`
}

func operations(r *http.Request) ([]operation, error) {
	var message struct{ Operations []operation }
	err := json.NewDecoder(r.Body).Decode(&message)
	return message.Operations, err
}
