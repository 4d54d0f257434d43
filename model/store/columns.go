package store

import "strings"

// more scans further columns behind those that a row is scanned for.
type more struct {
	scanner
	into []any
}

func (m more) Scan(dest ...any) error { return m.scanner.Scan(append(dest, m.into...)...) }

// scanFunc is a row that is scanned together with another.
type scanFunc func(dest ...any) error

// Scan implements scanner.
func (f scanFunc) Scan(dest ...any) error { return f(dest...) }

// qualified puts the table's name before each of its columns.
func qualified(table, columns string) string {
	names := strings.Split(columns, ",")
	for i, name := range names {
		names[i] = table + "." + strings.TrimSpace(name)
	}
	return strings.Join(names, ", ")
}
