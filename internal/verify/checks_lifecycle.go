package verify

import (
	"net/http"
	"strings"
)

func lifecycleChecks() []Check {
	return []Check{
		{
			Name: "lifecycle/legacy", Severity: Entra, Source: "Entra: disable user without the flag aadOptscim062020", Writes: true,
			Asserts: "active \"False\" and \"True\" disable and enable",
			run:     func(t *talk) { disableEnable(t, `[{"op":"Replace","path":"active","value":"%s"}]`, "False", "True") },
		},
		{
			Name: "lifecycle/flag", Severity: Entra, Source: "Entra: disable user with the flag aadOptscim062020", Writes: true,
			Asserts: "active false and true disable and enable",
			run:     func(t *talk) { disableEnable(t, `[{"op":"replace","path":"active","value":%s}]`, "false", "true") },
		},
		{
			Name: "lifecycle/pathless", Severity: Entra, Source: "Entra: operations without path", Writes: true,
			Asserts: "active disables and enables without a path too",
			run:     func(t *talk) { disableEnable(t, `[{"op":"Replace","value":{"active":"%s"}}]`, "False", "True") },
		},
		{
			Name: "lifecycle/inactive-visible", Severity: Entra, Source: "Entra: inactive users are returned by GET and by filter", Writes: true,
			Asserts: "a disabled user is still read and found",
			run: func(t *talk) {
				p := t.user(`{"active":false}`)
				t.get(p.path).status(http.StatusOK).has("active", false)
				t.find("Users", `userName eq "`+p.userName+`"`).one(p.id)
			},
		},
		{
			Name: "lifecycle/tombstone", Severity: Entra, Source: "Entra: a soft delete renames the user principal name", Writes: true,
			Asserts: "a user who is disabled and renamed to 32 hexadecimal digits before the old name stays the same resource",
			run: func(t *talk) {
				p := t.user("")
				name := "9f1c2b3a4d5e6f708192a3b4c5d6e7f8" + p.userName
				t.patch(p.path, `[{"op":"Replace","path":"userName","value":"`+name+`"},{"op":"Replace","path":"active","value":"False"}]`).
					status(http.StatusOK, http.StatusNoContent)
				t.get(p.path).status(http.StatusOK).has("userName", name).has("active", false)
			},
		},
		{
			Name: "lifecycle/restore", Severity: Entra, Source: "Entra: restored users keep their memberships", Writes: true, Needs: []Feature{Groups},
			Asserts: "a user who is disabled and enabled again is still a member of the group",
			run: func(t *talk) {
				p := t.user("")
				g := t.group(p)
				for _, state := range []string{"False", "True"} {
					t.patch(p.path, `[{"op":"Replace","path":"active","value":"`+state+`"}]`).status(http.StatusOK, http.StatusNoContent)
				}
				t.hasMembers(g, p)
			},
		},
	}
}

// disableEnable sends the form with each state, and looks each time.
func disableEnable(t *talk, form, off, on string) {
	p := t.user("")
	for _, state := range []string{off, on} {
		t.patch(p.path, strings.Replace(form, "%s", state, 1)).status(http.StatusOK, http.StatusNoContent)
		t.get(p.path).status(http.StatusOK).has("active", strings.EqualFold(state, "true"))
	}
}
