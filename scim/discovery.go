package scim

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"usher/scim/fault"
	"usher/scim/schemas"
)

const messageList = "urn:ietf:params:scim:api:messages:2.0:ListResponse"

// discovered answers with a document of discovery, which is the same for every integration but for its location.
func discovered(v any) (answer, error) {
	body, err := json.Marshal(v)
	return answer{status: http.StatusOK, body: body}, err
}

// name gives the end of the path without escapes: many clients write the colons of a URN as %3A.
func (c *call) name() string {
	if name, err := url.PathUnescape(c.id); err == nil && validText(name) {
		return name
	}
	return c.id
}

// unfiltered forbids a filter on a document of discovery, lest a client believe that it was obeyed (RFC 7644 §4). Every
// other parameter of lists is passed over.
func unfiltered(e endpoint) endpoint {
	return func(c *call) (answer, error) {
		if c.query["filter"] != "" {
			return answer{}, &fault.Error{Status: http.StatusForbidden, Detail: "discovery cannot be filtered"}
		}
		return e(c)
	}
}

// discoveredList answers with all of them in one page.
func discoveredList(all []any) (answer, error) {
	return discovered(map[string]any{
		"schemas": []string{messageList}, "totalResults": len(all), "startIndex": 1, "itemsPerPage": len(all), "Resources": all,
	})
}

func (h *Handler) meta(c *call, resourceType, path string) map[string]string {
	return map[string]string{"resourceType": resourceType, "location": h.baseURL + c.integration + "/" + path}
}

// providerConfig is RFC 7643 §5: what is offered, and no more.
func (h *Handler) providerConfig(c *call) (answer, error) {
	offered := func(yes bool) map[string]any { return map[string]any{"supported": yes} }
	return discovered(map[string]any{
		"schemas":        []string{schemas.ProviderConfigURN},
		"patch":          offered(true),
		"bulk":           map[string]any{"supported": true, "maxOperations": maxBulkOperations, "maxPayloadSize": h.maxBulkPayload()},
		"filter":         map[string]any{"supported": true, "maxResults": maxCount},
		"changePassword": offered(false),
		"sort":           offered(true),
		"etag":           offered(true),
		"pagination": map[string]any{
			"cursor": true, "index": true, "defaultPaginationMethod": "index", "defaultPageSize": defaultCount,
			"maxPageSize": maxCount, "cursorTimeout": int(cursorTimeout.Seconds()),
		},
		"authenticationSchemes": authenticationSchemes(),
		"meta":                  h.meta(c, "ServiceProviderConfig", "ServiceProviderConfig"),
	})
}

// authenticationSchemes are the ways in which a client gets in. Both end in a bearer token, the first one given out by hand.
func authenticationSchemes() []any {
	return []any{
		map[string]any{
			"type": "oauthbearertoken", "name": "OAuth Bearer Token", "primary": true,
			"description": "A bearer token that an administrator made for this integration.",
			"specUri":     "https://www.rfc-editor.org/rfc/rfc6750",
		},
		map[string]any{
			"type": "oauth2", "name": "OAuth 2.0 Client Credentials", "primary": false,
			"description": "A bearer token from the token endpoint, for a client that an administrator made for this integration.",
			"specUri":     "https://www.rfc-editor.org/rfc/rfc6749#section-4.4",
		},
	}
}

func (h *Handler) describeType(c *call, res *schemas.Resource) any {
	extensions := []any{}
	for _, s := range res.Extensions {
		extensions = append(extensions, map[string]any{"schema": s.URN, "required": false})
	}
	return map[string]any{
		"schemas": []string{schemas.ResourceTypeURN}, "id": res.Name, "name": res.Name, "description": res.Description,
		"endpoint": "/" + res.Endpoint, "schema": res.Core.URN, "schemaExtensions": extensions,
		"meta": h.meta(c, "ResourceType", "ResourceTypes/"+res.Name),
	}
}

func (h *Handler) resourceTypes(c *call) (answer, error) {
	var all []any
	for _, res := range h.tables.Resources() {
		all = append(all, h.describeType(c, res))
	}
	return discoveredList(all)
}

func (h *Handler) resourceType(c *call) (answer, error) {
	name := c.name()
	for _, res := range h.tables.Resources() {
		if strings.EqualFold(res.Name, name) {
			return discovered(h.describeType(c, res))
		}
	}
	return answer{}, fault.NotFound("there is no resource type %q", clip(name))
}

func (h *Handler) describeSchema(c *call, s *schemas.Schema) any {
	d := s.Definition()
	d["meta"] = h.meta(c, "Schema", "Schemas/"+s.URN)
	return d
}

func (h *Handler) schemas(c *call) (answer, error) {
	var all []any
	for _, s := range h.tables.Schemas() {
		all = append(all, h.describeSchema(c, s))
	}
	return discoveredList(all)
}

func (h *Handler) schema(c *call) (answer, error) {
	urn := c.name()
	for _, s := range h.tables.Schemas() {
		if strings.EqualFold(s.URN, urn) {
			return discovered(h.describeSchema(c, s))
		}
	}
	return answer{}, fault.NotFound("there is no schema %q", clip(urn))
}
