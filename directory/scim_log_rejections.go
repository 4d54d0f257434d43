package directory

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"time"

	"usher/model"
	"usher/model/store"
)

// rejectionKey is a sort of refused attempts within an hour.
type rejectionKey struct {
	hour                                     int64 // seconds since 1970
	integration, cause, remote, token, agent string
}

// manyIntegrations stands for what cannot be an integration, and for those of attempts that are too many to tell apart.
const manyIntegrations = "many"

// Reject counts an attempt of somebody who is not known. Beyond a number of sorts between two writes, attempts on one
// integration are counted together by their cause, and then all are.
func (l *RequestLog) Reject(r model.SCIMRejection) {
	if l.Mode == SCIMLogOff {
		return
	}
	if !store.ValidID(r.IntegrationID) {
		r.IntegrationID = manyIntegrations
	}
	at := l.Now().UTC().Truncate(time.Microsecond)
	r.Hour, r.FirstAt, r.LastAt, r.Count = at.Truncate(time.Hour), at, at, 1
	l.mu.Lock()
	defer l.mu.Unlock()
	key := keyOf(&r)
	known := l.rejections[key]
	if known == nil && len(l.rejections) >= maxRejections {
		r = together(r)
		key = keyOf(&r)
		if known = l.rejections[key]; known == nil && len(l.rejections) >= 2*maxRejections {
			r.IntegrationID = manyIntegrations
			key = keyOf(&r)
			known = l.rejections[key]
		}
	}
	if known == nil {
		r.ID = rejectionID(&r)
		l.rejections[key] = &r
		return
	}
	known.Count++
	known.LastAt = at
}

func keyOf(r *model.SCIMRejection) rejectionKey {
	return rejectionKey{r.Hour.Unix(), r.IntegrationID, r.Cause, r.RemoteAddress, r.TokenID, r.UserAgent}
}

// together gives the sort in which attempts with one cause are counted that are too many to tell apart.
func together(r model.SCIMRejection) model.SCIMRejection {
	r.RemoteAddress, r.TokenID, r.UserAgent = "", "", ""
	r.ID = rejectionID(&r)
	return r
}

// rejectionID gives the id of a sort: a UUID of version 7 with the time of the hour, whose other bits are a hash of what makes
// the sort, so that every process adds to the same row.
func rejectionID(r *model.SCIMRejection) string {
	h := sha256.New()
	for _, part := range []string{r.IntegrationID, r.Cause, r.RemoteAddress, r.TokenID, r.UserAgent} {
		_, _ = fmt.Fprintf(h, "%d:%s", len(part), part) // a hash never fails
	}
	raw := binary.BigEndian.AppendUint64(nil, uint64(r.Hour.UnixMilli())<<16) //nolint:gosec // after 1970
	raw = append(raw[:6], h.Sum(nil)[:10]...)
	raw[6], raw[8] = raw[6]&0x0f|0x70, raw[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", raw[:4], raw[4:6], raw[6:8], raw[8:10], raw[10:])
}
