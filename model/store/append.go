package store

import (
	"slices"
	"strconv"
	"strings"
)

// appendix collects the rows that a transaction appends to one table, so that they are sent together: as one statement on
// PostgreSQL, however many rows there are.
type appendix struct{ rows [][]any }

func (a *appendix) add(values ...any) { a.rows = append(a.rows, values) }

// appended is a table that is only appended to. Every row also carries the time of the transaction.
type appended struct {
	table  string
	kinds  []string            // PostgreSQL's types of the columns, in the order of appendix.add
	insert string              // the beginning of each statement
	few    [fewRows + 1]string // the statements that send so many rows as values
}

// theFeed and theLog say how changes and activities are appended.
var (
	theFeed = newAppended("changes",
		[]string{"organization_id", "type", "integration_id", "subject_type", "subject_id", "actor", "data"},
		[]string{"uuid", "text", "uuid", "text", "text", "text", "json"},
	)
	theLog = newAppended("activities",
		[]string{"id", "organization_id", "integration_id", "actor", "action", "subject_type", "subject_id", "subject", "summary", "data"},
		[]string{"uuid", "uuid", "uuid", "text", "text", "text", "text", "text", "text", "json"},
	)
)

func newAppended(table string, columns, kinds []string) *appended {
	a := &appended{table: table, kinds: kinds, insert: "INSERT INTO " + table + " (occurred_at, " + strings.Join(columns, ", ") + ") "}
	row := "(?" + strings.Repeat(",?", len(columns)) + ")"
	for n := 1; n <= fewRows; n++ {
		a.few[n] = a.insert + "VALUES " + row + strings.Repeat(", "+row, n-1)
	}
	return a
}

// appends gives the statements that send what was collected, and forgets it.
func (tx *Tx) appends() []statement {
	var list []statement
	for _, part := range []struct {
		rows *appendix
		to   *appended
	}{{&tx.feed, theFeed}, {&tx.log, theLog}} {
		rows := part.rows.rows
		part.rows.rows = nil
		if len(rows) > fewRows && tx.s.dialect == postgres {
			list = append(list, part.to.many(rows, tx.now))
			continue
		}
		for few := range slices.Chunk(rows, fewRows) {
			list = append(list, part.to.values(few, tx.now))
		}
	}
	return list
}

// fewRows is how many rows are sent as values; more go as arrays, whose planning costs more.
const fewRows = 6

// values sends a few rows as values; there is one text for each number of rows.
func (a *appended) values(rows [][]any, now any) statement {
	st := statement{sql: a.few[len(rows)], into: a.table, args: make([]any, 0, len(rows)*(1+len(a.kinds)))}
	for _, r := range rows {
		st.args = append(append(st.args, now), r...)
	}
	return st
}

// many sends one array per column, so that the text is the same for any number of rows, and one value for a column that has
// the same in all of them, as most have. The order of rows is kept.
func (a *appended) many(rows [][]any, now any) statement {
	var selected, names, arrays []string
	var lists []any
	args := []any{now}
	for c, kind := range a.kinds {
		column := make([]any, len(rows))
		for i, row := range rows {
			column[i] = row[c]
		}
		values := texts(column)
		if c < len(a.kinds)-1 && same(values) { // the last one says how many rows there are
			selected, args = append(selected, "?::"+kind), append(args, values[0])
			continue
		}
		name := "c" + strconv.Itoa(c)
		selected, names, lists = append(selected, name), append(names, name), append(lists, values)
		if kind == "json" { // an array of texts, each of which is read as JSON
			selected[c], kind = name+"::json", "text"
		}
		arrays = append(arrays, "?::"+kind+"[]")
	}
	return statement{
		sql: a.insert + "SELECT ?::timestamptz, " + strings.Join(selected, ", ") + " FROM unnest(" + strings.Join(arrays, ", ") +
			") WITH ORDINALITY AS x(" + strings.Join(names, ", ") + ", n) ORDER BY n",
		args: append(args, lists...),
	}
}

func same(values []*string) bool {
	for _, v := range values[1:] {
		if (v == nil) != (values[0] == nil) || v != nil && *v != *values[0] {
			return false
		}
	}
	return true
}

// texts gives a column of texts, some of which may be absent.
func texts(column []any) []*string {
	list := make([]*string, len(column))
	for i, v := range column {
		switch v := v.(type) {
		case string:
			list[i] = &v
		case *string:
			list[i] = v
		}
	}
	return list
}
