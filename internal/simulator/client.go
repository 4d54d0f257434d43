package simulator

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// maxAnswer bounds an answer of the target, in bytes.
const maxAnswer = 8 << 20

// client sends SCIM requests with Entra's headers and encoding.
type client struct {
	base    string // tenant URL without query and trailing slash
	flags   string // query of the tenant URL, sent along with every request
	token   string
	http    *http.Client
	timeout time.Duration
	now     func() time.Time
	journal *Journal
}

// request is one call, with what the journal tells of it.
type request struct {
	method string
	path   string // after the base: "/Users/1"
	query  string // encoded
	body   *object
	why    purpose
	words  string
	object string // object id in the tenant
}

// listing is a ListResponse, as far as matching needs it.
type listing struct {
	Schemas      []string         `json:"schemas"`
	TotalResults *int             `json:"totalResults"`
	Resources    []map[string]any `json:"Resources"`
}

// filterQuery encodes a filter as Entra does: spaces as +, quotes as %22.
func filterQuery(filter string) string { return "filter=" + url.QueryEscape(filter) }

// send performs a request and judges the answer by its status and, where there is a body, its media type.
func (c *client) send(ctx context.Context, cycle int, r request) ([]byte, int, *Failure) {
	entry := Exchange{At: c.now(), Cycle: cycle, Words: r.words, ObjectID: r.object, Method: r.method}
	began := time.Now()
	status, body, kind, err := c.exchange(ctx, r, &entry)
	entry.Duration, entry.Status, entry.ResponseBody = time.Since(began), status, string(body)
	if err != nil {
		entry.Failure = err.Error()
	}
	c.journal.addExchange(entry)
	if err != nil {
		return nil, 0, transportFailure(ctx, r, err)
	}
	if f := judge(status, r.why, fmt.Sprintf("%s: %s %s", r.words, r.method, r.path)); f != nil {
		f.Detail += answerDetail(body)
		return nil, status, f
	}
	if media, _, _ := mime.ParseMediaType(kind); len(bytes.TrimSpace(body)) > 0 && media != "application/scim+json" {
		return nil, status, incompatible(status, "%s: the answer is %q, not application/scim+json", r.words, kind)
	}
	return body, status, nil
}

// exchange does the HTTP work and fills in what was sent.
func (c *client) exchange(ctx context.Context, r request, entry *Exchange) (int, []byte, string, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	query := strings.Join(slices.DeleteFunc([]string{r.query, c.flags}, func(s string) bool { return s == "" }), "&")
	target := c.base + r.path
	if query != "" {
		target += "?" + query
	}
	var reader io.Reader
	if r.body != nil {
		encoded, err := encode(r.body)
		if err != nil {
			return 0, nil, "", err
		}
		entry.RequestBody, reader = string(encoded), bytes.NewReader(encoded)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, target, reader)
	if err != nil {
		return 0, nil, "", err
	}
	entry.Path = req.URL.RequestURI()
	req.Header.Set("Authorization", "Bearer "+c.token)
	req.Header.Set("User-Agent", "")              // Entra sends none
	req.Header["ADSCIMVersion"] = []string{"5.0"} // with Entra's capitals
	if r.body != nil {
		req.Header.Set("Content-Type", "application/scim+json; charset=utf-8")
	}
	answer, err := c.http.Do(req)
	if err != nil {
		return 0, nil, "", err
	}
	defer func() { _ = answer.Body.Close() }() // read to the end or given up: nothing to learn from Close
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	return answer.StatusCode, body, answer.Header.Get("Content-Type"), err
}

// transportFailure tells a timeout from a broken connection and from a cancelled run.
func transportFailure(ctx context.Context, r request, err error) *Failure {
	f := &Failure{Code: CodeConnection, Detail: fmt.Sprintf("%s: %v", r.words, err)}
	var network net.Error
	switch {
	case ctx.Err() != nil:
		f.Code = CodeCancelled
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		f.Code = CodeTimeout
	}
	return f
}

// answerDetail quotes the detail of a SCIM error (RFC 7644 §3.12).
func answerDetail(body []byte) string {
	var answer struct{ Detail, ScimType string }
	if json.Unmarshal(body, &answer) != nil {
		return ": the answer is not JSON"
	}
	return strings.TrimSuffix(": "+strings.TrimSpace(answer.ScimType+" "+answer.Detail), ": ")
}

// find filters and returns the hits.
func (c *client) find(ctx context.Context, cycle int, r request) ([]map[string]any, *Failure) {
	r.method, r.why = http.MethodGet, purposeFilter
	body, status, failure := c.send(ctx, cycle, r)
	if failure != nil {
		return nil, failure
	}
	var list listing
	if err := json.Unmarshal(body, &list); err != nil {
		return nil, incompatible(status, "%s: the answer does not parse: %v", r.words, err)
	}
	if !slices.Contains(list.Schemas, listURN) || list.TotalResults == nil {
		return nil, incompatible(status, "%s: the answer is no ListResponse", r.words)
	}
	if *list.TotalResults != len(list.Resources) && len(list.Resources) <= 1 {
		return nil, incompatible(status, "%s: totalResults is %d with %d resources", r.words, *list.TotalResults, len(list.Resources))
	}
	for _, resource := range list.Resources {
		if resourceID(resource) == "" {
			return nil, incompatible(status, "%s: a resource has no id", r.words)
		}
	}
	return list.Resources, nil
}

// read parses the resource that a GET by id or a POST answers.
func (c *client) read(ctx context.Context, cycle int, r request) (map[string]any, *Failure) {
	body, status, failure := c.send(ctx, cycle, r)
	if failure != nil {
		return nil, failure
	}
	var resource map[string]any
	if err := json.Unmarshal(body, &resource); err != nil {
		return nil, incompatible(status, "%s: the answer does not parse: %v", r.words, err)
	}
	if resourceID(resource) == "" {
		return nil, incompatible(status, "%s: the resource has no id", r.words)
	}
	return resource, nil
}

func resourceID(resource map[string]any) string {
	id, _ := resource["id"].(string)
	return id
}
