package console

import (
	"errors"
	"net/url"
	"slices"
	"strings"

	"usher/model"
)

// The view models of the components in components.html. A page puts them into its own view model and its template says
// {{template "empty" .Empty}}.

// empty is a list with nothing in it: why, and what to do. There are four reasons, and each is told apart: emptyNotConnected,
// emptyYet, emptyFiltered, emptyForbidden make them.
type empty struct {
	Kind              string // not-connected, nothing-yet, filtered, not-allowed
	Icon, Title, Text string
	Action            link
}

// link is a way on. Path is a whole path, as with gives it.
type link struct{ Name, Path, Icon string }

// emptyNotConnected says that nothing can be here until something is connected.
func emptyNotConnected(title, text string, action link) empty {
	return empty{"not-connected", "plug-connected", title, text, action}
}

// emptyYet says that nothing has happened yet, and what will fill the place.
func emptyYet(icon, title, text string, action link) empty {
	return empty{"nothing-yet", icon, title, text, action}
}

// emptyFiltered says that there is something, but nothing that fits the filters; clear is the page without them.
func emptyFiltered(title, clear string) empty {
	return empty{"filtered", "filter", title, "Nothing fits what you asked for. There may be more without the filters.", link{"Clear the filters", clear, "x"}}
}

// emptyForbidden says that something is here that the operator may not see.
func emptyForbidden(right model.Right) empty {
	return empty{"not-allowed", "lock", "Not for you to see", "This needs the right “" + rightName(right) + "”. An operator who manages operators can give it to you.", link{}}
}

// tone is the colour of a word; the word alone says it as well.
type tone string

const (
	good  tone = "green"
	warn  tone = "yellow"
	bad   tone = "red"
	calm  tone = "secondary"
	fresh tone = "blue"
)

// badge is a short word with a colour and an icon.
type badge struct {
	Tone tone
	Icon string
	Text string
}

// alert is a sentence that stands out. Title may be empty.
type alert struct {
	Tone        tone
	Icon        string
	Title, Text string
	Action      link
}

// pager leads to the next page of a list, and back to the first.
type pager struct {
	Next, First string // addresses; "" where there is none
	Shown       int
	What        string // people, requests
	Note        string
}

// paged makes the pager of a list at the present address: next is the cursor behind the last row, "" on the last page.
func (v *visit) paged(next string, shown int, what string) pager {
	p := pager{Shown: shown, What: what}
	query := v.r.URL.Query()
	if query.Get("after") != "" {
		p.First = v.without("after")
	}
	if next != "" {
		query.Set("after", next)
		p.Next = v.r.URL.Path + "?" + query.Encode()
	}
	return p
}

// without gives the present address without some of its values.
func (v *visit) without(names ...string) string {
	query := v.r.URL.Query()
	for _, name := range names {
		query.Del(name)
	}
	if len(query) == 0 {
		return v.r.URL.Path
	}
	return v.r.URL.Path + "?" + query.Encode()
}

// tab is one of several views of the same place.
type tab struct {
	Name, Path string
	Current    bool
	Count      string // "" where it is not known
}

// option is one choice of a select or of radio buttons.
type option struct {
	Value, Name, Help string
	Chosen            bool
}

// field is one field of a form, with what was typed and what is wrong with it.
type field struct {
	ID, Name, Label, Type string // Type of an input, or select, radio, checkbox, textarea
	Value                 string
	Help, Error           string
	Required, Checked     bool
	Options               []option
	Autocomplete          string
	Placeholder           string
	Rows                  int
}

// form is what a page asks for. It keeps what was typed where something is wrong, and says what beside the field.
type form struct {
	Action string // address that it is sent to
	Submit string // what the button says
	Error  string // what is wrong with the whole of it
	values url.Values
	errors map[string]string
}

// newForm gives a form that shows what was sent, or what it is given with set.
func (v *visit) newForm(action, submit string) *form {
	f := &form{Action: Base + action, Submit: submit, values: url.Values{}, errors: map[string]string{}}
	for name, list := range v.r.PostForm {
		f.values[name] = list
	}
	return f
}

// blank gives an empty form, outside a visit.
func blank(action, submit string, values url.Values) *form {
	f := &form{Action: Base + action, Submit: submit, values: url.Values{}, errors: map[string]string{}}
	for name, list := range values {
		f.values[name] = list
	}
	return f
}

// set gives a field a value, unless something was typed.
func (f *form) set(name, value string) {
	if _, typed := f.values[name]; !typed {
		f.values.Set(name, value)
	}
}

// fail puts a failure where it belongs: beside its field where the form has one of the name, else above the form. What is
// Usher's own fault is given back.
func (f *form) fail(err error) error {
	known, ok := errors.AsType[*model.Error](err)
	if !ok || known.Kind == model.Internal || known.Kind == model.NotFound && known.Field == "" {
		return err
	}
	if known.Field == "" {
		f.Error = sentence(known.Detail)
		return nil
	}
	f.errors[known.Field] = sentence(known.Detail)
	return nil
}

// field gives one field by name, with its value and error. Its id is the name, so a page has one form with a field of a name.
func (f *form) field(kind, name, label string) field {
	x := field{ID: "f-" + strings.NewReplacer(".", "-", "[", "-", "]", "").Replace(name), Name: name, Label: label, Type: kind, Value: f.values.Get(name), Error: f.errors[name]}
	delete(f.errors, name)
	x.Checked = x.Value != ""
	return x
}

// rest puts what is wrong with fields that the form does not show above it. A page calls it when all fields are made.
func (f *form) rest() {
	for name, text := range f.errors {
		f.Error = strings.TrimSpace(f.Error + " " + strings.ReplaceAll(name, "_", " ") + ": " + text)
	}
	f.errors = map[string]string{}
}

// choose marks the chosen one among options, which other fields may share.
func (x field) choose(options ...option) field {
	options = slices.Clone(options)
	for i := range options {
		options[i].Chosen = options[i].Value == x.Value
	}
	x.Options = options
	return x
}

// accountStatus gives the word for where an account stands.
func accountStatus(s model.AccountStatus) badge {
	switch s {
	case model.AccountActive:
		return badge{good, "circle-check", "Active"}
	case model.AccountDeactivated:
		return badge{warn, "ban", "Deactivated"}
	case model.AccountArchived:
		return badge{calm, "archive", "Archived"}
	}
	return badge{calm, "circle-dashed", string(s)}
}
