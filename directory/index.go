package directory

import (
	"strings"
	"unicode/utf8"

	"usher/model"
)

// maxNameLength bounds userName, displayName and externalId, in characters. Every database indexes keys of this size.
const maxNameLength = 500

// Index fills the columns of u that are copies of its Document, so that they can be searched: UserName, ExternalID,
// Email, DisplayName, their keys, and Active, which is true where the attribute is absent (Entra leaves it out of some
// creations). The e-mail is the one of type work, else the primary one, else the first (RFC 7643 §4.1.2).
func Index(u *model.DirectoryUser) error {
	attrs, err := u.Document.Parse()
	if err != nil {
		return model.Errorf(model.Invalid, "the document is not a JSON object")
	}
	userName, err := requiredName(attrs, "userName")
	if err != nil {
		return err
	}
	displayName, err := optionalName(attrs, "displayName")
	if err != nil {
		return err
	}
	externalID, err := optionalName(attrs, "externalId")
	if err != nil {
		return err
	}
	email := workEmail(attrs)
	if utf8.RuneCountInString(email) > maxNameLength {
		return model.FieldErrorf(model.Invalid, "emails", "an e-mail address has at most %d characters", maxNameLength)
	}
	u.UserName, u.UserNameKey = userName, model.Fold(userName)
	u.DisplayName, u.ExternalID = displayName, externalID
	u.Email, u.EmailKey = email, model.Fold(email)
	u.Active = isActive(attrs)
	return nil
}

// IndexGroup fills the columns of g that are copies of its Document: DisplayName with its key, and ExternalID.
func IndexGroup(g *model.DirectoryGroup) error {
	attrs, err := g.Document.Parse()
	if err != nil {
		return model.Errorf(model.Invalid, "the document is not a JSON object")
	}
	displayName, err := requiredName(attrs, "displayName")
	if err != nil {
		return err
	}
	externalID, err := optionalName(attrs, "externalId")
	if err != nil {
		return err
	}
	g.DisplayName, g.DisplayNameKey, g.ExternalID = displayName, model.Fold(displayName), externalID
	return nil
}

func requiredName(attrs map[string]any, attribute string) (string, error) {
	name, err := optionalName(attrs, attribute)
	if err == nil && strings.TrimSpace(name) == "" {
		return "", model.FieldErrorf(model.Invalid, attribute, "%s is required", attribute)
	}
	return name, err
}

func optionalName(attrs map[string]any, attribute string) (string, error) {
	value, _ := lookup(attrs, attribute)
	if value == nil {
		return "", nil
	}
	name, ok := value.(string)
	if !ok {
		return "", model.FieldErrorf(model.Invalid, attribute, "%s must be text", attribute)
	}
	if utf8.RuneCountInString(name) > maxNameLength {
		return "", model.FieldErrorf(model.Invalid, attribute, "%s has at most %d characters", attribute, maxNameLength)
	}
	return name, nil
}

// workEmail picks the address by which a person is known; blank values do not count.
func workEmail(attrs map[string]any) string {
	value, _ := lookup(attrs, "emails")
	list, _ := value.([]any)
	best, bestRank := "", 0
	for _, element := range list {
		address, rank := rankedEmail(element)
		if address != "" && rank > bestRank {
			best, bestRank = address, rank
		}
	}
	return best
}

func rankedEmail(element any) (address string, rank int) {
	entry, ok := element.(map[string]any)
	if !ok {
		text, _ := element.(string)
		return strings.TrimSpace(text), 1
	}
	value, _ := lookup(entry, "value")
	kind, _ := lookup(entry, "type")
	rank = 1
	if isPrimary(entry) {
		rank = 2
	}
	if strings.EqualFold(textOf(kind), "work") {
		rank = 3
	}
	return strings.TrimSpace(textOf(value)), rank
}

func isActive(attrs map[string]any) bool {
	value, ok := lookup(attrs, "active")
	return !ok || value == nil || strings.EqualFold(textOf(value), "true")
}
