package api

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"
)

// export is a list that is given whole, in pages, at constant memory.
type export[T any] struct {
	name string // of the file, without its ending
	// read gives a page behind a key, and the key of the next page, "" on the last.
	read func(after string) ([]T, string, error)
	head []string
	row  func(T) []string
}

// format says what a client wants instead of a page: "csv", "ndjson", or neither.
func format(accept string) string {
	switch {
	case strings.Contains(accept, "text/csv"):
		return "csv"
	case strings.Contains(accept, "application/x-ndjson"):
		return "ndjson"
	}
	return ""
}

// exportWithin is how long a client may take to receive one page of an export.
const exportWithin = time.Minute

// exported answers with the whole list. The first page is read before the answer begins, so that a wrong filter is refused
// like anywhere else.
func exported[T any](ctx context.Context, a *API, form string, e export[T]) (*huma.StreamResponse, error) {
	list, next, err := e.read("")
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		kind := "text/csv; charset=utf-8"
		if form == "ndjson" {
			kind = "application/x-ndjson"
		}
		hc.SetHeader("Content-Type", kind)
		hc.SetHeader("Content-Disposition", `attachment; filename="`+e.name+"."+form+`"`)
		hc.SetStatus(http.StatusOK)
		control := http.NewResponseController(humaecho.Unwrap(hc).Response())
		write := e.writer(form, hc.BodyWriter())
		for {
			_ = control.SetWriteDeadline(time.Now().Add(exportWithin)) // a writer without deadlines has none to keep
			if write(list) != nil || next == "" {
				return
			}
			if list, next, err = e.read(next); err != nil {
				_ = a.failure(ctx, err)
				panic(http.ErrAbortHandler) // the list is cut off, and must not look whole
			}
		}
	}}, nil
}

// writer gives what writes a page in the form.
func (e *export[T]) writer(form string, w io.Writer) func([]T) error {
	if form == "ndjson" {
		lines := json.NewEncoder(w)
		return func(list []T) error {
			for _, item := range list {
				if err := lines.Encode(item); err != nil {
					return err
				}
			}
			return nil
		}
	}
	table := csv.NewWriter(w)
	_ = table.Write(e.head) // kept by the writer, and asked for below
	return func(list []T) error {
		for _, item := range list {
			_ = table.Write(withoutFormulas(e.row(item)))
		}
		table.Flush()
		return table.Error()
	}
}

// withoutFormulas puts an apostrophe before each cell that a spreadsheet would take for a formula.
func withoutFormulas(row []string) []string {
	for i, cell := range row {
		if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
			row[i] = "'" + cell
		}
	}
	return row
}
