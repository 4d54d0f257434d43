package load

import (
	"encoding/json"
	"errors"
	"fmt"

	"usher/bench/entra"
)

// A check judges the body of an answer whose status is right: a wrong answer is
// not a fast answer.
type check func(body []byte) error

type listResponse struct {
	TotalResults *int
	Resources    []json.RawMessage
}

func decodeList(body []byte) (listResponse, error) {
	var list listResponse
	if err := json.Unmarshal(body, &list); err != nil {
		return list, err
	}
	if list.TotalResults == nil {
		return list, errors.New("no totalResults")
	}
	return list, nil
}

// found wants exactly that many results, all on this page.
func found(want int) check {
	return func(body []byte) error {
		list, err := decodeList(body)
		if err != nil {
			return err
		}
		if *list.TotalResults != want || len(list.Resources) != want {
			return fmt.Errorf("totalResults %d with %d Resources, want %d", *list.TotalResults, len(list.Resources), want)
		}
		return nil
	}
}

// page wants the page of so many from start, full unless the list ends before,
// of at least so many in all.
func page(start, count, least int) check {
	return func(body []byte) error {
		list, err := decodeList(body)
		if err != nil {
			return err
		}
		total := *list.TotalResults
		if want := min(count, total-start+1); total < least || len(list.Resources) != want {
			return fmt.Errorf("totalResults %d with %d Resources, want at least %d with %d", total, len(list.Resources), least, want)
		}
		return nil
	}
}

// ofDepartment wants one user or more, and all of that department.
func ofDepartment(department string) check {
	return func(body []byte) error {
		list, err := decodeList(body)
		if err != nil {
			return err
		}
		if *list.TotalResults < 1 || len(list.Resources) < 1 {
			return errors.New("nobody found")
		}
		for _, resource := range list.Resources {
			user, err := decodeUser(resource)
			if err != nil {
				return err
			}
			if user.Enterprise.Department != department {
				return fmt.Errorf("a user of department %q, want %q", user.Enterprise.Department, department)
			}
		}
		return nil
	}
}

// foundGroup wants exactly one group, without its members.
func foundGroup(body []byte) error {
	if err := found(1)(body); err != nil {
		return err
	}
	list, err := decodeList(body)
	if err != nil {
		return err
	}
	return withoutMembers(list.Resources[0])
}

// withoutMembers wants a group in answer to excludedAttributes=members.
func withoutMembers(body []byte) error {
	var group struct {
		ID      string
		Members []json.RawMessage
	}
	if err := json.Unmarshal(body, &group); err != nil {
		return err
	}
	if group.ID == "" {
		return errors.New("no id")
	}
	if len(group.Members) > 0 {
		return fmt.Errorf("%d members in spite of excludedAttributes=members", len(group.Members))
	}
	return nil
}

// hasID wants a resource with an id.
func hasID(body []byte) error {
	if idOf(body) == "" {
		return errors.New("no id")
	}
	return nil
}

// idOf returns the id of a resource, "" if it has none.
func idOf(body []byte) string {
	var resource struct{ ID string }
	if err := json.Unmarshal(body, &resource); err != nil {
		return ""
	}
	return resource.ID
}

// readUser is what is compared with the ledger.
type readUser struct {
	ID, DisplayName, Title string
	Active                 bool
	Enterprise             struct{ Department string } `json:"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"`
}

func decodeUser(body []byte) (readUser, error) {
	var user readUser
	err := json.Unmarshal(body, &user)
	return user, err
}

// likeLedger wants the values last acknowledged.
func likeLedger(want person) check {
	return func(body []byte) error {
		user, err := decodeUser(body)
		if err != nil {
			return err
		}
		got := person{displayName: user.DisplayName, title: user.Title, department: user.Enterprise.Department, active: user.Active}
		if got.displayName != want.displayName || got.title != want.title || got.department != want.department || got.active != want.active {
			return fmt.Errorf("read back %q, %q, %q, active %t; last acknowledged %q, %q, %q, active %t",
				got.displayName, got.title, got.department, got.active, want.displayName, want.title, want.department, want.active)
		}
		return nil
	}
}

func personOf(tenant entra.Tenant, number int) person {
	known := tenant.Person(number)
	return person{displayName: known.DisplayName, title: known.Title, department: known.Department, active: true}
}
