package store

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"usher/model"
)

// AppendSCIMRequests writes lines of the request log, of any organizations, in one transaction; a line that is there already
// is left as it is, so that an attempt of which the outcome is not known can be repeated. On PostgreSQL the transaction does
// not wait for the disk: a crash may lose what was committed in the last moments.
func (s *Store) AppendSCIMRequests(ctx context.Context, rows []model.SCIMRequest) error {
	if len(rows) == 0 {
		return nil
	}
	if s.dialect == postgres {
		err := s.copySCIMRequests(ctx, rows)
		if key, taken := errors.AsType[*pgconn.PgError](err); !taken || key.Code != uniqueViolation {
			return outward(err)
		}
	}
	return s.InTx(ctx, func(tx *Tx) error {
		for few := range slices.Chunk(rows, fewSCIMRows) {
			st, err := scimValues(few)
			if err != nil {
				return err
			}
			tx.buffer(st)
		}
		return nil
	})
}

// uniqueViolation is PostgreSQL's code for a key that is there already.
const uniqueViolation = "23505"

// fewSCIMRows is how many lines go as one statement, which on SQLite may have 32,766 parameters.
const fewSCIMRows = 64

func scimValues(rows []model.SCIMRequest) (statement, error) {
	const columns = 23
	row := "(?" + strings.Repeat(",?", columns-1) + ")"
	st := statement{
		sql: "INSERT INTO scim_requests (" + scimColumns + ", exchange) VALUES " + row + strings.Repeat(", "+row, len(rows)-1) +
			" ON CONFLICT DO NOTHING",
		rare: true, // there is a text for each number of rows
	}
	for i := range rows {
		r := &rows[i]
		deviations, err := deviationsOf(r)
		if err != nil {
			return st, err
		}
		st.args = append(st.args, r.ID, r.OrganizationID, r.IntegrationID, r.OccurredAt.UTC(), r.DurationUS, r.Status, r.Method, r.Path,
			r.Summary, r.SubjectType, r.SubjectID, r.Subject, r.SubjectKey, string(r.Result), r.SCIMType, r.Detail, r.Rule, string(deviations),
			r.CredentialID, r.CredentialName, r.UserAgent, r.RemoteAddress, r.Exchange)
	}
	return st, nil
}

func deviationsOf(r *model.SCIMRequest) ([]byte, error) {
	if len(r.Deviations) == 0 {
		return []byte("[]"), nil
	}
	return json.Marshal(r.Deviations)
}

// copySCIMRequests sends the lines by COPY in PostgreSQL's binary form, which both sides handle at a fraction of what an
// INSERT costs them: the request log is as long as there are requests.
func (s *Store) copySCIMRequests(ctx context.Context, rows []model.SCIMRequest) error {
	data, err := scimBinary(rows)
	if err != nil {
		return err
	}
	conn, err := s.write.Conn(ctx)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer func() { _ = conn.Close() }()
	return pgxConn(conn, func(c *pgx.Conn) error {
		return pgx.BeginFunc(ctx, c, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, "SET LOCAL synchronous_commit TO off"); err != nil {
				return err
			}
			_, err := c.PgConn().CopyFrom(ctx, bytes.NewReader(data), "COPY scim_requests ("+scimColumns+", exchange) FROM STDIN (FORMAT binary)")
			return err
		})
	})
}

// scimBinary writes the lines as COPY reads them: a signature, then for each line the number of columns and each column
// behind its length.
func scimBinary(rows []model.SCIMRequest) ([]byte, error) {
	const columns = 23
	size := 64
	for i := range rows {
		size += 512 + len(rows[i].Path) + len(rows[i].Exchange)
	}
	b := binaryRow{data: append(make([]byte, 0, size), "PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00"...)}
	for i := range rows {
		r := &rows[i]
		deviations, err := deviationsOf(r)
		if err != nil {
			return nil, err
		}
		b.data = binary.BigEndian.AppendUint16(b.data, columns)
		b.uuid(r.ID)
		b.uuid(r.OrganizationID)
		b.uuid(r.IntegrationID)
		b.time(r.OccurredAt)
		b.int8(r.DurationUS)
		b.int4(r.Status)
		for _, text := range []string{
			r.Method, r.Path, r.Summary, r.SubjectType, r.SubjectID, r.Subject, r.SubjectKey, string(r.Result), r.SCIMType, r.Detail, r.Rule,
		} {
			b.text(text)
		}
		b.bytes(deviations)
		for _, text := range []string{r.CredentialID, r.CredentialName, r.UserAgent, r.RemoteAddress} {
			b.text(text)
		}
		b.bytes(r.Exchange)
	}
	return binary.BigEndian.AppendUint16(b.data, 1<<16-1), b.err
}

// binaryRow collects columns in PostgreSQL's binary form.
type binaryRow struct {
	data []byte
	err  error
}

func (b *binaryRow) length(n int) {
	b.data = binary.BigEndian.AppendUint32(b.data, uint32(n)) //nolint:gosec // far below
}

func (b *binaryRow) text(s string) {
	b.length(len(s))
	b.data = append(b.data, s...)
}

func (b *binaryRow) bytes(raw []byte) {
	b.length(len(raw))
	b.data = append(b.data, raw...)
}

func (b *binaryRow) uuid(id string) {
	if !ValidID(id) {
		b.err = model.Errorf(model.Invalid, "%q is no id", id)
		return
	}
	b.length(16)
	for _, part := range []string{id[:8], id[9:13], id[14:18], id[19:23], id[24:]} {
		b.data, b.err = hex.AppendDecode(b.data, []byte(part))
	}
}

func (b *binaryRow) int8(n int64) {
	b.length(8)
	b.data = binary.BigEndian.AppendUint64(b.data, uint64(n)) //nolint:gosec // the bits count
}

func (b *binaryRow) int4(n int) {
	b.length(4)
	b.data = binary.BigEndian.AppendUint32(b.data, uint32(n)) //nolint:gosec // an HTTP status
}

// sinceUnix is the beginning of PostgreSQL's time, in microseconds since 1970.
const sinceUnix = 946_684_800_000_000

func (b *binaryRow) time(at time.Time) { b.int8(at.UnixMicro() - sinceUnix) }
