package graph

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	abstractions "github.com/microsoft/kiota-abstractions-go"
	"github.com/microsoftgraph/msgraph-sdk-go/directory"
	"github.com/microsoftgraph/msgraph-sdk-go/models"

	"usher/model/entra"
	"usher/model/outlook"
)

// extensionAttribute begins the names of the fifteen attributes that came from Exchange.
const extensionAttribute = "extensionAttribute"

// writable says that a property of a user may be set by its name (entra.UserChange).
func writable(name string) bool {
	switch name {
	case "displayName", "givenName", "surname", "mail", "jobTitle", "department", "companyName", "employeeId", "officeLocation",
		"usageLocation", "preferredLanguage", "streetAddress", "city", "state", "postalCode", "country", "mobilePhone", "userPrincipalName":
		return true
	}
	return false
}

// extensionAttributeNamed says that a name is one of extensionAttribute1 to extensionAttribute15.
func extensionAttributeNamed(name string) bool {
	number, ok := strings.CutPrefix(name, extensionAttribute)
	switch {
	case !ok || number == "":
		return false
	case len(number) == 1:
		return number >= "1" && number <= "9"
	}
	return len(number) == 2 && number >= "10" && number <= "15"
}

// userModel writes a change. The properties go in by name, because the SDK's models leave out what is cleared: only among the
// additional data is a null sent. Where nothing can be there yet, what is empty is left out.
func userModel(change entra.UserChange, created bool) (*models.User, error) {
	m := models.NewUser()
	data, attributes := map[string]any{}, map[string]any{}
	for name, text := range change.Set {
		into := data
		switch {
		case extensionAttributeNamed(name):
			into = attributes
		case !writable(name):
			return nil, badValue(fmt.Sprintf("%q cannot be set on a user", shorten(name, 100)))
		}
		if text != "" {
			into[name] = text
		} else if !created {
			into[name] = nil
		}
	}
	m.SetAdditionalData(data)
	if len(attributes) > 0 {
		extension := models.NewOnPremisesExtensionAttributes()
		extension.SetAdditionalData(attributes)
		m.SetOnPremisesExtensionAttributes(extension)
	}
	if change.BusinessPhones != nil {
		m.SetBusinessPhones(append([]string{}, *change.BusinessPhones...))
	}
	m.SetAccountEnabled(change.Enabled)
	return m, nil
}

// CreateUser makes a user, and then tells who the manager is. Where the manager alone was refused, the user is given with the error.
// It is never repeated: a second user would come of it, or a refusal of what was done.
func (c *Client) CreateUser(ctx context.Context, u entra.NewUser) (entra.User, error) {
	m, err := userModel(u.UserChange, true)
	if err != nil {
		return entra.User{}, err
	}
	if u.UserPrincipalName == "" || u.MailNickname == "" || u.Password == "" {
		return entra.User{}, missing("a user principal name, a mail nickname and a password")
	}
	change := true
	password := models.NewPasswordProfile()
	password.SetForceChangePasswordNextSignIn(&change)
	password.SetPassword(&u.Password)
	m.SetPasswordProfile(password)
	m.SetUserPrincipalName(&u.UserPrincipalName)
	m.SetMailNickname(&u.MailNickname)
	m.SetAccountEnabled(&u.Enabled)
	delete(m.GetAdditionalData(), "userPrincipalName")
	info, err := c.users().ToPostRequestInformation(ctx, m, nil)
	text, err := c.fetchBytes(ctx, call{operation: "users.create", units: 1}, info, err)
	if err != nil {
		return entra.User{}, err
	}
	made, err := readUser(text, false)
	if err == nil && made.ID == "" {
		err = unreadable("the answer is a user without id")
	}
	if err != nil || u.ManagerID == nil || *u.ManagerID == "" {
		return made, err
	}
	if err := c.setManager(ctx, made.ID, *u.ManagerID); err != nil {
		return made, err
	}
	made.ManagerID = *u.ManagerID
	return made, nil
}

// UpdateUser changes a user: first the properties, then the manager. Both may be done twice without harm. NotFound says that the
// manager is not there.
func (c *Client) UpdateUser(ctx context.Context, id string, change entra.UserChange) error {
	if unnamed(id) {
		return missing("a user")
	}
	m, err := userModel(change, false)
	if err != nil {
		return err
	}
	if len(change.Set) > 0 || change.BusinessPhones != nil || change.Enabled != nil {
		info, err := c.users().ByUserId(id).ToPatchRequestInformation(ctx, m, nil)
		if err := c.push(ctx, call{operation: "users.update", safe: true, units: 1}, info, err); err != nil {
			return err
		}
	}
	switch {
	case change.ManagerID == nil:
		return nil
	case *change.ManagerID == "":
		return c.removeManager(ctx, id)
	}
	return c.setManager(ctx, id, *change.ManagerID)
}

func (c *Client) setManager(ctx context.Context, id, manager string) error {
	if unnamed(manager) {
		return missing("a manager")
	}
	reference := models.NewReferenceUpdate()
	where := c.object("users", manager)
	reference.SetOdataId(&where)
	info, err := c.users().ByUserId(id).Manager().Ref().ToPutRequestInformation(ctx, reference, nil)
	err = c.push(ctx, call{operation: "users.manager", safe: true, units: 1}, info, err)
	return absent(err, manager, outlook.NotFound)
}

// removeManager takes the manager away; that there is none is no failure.
func (c *Client) removeManager(ctx context.Context, id string) error {
	info, err := c.users().ByUserId(id).Manager().Ref().ToDeleteRequestInformation(ctx, nil)
	err = c.push(ctx, call{operation: "users.manager", safe: true, units: 1}, info, err)
	if failed := asError(err); failed != nil && failed.Kind == outlook.NoUser && !mentions(failed, id) {
		return nil
	}
	return err
}

// object is the address of an object as bodies of the directory refer to it.
func (c *Client) object(room, id string) string {
	return c.root.String() + "/" + room + "/" + url.PathEscape(id)
}

// DeleteUser puts a user among the deleted items. Repeated after its answer was lost it finds nobody: NoUser.
func (c *Client) DeleteUser(ctx context.Context, id string) error {
	if unnamed(id) {
		return missing("a user")
	}
	info, err := c.users().ByUserId(id).ToDeleteRequestInformation(ctx, nil)
	return c.push(ctx, call{operation: "users.delete", safe: true, units: 1}, info, err)
}

// RestoreUser takes a user out of the deleted items. NoUser says that it is not there.
func (c *Client) RestoreUser(ctx context.Context, id string) (entra.User, error) {
	if unnamed(id) {
		return entra.User{}, missing("a user")
	}
	info, err := directory.NewDirectoryRequestBuilderInternal(map[string]string{}, c.adapter).DeletedItems().ByDirectoryObjectId(id).Restore().
		ToPostRequestInformation(ctx, nil)
	text, err := c.fetchBytes(ctx, call{operation: "users.restore", units: 1}, info, err)
	if err != nil {
		return entra.User{}, err
	}
	u, err := readUser(text, false)
	if err == nil && u.ID == "" {
		err = unreadable("the answer is a user without id")
	}
	return u, err
}

// RevokeSessions ends a user's sign-ins everywhere. Graph says so at once, and it takes a few minutes.
func (c *Client) RevokeSessions(ctx context.Context, id string) error {
	if unnamed(id) {
		return missing("a user")
	}
	info, err := c.users().ByUserId(id).RevokeSignInSessions().ToPostRequestInformation(ctx, nil)
	return c.done(ctx, call{operation: "users.revoke_sessions", safe: true, units: 1}, info, err)
}

// done sends a request whose answer is of no interest, be there one or not.
func (c *Client) done(ctx context.Context, call call, info *abstractions.RequestInformation, err error) error {
	_, err = c.fetchBytes(ctx, call, info, err)
	return err
}

// AddMember puts a user into a group. NoUser says that the user is not there (yet: a new one takes a while to be everywhere),
// NotFound that the group is not.
func (c *Client) AddMember(ctx context.Context, groupID, userID string) error {
	if unnamed(groupID) || unnamed(userID) {
		return missing("a group and a user")
	}
	reference := models.NewReferenceCreate()
	where := c.object("directoryObjects", userID)
	reference.SetOdataId(&where)
	info, err := c.groups().ByGroupId(groupID).Members().Ref().ToPostRequestInformation(ctx, reference, nil)
	err = c.push(ctx, call{operation: "groups.add_member", units: 1}, info, err)
	return absent(err, userID, outlook.NoUser)
}

// RemoveMember takes a user out of a group. The address ends in $ref, always: without it Graph deletes the user.
func (c *Client) RemoveMember(ctx context.Context, groupID, userID string) error {
	if unnamed(groupID) || unnamed(userID) {
		return missing("a group and a user")
	}
	info, err := c.groups().ByGroupId(groupID).Members().ByDirectoryObjectId(userID).Ref().ToDeleteRequestInformation(ctx, nil)
	return c.push(ctx, call{operation: "groups.remove_member", safe: true, units: 1}, info, err)
}

// absent tells which of two objects it is that Graph does not find: its message has the id.
func absent(err error, id string, kind outlook.Kind) error {
	failed := asError(err)
	if failed == nil || failed.Status != http.StatusNotFound || !mentions(failed, id) {
		return err
	}
	told := *failed
	told.Kind = kind
	return &told
}

func mentions(failed *outlook.Error, id string) bool {
	return strings.Contains(strings.ToLower(failed.Message), strings.ToLower(id))
}
