package simulator

import (
	"fmt"
	"net/http"
)

// Code is an error code as Entra's provisioning log shows it.
type Code string

// The codes of the provisioning log.
const (
	CodeUnauthorized       Code = "Unauthorized"
	CodeNotPermitted       Code = "NotPermitted"
	CodeMethodNotAllowed   Code = "MethodNotAllowed"
	CodeIncompatible       Code = "SystemForCrossDomainIdentityManagementServiceIncompatible"
	CodeMultipleEntries    Code = "SystemForCrossDomainIdentityManagementMultipleEntriesInResponse"
	CodeDuplicateTarget    Code = "DuplicateTargetEntries"
	CodeDuplicateSource    Code = "DuplicateSourceEntries" // the hit is linked to another object of the tenant
	CodeEntryConflict      Code = "EntryConflict"
	CodeInvalidAnchor      Code = "InvalidAnchor"
	CodeTooManyRequests    Code = "TooManyRequests"
	CodeUnprocessable      Code = "UnprocessableEntity"
	CodeServerError        Code = "InternalServerError"
	CodeNotImplemented     Code = "NotImplemented"
	CodeTimeout            Code = "Timeout"
	CodeConnection         Code = "WebExceptionProtocolError"
	CodeUnresolved         Code = "UnresolvedReference" // a manager or member is itself escrowed
	CodeMissingValue       Code = "MissingValues"       // no matching attribute has a value
	CodeNotEntitled        Code = "NotEffectivelyEntitled"
	CodeSourceDisabled     Code = "SourceObjectDisabled" // disabled in Entra and never provisioned
	CodeUnmanaged          Code = "Unmanaged"            // disabled once when it left the scope
	CodeReferenceNotInSync Code = "ReferenceOutOfScope"  // a manager or member is not provisioned
	CodeCancelled          Code = "Cancelled"
)

// Failure is why a request or an object failed.
type Failure struct {
	Code   Code
	Status int    // HTTP status, 0 without an answer
	Detail string // what was asked and what came, for a reader
	// Critical failures quarantine the job at once: credentials, or a filter answered with 404.
	Critical bool
}

// Error implements error.
func (f *Failure) Error() string {
	if f.Status != 0 {
		return fmt.Sprintf("%s (HTTP %d): %s", f.Code, f.Status, f.Detail)
	}
	return fmt.Sprintf("%s: %s", f.Code, f.Detail)
}

// purpose tells what a request is for, which decides what its status means.
type purpose int

const (
	purposeFilter purpose = iota // matching, where 404 breaks the protocol
	purposeKnown                 // GET, PATCH or DELETE by a cached id, where 404 means that the object is gone
	purposeCreate
)

// judge reads a status as Entra does. A success is nil.
func judge(status int, why purpose, detail string) *Failure {
	f := &Failure{Status: status, Detail: detail}
	switch {
	case status >= 200 && status < 300:
		return nil
	case status == http.StatusUnauthorized:
		f.Code, f.Critical = CodeUnauthorized, true
	case status == http.StatusForbidden:
		f.Code, f.Critical = CodeNotPermitted, true
	case status == http.StatusMethodNotAllowed:
		f.Code, f.Critical = CodeMethodNotAllowed, true
	case status == http.StatusNotFound && why == purposeKnown:
		f.Code = CodeInvalidAnchor
	case status == http.StatusNotFound && why == purposeFilter:
		f.Code, f.Critical = CodeIncompatible, true
	case status == http.StatusConflict:
		f.Code = CodeEntryConflict
	case status == http.StatusUnprocessableEntity:
		f.Code = CodeUnprocessable
	case status == http.StatusTooManyRequests:
		f.Code = CodeTooManyRequests
	case status == http.StatusNotImplemented:
		f.Code = CodeNotImplemented
	case status >= 500:
		f.Code = CodeServerError
	default:
		f.Code = CodeIncompatible
	}
	return f
}

// incompatible says that an answer is no SCIM.
func incompatible(status int, format string, args ...any) *Failure {
	return &Failure{Code: CodeIncompatible, Status: status, Detail: fmt.Sprintf(format, args...)}
}
