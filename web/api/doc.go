// Package api is the management API: JSON over HTTP at /api/v1, described by OpenAPI 3.1 that is generated from its types.
//
// It owns the shapes of requests and answers, authentication by API key, the rights that operations need, paging, and how
// failures look (RFC 9457). It decides nothing: every write is a call of directory.Service, every list a read of the
// store. One file per resource; api.go, operation.go and auth.go are the frame that all of them stand in.
//
// It may import directory, model, model/store, echo and huma.
package api
