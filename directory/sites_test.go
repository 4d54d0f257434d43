package directory

import (
	"slices"
	"strings"
	"testing"

	"usher/model"
)

func permits(group, site string, levels ...model.ModulePermission) model.GroupMapping {
	return model.GroupMapping{Group: model.GroupSelector{DisplayName: group}, Site: site, Permissions: levels}
}

func level(module string, l model.Level) model.ModulePermission {
	return model.ModulePermission{Module: module, Level: l}
}

func permission(site, module string, l model.Level) model.Permission {
	return model.Permission{Site: site, Module: module, Level: l}
}

func TestPermissions(t *testing.T) {
	const member, manager, admin = model.LevelMember, model.LevelManager, model.LevelAdmin
	for _, tt := range []struct {
		name     string
		mappings []model.GroupMapping
		groups   []string
		byHand   []model.Permission
		before   []model.Permission
		want     []model.Permission
		reason   string
	}{
		{
			"a group gives a level",
			[]model.GroupMapping{permits("HR", "norway", level("wiki", member))},
			[]string{"HR"},
			nil, nil,
			[]model.Permission{permission("norway", "wiki", member)},
			"group HR gives member in wiki at norway",
		},
		{
			"of several groups the highest level per site and module wins",
			[]model.GroupMapping{
				permits("HR", "norway", level("wiki", member), level("payroll", admin)), permits("IT", "norway", level("wiki", manager)),
			},
			[]string{"HR", "IT"},
			nil, nil,
			[]model.Permission{permission("norway", "payroll", admin), permission("norway", "wiki", manager)},
			"group IT gives manager in wiki at norway",
		},
		{
			"child sites inherit, and their children, but not one that overrides",
			[]model.GroupMapping{permits("HR", "denmark", level("wiki", manager))},
			[]string{"HR"},
			nil, nil,
			[]model.Permission{
				permission("copenhagen", "wiki", manager), permission("denmark", "wiki", manager), permission("harbour", "wiki", manager),
			},
			"group HR gives manager in wiki at copenhagen",
		},
		{
			"a site that overrides is configured by itself", []model.GroupMapping{
				permits("HR", "denmark", level("wiki", manager)), permits("HR", "aarhus", level("wiki", member)),
			}, []string{"HR"}, nil, nil, []model.Permission{
				permission("aarhus", "wiki", member), permission("copenhagen", "wiki", manager), permission("denmark", "wiki", manager),
				permission("harbour", "wiki", manager),
			}, "group HR gives member in wiki at aarhus",
		},
		{
			"leaving the group takes what it gave, and leaves what was given by hand",
			[]model.GroupMapping{permits("HR", "norway", level("wiki", admin))},
			nil,
			[]model.Permission{permission("norway", "payroll", member)},
			[]model.Permission{permission("norway", "payroll", member), permission("norway", "wiki", admin)},
			[]model.Permission{permission("norway", "payroll", member)},
			"no group gives wiki at norway any more",
		},
		{
			"what was given by hand stays under a lower mapping",
			[]model.GroupMapping{permits("HR", "norway", level("wiki", member))},
			[]string{"HR"},
			[]model.Permission{permission("norway", "wiki", admin)},
			[]model.Permission{permission("norway", "wiki", admin)},
			[]model.Permission{permission("norway", "wiki", admin)},
			"",
		},
		{
			"a level that only the group raised falls back to the hand-given one", nil, nil,
			[]model.Permission{permission("norway", "wiki", member)},
			[]model.Permission{permission("norway", "wiki", admin)},
			[]model.Permission{permission("norway", "wiki", member)},
			"given by hand: member in wiki at norway",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, mode := range []model.RoleSync{model.RoleSyncInitial, model.RoleSyncReconcile, model.RoleSyncMirror} {
				p := adaWithRoles(t, []string{"manager"}, nil, tt.groups...)
				p.Account.ByHand, p.Account.Permissions = tt.byHand, tt.before
				d, _ := settle(t, compileRules(t, rolesSettings(mode, tt.mappings...)), p)
				if !slices.Equal(d.Account.Permissions, tt.want) {
					t.Errorf("%s: permissions %v, want %v", mode, d.Account.Permissions, tt.want)
				}
				if tt.reason == "" {
					if hasChange(d, "permissions") {
						t.Errorf("%s: %+v", mode, d.Changes)
					}
				} else if reason := changeOf(t, d, "permissions").Reason; !strings.Contains(reason, tt.reason) {
					t.Errorf("%s: reason %q", mode, reason)
				}
				if !slices.Equal(d.Account.ByHand, tt.byHand) {
					t.Errorf("%s: by hand %v", mode, d.Account.ByHand)
				}
			}
		})
	}
}

func TestPermissionGrantsAreExplained(t *testing.T) {
	s := rolesSettings(model.RoleSyncReconcile, permits("HR", "denmark", level("wiki", model.LevelManager)))
	d, _ := settle(t, compileRules(t, s), ada(t, "HR"))
	want := []model.PermissionGrant{
		{Permission: permission("copenhagen", "wiki", model.LevelManager), GroupID: "g-HR", Group: "HR", From: "denmark"},
		{Permission: permission("denmark", "wiki", model.LevelManager), GroupID: "g-HR", Group: "HR"},
		{Permission: permission("harbour", "wiki", model.LevelManager), GroupID: "g-HR", Group: "HR", From: "denmark"},
	}
	if !slices.Equal(d.Explanations[0].Permissions, want) {
		t.Errorf("%+v", d.Explanations[0].Permissions)
	}
}

func TestPermissionsThatCannotBeGivenAreReported(t *testing.T) {
	s := rolesSettings(model.RoleSyncReconcile, permits("HR", "atlantis", level("wiki", model.LevelMember)),
		permits("HR", "norway", level("chess", model.LevelMember), level("wiki", "owner")),
		permits("HR", "harbour", level("wiki", model.LevelMember)))
	d, _ := settle(t, compileRules(t, s), ada(t, "HR"))
	var got []string
	for _, p := range d.Explanations[0].Problems {
		got = append(got, strings.TrimPrefix(p.Detail, "mapping of group HR: "))
	}
	want := []string{
		"site atlantis does not exist", "module chess does not exist", "level owner does not exist",
		"site harbour inherits from its parent copenhagen",
	}
	if !slices.Equal(got, want) || len(d.Account.Permissions) > 0 {
		t.Errorf("problems %q, permissions %v", got, d.Account.Permissions)
	}
}

func TestCircleOfParentsEnds(t *testing.T) {
	heirs := inheritance(map[string]model.Site{
		"a": {Key: "a", Parent: "b"}, "b": {Key: "b", Parent: "a"}, "c": {Key: "c", Parent: "c"}, "d": {Key: "d", Parent: "gone"},
	})
	if len(heirs["a"]) != 1 || len(heirs["b"]) != 1 || len(heirs["c"]) != 0 || len(heirs["gone"]) != 0 {
		t.Errorf("%v", heirs)
	}
}
