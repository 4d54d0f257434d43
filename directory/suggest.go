package directory

import (
	"iter"

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

// SuggestExclusions looks at every directory user once, at constant memory, and offers the exclusions that would
// concern somebody, each with the number of directory users it matches.
func SuggestExclusions(users iter.Seq[model.DirectoryUser]) []Suggestion {
	offers := suggestables()
	compiledOffers := make([]exclusion, len(offers))
	for i := range offers {
		var err error
		if compiledOffers[i], err = compileExclusion(offers[i].exclusion); err != nil {
			return nil
		}
	}
	found := make([]Suggestion, len(offers))
	known := make([]bool, len(offers))
	for user := range users {
		attrs := user.Document.Attributes()
		for i := range offers {
			known[i] = known[i] || offers[i].known == nil || len(offers[i].known.Values(attrs)) > 0
			if compiledOffers[i].matches(&user, func() map[string]any { return attrs }) {
				found[i].Count++
				if len(found[i].Examples) < maxExamples {
					found[i].Examples = append(found[i].Examples, userLabel(user))
				}
			}
		}
	}
	suggestions := []Suggestion{}
	for i := range offers {
		if found[i].Count > 0 && known[i] {
			found[i].Exclusion, found[i].Reason = offers[i].exclusion, offers[i].reason
			suggestions = append(suggestions, found[i])
		}
	}
	return suggestions
}

func userLabel(u model.DirectoryUser) string {
	if u.Email != "" {
		return u.Email
	}
	return u.UserName
}
