// Package verify asks any SCIM endpoint the questions that Entra and the standard ask, and reports which it answers
// well. It owns the checks, a client that trusts nothing it is told, the removal of everything the checks made, and the
// report. It imports the standard library alone.
//
// The endpoint may be somebody else's, broken or hostile: answers are bounded in size, depth and time, redirects are not
// followed, the token is sent to that endpoint alone and never shown, and nothing is changed or removed there that
// does not carry this run's own mark.
package verify
