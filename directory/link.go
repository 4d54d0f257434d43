package directory

import (
	"cmp"
	"slices"
	"strings"

	"usher/model"
)

// Candidate is an account that might be the one of a directory user.
type Candidate struct {
	Account model.Account
	TakenBy string // name of the directory user of the same integration that is linked to it, "" if none
}

// LinkKeys gives the folded keys by which candidates are to be looked up, both among the login e-mails and among the
// userNames of accounts. There are none for a directory user that is being deleted: a tombstone links to nothing new.
func LinkKeys(user model.DirectoryUser) []string {
	if isTombstone(user.UserName) {
		return nil
	}
	var keys []string
	for _, name := range [...]string{realAddress(user.Email), user.Email, realAddress(user.UserName), user.UserName} {
		key := model.Fold(strings.TrimSpace(name))
		if key != "" && !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys
}

// Link finds the account of a directory user that has none yet, among the candidates that LinkKeys leads to. In this
// order an account is taken whose login e-mail equals the user's e-mail, whose login e-mail equals its userName, whose
// userName equals its userName; all without case. rule says in words which one it was. When that account is linked to
// another directory user of the same integration already, there is a problem instead: one person never gets a second
// account, and two directory users of one integration never share one.
func Link(user model.DirectoryUser, candidates []Candidate) (account *model.Account, rule, problem string) {
	if isTombstone(user.UserName) {
		return nil, "", ""
	}
	ordered := slices.Clone(candidates)
	slices.SortStableFunc(ordered, func(a, b Candidate) int {
		return cmp.Or(strings.Compare(a.TakenBy, b.TakenBy), strings.Compare(a.Account.ID, b.Account.ID))
	})
	for _, r := range linkRules(user) {
		for i := range ordered {
			c := &ordered[i]
			if !slices.Contains(r.keys, r.of(&c.Account)) {
				continue
			}
			if c.TakenBy != "" {
				return nil, "", "account " + c.Account.Name() + " is linked to directory user " + c.TakenBy +
					" of the same integration already"
			}
			found := c.Account
			return &found, r.rule, ""
		}
	}
	return nil, "", ""
}

// linkRule compares one name of an account with some of a directory user's.
type linkRule struct {
	rule string
	keys []string
	of   func(*model.Account) string
}

func linkRules(user model.DirectoryUser) []linkRule {
	emails, userNames := foldedNames(user.Email), foldedNames(user.UserName)
	byEmail := func(a *model.Account) string { return model.Fold(a.Email) }
	byUserName := func(a *model.Account) string { return model.Fold(a.UserName) }
	return []linkRule{
		{"the login e-mail equals the directory user's e-mail", emails, byEmail},
		{"the login e-mail equals the directory user's userName", userNames, byEmail},
		{"the userName equals the directory user's userName", userNames, byUserName},
	}
}

// foldedNames gives the keys of a name: the real address of a guest and the name as it is.
func foldedNames(name string) []string {
	var keys []string
	for _, n := range [...]string{realAddress(name), name} {
		if key := model.Fold(strings.TrimSpace(n)); key != "" {
			keys = append(keys, key)
		}
	}
	return keys
}

// LoginEmail gives the e-mail by which an account of this directory user would sign in: its e-mail, else its userName
// where that is an address. A guest's is the real address. It is empty where there is none, and for a tombstone.
func LoginEmail(user model.DirectoryUser) string {
	if isTombstone(user.UserName) {
		return ""
	}
	for _, name := range [...]string{user.Email, user.UserName} {
		if address := realAddress(strings.TrimSpace(name)); isAddress(address) {
			return address
		}
	}
	return ""
}

// tombstoneLength is the length of an object id in hexadecimal without dashes.
const tombstoneLength = 32

// isTombstone says whether the userName is one that Entra gives while deleting: 32 hexadecimal digits of the object id
// in front of the user principal name. A name of 32 such digits alone, or before the @, is an ordinary one.
func isTombstone(userName string) bool {
	if len(userName) <= tombstoneLength || userName[tombstoneLength] == '@' {
		return false
	}
	for i := range tombstoneLength {
		c := userName[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
			return false
		}
	}
	return strings.Contains(userName[tombstoneLength:], "@")
}

// realAddress turns the user principal name of a guest, alias_domain#EXT#@tenant, into the guest's own address
// alias@domain; the last underscore stands for the @, since a domain has none. Any other name stays as it is.
func realAddress(name string) string {
	at := guestMarker(name)
	if at < 0 {
		return name
	}
	mangled := name[:at]
	underscore := strings.LastIndexByte(mangled, '_')
	if underscore <= 0 || underscore == len(mangled)-1 {
		return name
	}
	return mangled[:underscore] + "@" + mangled[underscore+1:]
}

// guestMarker finds #EXT#, without case, which Entra puts behind the mangled address of a guest.
func guestMarker(name string) int {
	const marker = "#EXT#"
	for at := strings.IndexByte(name, '#'); at >= 0 && at+len(marker) <= len(name); at++ {
		if strings.EqualFold(name[at:at+len(marker)], marker) {
			return at
		}
	}
	return -1
}

// isAddress says whether the text can be an e-mail address: something, one @, a domain, no spaces and no guest marker.
func isAddress(text string) bool {
	local, domain, found := strings.Cut(text, "@")
	return found && local != "" && domain != "" && !strings.ContainsAny(domain, "@ ") && !strings.Contains(local, " ") &&
		guestMarker(text) < 0
}
