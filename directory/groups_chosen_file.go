package directory

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"usher/model"
	"usher/model/entra"
)

// GroupFile is what a file of group names did.
type GroupFile struct {
	Lines     int              `json:"lines" doc:"Lines that name a group."`
	Added     []GroupCandidate `json:"added"`
	Unchanged int              `json:"unchanged" doc:"Lines whose group was there already."`
	Problems  []GroupProblem   `json:"problems" doc:"Lines that nothing was added for."`
}

// GroupProblem is a line that does not lead to one group.
type GroupProblem struct {
	Line       int              `json:"line" doc:"Counts from 1."`
	Name       string           `json:"name"`
	Detail     string           `json:"detail"`
	Candidates []GroupCandidate `json:"candidates,omitempty" doc:"Groups that have the name; put the object id of the one that is meant into the line."`
}

// groupLine is a line of the file.
type groupLine struct {
	line     int
	selector model.GroupSelector
}

// readGroups reads a file of group names and looks for the groups; each group is given once.
func (s *Service) readGroups(ctx context.Context, ref model.Ref, file io.Reader, lists bool) (GroupFile, []entra.Group, error) {
	out := GroupFile{Added: []GroupCandidate{}, Problems: []GroupProblem{}}
	lines, err := readGroupLines(file, &out)
	if err != nil {
		return out, nil, err
	}
	tenant, err := s.reader(ctx, ref)
	if err != nil || len(lines) == 0 {
		return out, nil, err
	}
	selectors := make([]model.GroupSelector, len(lines))
	for i := range lines {
		selectors[i] = lines[i].selector
	}
	answers, err := groupSearch{tenant: tenant, lists: lists}.all(ctx, selectors)
	if err != nil {
		return out, nil, err
	}
	var groups []entra.Group
	seen := map[string]int{}
	for i := range answers {
		l, a := &lines[i], &answers[i]
		if a.err != nil {
			out.Problems = append(out.Problems, GroupProblem{l.line, l.selector.String(), a.err.Detail, a.among})
			continue
		}
		if first, ok := seen[a.group.ID]; ok {
			out.Problems = append(out.Problems, GroupProblem{Line: l.line, Name: l.selector.String(), Detail: fmt.Sprintf("is the same group as line %d", first)})
			continue
		}
		seen[a.group.ID] = l.line
		groups = append(groups, a.group)
	}
	return out, groups, nil
}

// readGroupLines reads CSV (RFC 4180, UTF-8) of one field a line and without a header; empty lines are passed over.
func readGroupLines(file io.Reader, out *GroupFile) ([]groupLine, error) {
	r := csv.NewReader(newPeeker(file))
	r.FieldsPerRecord, r.ReuseRecord = -1, true
	var lines []groupLine
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return lines, nil
		}
		if pe, ok := errors.AsType[*csv.ParseError](err); ok {
			return nil, model.FieldErrorf(model.Invalid, fmt.Sprintf("lines[%d]", pe.StartLine), "is not CSV: %s", pe.Err)
		}
		if err != nil {
			return nil, err
		}
		line, _ := r.FieldPos(0)
		name := strings.TrimSpace(record[0])
		switch {
		case !utf8.ValidString(name):
			return nil, model.FieldErrorf(model.Invalid, fmt.Sprintf("lines[%d]", line), "is not UTF-8")
		case len(record) > 1:
			out.Problems = append(out.Problems, GroupProblem{
				Line: line, Name: cut(strings.Join(record, ","), maxShown),
				Detail: fmt.Sprintf("has %d fields: put a name that contains a comma in double quotes", len(record)),
			})
		case utf8.RuneCountInString(name) > maxNameLength:
			out.Problems = append(out.Problems, GroupProblem{Line: line, Name: cut(name, maxShown), Detail: fmt.Sprintf("a name has at most %d characters", maxNameLength)})
		case name == "":
			continue
		case tenantID.MatchString(name):
			lines = append(lines, groupLine{line, model.GroupSelector{ExternalID: name}})
		default:
			lines = append(lines, groupLine{line, model.GroupSelector{DisplayName: name}})
		}
		if out.Lines++; out.Lines > maxLookUps {
			return nil, model.Errorf(model.TooLarge, "a file names at most %d groups", maxLookUps)
		}
	}
}
