// Package scim is the SCIM 2.0 edge (RFC 7643, RFC 7644): it owns HTTP, bearer tokens and the endpoint that gives them to
// OAuth clients (RFC 6749), limits of rate, Entra's dialect and the way from a request to a change of the mirror and back.
// It knows nothing of SQL or rules: what it needs of the core stands in
// ports.go. It may import echo, elimity-com/scim's schema, errors and optional packages, model, and its own
// sub-packages: wire (strict JSON), schemas (the attribute tables), filter (filters and paths), resource (documents and
// PATCH), fault (errors that carry a scimType) and journal (what the request log says of a request).
package scim
