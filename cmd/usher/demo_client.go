package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// client speaks to the management API as any application does.
type client struct {
	base, key string
	http      *http.Client
	// organization that is called for; the default one where it is empty.
	organization string
}

func newClient(base, key string) *client {
	return &client{base: base + "/api/v1", key: key, http: &http.Client{Timeout: time.Minute}}
}

// call sends in as JSON, where it is not nil, and reads the answer into out, where that is not nil.
func (c *client) call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		raw, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+c.key)
	if c.organization != "" {
		req.Header.Set("Usher-Organization", c.organization)
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode >= http.StatusMultipleChoices {
		return fmt.Errorf("%s %s answered %s: %s", method, path, res.Status, raw)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(raw, out)
}

// list reads every page of a list.
func list[T any](ctx context.Context, c *client, path string, query url.Values) ([]T, error) {
	var all []T
	for after := ""; ; {
		q := url.Values{"limit": {"500"}}
		for k, v := range query {
			q[k] = v
		}
		if after != "" {
			q.Set("after", after)
		}
		var page struct {
			Data []T     `json:"data"`
			Next *string `json:"next"`
		}
		if err := c.call(ctx, http.MethodGet, path+"?"+q.Encode(), nil, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Data...)
		if page.Next == nil || *page.Next == after || len(page.Data) == 0 {
			return all, nil
		}
		after = *page.Next
	}
}

// The shapes of the API that the story reads.
type (
	account struct {
		ID          string   `json:"id"`
		Email       string   `json:"email"`
		DisplayName string   `json:"display_name"`
		Status      string   `json:"status"`
		Roles       []string `json:"roles"`
		Department  string   `json:"department"`
		Permissions []struct {
			Site, Module, Level string
		} `json:"permissions"`
	}
	directoryUser struct {
		ID          string  `json:"id"`
		UserName    string  `json:"user_name"`
		ExternalID  string  `json:"external_id"`
		DisplayName string  `json:"display_name"`
		Active      bool    `json:"active"`
		AccountID   *string `json:"account_id"`
		Explanation struct {
			InScope bool   `json:"in_scope"`
			Scope   string `json:"scope"`
			Roles   string `json:"roles"`
			Grants  []struct {
				Role  string `json:"role"`
				Group string `json:"group"`
			} `json:"grants"`
		} `json:"explanation"`
	}
	runView struct {
		ID     string         `json:"id"`
		State  string         `json:"state"`
		Counts map[string]int `json:"counts"`
		Error  string         `json:"error"`
	}
	changeView struct {
		ID      string `json:"id"`
		Type    string `json:"type"`
		Subject struct {
			Type, ID string
		} `json:"subject"`
	}
)
