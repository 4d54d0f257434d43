package directory_test

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"usher/directory"
	"usher/model"
	entraid "usher/model/entra"
)

// editable is a list of an integration as a test edits it. Its entries are those of numbers.
type editable struct {
	name string
	add  func(n int) error
	put  func(versions []string, numbers ...int) error // in place of the list
	now  func() (numbers []int, version string)
}

// numbered is how many entries there are.
const numbered = 10

func editableOf[T, L any](w *world, ref model.Ref, name string, entry func(n int) T, read func() []T,
	change func(context.Context, model.Ref, []T, directory.ListEdit[T]) ([]L, error),
) editable {
	return editable{
		name: name,
		add: func(n int) error {
			_, err := change(w.ctx, ref, []T{entry(n)}, directory.Adding)
			return err
		},
		put: func(versions []string, numbers ...int) error {
			var list []T
			for _, n := range numbers {
				list = append(list, entry(n))
			}
			_, err := change(w.ctx, ref, list, directory.Replacing[T](versions...))
			return err
		},
		now: func() (numbers []int, version string) {
			list := read()
			for n := range numbered {
				if slices.ContainsFunc(list, func(e T) bool { return reflect.DeepEqual(e, entry(n)) }) {
					numbers = append(numbers, n)
				}
			}
			return numbers, directory.ListVersion(list)
		},
	}
}

// editables are all lists of an integration that imports from a tenant.
func (w *world) editables() (list []editable, ref model.Ref) {
	w.Helper()
	ref, tenant := w.pulls()
	w.roles("hr")
	for n := range numbered {
		tenant.groups = append(tenant.groups, entraid.Group{ID: object(n), DisplayName: "Group", MailEnabled: true, Mail: "group@contoso.com"})
		_, err := w.svc.PutCustomField(w.ctx, w.org, model.CustomField{Key: fmt.Sprintf("field%d", n)})
		w.ok(err)
	}
	lists := func() model.IntegrationSettings { return must2(w, w.svc.Lists)(w.ctx, ref) }
	chosen := func(n int) model.GroupSelector {
		return model.GroupSelector{ExternalID: object(n), DisplayName: "Group"}
	}
	return []editable{
		editableOf(w, ref, "exclusions", func(n int) model.Exclusion { return model.Exclusion{Pattern: fmt.Sprintf("svc%d-*", n)} },
			func() []model.Exclusion { return lists().Exclusions }, w.svc.ChangeExclusions),
		editableOf(w, ref, "group mappings", func(n int) model.GroupMapping { return model.GroupMapping{Group: chosen(n), Role: "hr"} },
			func() []model.GroupMapping { return lists().GroupMappings }, w.svc.ChangeGroupMappings),
		editableOf(w, ref, "field mappings", func(n int) model.FieldMapping {
			return model.FieldMapping{Source: "title", Target: fmt.Sprintf("custom_fields.field%d", n), Mode: model.FieldAlways}
		}, func() []model.FieldMapping { return lists().FieldMappings }, w.svc.ChangeFieldMappings),
		editableOf(w, ref, "room groups", func(n int) model.RoomGroup { return model.RoomGroup{ExternalID: object(n)} },
			func() []model.RoomGroup { return lists().RoomGroups }, w.svc.ChangeRoomGroups),
		editableOf(w, ref, "chosen groups", chosen, func() []model.GroupSelector { return lists().ChosenGroups }, w.svc.ChangeChosenGroups),
		editableOf(w, ref, "lists", func(n int) model.GroupSelector { return model.GroupSelector{ExternalID: object(n)} },
			func() []model.GroupSelector { return directory.ChosenLists(w.lists(ref)) }, w.svc.ChangeDistributionLists),
	}, ref
}

// TestListsKeepWhatSeveralAdd has several administrators add an entry to the same list at once.
func TestListsKeepWhatSeveralAdd(t *testing.T) {
	each(t, func(w *world) {
		lists, ref := w.editables()
		want := []int{}
		for n := range numbered {
			want = append(want, n)
		}
		for _, l := range lists {
			var adds []func() error
			for _, n := range want {
				adds = append(adds, func() error { return l.add(n) })
			}
			for _, err := range together(adds...) {
				w.ok(err)
			}
			if got, _ := l.now(); !slices.Equal(got, want) {
				w.Errorf("%s: of %v, %v stand", l.name, want, got)
			}
		}
		if versions, err := w.svc.FieldMappingVersions(w.ctx, ref, 0, 2*numbered); err != nil || len(versions) != numbered {
			w.Errorf("%d additions of field mappings made %d versions, %v", numbered, len(versions), err)
		}
	})
}

// TestReplacingAListOfAVersion replaces lists that somebody else may have changed since they were read.
func TestReplacingAListOfAVersion(t *testing.T) {
	each(t, func(w *world) {
		lists, _ := w.editables()
		for _, l := range lists {
			_, none := l.now()
			w.ok(l.put([]string{none}, 0, 1))
			_, first := l.now()
			w.ok(l.put(nil, 0, 1, 2)) // whatever it was
			_, second := l.now()
			if none == first || first == second || len(second) != 32 {
				w.Errorf("%s: versions %q, %q, %q", l.name, none, first, second)
			}
			e := w.during(func() {
				w.refused(l.put([]string{first}, 5), model.Precondition, "If-Match", "the version of the list is "+second)
			})
			w.wrote(e, "", "")
			if got, version := l.now(); !slices.Equal(got, []int{0, 1, 2}) || version != second {
				w.Errorf("%s: a stale list made it %v", l.name, got)
			}
			w.ok(l.put([]string{first, second}, 0, 1))
			if got, version := l.now(); !slices.Equal(got, []int{0, 1}) || version != first {
				w.Errorf("%s: replaced, it is %v of version %s; the same list was %s", l.name, got, version, first)
			}
		}
	})
}

// meanwhile runs fn once, when Entra is next asked for groups: after an edit has read what there is, and before it is stored.
func (w *world) meanwhile(fn func()) {
	tenants := w.svc.Tenants
	w.svc.Tenants = func(ctx context.Context, ref model.Ref) (directory.Tenant, error) {
		w.svc.Tenants = tenants
		fn()
		return tenants(ctx, ref)
	}
}

// TestGroupsThatAreAddedWhileEntraIsAsked merges what is found into the list as it is by then.
func TestGroupsThatAreAddedWhileEntraIsAsked(t *testing.T) {
	each(t, func(w *world) {
		lists, ref := w.editables()
		chosen, made := lists[4], lists[5]
		files := map[string]func(context.Context, model.Ref, string) (directory.GroupFile, error){
			chosen.name: func(ctx context.Context, ref model.Ref, file string) (directory.GroupFile, error) {
				return w.svc.ChooseGroups(ctx, ref, strings.NewReader(file), false)
			},
			made.name: func(ctx context.Context, ref model.Ref, file string) (directory.GroupFile, error) {
				return w.svc.AddDistributionLists(ctx, ref, strings.NewReader(file), false)
			},
		}
		for _, l := range []editable{chosen, made} {
			w.ok(l.put(nil, 0))
			w.meanwhile(func() { w.ok(l.add(1)) })
			w.ok(l.add(2))
			w.meanwhile(func() { w.ok(l.put(nil, 1, 2, 3)) })
			out, err := files[l.name](w.ctx, ref, object(3)+"\n"+object(4)+"\n")
			w.ok(err)
			if got, _ := l.now(); !slices.Equal(got, []int{1, 2, 3, 4}) || len(out.Added) != 1 || out.Added[0].ExternalID != object(4) || out.Unchanged != 1 {
				w.Errorf("%s: they are %v, of the file %+v", l.name, got, out)
			}
			_, version := l.now()
			w.meanwhile(func() { w.ok(l.add(5)) })
			w.refused(l.put([]string{version}, 6), model.Precondition, "If-Match", "")
			if got, _ := l.now(); !slices.Equal(got, []int{1, 2, 3, 4, 5}) {
				w.Errorf("%s: a stale list made them %v", l.name, got)
			}
		}
		w.meanwhile(func() { w.ok(made.put(nil, 2)) })
		w.refused(made.put(nil, 1, 2, 6), model.Conflict, "", "look again")
		if got, _ := made.now(); !slices.Equal(got, []int{2}) {
			w.Errorf("refused, the lists are %v", got)
		}
	})
}

// TestPreviewIsSavedInPlaceOfWhatItWasMadeFrom previews a list, and has somebody else change it before the plan begins.
func TestPreviewIsSavedInPlaceOfWhatItWasMadeFrom(t *testing.T) {
	each(t, func(w *world) {
		w.user(ada)
		supposed := []model.Exclusion{{Pattern: "svc-*"}}
		run, err := w.svc.StartPreview(w.ctx, w.ref, model.PreviewSettings{Exclusions: &supposed})
		w.ok(err)
		theirs := []model.Exclusion{{Pattern: "bot-*"}}
		settings := must2(w, w.store.CurrentSettings)(w.ctx, w.org)
		_, err = w.svc.ChangeExclusions(w.ctx, w.ref, theirs, directory.Replacing[model.Exclusion]())
		w.ok(err)
		late, err := w.svc.StartPreview(w.ctx, w.ref, model.PreviewSettings{Exclusions: &supposed, Of: settings.Version})
		w.ok(err)
		now, err := w.svc.StartPreview(w.ctx, w.ref, model.PreviewSettings{Exclusions: &supposed})
		w.ok(err)
		w.drain()
		for _, stale := range []model.Run{run, late} {
			_, err = w.svc.SavePreview(w.ctx, w.org, stale.ID)
			w.refused(err, model.Refused, "", "the settings have changed since this preview was made")
		}
		if entry := must2(w, w.svc.Lists)(w.ctx, w.ref); !slices.Equal(entry.Exclusions, theirs) {
			w.Errorf("a preview of other settings made them %v", entry.Exclusions)
		}
		_, err = w.svc.SavePreview(w.ctx, w.org, now.ID)
		w.ok(err)
		if entry := must2(w, w.svc.Lists)(w.ctx, w.ref); !slices.Equal(entry.Exclusions, supposed) {
			w.Errorf("saved are %v", entry.Exclusions)
		}
	})
}

// listAttempts name another organization's integration.
func (w *world) listAttempts() []attempt {
	return []attempt{
		listAttempt(w, "ChangeGroupMappings", w.svc.ChangeGroupMappings),
		listAttempt(w, "ChangeFieldMappings", w.svc.ChangeFieldMappings),
		listAttempt(w, "ChangeExclusions", w.svc.ChangeExclusions),
		listAttempt(w, "ChangeRoomGroups", w.svc.ChangeRoomGroups),
		listAttempt(w, "ChangeChosenGroups", w.svc.ChangeChosenGroups),
		listAttempt(w, "ChangeDistributionLists", w.svc.ChangeDistributionLists),
	}
}

func listAttempt[T, L any](w *world, name string, change func(context.Context, model.Ref, []T, directory.ListEdit[T]) ([]L, error)) attempt {
	noEdit := func([]T, []T) ([]T, error) { return nil, errFound }
	return attempt{name, func() error { _, err := change(w.ctx, w.ref, nil, noEdit); return err }, false}
}

// put replaces a list, whatever it was.
func put[T, L any](change func(context.Context, model.Ref, []T, directory.ListEdit[T]) ([]L, error)) func(context.Context, model.Ref, []T) ([]L, error) {
	return func(ctx context.Context, ref model.Ref, list []T) ([]L, error) {
		return change(ctx, ref, list, directory.Replacing[T]())
	}
}
