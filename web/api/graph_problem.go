package api

import (
	"fmt"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"usher/model/outlook"
)

// GraphError is what Microsoft Graph, or the sign-in service in front of it, said.
type GraphError struct {
	Status    int    `json:"status,omitempty" doc:"Status of the answer; absent where none came."`
	Code      string `json:"code,omitempty" doc:"Graph's own code, such as Authorization_RequestDenied."`
	Message   string `json:"message,omitempty"`
	RequestID string `json:"request_id,omitempty" doc:"What Microsoft's support asks for."`
}

// graphRetry is when to come back where Graph did not say it, in seconds.
const graphRetry = 30

// graphProblem tells what Graph said. It is the tenant's answer, and no failure of this server.
func graphProblem(e *outlook.Error) *Problem {
	status, detail := graphStatus(e)
	p := problem(status, "Microsoft Graph %s: %s", detail, e.Error())
	p.Graph = &GraphError{Status: e.Status, Code: e.Code, Message: e.Message, RequestID: e.RequestID}
	if status == http.StatusTooManyRequests {
		p.retry = graphRetry
		if e.After > 0 {
			p.retry = max(1, int(e.After.Seconds()))
		}
	}
	return p
}

// graphStatus says which status a failure of Graph has here, and what it means.
func graphStatus(e *outlook.Error) (status int, meaning string) {
	switch e.Kind {
	case outlook.NotFound, outlook.NoUser, outlook.NoMailbox:
		return http.StatusNotFound, "does not have it"
	case outlook.Invalid:
		return http.StatusUnprocessableEntity, "does not take the request"
	case outlook.Forbidden, outlook.Quota:
		return http.StatusConflict, "refuses it (a permission is missing; compare GET /integrations/{id}/permissions)"
	case outlook.BadCredentials:
		return http.StatusConflict, "does not accept the integration's credentials (renew its secret or certificate, or grant consent)"
	case outlook.Duplicate, outlook.Conflict:
		return http.StatusConflict, "says that it conflicts with what is there"
	case outlook.Throttled:
		return http.StatusTooManyRequests, "asks for patience"
	case outlook.Unavailable:
		return http.StatusBadGateway, "did not answer properly; try again"
	default:
		return http.StatusBadGateway, "failed"
	}
}

// withHeaders gives the problem with the headers that belong to it.
func withHeaders(p *Problem) error {
	if p.Status != http.StatusTooManyRequests || p.retry == 0 {
		return p
	}
	return huma.ErrorWithHeaders(p, http.Header{"Retry-After": {strconv.Itoa(p.retry)}})
}

// asking marks what is asked of Microsoft Graph while the caller waits.
func (o operation) asking() operation {
	o.conflicts, o.asks = true, true
	o.doc = fmt.Sprintf("%s\n\nAsked of Microsoft Graph at this moment: what it refuses, and why, is in `graph` of the problem.", o.doc)
	return o
}
