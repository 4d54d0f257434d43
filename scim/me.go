package scim

import (
	"net/http"

	"usher/scim/fault"
)

// noSubject answers /Me with every method (RFC 7644 §3.11): the token belongs to an integration, which is no person, so
// that there is no subject whose resource it could be.
func noSubject(*call) (answer, error) {
	return answer{}, &fault.Error{
		Status: http.StatusNotImplemented,
		Detail: "/Me is not offered: the bearer token belongs to an integration and not to a person; use /Users/{id}",
	}
}
