package directory

import (
	"iter"
	"slices"

	"usher/model"
)

// Suggestion is an exclusion that somebody may want, with whom it would concern. Suggestions are never applied by
// themselves.
type Suggestion struct {
	Exclusion model.Exclusion `json:"exclusion"`
	Reason    string          `json:"reason"`
	Count     int             `json:"count"`    // directory users that match
	Examples  []string        `json:"examples"` // the first of them: e-mail, else userName
}

// maxExamples is how many directory users a suggestion names.
const maxExamples = 5

// suggestable is an exclusion that may be suggested.
type suggestable struct {
	exclusion model.Exclusion
	reason    string
	// known is the attribute that must occur at all, so that its absence means something; nil where it always does.
	known *Path
}

// suggestables lists what is looked for. A short word is wanted as a word of its own, so that Abbott is no bot.
func suggestables() []suggestable {
	word := func(w string) model.Exclusion { return model.Exclusion{Pattern: "{,*[-._]}" + w + "{,[-._]*}@*"} }
	licences, err := ParsePath(usherUserSchema + ":assignedLicenses")
	if err != nil {
		return nil
	}
	purpose := func(kind string) model.Exclusion {
		return model.Exclusion{Attribute: usherUserSchema + ":userPurpose", Operator: model.ExcludeEquals, Value: kind}
	}
	return []suggestable{
		{exclusion: model.Exclusion{Pattern: "*service*"}, reason: "the name is a service account's"},
		{exclusion: word("svc"), reason: "the name is a service account's"},
		{exclusion: model.Exclusion{Pattern: "sync_*"}, reason: "the name is that of a directory synchronization account"},
		{exclusion: word("{bot,robot}"), reason: "the name is a bot's"},
		{exclusion: model.Exclusion{Pattern: "*{noreply,no-reply,no_reply,no.reply,donotreply,do-not-reply}*"}, reason: "the name is that of a mailbox nobody reads"},
		{exclusion: word("{admin,administrator,adm}"), reason: "the name is that of an administration account"},
		{exclusion: model.Exclusion{Pattern: "*{scanner,printer,copier}*"}, reason: "the name is a device's"},
		{exclusion: word("{room,meetingroom,boardroom}"), reason: "the name is a room's"},
		{exclusion: purpose("shared"), reason: "it is a shared mailbox"},
		{exclusion: purpose("room"), reason: "it is a room"},
		{exclusion: purpose("equipment"), reason: "it is equipment"},
		{exclusion: model.Exclusion{Attribute: "name", Operator: model.ExcludeEmpty}, reason: "it has no given and no family name"},
		{exclusion: model.Exclusion{Attribute: "emails", Operator: model.ExcludeEmpty}, reason: "it has no mail"},
		{
			exclusion: model.Exclusion{Attribute: usherUserSchema + ":assignedLicenses", Operator: model.ExcludeEmpty},
			reason:    "it has no licence", known: &licences,
		},
	}
}

// Survey looks for accounts behind which nobody stands, at constant memory, a part of an integration's people at a time.
type Survey struct {
	offers   []suggestable
	compiled []exclusion
	found    []Suggestion
	known    []bool
	after    string
	// Looked is how many people have been looked at, Done whether that is everybody.
	Looked int
	Done   bool
}

// NewSurvey gives one that has looked at nobody.
func NewSurvey() *Survey {
	s := &Survey{offers: suggestables()}
	s.compiled, s.found, s.known = make([]exclusion, len(s.offers)), make([]Suggestion, len(s.offers)), make([]bool, len(s.offers))
	for i := range s.offers {
		var err error
		if s.compiled[i], err = compileExclusion(s.offers[i].exclusion); err != nil {
			return &Survey{}
		}
	}
	return s
}

// look looks at one directory user.
func (s *Survey) look(user *model.DirectoryUser) {
	s.Looked++
	attrs := user.Document.Attributes()
	for i := range s.offers {
		s.known[i] = s.known[i] || s.offers[i].known == nil || len(s.offers[i].known.Values(attrs)) > 0
		if s.compiled[i].matches(user, func() map[string]any { return attrs }) {
			s.found[i].Count++
			if len(s.found[i].Examples) < maxExamples {
				s.found[i].Examples = append(s.found[i].Examples, userLabel(*user))
			}
		}
	}
}

// Suggestions offers the exclusions that would concern somebody of those who have been looked at, each with how many.
func (s *Survey) Suggestions() []Suggestion {
	suggestions := []Suggestion{}
	for i := range s.offers {
		if s.found[i].Count > 0 && s.known[i] {
			one := s.found[i]
			one.Exclusion, one.Reason, one.Examples = s.offers[i].exclusion, s.offers[i].reason, slices.Clone(one.Examples)
			suggestions = append(suggestions, one)
		}
	}
	return suggestions
}

// SuggestExclusions looks at every directory user once, at constant memory, and offers the exclusions that would
// concern somebody, each with the number of directory users it matches.
func SuggestExclusions(users iter.Seq[model.DirectoryUser]) []Suggestion {
	s := NewSurvey()
	for user := range users {
		s.look(&user)
	}
	return s.Suggestions()
}

func userLabel(u model.DirectoryUser) string {
	if u.Email != "" {
		return u.Email
	}
	return u.UserName
}
