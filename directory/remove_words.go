package directory

import (
	"fmt"
	"slices"
	"strconv"

	"usher/model"
)

// RemovedWords says what goes, or went, with an integration.
func RemovedWords(r *model.Removal) string {
	n := func(what string) string { return Removed(r, what) }
	words := fmt.Sprintf("%s directory users (%s linked to accounts, which stay), %s groups, %s memberships, %s calendars with %s events, %d tokens and clients",
		n("directory_users"), n("links"), n("directory_groups"), n("memberships"), n("calendars"), n("events"), r.Removed["scim_tokens"]+r.Removed["scim_clients"])
	if r.Removed["webhook_endpoints"] > 0 {
		words += "; " + n("webhook_endpoints") + " webhook endpoints that are told of nothing else are disabled"
	}
	return words
}

// Removed says how many of something go, or went, with an integration: a number, or "at least" one.
func Removed(r *model.Removal, what string) string {
	n := strconv.Itoa(r.Removed[what])
	if slices.Contains(r.AtLeast, what) {
		return "at least " + n
	}
	return n
}
