package console

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"usher/model"
)

// lineOf gives an error about an entry of a list, such as field_mappings[2].source, as one about the field of the line that the entry
// was typed in: source.3.
func lineOf(err error, list string, line []int) error {
	known, ok := errors.AsType[*model.Error](err)
	if !ok {
		return err
	}
	rest, ok := strings.CutPrefix(known.Field, list+"[")
	if !ok {
		rest, ok = strings.CutPrefix(known.Field, "[")
	}
	number, name, found := strings.Cut(rest, "]")
	n, bad := strconv.Atoi(number)
	if !ok || !found || bad != nil || n >= len(line) || n < 0 {
		return err
	}
	name, _, _ = strings.Cut(strings.TrimPrefix(name, "."), ".")
	if name == "" {
		name = "target"
	}
	return model.FieldErrorf(known.Kind, fmt.Sprintf("%s.%d", name, line[n]), "%s", known.Detail)
}

func hasPrefix(text, prefix string) bool { return strings.HasPrefix(text, prefix) }

// asInvalid says whether an error is about what was typed.
func asInvalid(err error) (*model.Error, bool) {
	known, ok := errors.AsType[*model.Error](err)
	return known, ok && known.Kind == model.Invalid
}

// versionField is the field of a form that has a whole list: the version of the list that the form was made from.
const versionField = "version"

// madeFrom gives that version; none where the form does not say.
func (v *visit) madeFrom() []string {
	if version := v.field(versionField); version != "" {
		return []string{version}
	}
	return nil
}

// changedMeanwhile says that a form was made from a list that is another one by now; words name the list.
func changedMeanwhile(words string) string {
	return "Somebody else has changed the " + words + " meanwhile, and nothing of yours was saved. This is how they are now: look again, and repeat your change."
}
