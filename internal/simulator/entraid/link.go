package entraid

import (
	"encoding/base64"
	"encoding/json"
	"strings"

	"usher/model/outlook"
)

// link is what a link of a delta stands for. Position is a serial number in a first round, and a sequence number of the history
// in any other.
type link struct {
	Kind       string    `json:"k"`
	Select     []string  `json:"s,omitempty"`
	IDs        []string  `json:"i,omitempty"`
	First      bool      `json:"f,omitempty"`
	Position   uint64    `json:"p"`
	From       uint64    `json:"b,omitempty"` // where the round began
	UpTo       uint64    `json:"u,omitempty"` // where it ends
	Round      bool      `json:"r,omitempty"` // it is under way: a next link
	Open       []opening `json:"o,omitempty"` // groups of which there are more members to tell
	Size       int       `json:"z,omitempty"`
	Empty      bool      `json:"e,omitempty"` // an empty page has been told
	Issued     int64     `json:"t"`
	Generation int       `json:"g,omitempty"`
}

// opening is a group that has been told in part.
type opening struct {
	ID    string `json:"i"`
	After uint64 `json:"a"`
}

// seal makes the text of a link. The caller holds the lock.
func (d *Directory) seal(l link) string {
	l.Issued, l.Generation = d.now().Unix(), d.generation
	raw, _ := json.Marshal(l)
	text := base64.RawURLEncoding.EncodeToString(raw)
	if d.faults.LinkPadding > 0 {
		text += "." + strings.Repeat("A", d.faults.LinkPadding)
	}
	return text
}

// unseal reads a link, unless it is lost. The caller holds the lock.
func (d *Directory) unseal(kind, text string) (link, error) {
	var l link
	text, _, _ = strings.Cut(text, ".")
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || json.Unmarshal(raw, &l) != nil || l.Kind != kind {
		return l, failure(outlook.Invalid, 400, "Request_BadRequest", "Badly formed token.")
	}
	if l.Generation != d.generation || d.now().Unix()-l.Issued >= int64(d.options.LinkLifetime.Seconds()) {
		return l, syncLost(410)
	}
	if d.chance(d.faults.SyncLost) {
		return l, d.syncLost()
	}
	return l, nil
}

// Round says what a page of a delta is asked for with: a link, or what a new round begins with.
type Round struct {
	Link   string
	Latest bool     // nothing but what will change from now on
	Select []string // nil tracks everything
	IDs    []string // at most 50 objects; nil is all
	Size   int      // of the pages; 0 leaves it to the directory
}

// maxFiltered is how many objects the filter of a delta takes.
const maxFiltered = 50

// open gives the link that a page goes by.
func (d *Directory) open(kind string, r Round) (link, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if r.Link != "" {
		l, err := d.unseal(kind, r.Link)
		if err != nil {
			return l, err
		}
		if r.Size > 0 {
			l.Size = r.Size
		}
		if !l.Round {
			l.Round, l.From, l.UpTo = true, l.Position, d.upTo()
			l.UpTo = max(l.UpTo, l.Position)
		}
		return l, nil
	}
	if len(r.IDs) > maxFiltered {
		return link{}, failure(outlook.Invalid, 400, "Request_UnsupportedQuery", "The number of ids in the filter exceeds the maximum of %d.", maxFiltered)
	}
	l := link{Kind: kind, Select: r.Select, IDs: r.IDs, Size: r.Size, First: true, Round: true, UpTo: d.upTo()}
	if r.Latest {
		l.First, l.Position, l.From = false, l.UpTo, l.UpTo
	}
	return l, nil
}

// upTo is the last change that a delta may tell. The caller holds the lock.
func (d *Directory) upTo() uint64 {
	if d.faults.DeltaLag == 0 {
		return d.tenant.Sequence()
	}
	return d.tenant.SequenceAt(d.now().Add(-d.faults.DeltaLag))
}

// onward makes the link to the next page, or to the next round where this one has ended. The caller holds the lock.
func (d *Directory) onward(l link, more bool) (next, delta string) {
	if more {
		return d.seal(l), ""
	}
	ended := link{Kind: l.Kind, Select: l.Select, IDs: l.IDs, Size: l.Size, Position: l.UpTo}
	if !l.First && d.chance(d.faults.Replay) {
		ended.Position = l.From
	}
	return "", d.seal(ended)
}

// blank says whether an empty page comes instead. The caller holds the lock.
func (d *Directory) blank(l *link) bool {
	if l.Empty {
		l.Empty = false
		return false
	}
	if d.chance(d.faults.EmptyPage) {
		l.Empty = true
		return true
	}
	return false
}
