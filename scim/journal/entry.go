// Package journal puts SCIM requests that were answered into words: what was meant, to whom, how it ended and by which rule,
// and what was sent and answered without its secrets. It imports
// model, scim/wire, scim/fault and elimity-com/scim's errors.
package journal

import (
	"strings"
	"time"
	"unicode/utf8"

	"usher/model"
)

// MaxBody is how many bytes of a body are kept.
const MaxBody = 64 << 10

// Entry is one request as it waits to be written; it is a model.SCIMEntry.
type Entry struct {
	ID             string // a UUID of version 7 of the time of arrival
	Caller         model.SCIMCaller
	At             time.Time
	Took           time.Duration
	Method         string
	Route          string // below the base of the integration, with :id
	Resource       string // the id in the path
	Path, Query    string // below the base, as they were sent
	Filter         string // what a list was asked for, decoded
	UserAgent      string
	RemoteAddress  string
	Status         int
	Deviations     []string
	SubjectID      string // of the resource that the request is about, where it got so far
	SubjectName    string // that it had before the request
	Found          int    // how many resources a list found
	Err            error  // what the request failed with
	RequestHeaders []model.SCIMHeader
	AnswerHeaders  []model.SCIMHeader
	Request        []byte // bodies, until Exchange
	Answer         []byte

	meant  intent
	ending ending
}

// Exchange gives the messages without secrets, and lets go of the bodies: what they say was understood then.
func (e *Entry) Exchange() model.SCIMExchange {
	e.meant, e.ending = understand(e.Method, e.Route, e.Filter, e.Request), e.ended()
	x := model.SCIMExchange{Request: message(e.RequestHeaders, e.Request), Answer: message(e.AnswerHeaders, e.Answer)}
	e.Request, e.Answer, e.RequestHeaders, e.AnswerHeaders = nil, nil, nil, nil
	return x
}

// Ref names the integration.
func (e *Entry) Ref() model.Ref { return e.Caller.Ref }

// overhead is about how many bytes an entry occupies beside its texts.
const overhead = 1024

// Size is about how many bytes the entry occupies: the buffers of its bodies count whole, of which little may be used.
func (e *Entry) Size() int {
	return overhead + cap(e.Request) + cap(e.Answer) + len(e.Path) + len(e.Query) + len(e.Filter) + len(e.UserAgent)
}

// Named gives the subject where the request told both its id and its name.
func (e *Entry) Named() (id, name string) {
	if e.SubjectName == "" {
		return "", ""
	}
	return e.SubjectID, e.SubjectName
}

// maxUnnamed bounds the ids of one request that are looked up.
const maxUnnamed = 8

// Unnamed gives the ids that the words want names for.
func (e *Entry) Unnamed() []string {
	var ids []string
	e.words(&e.meant, func(id string) string {
		if len(ids) < maxUnnamed && id != "" {
			ids = append(ids, id)
		}
		return ""
	})
	return ids
}

// The most that is kept of texts that a client chooses, in bytes.
const (
	maxMethod  = 20
	maxAgent   = 200
	maxPath    = 2048
	maxSubject = 256
	maxSummary = 1024
	maxDetail  = 2048
)

// Row puts the request into words.
func (e *Entry) Row(name func(id string) string) model.SCIMRequest {
	row := model.SCIMRequest{
		ID: e.ID, OrganizationID: e.Caller.OrganizationID, IntegrationID: e.Caller.IntegrationID,
		OccurredAt: e.At.UTC().Truncate(time.Microsecond), Method: Clean(e.Method, maxMethod), Path: Clean(RedactURL(e.Path, e.Query), maxPath),
		Summary: Clean(e.words(&e.meant, name), maxSummary), Status: e.Status, DurationUS: e.Took.Microseconds(), Deviations: e.Deviations,
		CredentialID: e.Caller.CredentialID, CredentialName: Clean(e.Caller.CredentialName, maxSubject),
		UserAgent: Clean(e.UserAgent, maxAgent), RemoteAddress: e.RemoteAddress,
		Result: e.ending.result, SCIMType: e.ending.scimType, Detail: e.ending.detail, Rule: e.ending.rule,
	}
	e.subject(&e.meant, name, &row)
	return row
}

func message(headers []model.SCIMHeader, body []byte) model.SCIMMessage {
	size, cut := len(body), len(body) > MaxBody
	body = body[:min(size, MaxBody)]
	return model.SCIMMessage{Headers: headers, Body: strings.ToValidUTF8(string(Redact(body, cut)), "\uFFFD"), Bytes: size, Cut: cut}
}

// subject fills in what the request is about, by the name that it had.
func (e *Entry) subject(meant *intent, name func(string) string, row *model.SCIMRequest) {
	if e.probes(meant) {
		return
	}
	switch meant.noun {
	case "user":
		row.SubjectType = "User"
	case "group":
		row.SubjectType = "Group"
	default:
		return
	}
	row.SubjectID = Clean(e.subjectID(), maxSubject)
	row.Subject = Clean(e.subjectName(meant, name), maxSubject)
	row.SubjectKey = model.Fold(row.Subject)
}

func (e *Entry) subjectID() string {
	if e.SubjectID == "" && strings.HasSuffix(e.Route, "/:id") {
		return e.Resource
	}
	return e.SubjectID
}

func (e *Entry) subjectName(meant *intent, name func(string) string) string {
	switch {
	case e.SubjectName != "":
		return e.SubjectName
	case e.subjectID() != "":
		return name(e.subjectID())
	case meant.act == creates, meant.act == looks:
		return meant.name
	}
	return ""
}

// Clean makes text that every database can hold, of at most the given number of bytes.
func Clean(text string, most int) string {
	if len(text) > most {
		for most > 0 && !utf8.RuneStart(text[most]) {
			most--
		}
		text = text[:most]
	}
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
}
