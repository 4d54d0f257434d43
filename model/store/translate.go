package store

import (
	"database/sql"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"gorm.io/gorm"
	"modernc.org/sqlite"

	"usher/model"
)

// uniqueKey is what a taken unique key means to a caller. Where race is set, the transaction looked, found nothing and
// was overtaken: it must look again.
type uniqueKey struct {
	columns string // as SQLite names them
	field   string
	detail  string
	race    bool
}

// uniqueKeys lists every unique key by the name PostgreSQL has for it.
func uniqueKeys() map[string]uniqueKey {
	return map[string]uniqueKey{
		"organizations_slug":            {"organizations.slug", "slug", "another organization has this slug", false},
		"operators_email":               {"operators.organization_id, operators.email_key", "email", "another operator has this e-mail", false},
		"directory_users_user_name":     {"directory_users.user_name_key, directory_users.integration_id", "userName", "another user has this userName", false},
		"directory_groups_display_name": {"directory_groups.display_name_key, directory_groups.integration_id", "displayName", "another group has this displayName", false},
		"directory_users_account":       {"directory_users.account_id, directory_users.integration_id", "account_id", "another user of this integration is linked to the account", true},
		"accounts_email":                {"accounts.email_key, accounts.organization_id", "email", "another account has this e-mail", true},
		"accounts_employee":             {"accounts.organization_id, accounts.employee_id", "employee_id", "another account is linked to this employee", true},
		"sealed_secrets_name":           {"sealed_secrets.organization_id, sealed_secrets.integration_id, sealed_secrets.name", "name", "the secret was written at the same time", true},
		"rooms_email":                   {"rooms.integration_id, rooms.email_key", "email", "another room has this address", true},
		"mailboxes_account":             {"mailboxes.account_id, mailboxes.integration_id", "account_id", "the account has a mailbox", true},
		"mailboxes_room":                {"mailboxes.room_id, mailboxes.integration_id", "room_id", "the room has a mailbox", true},
		"calendars_mailbox":             {"calendars.mailbox_id, calendars.graph_id", "graph_id", "the mailbox has this calendar", true},
		"lists_external_id":             {"lists.integration_id, lists.external_id", "external_id", "the group is a list already", true},
		"events_graph":                  {"events.calendar_id, events.graph_id", "graph_id", "the calendar has this event", true},
	}
}

// SQLite's extended result codes for a violated unique key, primary key or foreign key.
const (
	sqliteUnique     = 2067
	sqlitePrimaryKey = 1555
	sqliteForeignKey = 787
)

// violated gives the unique key that err is about.
func violated(err error) (uniqueKey, bool) {
	if pe, ok := errors.AsType[*pgconn.PgError](err); ok && pe.Code == "23505" {
		key, known := uniqueKeys()[pe.ConstraintName]
		if !known {
			key = uniqueKey{detail: "it exists already"}
		}
		return key, true
	}
	se, ok := errors.AsType[*sqlite.Error](err)
	if !ok || (se.Code() != sqliteUnique && se.Code() != sqlitePrimaryKey) {
		return uniqueKey{}, false
	}
	for _, key := range uniqueKeys() {
		if strings.Contains(se.Error(), key.columns) {
			return key, true
		}
	}
	return uniqueKey{detail: "it exists already"}, true
}

// retryable says whether the transaction may succeed when it is run again.
func retryable(err error) bool {
	if errors.Is(err, errOvertaken) || errors.Is(err, errAlone) {
		return true
	}
	if _, ok := errors.AsType[closedDoors](err); ok {
		return true
	}
	if pe, ok := errors.AsType[*pgconn.PgError](err); ok && (pe.Code == "40001" || pe.Code == "40P01") {
		return true
	}
	key, ok := violated(err)
	return ok && key.race
}

// told is what a caller may be told about a failure of the database, which it still carries: a transaction whose function
// returns it may have to run again.
type told struct {
	what  *model.Error
	cause error
}

// Error gives the sentence for the caller, without the database's.
func (t told) Error() string { return t.what.Error() }

// Unwrap gives both, so that the kind and the cause can be asked for.
func (t told) Unwrap() []error { return []error{t.what, t.cause} }

// outward is translate for an error that leaves a transaction for good; its cause is of no further use.
func outward(err error) error {
	err = translate(err)
	if t, ok := err.(told); ok { //nolint:errorlint // one that is wrapped keeps its wrapping
		return t.what
	}
	return err
}

// translate turns what a caller may be told into an error that is a *model.Error, and leaves everything else as it is.
func translate(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*model.Error](err); ok {
		return err
	}
	if errors.Is(err, sql.ErrNoRows) || errors.Is(err, pgx.ErrNoRows) || errors.Is(err, gorm.ErrRecordNotFound) {
		return model.Errorf(model.NotFound, "not found")
	}
	if key, ok := violated(err); ok {
		return told{model.FieldErrorf(model.Conflict, key.field, "%s", key.detail), err}
	}
	if pe, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch pe.Code {
		case "23503":
			return told{model.Errorf(model.NotFound, "what it belongs to does not exist"), err}
		case "22P05", "22021": // text that PostgreSQL cannot hold, such as NUL
			return told{model.Errorf(model.Invalid, "the text contains a character that cannot be stored"), err}
		case "22P02": // an identifier that is none; SQLite, which has no type for them, finds nothing
			return told{model.Errorf(model.NotFound, "not found"), err}
		}
	}
	if se, ok := errors.AsType[*sqlite.Error](err); ok && se.Code() == sqliteForeignKey {
		return told{model.Errorf(model.NotFound, "what it belongs to does not exist"), err}
	}
	return err
}

// notFound makes a NotFound that names the thing.
func notFound(what, id string) error {
	return model.Errorf(model.NotFound, "%s %s not found", what, id)
}
