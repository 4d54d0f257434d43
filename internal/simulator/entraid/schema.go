package entraid

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"usher/internal/simulator"
)

// The parts of a synchronizationSchema that a cycle needs. What else there is, is kept as it came.
type schemaJSON struct {
	ID          string          `json:"id"`
	Version     string          `json:"version"`
	Directories []directoryJSON `json:"directories"`
	Rules       []ruleJSON      `json:"synchronizationRules"`
}

type directoryJSON struct {
	ID                string       `json:"id"`
	Name              string       `json:"name"`
	Discoverabilities string       `json:"discoverabilities"`
	Objects           []objectJSON `json:"objects"`
}

type objectJSON struct {
	Name       string          `json:"name"`
	Attributes []attributeJSON `json:"attributes"`
}

type attributeJSON struct {
	Name           string   `json:"name"`
	Type           string   `json:"type"`
	Anchor         bool     `json:"anchor"`
	CaseExact      bool     `json:"caseExact"`
	Multivalued    bool     `json:"multivalued"`
	Mutability     string   `json:"mutability"`
	Required       bool     `json:"required"`
	FlowNullValues bool     `json:"flowNullValues"`
	Default        *string  `json:"defaultValue"`
	Metadata       []string `json:"metadata"`
	Referenced     []string `json:"referencedObjects"`
	APIExpressions []string `json:"apiExpressions"`
}

type ruleJSON struct {
	ID       string          `json:"id"`
	Name     string          `json:"name"`
	Priority int             `json:"priority"`
	Editable bool            `json:"editable"`
	Metadata []string        `json:"metadata"`
	Source   string          `json:"sourceDirectoryName"`
	Target   string          `json:"targetDirectoryName"`
	Mappings []objectMapping `json:"objectMappings"`
}

type objectMapping struct {
	Name       string             `json:"name"`
	Enabled    bool               `json:"enabled"`
	FlowTypes  string             `json:"flowTypes"`
	Source     string             `json:"sourceObjectName"`
	Target     string             `json:"targetObjectName"`
	Scope      json.RawMessage    `json:"scope"`
	Attributes []attributeMapping `json:"attributeMappings"`
	Metadata   []string           `json:"metadata"`
}

type attributeMapping struct {
	Target    string        `json:"targetAttributeName"`
	Matching  int           `json:"matchingPriority"`
	Behaviour string        `json:"flowBehavior"`
	Flow      string        `json:"flowType"`
	Default   *string       `json:"defaultValue"`
	Missing   bool          `json:"exportMissingReferences"`
	From      mappingSource `json:"source"`
}

type mappingSource struct {
	Type       string            `json:"type"`
	Name       string            `json:"name"`
	Expression string            `json:"expression"`
	Parameters []json.RawMessage `json:"parameters"`
}

const (
	sourceDirectory = "Azure Active Directory"
	targetDirectory = "customappsso"
	targetUser      = simulator.EnterpriseUserURN
	targetGroup     = simulator.CoreGroupURN
)

func row(target, source string, matching int) attributeMapping {
	m := attributeMapping{Target: target, Matching: matching, Behaviour: "FlowWhenChanged", Flow: "Always"}
	m.From = mappingSource{Type: "Attribute", Name: source, Expression: "[" + source + "]", Parameters: []json.RawMessage{}}
	if name, _, isFunction := strings.Cut(source, "("); isFunction {
		m.From.Type, m.From.Name, m.From.Expression = "Function", name, source
	}
	return m
}

// userRows are the mappings of users that a new application of one's own has.
func userRows() []attributeMapping {
	enterprise := simulator.EnterpriseUserURN + ":"
	active := row("active", `Switch([IsSoftDeleted], , "False", "True", "True", "False")`, 0)
	return []attributeMapping{
		row("userName", "userPrincipalName", 1), active, row("displayName", "displayName", 0), row("title", "jobTitle", 0),
		row(`emails[type eq "work"].value`, "mail", 0), row("preferredLanguage", "preferredLanguage", 0),
		row("name.givenName", "givenName", 0), row("name.familyName", "surname", 0),
		row("name.formatted", `Join(" ", [givenName], [surname])`, 0),
		row(`addresses[type eq "work"].formatted`, "physicalDeliveryOfficeName", 0),
		row(`addresses[type eq "work"].streetAddress`, "streetAddress", 0), row(`addresses[type eq "work"].locality`, "city", 0),
		row(`addresses[type eq "work"].region`, "state", 0), row(`addresses[type eq "work"].postalCode`, "postalCode", 0),
		row(`addresses[type eq "work"].country`, "country", 0), row(`phoneNumbers[type eq "work"].value`, "telephoneNumber", 0),
		row(`phoneNumbers[type eq "mobile"].value`, "mobile", 0), row(`phoneNumbers[type eq "fax"].value`, "facsimileTelephoneNumber", 0),
		row("externalId", "mailNickname", 0), row(enterprise+"employeeNumber", "employeeId", 0),
		row(enterprise+"department", "department", 0), row(enterprise+"manager", "manager", 0),
	}
}

func groupRows() []attributeMapping {
	return []attributeMapping{row("displayName", "displayName", 1), row("externalId", "objectId", 0), row("members", "members", 0)}
}

// newSchema is the schema of a new job. The ids are the caller's.
func newSchema(id, rule string) json.RawMessage {
	sources := []string{
		"accountEnabled", "city", "companyName", "country", "department", "displayName", "employeeId", "employeeType", "facsimileTelephoneNumber",
		"givenName", "IsSoftDeleted", "jobTitle", "mail", "mailNickname", "manager", "mobile", "objectId", "originalUserPrincipalName",
		"physicalDeliveryOfficeName", "postalCode", "preferredLanguage", "state", "streetAddress", "surname", "telephoneNumber",
		"usageLocation", "userPrincipalName",
	}
	for i := range 15 {
		sources = append(sources, fmt.Sprintf("extensionAttribute%d", i+1))
	}
	s := schemaJSON{ID: id, Version: "v1.0-" + rule[:8]}
	s.Directories = []directoryJSON{
		{ID: rule[:35] + "a", Name: sourceDirectory, Discoverabilities: "None", Objects: []objectJSON{
			{"User", attributesOf(sources)}, {"Group", attributesOf([]string{"displayName", "objectId", "members", "mail", "mailNickname"})},
		}},
		{ID: rule[:35] + "b", Name: targetDirectory, Discoverabilities: "None", Objects: []objectJSON{
			{targetUser, attributesOf(targetsOf(userRows()))}, {targetGroup, attributesOf(targetsOf(groupRows()))},
		}},
	}
	s.Rules = []ruleJSON{{
		ID: rule, Name: "USER_OUTBOUND_USER", Priority: 1, Editable: true, Metadata: []string{}, Source: sourceDirectory, Target: targetDirectory,
		Mappings: []objectMapping{
			mappingOf("Provision Microsoft Entra ID Groups", "Group", targetGroup, groupRows()),
			mappingOf("Provision Microsoft Entra ID Users", "User", targetUser, userRows()),
		},
	}}
	raw, _ := json.Marshal(s)
	return raw
}

func mappingOf(name, source, target string, rows []attributeMapping) objectMapping {
	return objectMapping{
		Name: name, Enabled: true, FlowTypes: "Add, Update, Delete", Source: source, Target: target, Scope: json.RawMessage("null"),
		Attributes: rows, Metadata: []string{},
	}
}

func targetsOf(rows []attributeMapping) []string {
	var names []string
	for _, one := range rows {
		names = append(names, one.Target)
	}
	return names
}

func attributesOf(names []string) []attributeJSON {
	list := make([]attributeJSON, 0, len(names))
	for _, name := range names {
		a := attributeJSON{Name: name, Type: "String", Mutability: "ReadWrite", Metadata: []string{}, Referenced: []string{}, APIExpressions: []string{}}
		switch {
		case name == "members", strings.HasSuffix(name, "manager"):
			a.Type = "Reference"
			a.Multivalued = name == "members"
		case name == "active", name == "accountEnabled", name == "IsSoftDeleted":
			a.Type = "Boolean"
		case name == "objectId":
			a.Anchor = true
		}
		list = append(list, a)
	}
	return list
}

// mappings is what a cycle goes by.
type mappings struct {
	rows                        []simulator.Mapping
	userMatching, groupMatching []string
}

// readSchema takes out of a schema what a cycle goes by, and refuses one that Entra would refuse.
func readSchema(raw json.RawMessage) (mappings, error) {
	var s schemaJSON
	var out mappings
	if err := json.Unmarshal(raw, &s); err != nil {
		return out, fmt.Errorf("the schema is not what Graph documents: %w", err)
	}
	users, groups := s.mapping("User"), s.mapping("Group")
	if users == nil {
		return out, fmt.Errorf("the schema has no mapping of users")
	}
	for _, one := range users.Attributes {
		if err := s.known(users.Target, one.Target); err != nil {
			return out, err
		}
		if one.Target == "active" || strings.HasSuffix(one.Target, ":manager") || one.Target == "manager" {
			continue
		}
		m, err := mappingRow(one)
		if err != nil {
			return out, err
		}
		out.rows = append(out.rows, m)
	}
	out.userMatching = matching(users.Attributes)
	if groups != nil {
		out.groupMatching = matching(groups.Attributes)
	}
	if len(out.userMatching) == 0 {
		return out, fmt.Errorf("the mapping of users has no matching attribute")
	}
	return out, nil
}

func (s schemaJSON) mapping(source string) *objectMapping {
	for _, rule := range s.Rules {
		for i, m := range rule.Mappings {
			if m.Source == source {
				return &rule.Mappings[i]
			}
		}
	}
	return nil
}

// known refuses a target that the target directory does not have.
func (s schemaJSON) known(object, name string) error {
	for _, d := range s.Directories {
		for _, o := range d.Objects {
			if o.Name == object && slices.ContainsFunc(o.Attributes, func(a attributeJSON) bool { return a.Name == name }) {
				return nil
			}
		}
	}
	return fmt.Errorf("the attribute %s is not defined for object %s of the target directory", name, object)
}

func mappingRow(one attributeMapping) (simulator.Mapping, error) {
	m := simulator.Mapping{Target: one.Target}
	switch one.From.Type {
	case "Attribute":
		name := one.From.Name
		m.Expression = func(u simulator.User) string { return attributeOf(u, name) }
	case "Constant":
		text := strings.Trim(one.From.Expression, `"`)
		m.Expression = func(simulator.User) string { return text }
	case "Function":
		f, err := readExpression(one.From.Expression)
		if err != nil {
			return m, err
		}
		m.Expression = f
	default:
		return m, fmt.Errorf("the source of %s is of no known type: %q", one.Target, one.From.Type)
	}
	return m, nil
}

// matching lists the matching attributes, the one of the lowest number first.
func matching(rows []attributeMapping) []string {
	var found []attributeMapping
	for _, one := range rows {
		if one.Matching > 0 {
			found = append(found, one)
		}
	}
	slices.SortStableFunc(found, func(a, b attributeMapping) int { return a.Matching - b.Matching })
	return targetsOf(found)
}
