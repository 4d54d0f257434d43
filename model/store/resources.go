package store

import (
	"errors"
	"strconv"

	"usher/model"
)

// Users gives a page of the users that a filter matches, in the order that q asks for, else in that of creation, and how
// many match in all. Their Explanation is empty unless q.Explained is set.
//
// q.After that has not the form of an identifier is Invalid, with the field "cursor". In the order of creation a page begins
// behind After although nobody has that id any more; in any other order its row says where, so that it is NotFound, with the
// field "cursor", once the row is gone. An order by groups is Invalid, with the field "sortBy".
func (r *Reader) Users(ref model.Ref, q model.ResourceQuery) ([]model.DirectoryUser, int, error) {
	var users []model.DirectoryUser
	columns, scan := briefUserColumns, scanBriefUser
	if q.Explained {
		columns, scan = userColumns, scanUser
	}
	size := 0
	total, err := r.resources(ref, q, usersTable, columns, func(row scanner) error {
		if err := scanAppend(row, &users, scan); err != nil {
			return err
		}
		size += users[len(users)-1].Document.Size()
		return full(q, size)
	})
	return users, total, err
}

// Groups is Users for groups, without members; an order by members is Invalid.
func (r *Reader) Groups(ref model.Ref, q model.ResourceQuery) ([]model.DirectoryGroup, int, error) {
	var groups []model.DirectoryGroup
	size := 0
	total, err := r.resources(ref, q, groupsTable, groupColumns, func(row scanner) error {
		if err := scanAppend(row, &groups, scanGroup); err != nil {
			return err
		}
		size += groups[len(groups)-1].Document.Size()
		return full(q, size)
	})
	return groups, total, err
}

// full ends the reading of a page whose documents have so many bytes.
func full(q model.ResourceQuery, size int) error {
	if q.MaxBytes > 0 && size >= q.MaxBytes {
		return errEnough
	}
	return nil
}

// briefUserColumns are userColumns without the explanation, which is half of the row and is not read by lists.
const briefUserColumns = `id, organization_id, integration_id, user_name, user_name_key, external_id, email, email_key,
 display_name, active, document, version, account_id, created_at, updated_at`

func scanBriefUser(r scanner, u *model.DirectoryUser) error {
	err := r.Scan(&u.ID, &u.OrganizationID, &u.IntegrationID, &u.UserName, &u.UserNameKey, &u.ExternalID, &u.Email, &u.EmailKey,
		&u.DisplayName, &u.Active, &u.Document, &u.Version, &u.AccountID, &u.CreatedAt, &u.UpdatedAt)
	u.CreatedAt, u.UpdatedAt = u.CreatedAt.UTC(), u.UpdatedAt.UTC()
	return err
}

// listing is one query for a page of resources.
type listing struct {
	r       *Reader
	ref     model.Ref
	q       model.ResourceQuery
	table   string
	columns string
	scan    func(scanner) error
	// where holds of the resources that count, with its arguments.
	where string
	args  []any
	order order
	rows  int  // of the page
	cut   bool // the page ended early
}

func (r *Reader) resources(ref model.Ref, q model.ResourceQuery, table, columns string, scan func(scanner) error) (int, error) {
	l := &listing{r: r, ref: ref, q: q, table: table, columns: columns}
	l.scan = func(row scanner) error {
		l.rows++
		err := scan(row)
		l.cut = errors.Is(err, errEnough)
		return err
	}
	c := &compiler{dialect: r.s.dialect, table: table, integration: ref.IntegrationID}
	if q.After != "" && !ValidID(q.After) {
		return 0, model.FieldErrorf(model.Invalid, "cursor", "is not a place in this list")
	}
	if err := l.prepare(c); err != nil {
		return 0, err
	}
	var total int
	var err error
	switch {
	case q.Count <= 0:
		total, err = l.total()
	case q.Filter == nil && q.Sort == nil:
		total, err = l.everything()
	case q.Sort == nil && (c.unique(q.Filter) || c.plain(q.Filter)):
		total, err = l.straight(c)
	default:
		total, err = l.hits()
	}
	return total, translate(err)
}

// prepare compiles filter and order.
func (l *listing) prepare(c *compiler) error {
	l.where, l.args = "organization_id = ? AND integration_id = ?", []any{l.ref.OrganizationID, l.ref.IntegrationID}
	if l.q.Filter != nil {
		c.kept = l.usual() && l.begins() && l.q.Sort == nil && c.unique(l.q.Filter)
		if c.few, c.one = c.ownIndex(l.q.Filter), c.singular(l.q.Filter); c.few {
			l.where = l.r.beside("organization_id") + " AND " + l.r.beside("integration_id")
		}
		condition, err := c.compile(l.q.Filter)
		if err != nil {
			return err
		}
		l.where += " AND " + condition
		l.args = append(l.args, c.args...)
	}
	if l.q.Sort != nil {
		key, err := c.sortKey(l.q.Sort.Path)
		if err != nil {
			return err
		}
		l.order = order{key, l.q.Sort.Descending}
	}
	return nil
}

func (l *listing) offset() int {
	if l.q.After != "" {
		return 0
	}
	return max(l.q.StartIndex, 1) - 1
}

// begins says whether the page is the first one.
func (l *listing) begins() bool { return l.q.After == "" && l.offset() == 0 }

// own names the integration in a way that the index of a page alone answers, and only for its own organization.
const own = "integration_id = (SELECT i.id FROM integrations i WHERE i.organization_id = ? AND i.id = ?)"

// everything reads a page of all resources, and how many there are, in one round trip. Both are answered by an index alone,
// apart from the rows of the page.
func (l *listing) everything() (int, error) {
	organization, integration := l.ref.OrganizationID, l.ref.IntegrationID
	page := statement{
		sql:  "SELECT " + l.columns + " FROM " + l.table + " WHERE organization_id = ? AND integration_id = ?",
		args: []any{organization, integration}, scan: l.scan,
	}
	switch {
	case l.q.After != "":
		page.sql += " AND id > ?"
		page.args = append(page.args, l.q.After)
	case l.offset() > 0:
		page.sql += " AND id >= (SELECT id FROM " + l.table + " WHERE " + own + " ORDER BY id LIMIT 1 OFFSET ?)"
		page.args = append(page.args, organization, integration, l.offset())
	}
	page.sql += " ORDER BY id LIMIT "
	if l.usual() {
		page.sql += strconv.Itoa(l.q.Count) // PostgreSQL keeps the plan for a LIMIT that it can read
	} else {
		page.sql += "?"
		page.args = append(page.args, l.q.Count)
	}
	total := 0
	err := l.r.query(page, statement{
		sql: "SELECT count(*) FROM " + l.table + " WHERE " + own, args: []any{organization, integration},
		scan: func(row scanner) error { return row.Scan(&total) },
	})
	return total, err
}

// usual says whether the count is one that is asked for all the time: the default of the edge, for pages by index and by
// cursor.
func (l *listing) usual() bool { return l.q.Count == 100 || l.q.Count == 101 }

// straight reads a page where a condition is cheap enough to be asked twice, and then the total unless the page tells it.
func (l *listing) straight(c *compiler) (int, error) {
	by := "id"
	if c.selective(l.q.Filter) {
		// Keeps both databases from reading the whole integration in this order to spare themselves the sorting of few
		// rows, as a plan does that was made while the table was small.
		by = map[dialect]string{sqliteLite: "+id", postgres: "id::text"}[c.dialect]
	}
	page := statement{
		sql:  "SELECT " + l.columns + " FROM " + l.table + " WHERE " + l.where,
		args: l.args, scan: l.scan, rare: !c.kept, quick: c.kept,
	}
	if l.q.After != "" {
		page.sql += " AND id > ?"
		page.args = append(append([]any{}, l.args...), l.q.After)
	}
	page.sql += " ORDER BY " + by + " LIMIT " + strconv.Itoa(l.q.Count)
	if offset := l.offset(); offset > 0 {
		page.sql += " OFFSET " + strconv.Itoa(offset)
	}
	if err := l.r.query(page); err != nil {
		return 0, err
	}
	if !l.cut && l.rows < l.q.Count && l.q.After == "" && (l.rows > 0 || l.begins()) {
		return l.offset() + l.rows, nil // the page is the last one, so that the total is known
	}
	return l.total()
}

// total counts the resources.
func (l *listing) total() (int, error) {
	total := 0
	st := statement{
		sql: "SELECT count(*) FROM " + l.table + " WHERE " + l.where, args: l.args, rare: true,
		scan: func(row scanner) error { return row.Scan(&total) },
	}
	if l.q.Filter == nil {
		st.sql, st.rare = "SELECT count(*) FROM "+l.table+" WHERE "+own, false
	}
	err := l.r.query(st)
	return total, err
}

// hits asks the condition of each resource once, keeps the ids of those it holds for with their sort keys, and makes page
// and total of them.
func (l *listing) hits() (int, error) {
	key, page, behind := "", "SELECT * FROM hit", ""
	args := l.args
	if l.order.key != "" {
		key = ", " + l.order.key + " AS hit_key"
	}
	text := "WITH hit AS MATERIALIZED (SELECT id AS hit_id" + key + " FROM " + l.table + " WHERE " + l.where + ")"
	switch {
	case l.q.After != "" && l.order.key != "":
		text += ", place AS MATERIALIZED (SELECT id AS place_id, " + l.order.key + " AS place_key FROM " + l.table +
			" WHERE organization_id = ? AND integration_id = ? AND id = ?)"
		args = append(append([]any{}, args...), l.ref.OrganizationID, l.ref.IntegrationID, l.q.After)
		page, behind = "SELECT hit.* FROM hit CROSS JOIN place", " WHERE "+l.order.behind()
	case l.q.After != "":
		args = append(append([]any{}, args...), l.q.After)
		behind = " WHERE hit_id > ?"
	}
	text += ", page AS MATERIALIZED (" + page + behind + " ORDER BY " + l.order.by() + " LIMIT " + strconv.Itoa(l.q.Count) +
		" OFFSET " + strconv.Itoa(l.offset()) + ")" +
		" SELECT " + l.columns + ", (SELECT count(*) FROM hit) FROM page JOIN " + l.table + " ON id = hit_id ORDER BY " + l.order.by()
	total := 0
	err := l.r.query(statement{
		sql: text, args: args, rare: true,
		scan: func(row scanner) error { return l.scan(withTotal{row, &total}) },
	})
	if err != nil || l.rows > 0 || l.begins() {
		return total, err
	}
	if l.q.After != "" && l.order.key != "" {
		if err := l.stillThere(); err != nil {
			return 0, err
		}
	}
	return l.total()
}

// stillThere gives NotFound where the row that a sorted page should begin behind is gone.
func (l *listing) stillThere() error {
	found := false
	err := l.r.query(statement{
		sql:  "SELECT true FROM " + l.table + " WHERE organization_id = ? AND integration_id = ? AND id = ?",
		args: []any{l.ref.OrganizationID, l.ref.IntegrationID, l.q.After},
		scan: func(row scanner) error { return row.Scan(&found) },
	})
	if err == nil && !found {
		return model.FieldErrorf(model.NotFound, "cursor", "the resource behind which the page begins was deleted")
	}
	return err
}

// withTotal is a row with the total as its last column.
type withTotal struct {
	scanner
	total *int
}

func (w withTotal) Scan(dest ...any) error { return w.scanner.Scan(append(dest, w.total)...) }
