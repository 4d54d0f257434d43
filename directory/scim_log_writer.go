package directory

import (
	"context"
	"time"

	"usher/model"
	"usher/model/store"
)

// logWriter writes the request log; one goroutine has it. What could not be written stays with it until it can.
type logWriter struct {
	log        *RequestLog
	entries    []waitingEntry
	rejections []model.SCIMRejection
	failures   int // attempts in a row that failed
}

// maxHeldRejections bounds the counts of refused attempts that wait for a database that is away.
const maxHeldRejections = 4 * maxRejections

// pause is how long to wait before the next attempt: longer and longer while the database does not answer.
func (w *logWriter) pause() time.Duration {
	return min(flushEvery<<min(w.failures, 10), maxPause)
}

// write takes what waits and writes it in batches, as far as the database takes it.
func (w *logWriter) write() {
	entries, rejections, dropped := w.log.take()
	w.entries = append(w.entries, entries...)
	if len(w.rejections)+len(rejections) <= maxHeldRejections {
		w.rejections = append(w.rejections, rejections...)
	}
	if dropped > 0 {
		w.log.Observe(EventSCIMLogDropped, dropped)
		w.log.Log.Warn("the request log dropped entries: the database is slower than the requests", "dropped", dropped)
	}
	if w.log.Mode == SCIMLogOff {
		w.rejections = nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), flushTime)
	defer cancel()
	err := w.writeAll(ctx)
	if err == nil {
		w.failures = 0
		return
	}
	if w.failures++; w.failures == 1 {
		w.log.Log.Warn("the request log could not be written; it will be tried again", "err", err)
	}
}

func (w *logWriter) writeAll(ctx context.Context) error {
	for len(w.entries) > 0 {
		batch := w.entries[:min(len(w.entries), fullBatch)]
		if err := w.writeBatch(ctx, batch); err != nil {
			return err
		}
		w.log.settled(batch)
		w.entries = w.entries[len(batch):]
	}
	w.entries = nil
	if len(w.rejections) == 0 {
		return nil
	}
	total := int64(0)
	for _, r := range w.rejections {
		total += r.Count
	}
	unknown, err := w.log.Store.AddSCIMRejections(ctx, w.rejections, together)
	if err != nil {
		return err
	}
	w.rejections = nil
	w.log.Observe(EventSCIMRejected, int(total-unknown))
	w.log.Observe(EventSCIMRejectedOther, int(unknown))
	return nil
}

// poisoned is after how many failures, of a database that answers, the entries of a batch are tried one by one.
const poisoned = 3

// writeBatch writes entries in one statement. Where that fails again and again although the database answers, it is an
// entry's fault: then each is written by itself, and those that cannot be are dropped.
func (w *logWriter) writeBatch(ctx context.Context, batch []waitingEntry) error {
	rows, err := w.rows(ctx, batch)
	if err == nil {
		err = w.log.Store.AppendSCIMRequests(ctx, rows)
	}
	if err == nil {
		w.log.Observe(EventSCIMLogWritten, len(rows))
		return nil
	}
	if w.failures < poisoned || rows == nil || w.log.Store.Ping(ctx) != nil {
		return err
	}
	written := 0
	for i := range rows {
		if err = w.log.Store.AppendSCIMRequests(ctx, rows[i:i+1]); err == nil {
			written++
		}
	}
	if written == 0 {
		return err
	}
	w.log.Observe(EventSCIMLogWritten, written)
	w.log.Observe(EventSCIMLogDropped, len(rows)-written)
	w.log.Log.Error("entries of the request log could not be written and were dropped", "dropped", len(rows)-written, "err", err)
	return nil
}

// rows puts entries into words. Names that a request did not tell are looked for in the others of the batch, then in the
// database, all at once.
func (w *logWriter) rows(ctx context.Context, batch []waitingEntry) ([]model.SCIMRequest, error) {
	names := map[store.SCIMName]string{}
	var wanted []store.SCIMName
	for i := range batch {
		e := &batch[i]
		e.pack(w.log.packer)
		if id, name := e.Named(); id != "" {
			names[store.SCIMName{Ref: e.Ref(), ID: id}] = name
		}
	}
	for _, e := range batch {
		for _, id := range e.Unnamed() {
			key := store.SCIMName{Ref: e.Ref(), ID: id}
			if _, known := names[key]; !known {
				wanted = append(wanted, key)
			}
		}
	}
	found, err := w.log.Store.SCIMNames(ctx, wanted)
	if err != nil {
		return nil, err
	}
	rows := make([]model.SCIMRequest, len(batch))
	for i, e := range batch {
		rows[i] = e.Row(func(id string) string {
			key := store.SCIMName{Ref: e.Ref(), ID: id}
			if name, known := names[key]; known {
				return name
			}
			return found[key]
		})
		rows[i].Exchange = e.exchange
	}
	return rows, nil
}
