package model

import (
	"errors"
	"fmt"
	"time"
)

// Kind says what sort of failure an Error is; every edge translates it to its own protocol.
type Kind int

// The kinds of failure that a caller may be told about. Any error that is not an *Error is Internal.
const (
	Internal     Kind = iota
	Invalid           // what was sent cannot be accepted; Field names the culprit where there is one
	NotFound          // no such thing for this caller
	Conflict          // a unique key is taken
	Refused           // understood and allowed, but a rule of Usher forbids it in this state
	Forbidden         // the caller lacks the right
	Unauthorized      // the caller is not known
	Precondition      // the version the caller named is not the current one
	TooLarge          // the request exceeds a documented limit
	Gone              // it was there, and is not kept any more
)

// Error is a failure that the caller may be told about, in a sentence of its own. Field, where set, is the path of the
// value at fault in the caller's own words.
type Error struct {
	Kind   Kind
	Field  string
	Detail string
}

// Error gives the sentence, led by the field where there is one.
func (e *Error) Error() string {
	if e.Field == "" {
		return e.Detail
	}
	return e.Field + ": " + e.Detail
}

// Errorf makes an Error without a field.
func Errorf(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Detail: fmt.Sprintf(format, args...)}
}

// FieldErrorf makes an Error that names the field at fault.
func FieldErrorf(kind Kind, field, format string, args ...any) *Error {
	return &Error{Kind: kind, Field: field, Detail: fmt.Sprintf(format, args...)}
}

// KindOf tells the kind of any error; one that is not an *Error is Internal.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Internal
}

// Throttled asks that the work be tried again After the given time, as a remote service wished.
type Throttled struct{ After time.Duration }

// Error names the wait.
func (t *Throttled) Error() string { return "throttled for " + t.After.String() }
