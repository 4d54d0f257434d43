package api

import (
	"context"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"usher/model"
)

// The most that a request's body may hold, in bytes.
const (
	maxBody     = 1 << 20
	maxListBody = 4 << 20  // a whole list of an integration
	maxCSVBody  = 64 << 20 // employees as CSV, which is read as it comes
)

// readWithin is how long a body may take to arrive.
const readWithin = 30 * time.Second

// operation is one route of the API.
type operation struct {
	method, path, tag string
	summary, doc      string
	right             model.Right
	// installation marks what only the installation's key may do.
	installation bool
	// status of success; 200 by default, 204 where nothing is answered.
	status int
	// maxBody is the most that the body may hold; maxBody by default.
	maxBody int64
	// streams marks a body that the handler reads itself.
	streams bool
	// waits marks what may wait for news, and so does not count as work.
	waits bool
	// asks marks what Microsoft Graph is asked for, so that its failures are among the answers.
	asks bool
	// conflicts marks what a rule of Usher may forbid, with status 409.
	conflicts bool
	// matches marks what If-Match may keep from being done, with status 412.
	matches   bool
	request   *huma.RequestBody
	responses map[string]*huma.Response
	query     []string // the names of its query parameters, once it is registered
}

// register adds a route. Whatever the handler fails with becomes a Problem.
func register[I, O any](a *API, o operation, handle func(context.Context, *I) (*O, error)) {
	op := a.describe(o, reflect.TypeFor[I]())
	huma.Register(a.huma, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := handle(ctx, in)
		if err != nil {
			return nil, withHeaders(a.failure(ctx, err))
		}
		return out, nil
	})
}

// metadata under which the middlewares find the operation.
const metaOperation = "operation"

func (a *API) describe(o operation, input reflect.Type) huma.Operation {
	if o.maxBody == 0 {
		o.maxBody = maxBody
	}
	_, body := input.FieldByName("Body")
	op := huma.Operation{
		Method: o.method, Path: o.path, Tags: []string{o.tag}, Summary: o.summary, Description: o.description(),
		OperationID: o.id(), DefaultStatus: o.status, RequestBody: o.request,
		Metadata:   map[string]any{metaOperation: &o},
		Extensions: map[string]any{"x-right": string(o.right), "x-installation": o.installation},
		Parameters: []*huma.Param{{
			Name: headerOrganization, In: "header", Schema: &huma.Schema{Type: huma.TypeString},
			Description: "Id or slug of the organization that the installation's key acts on; `default` without it. A key of an organization needs none.",
		}},
		MaxBodyBytes: -1, BodyReadTimeout: -1, // buffered has read and bounded it
	}
	if o.installation {
		op.Parameters = nil
	}
	op.Responses = a.errorResponses(o, body || o.streams)
	for status, response := range o.responses {
		op.Responses[status] = response
	}
	return op
}

// id names the operation in the document: get-accounts-by-id.
func (o operation) id() string {
	return strings.ToLower(o.method) + strings.NewReplacer("/", "-", "{", "by-", "}", "", "_", "-").Replace(o.path)
}

func (o operation) description() string {
	text := o.doc
	if text != "" {
		text += "\n\n"
	}
	if o.installation {
		return text + "Needs the installation's key."
	}
	return text + "Needs the right `" + string(o.right) + "`."
}

// errorResponses lists what an operation can fail with.
func (a *API) errorResponses(o operation, body bool) map[string]*huma.Response {
	statuses := []int{
		http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusUnprocessableEntity,
		http.StatusTooManyRequests, http.StatusInternalServerError,
	}
	if o.conflicts {
		statuses = append(statuses, http.StatusConflict)
	}
	if o.matches {
		statuses = append(statuses, http.StatusPreconditionFailed)
	}
	if o.asks {
		statuses = append(statuses, http.StatusBadGateway)
	}
	if body {
		statuses = append(statuses, http.StatusRequestTimeout, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	}
	slices.Sort(statuses)
	schema := a.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Problem](), true, "")
	responses := map[string]*huma.Response{}
	for _, status := range statuses {
		responses[strconv.Itoa(status)] = &huma.Response{
			Description: http.StatusText(status), Content: map[string]*huma.MediaType{problemType: {Schema: schema}},
		}
	}
	return responses
}

// operationOf gives the route that a request is for.
func operationOf(ctx huma.Context) *operation {
	o, ok := ctx.Operation().Metadata[metaOperation].(*operation)
	if !ok {
		return &operation{right: model.RightAll, installation: true} // a route without description lets nobody in
	}
	return o
}

// answer is a response with a body.
type answer[T any] struct{ Body T }

// nothing is a request without anything, and an answer without a body.
type nothing struct{}

func answered[T any](v T, err error) (*answer[T], error) {
	if err != nil {
		return nil, err
	}
	return &answer[T]{v}, nil
}

func done(err error) (*nothing, error) {
	if err != nil {
		return nil, err
	}
	return &nothing{}, nil
}

// with gives the operation for a method and path.
func (o operation) with(method, path, summary string) operation {
	o.method, o.path, o.summary = method, path, summary
	return o
}

// says adds what a reader of the documentation should know.
func (o operation) says(doc string) operation {
	o.doc = doc
	return o
}

// needing sets the right.
func (o operation) needing(right model.Right) operation {
	o.right = right
	return o
}

// answering sets the status of success.
func (o operation) answering(status int) operation {
	o.status = status
	return o
}

// refusing marks what a rule may forbid.
func (o operation) refusing() operation {
	o.conflicts = true
	return o
}

// matching marks what If-Match may keep from being done.
func (o operation) matching() operation {
	o.matches = true
	return o
}

// IDInput names one thing.
type IDInput struct {
	ID string `path:"id" maxLength:"100" doc:"Its id."`
}
