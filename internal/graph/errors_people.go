package graph

import (
	"net/http"
	"strings"

	"usher/model/outlook"
)

// kindInDirectory decides about failures of the directory's resources: users, groups, licences, applications. Most of them have
// one code, Request_BadRequest, so that the details decide, and where there are none, words of the message that have not changed
// for years. Other is what it does not know better than kindOf.
func kindInDirectory(operation string, status int, codes []string, details []errorDetail, message string) outlook.Kind {
	switch status {
	case http.StatusNotFound:
		return kindOfAbsent(operation, codes)
	case http.StatusBadRequest:
		for _, code := range codes {
			if strings.Contains(code, "expiredpagetoken") || strings.Contains(code, "invalidpagetoken") {
				return outlook.SyncLost
			}
		}
		if strings.HasSuffix(operation, ".delta") && strings.Contains(message, "token") {
			return outlook.SyncLost // "Badly formed token.": a link that is kept for ever would fail for ever
		}
		if kind := kindOfConflict(details, message); kind != outlook.Other {
			return kind
		}
		return kindOfRefusal(details, message)
	}
	return outlook.Other
}

// kindOfAbsent tells a user who is gone from everything else.
func kindOfAbsent(operation string, codes []string) outlook.Kind {
	for _, code := range codes {
		if strings.Contains(code, "syncstate") || strings.Contains(code, "resyncrequired") {
			return outlook.SyncLost
		}
	}
	if strings.HasPrefix(operation, "users.") {
		return outlook.NoUser
	}
	return outlook.NotFound
}

// kindOfConflict tells what exists already: the object itself, or its place in another one.
func kindOfConflict(details []errorDetail, message string) outlook.Kind {
	taken := strings.Contains(message, "another object with the same value")
	name := strings.Contains(message, "userprincipalname")
	for _, d := range details {
		if strings.EqualFold(d.Code, "ObjectConflict") {
			taken, name = true, name || strings.EqualFold(d.Target, "userPrincipalName")
		}
	}
	switch {
	case taken && name:
		return outlook.Duplicate
	case taken:
		return outlook.AddressTaken
	case strings.Contains(message, "references already exist"), strings.Contains(message, "permission being assigned already exists"):
		return outlook.Duplicate
	}
	return outlook.Other
}

// kindOfRefusal finds the rule of the tenant that a request breaks.
func kindOfRefusal(details []errorDetail, message string) outlook.Kind {
	has := func(words ...string) bool {
		for _, word := range words {
			if strings.Contains(message, word) {
				return true
			}
		}
		return false
	}
	password := has("password")
	for _, d := range details {
		password = password || strings.Contains(strings.ToLower(d.Target), "password")
	}
	switch {
	case has("on-premises mastered", "originated within an external service", "on-premises directory sync"):
		return outlook.Hybrid
	case password && has("comply", "complexity", "banned", "too weak", "policy"):
		return outlook.PasswordPolicy
	case has("domain portion of the userprincipalname", "verified domain"):
		return outlook.BadDomain
	case has("usage location"):
		return outlook.BadLocation
	case has("inherited from a group"):
		return outlook.InheritedLicence
	case has("available licenses", "not enough licenses"):
		return outlook.NoSeats
	case has("mutually exclusive", "conflicting service plans", "depends on the service plan", "dependent service plan"):
		return outlook.PlanConflict
	case has("does not have a corresponding license"):
		return outlook.NotFound
	case has("mail-enabled security group", "distribution list", "dynamic membership", "dynamic group"):
		return outlook.Unwritable
	}
	return outlook.Other
}
