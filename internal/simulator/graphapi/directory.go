package graphapi

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"strings"

	"usher/model/outlook"
)

// userDefaults are what Graph tells of a user without $select.
func userDefaults() []string {
	return []string{
		"id", "businessPhones", "displayName", "givenName", "jobTitle", "mail", "mobilePhone", "officeLocation",
		"preferredLanguage", "surname", "userPrincipalName",
	}
}

func userProperties() []string {
	return append(userDefaults(), "accountEnabled", "assignedLicenses", "companyName", "createdDateTime", "department",
		"employeeId", "mailNickname", "otherMails", "proxyAddresses", "usageLocation", "userType", "externalUserState")
}

func renderUser(u outlook.User, names []string) object {
	o := object{}
	for _, name := range userProperties() {
		o[name] = nil
	}
	o["id"], o["displayName"], o["userPrincipalName"] = u.ID, orNull(u.DisplayName), u.UserPrincipalName
	o["mail"], o["accountEnabled"], o["userType"] = orNull(u.Mail), u.AccountEnabled, "Member"
	for _, list := range []string{"businessPhones", "assignedLicenses", "otherMails", "proxyAddresses"} {
		o[list] = []string{}
	}
	if names == nil {
		names = userDefaults()
	}
	return project(o, names)
}

func (s *Server) user(ctx context.Context, c *call) (answer, error) {
	names, err := c.selected("user", userProperties()...)
	if err != nil {
		return answer{}, err
	}
	u, err := s.world.User(ctx, c.vars["user"])
	if err == nil && !strings.EqualFold(c.vars["user"], u.ID) && !strings.EqualFold(c.vars["user"], u.UserPrincipalName) {
		err = &outlook.Error{Kind: outlook.NoUser} // the directory does not know people by their mail address
	}
	if err != nil {
		return answer{}, orNoResource(err, c.vars["user"])
	}
	o := renderUser(u, names)
	o["@odata.context"] = s.GraphURL + "/" + c.version + "/$metadata#users/$entity"
	return jsonAnswer(http.StatusOK, o)
}

// orNoResource answers as the directory does, which knows of no mailboxes.
func orNoResource(err error, id string) error {
	if kind := outlook.KindOf(err); kind == outlook.NoUser || kind == outlook.NotFound {
		return &outlook.Error{
			Kind: outlook.NoUser, Code: "Request_ResourceNotFound",
			Message: "Resource '" + id + "' does not exist or one of its queried reference-property objects are not present.",
		}
	}
	return err
}

// findUsers finds one by mail, userPrincipalName or id; the list of all is not held.
func (s *Server) findUsers(ctx context.Context, c *call) (answer, error) {
	names, err := c.selected("user", userProperties()...)
	if err != nil {
		return answer{}, err
	}
	found := filterUser.FindStringSubmatch(c.query.Get("$filter"))
	if found == nil {
		return answer{}, notHeld("lists of users; filter by mail, userPrincipalName or id")
	}
	value := unquote(found[2])
	u, err := s.world.User(ctx, value)
	values := []object{}
	switch kind := outlook.KindOf(err); {
	case err != nil && kind != outlook.NoUser && kind != outlook.NotFound:
		return answer{}, err
	case err == nil && strings.EqualFold(value, map[string]string{"mail": u.Mail, "userprincipalname": u.UserPrincipalName, "id": u.ID}[strings.ToLower(found[1])]):
		values = append(values, renderUser(u, names))
	}
	return jsonAnswer(http.StatusOK, s.collection(c, "users", values, ""))
}

func (s *Server) members(ctx context.Context, c *call) (answer, error) {
	names, err := c.selected("user", userProperties()...)
	if err != nil {
		return answer{}, err
	}
	next := ""
	if token := c.query.Get("$skiptoken"); token != "" {
		link, _, ok := s.open(token)
		if !ok {
			return answer{}, badRequest("The skip token is invalid.")
		}
		next = link
	}
	p, err := s.world.GroupMembers(ctx, c.vars["group"], next)
	if err != nil {
		return answer{}, orNoResource(err, c.vars["group"])
	}
	values := make([]object, 0, len(p.Users))
	for _, u := range p.Users {
		o := renderUser(u, names)
		o["@odata.type"] = "#microsoft.graph.user"
		values = append(values, o)
	}
	link := ""
	if p.Next != "" {
		link = s.link(c, url.Values(maps.Clone(c.query)), "$skiptoken", linkToken(p.Next))
	}
	return jsonAnswer(http.StatusOK, s.collection(c, "directoryObjects", values, link))
}
