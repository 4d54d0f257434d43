package store

import (
	"context"
	"time"

	"gorm.io/gorm/logger"
)

// traced tells Options.Trace of statements that are about to be sent.
func (s *Store) traced(list []statement) {
	for i := range list {
		s.trace(list[i].sql)
	}
}

// tracer tells Options.Trace of what gorm sends.
type tracer struct {
	logger.Interface
	s *Store
}

// LogMode is asked for by gorm, and changes nothing.
func (t tracer) LogMode(logger.LogLevel) logger.Interface { return t }

// Trace is called by gorm behind every statement.
func (t tracer) Trace(_ context.Context, _ time.Time, statement func() (sql string, rows int64), _ error) {
	sql, _ := statement()
	t.s.trace(sql)
}
