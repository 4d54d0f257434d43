package journal

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

// guid is how Entra writes the value that its connection test looks for.
var guid = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// probes says whether the request is Entra's test of the connection: it looks for a random GUID where a name is expected, and
// finds none. A GUID as externalId is no sign of it: that is how users are usually matched.
func (e *Entry) probes(i *intent) bool {
	if i.act != looks || e.Status != http.StatusOK || e.Found != 0 || !guid.MatchString(i.name) {
		return false
	}
	head, _, _ := strings.Cut(strings.ToLower(i.attribute), " ")
	return head == "username" || head == "emails" || head == "displayname"
}

// words says what the request meant.
func (e *Entry) words(i *intent, name func(id string) string) string {
	ok := e.Status == http.StatusOK
	switch i.act {
	case looks:
		if e.probes(i) {
			return "test the connection"
		}
		return "look for " + indefinite(i.noun) + " by " + i.attribute + " " + i.name + e.foundWords(ok)
	case searches:
		return "look for " + plural(i.noun) + " where " + i.filter + e.foundWords(ok)
	case lists:
		if !ok {
			return "list " + plural(i.noun)
		}
		return "list " + plural(i.noun) + " (" + strconv.Itoa(e.Found) + " in all)"
	case asks:
		return e.question(i, name, ok)
	case bulks:
		return bulkWords(i, name)
	case other:
		return i.text
	case creates, reads, replaces, deletes, changes:
	}
	return i.sentence(e.subjectID(), e.subjectName(i, name), name)
}

func (e *Entry) foundWords(ok bool) string {
	switch {
	case !ok:
		return ""
	case e.Found == 0:
		return " (found none)"
	case e.Found == 1 && e.SubjectName != "":
		return " (found " + e.SubjectName + ")"
	}
	return " (found " + strconv.Itoa(e.Found) + ")"
}

func (e *Entry) question(i *intent, name func(string) string, ok bool) string {
	answer := ""
	if ok {
		answer = " (no)"
		if e.Found > 0 {
			answer = " (yes)"
		}
	}
	one, other := known(i.id, name), known(i.related, name)
	if i.attribute == "members" {
		return "ask whether " + other + " is a member of " + one + answer
	}
	return "ask whether " + other + " is the manager of " + one + answer
}

func known(id string, name func(string) string) string {
	if n := name(id); n != "" {
		return n
	}
	return id
}

func indefinite(noun string) string {
	if noun == "" {
		return "a user or group"
	}
	return "a " + noun
}

func plural(noun string) string {
	if noun == "" {
		return "users and groups"
	}
	return noun + "s"
}

// bulkWords tells the first operations of a bulk request.
func bulkWords(i *intent, name func(string) string) string {
	if i.total == 0 {
		return "send a bulk request without operations"
	}
	var told []string
	for n := range i.parts {
		p := &i.parts[n]
		subject := p.name
		if p.act != creates {
			subject = name(p.of)
		}
		if p.act == other {
			told = append(told, p.text)
			continue
		}
		told = append(told, p.sentence(p.of, subject, name))
	}
	if rest := i.total - len(told); rest > 0 {
		told = append(told, "and "+strconv.Itoa(rest)+" more")
	}
	return count(i.total, "operation") + ": " + strings.Join(told, ", ")
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

// sentence says what happens to one user or group, which has the id and, where it is known, the name.
func (i *intent) sentence(id, subject string, name func(string) string) string {
	whole := i.noun + " " + subject
	if subject == "" {
		whole = strings.TrimSpace(i.noun + " " + id)
	}
	switch i.act {
	case creates:
		if i.added.n > 0 {
			return "create " + whole + " with " + count(i.added.n, "member")
		}
		return "create " + whole
	case reads:
		return "read " + whole
	case replaces:
		return "replace " + whole
	case deletes:
		return "delete " + whole
	case other, changes, looks, asks, searches, lists, bulks:
	}
	short := subject
	if subject == "" {
		short = whole
	}
	of := short
	if i.noun == "group" {
		of = whole
	}
	clauses := append(i.attributeClauses(short, of), i.memberClauses(short, name)...)
	if len(clauses) == 0 {
		return "change nothing of " + of
	}
	return strings.Join(clauses, " and ")
}

// attributeClauses tell of the attributes; the first names the subject.
func (i *intent) attributeClauses(short, of string) []string {
	var clauses []string
	whose := func(text string) string {
		if len(clauses) == 0 {
			return text + " of " + of
		}
		return text
	}
	if i.active != nil {
		clauses = append(clauses, map[bool]string{true: "enable ", false: "disable "}[*i.active]+short)
	}
	if i.renamed {
		if len(clauses) == 0 {
			clauses = append(clauses, "rename "+map[bool]string{true: of, false: "user " + strings.TrimPrefix(of, "user ")}[i.noun == "group"]+" to "+i.name)
		} else {
			clauses = append(clauses, "rename to "+i.name)
		}
	}
	changed := enumerated(i.changed, i.more)
	if changed != "" {
		clauses = append(clauses, whose("change "+changed))
	}
	more := i.more
	if changed != "" {
		more = 0
	}
	if cleared := enumerated(i.cleared, more); cleared != "" {
		clauses = append(clauses, whose("clear "+cleared))
	}
	return clauses
}

// enumerated lists attributes: title, department and manager.
func enumerated(names []string, more int) string {
	switch {
	case len(names) == 0:
		return ""
	case more > 0:
		return strings.Join(names, ", ") + " and " + strconv.Itoa(more) + " more"
	case len(names) == 1:
		return names[0]
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

// memberClauses tell who joins and leaves the group.
func (i *intent) memberClauses(group string, name func(string) string) []string {
	var clauses []string
	who := func(m *ids) string {
		if m.n != 1 {
			return count(m.n, "member")
		}
		return known(m.first, name)
	}
	if i.set != nil {
		switch i.set.n {
		case 0:
			clauses = append(clauses, "remove all members of "+group)
		case 1:
			clauses = append(clauses, "make "+who(i.set)+" the only member of "+group)
		default:
			clauses = append(clauses, "set "+who(i.set)+" of "+group)
		}
	}
	if i.emptied {
		clauses = append(clauses, "remove all members of "+group)
	}
	if i.added.n > 0 {
		clauses = append(clauses, "add "+who(&i.added)+" to "+group)
	}
	if i.removed.n > 0 {
		clauses = append(clauses, "remove "+who(&i.removed)+" from "+group)
	}
	return clauses
}
