package graphapi

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync"
)

// The limits of a batch: of its items, and of those that are worked on at once, which Graph keeps for Outlook.
const (
	maxItems  = 20
	maxAtOnce = 4
)

type batchItem struct {
	ID        string            `json:"id"`
	Method    string            `json:"method"`
	URL       string            `json:"url"`
	Headers   map[string]string `json:"headers"`
	Body      json.RawMessage   `json:"body"`
	DependsOn []string          `json:"dependsOn"`
}

type batchAnswer struct {
	ID      string            `json:"id"`
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers"`
	Body    json.RawMessage   `json:"body,omitempty"`
}

// batch answers 200 whatever became of its items, each of which has a status and headers of its own.
func (s *Server) batch(ctx context.Context, c *call) (answer, error) {
	items, err := c.readBatch()
	if err != nil {
		return answer{}, err
	}
	var answers []answer
	if isSequential(items) {
		answers = s.oneByOne(ctx, c, items)
	} else {
		answers = s.atOnce(ctx, c, items)
	}
	out := make([]batchAnswer, 0, len(items))
	cut := false
	for i := len(items) - 1; i >= 0; i-- { // in any order but that of the items, as Graph reserves for itself
		out = append(out, inBatch(items[i].ID, answers[i]))
		cut = cut || answers[i].cut
	}
	a, err := jsonAnswer(http.StatusOK, object{"responses": out})
	a.cut = cut
	return a, err
}

func (c *call) readBatch() ([]batchItem, error) {
	var body struct {
		Requests []batchItem `json:"requests"`
	}
	if json.Unmarshal(c.body, &body) != nil {
		return nil, badRequest("Invalid batch payload format.")
	}
	if len(body.Requests) == 0 {
		return nil, badRequest("Invalid batch payload format: there are no requests.")
	}
	if len(body.Requests) > maxItems {
		return nil, refuse(400, "MaximumValueExceeded", "Number of batch request steps exceeds the maximum value of 20.")
	}
	seen := map[string]bool{}
	for _, item := range body.Requests {
		if item.ID == "" || seen[item.ID] {
			return nil, badRequest("Request Id is empty or not unique in the batch: '" + item.ID + "'.")
		}
		if item.Method == "" || item.URL == "" {
			return nil, badRequest("Request '" + item.ID + "' has no method or url.")
		}
		for _, id := range item.DependsOn {
			if !seen[id] {
				return nil, badRequest("Request '" + item.ID + "' depends on '" + id + "', which does not come before it.")
			}
		}
		seen[item.ID] = true
	}
	return body.Requests, nil
}

func isSequential(items []batchItem) bool {
	for _, item := range items {
		if len(item.DependsOn) > 0 {
			return true
		}
	}
	return false
}

func (s *Server) oneByOne(ctx context.Context, c *call, items []batchItem) []answer {
	answers := make([]answer, len(items))
	failed := map[string]bool{}
	for i, item := range items {
		blocked := false
		for _, id := range item.DependsOn {
			blocked = blocked || failed[id]
		}
		if blocked {
			answers[i] = c.failure(s.now(), refuse(http.StatusFailedDependency, "FailedDependency", "The request depended on another one that failed."))
		} else {
			answers[i] = s.item(ctx, c, item)
		}
		failed[item.ID] = answers[i].status >= 400
	}
	return answers
}

func (s *Server) atOnce(ctx context.Context, c *call, items []batchItem) []answer {
	answers := make([]answer, len(items))
	places := make(chan struct{}, maxAtOnce)
	var wait sync.WaitGroup
	for i, item := range items {
		places <- struct{}{}
		wait.Go(func() {
			defer func() { <-places }()
			answers[i] = s.item(ctx, c, item)
		})
	}
	wait.Wait()
	return answers
}

// item makes a request of an item and sends it the way of every other one. It speaks with the token of the batch.
func (s *Server) item(ctx context.Context, c *call, item batchItem) answer {
	inner := &call{
		method: strings.ToUpper(item.Method), version: c.version, header: http.Header{}, requestID: newID(), batched: true,
	}
	for name, value := range item.Headers {
		inner.header.Set(name, value)
	}
	if inner.header.Get("Authorization") == "" {
		inner.header.Set("Authorization", c.header.Get("Authorization"))
	}
	inner.clientRequestID = inner.header.Get("client-request-id")
	if inner.clientRequestID == "" {
		inner.clientRequestID = c.clientRequestID
	}
	if body := bytes.TrimSpace(item.Body); len(body) > 0 && !isNull(body) {
		inner.body = body
	}
	target, err := url.Parse(item.URL)
	switch {
	case err != nil || target.IsAbs():
		return inner.failure(s.now(), badRequest("The url of a request in a batch must be relative: "+item.URL))
	case len(inner.body) > 0 && inner.header.Get("Content-Type") == "":
		return inner.failure(s.now(), badRequest("The Content-Type header of request '"+item.ID+"' is missing, though it has a body."))
	}
	if err := inner.setURL(target); err != nil {
		return inner.failure(s.now(), err)
	}
	if len(inner.segments) > 0 && strings.EqualFold(inner.segments[0], "$batch") {
		return inner.failure(s.now(), badRequest("A batch cannot hold a batch."))
	}
	return s.handle(ctx, inner)
}

// inBatch is an answer as an item's; a body that is no JSON travels as a string.
func inBatch(id string, a answer) batchAnswer {
	out := batchAnswer{ID: id, Status: a.status, Headers: map[string]string{}}
	for name, values := range a.header {
		out.Headers[name] = strings.Join(values, ", ")
	}
	switch {
	case len(a.body) == 0:
	case json.Valid(a.body):
		out.Body = a.body
	default:
		out.Body, _ = json.Marshal(string(a.body))
	}
	return out
}
