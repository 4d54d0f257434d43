// Package entra forms the requests of Microsoft Entra ID's provisioning service.
//
// It owns the benchmark's people and groups, and the bodies and addresses that
// Entra sends for them in both of its dialects. Everything follows from a tag and
// a number, so that a run repeats. It imports the standard library alone.
package entra

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
)

// The schemas that Entra names (RFC 7643 §8, RFC 7644 §3.5.2).
const (
	UserSchema       = "urn:ietf:params:scim:schemas:core:2.0:User"
	GroupSchema      = "urn:ietf:params:scim:schemas:core:2.0:Group"
	EnterpriseSchema = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	patchSchema      = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
)

// departments is how many there are: few enough that the filter by department
// finds hundreds among 50,000 people, many enough that an index pays.
const departments = 200

// Tenant is a pretend tenant of any number of people. Its tag is part of every
// name, so that two runs against one server do not collide.
type Tenant struct{ Tag string }

// Person is what the provisioning service knows of one user.
type Person struct {
	UserName, ExternalID, DisplayName  string
	GivenName, FamilyName              string
	Title, Department, City, Telephone string
}

// Person returns the number-th person, always the same one.
func (t Tenant) Person(number int) Person {
	given := pick(number, "Ada", "Ben", "Clara", "David", "Edith", "Felix", "Greta", "Hugo", "Ines", "Jonas", "Karla")
	family := pick(number/11, "Lovelace", "Hopper", "Berg", "Costa", "Dahl", "Eriksen", "Fontaine", "Garcia", "Holm", "Ito", "Jensen", "Kowalska", "Lindqvist")
	return Person{
		UserName:    fmt.Sprintf("u%07d.%s@contoso.example", number, t.Tag),
		ExternalID:  identifier("user", t.Tag, number),
		DisplayName: fmt.Sprintf("%s %s %d", given, family, number),
		GivenName:   given,
		FamilyName:  family,
		Title:       Title(number),
		Department:  Department(number),
		City:        pick(number, "Seattle", "København", "Kraków", "Zürich", "Osaka", "São Paulo"),
		Telephone:   fmt.Sprintf("+1 425 555 %04d", number%10000),
	}
}

// Department returns the name of a department; numbers wrap around.
func Department(number int) string { return fmt.Sprintf("Department %03d", number%departments) }

// Title returns a job title; numbers wrap around.
func Title(number int) string {
	// Seven titles share no factor with the departments, so that every
	// department has engineers.
	return pick(number, "Engineer", "Accountant", "Senior Engineer", "Designer", "Analyst", "Principal Engineer", "Manager")
}

// GroupName returns the display name of a group.
func (t Tenant) GroupName(group string) string { return "Group " + group + " " + t.Tag }

// GroupExternalID returns the object id of a group in Entra.
func (t Tenant) GroupExternalID(group string) string { return identifier("group", t.Tag, group) }

// User is the body of POST /Users with the attributes that Entra's default
// mapping provisions, about 1 kB.
func (t Tenant) User(number int) []byte {
	person := t.Person(number)
	street := fmt.Sprintf("%d Main Street, Building %d", 100+number%900, number%12)
	return encode(object{
		"schemas":           []string{UserSchema, EnterpriseSchema},
		"externalId":        person.ExternalID,
		"userName":          person.UserName,
		"active":            true,
		"displayName":       person.DisplayName,
		"title":             person.Title,
		"preferredLanguage": "en-US",
		"meta":              object{"resourceType": "User"},
		"name": object{
			"formatted": person.GivenName + " " + person.FamilyName, "familyName": person.FamilyName, "givenName": person.GivenName,
		},
		"emails": []object{{"primary": true, "type": "work", "value": person.UserName}},
		"phoneNumbers": []object{
			{"type": "work", "value": person.Telephone},
			{"type": "mobile", "value": fmt.Sprintf("+1 206 555 %04d", number*7%10000)},
		},
		"addresses": []object{{
			"type": "work", "formatted": street + ", " + person.City, "streetAddress": street, "locality": person.City,
			"region": "WA", "postalCode": fmt.Sprintf("%05d", 98000+number%1000), "country": "US",
		}},
		EnterpriseSchema: object{
			"employeeNumber": fmt.Sprint(100000 + number), "department": person.Department,
			"costCenter": fmt.Sprintf("CC%03d", number%150), "organization": "Contoso", "division": fmt.Sprintf("Division %d", number%5),
		},
	})
}

// Group is the body of POST /Groups. Entra creates groups empty.
func (t Tenant) Group(group string) []byte {
	return encode(object{
		"schemas":     []string{GroupSchema, "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"},
		"externalId":  t.GroupExternalID(group),
		"displayName": t.GroupName(group),
		"meta":        object{"resourceType": "Group"},
	})
}

type object = map[string]any

func encode(value any) []byte {
	body, err := json.Marshal(value)
	if err != nil {
		panic(err) // maps of strings, numbers and booleans always encode
	}
	return body
}

func pick(number int, from ...string) string { return from[number%len(from)] }

// identifier derives a UUID, version 4 in form, from what it identifies.
func identifier(parts ...any) string {
	sum := sha256.Sum256([]byte(fmt.Sprintln(parts...)))
	sum[6] = sum[6]&0x0f | 0x40
	sum[8] = sum[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[0:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}
