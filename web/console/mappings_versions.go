package console

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"usher/directory"
	"usher/model"
)

// versionRow is one version in a list of them.
type versionRow struct {
	Number       int
	Path         string
	Summary, Who string
	Entries      int
	At           time.Time
	Current      bool
}

// versionsView are the versions of an integration's field mappings.
type versionsView struct {
	Rows  []versionRow
	Empty *empty
	Pager pager
	Back  string
}

// How many versions the page of the mappings shows, and how many a page of them.
const (
	versionsBeside = 5
	versionsPage   = 25
)

// versionPath gives the address of a version below Base.
func versionPath(ref model.Ref, number int) string {
	return "/mappings/" + ref.IntegrationID + "/versions/" + strconv.Itoa(number)
}

// versionRows gives the versions before a number, 0 for the newest, and one more than limit where there are more.
func (v *visit) versionRows(ref model.Ref, before, limit int) ([]versionRow, error) {
	list, err := v.svc.FieldMappingVersions(v.ctx, ref, before, limit+1)
	if err != nil {
		return nil, err
	}
	last := 0
	if len(list) > 0 {
		if last, err = v.read.LastFieldMappingVersion(ref); err != nil {
			return nil, err
		}
	}
	rows := make([]versionRow, len(list))
	for n := range list {
		x := &list[n]
		rows[n] = versionRow{
			Number: x.Number, Path: Base + versionPath(ref, x.Number), Summary: sentence(x.Summary), Who: actorName(x.Actor), Entries: x.Entries,
			At: x.CreatedAt, Current: x.Number == last,
		}
	}
	return rows, nil
}

func (v *visit) showMappingVersions() error {
	i, err := v.integration()
	if err != nil {
		return err
	}
	before := 0
	if after := v.query("after"); after != "" {
		if before, err = strconv.Atoi(after); err != nil || before < 1 {
			return model.FieldErrorf(model.Invalid, "after", "is not a cursor of this list")
		}
	}
	view := versionsView{Back: with("/mappings", "integration", i.ID)}
	if view.Rows, err = v.versionRows(i.Ref(), before, versionsPage); err != nil {
		return err
	}
	next := ""
	if len(view.Rows) > versionsPage {
		view.Rows = view.Rows[:versionsPage]
		next = strconv.Itoa(view.Rows[versionsPage-1].Number)
	}
	view.Pager = v.paged(next, len(view.Rows), "versions")
	if len(view.Rows) == 0 {
		e := emptyYet("history", "No versions yet", "Every save of the mappings makes a version, which can be compared and restored.", link{"Go to the mappings", view.Back, ""})
		view.Empty = &e
	}
	return v.render("mapping_versions", page{
		Title: "Versions of the field mappings", Lead: "Every save of “" + i.Name + "”, the newest first. The last " + strconv.Itoa(model.FieldMappingVersionsKept) + " are kept.",
		Crumbs: []crumb{{"Field mappings", "/mappings?integration=" + i.ID}}, Body: view,
	})
}

// versionView is one version, and how it differs from what is saved now.
type versionView struct {
	versionRow
	Form      *form
	Lines     []versionLine
	Different []mappingDifference
	Manage    bool
	Now       string // version of the list as it is now
	Back, All string
}

// versionLine is one mapping of a version, and what is wrong with it now.
type versionLine struct {
	N                                int
	Target, Source, When, Expression string
	Error                            string
}

// mappingDifference is a field that is mapped otherwise now than in the version.
type mappingDifference struct{ Target, Now, Then string }

// mappingVersion reads the version of the path.
func (v *visit) mappingVersion() (model.Integration, model.FieldMappingVersion, error) {
	i, err := v.integration()
	if err != nil {
		return i, model.FieldMappingVersion{}, err
	}
	number, bad := strconv.Atoi(v.r.PathValue("version"))
	if bad != nil {
		return i, model.FieldMappingVersion{}, model.Errorf(model.NotFound, "There is no such version.")
	}
	x, err := v.svc.FieldMappingVersion(v.ctx, i.Ref(), number)
	return i, x, err
}

func (v *visit) showMappingVersion() error {
	i, x, err := v.mappingVersion()
	if err != nil {
		return err
	}
	return v.versionPage(i, &x, nil)
}

// versionPage shows a version, with what went wrong when it was to be restored.
func (v *visit) versionPage(i model.Integration, x *model.FieldMappingVersion, failure error) error {
	entry, err := v.svc.Lists(v.ctx, i.Ref())
	if err != nil {
		return err
	}
	last, err := v.read.LastFieldMappingVersion(i.Ref())
	if err != nil {
		return err
	}
	view := versionView{
		versionRow: versionRow{Number: x.Number, Who: actorName(x.Actor), Summary: sentence(x.Summary), At: x.CreatedAt, Entries: x.Entries, Current: x.Number == last},
		Form:       v.newForm(versionPath(i.Ref(), x.Number), "Restore this version"), Manage: v.can(model.RightManageSettings),
		Now: directory.ListVersion(entry.FieldMappings), Back: with("/mappings", "integration", i.ID), All: Base + "/mappings/" + i.ID + "/versions",
	}
	for n := range x.Mappings {
		m := &x.Mappings[n]
		view.Lines = append(view.Lines, versionLine{N: n + 1, Target: m.Target, Source: orDash(m.Source), When: whenInWords(m.Mode), Expression: m.Expression})
	}
	if failure != nil {
		if err := view.fail(failure); err != nil {
			return err
		}
	}
	for _, d := range directory.CompareFieldMappings(entry.FieldMappings, x.Mappings) {
		view.Different = append(view.Different, mappingDifference{d.Target, mappingInWords(d.Before), mappingInWords(d.After)})
	}
	return v.render("mapping_version", page{
		Title: "Version " + strconv.Itoa(x.Number) + " of the field mappings", Body: view,
		Crumbs: []crumb{{"Field mappings", "/mappings?integration=" + i.ID}, {"Versions", "/mappings/" + i.ID + "/versions"}},
	})
}

// fail puts a failure beside the line that it is about, and above the page.
func (view *versionView) fail(err error) error {
	known, ok := errors.AsType[*model.Error](err)
	if !ok || known.Field == "" {
		return view.Form.fail(err)
	}
	view.Form.Error = sentence(known.Detail)
	rest, _ := strings.CutPrefix(known.Field, "mappings[")
	number, _, _ := strings.Cut(rest, "]")
	if n, bad := strconv.Atoi(number); bad == nil && n >= 0 && n < len(view.Lines) {
		view.Lines[n].Error = view.Form.Error
	}
	return nil
}

// whens are the modes of a field mapping in words.
func whens() []option {
	return []option{{Value: "always", Name: "always"}, {Value: "first_time", Name: "first time, while it is empty"}, {Value: "skip", Name: "never"}}
}

func whenInWords(m model.FieldMode) string {
	list := whens()
	if at := slices.IndexFunc(list, func(o option) bool { return o.Value == string(m) }); at >= 0 {
		return list[at].Name
	}
	return list[0].Name
}

// mappingInWords says what fills a field.
func mappingInWords(m *model.FieldMapping) string {
	switch {
	case m == nil:
		return "no line of its own"
	case m.Mode == model.FieldSkip:
		return "never filled"
	}
	text := orWord(m.Source, "the expression alone") + ", " + whenInWords(m.Mode)
	if m.Expression != "" {
		text += ", as " + m.Expression
	}
	return text
}

func (v *visit) restoreMappings() error {
	i, x, err := v.mappingVersion()
	if err != nil {
		return err
	}
	switch v.field("do") {
	case "preview":
		run, err := v.svc.PreviewFieldMappings(v.ctx, i.Ref(), x.Number)
		if err != nil {
			return v.versionPage(i, &x, err)
		}
		return v.done("/runs/"+run.ID, "This is what would change for everyone. Nothing is saved yet.")
	case "restore":
	default:
		return model.FieldErrorf(model.Invalid, "do", "say whether to restore the version or to preview it")
	}
	made, err := v.svc.RestoreFieldMappings(v.ctx, i.Ref(), x.Number, v.madeFrom()...)
	if model.KindOf(err) == model.Precondition {
		err = model.Errorf(model.Precondition, "%s", changedMeanwhile("field mappings"))
	}
	if err != nil {
		return v.versionPage(i, &x, err)
	}
	return v.done("/mappings?integration="+i.ID, "Version "+strconv.Itoa(x.Number)+" is restored, as version "+strconv.Itoa(made.Number)+"; everyone is looked at anew.")
}
