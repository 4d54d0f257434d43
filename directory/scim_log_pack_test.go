package directory

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"reflect"
	"strings"
	"testing"

	"usher/model"
)

// TestPackDictionary keeps what was packed readable: a dictionary that changes needs a version of its own.
func TestPackDictionary(t *testing.T) {
	t.Parallel()
	sum := sha256.Sum256(scimDictionary)
	if got, want := hex.EncodeToString(sum[:]), "926d3723623c4d7e3d463626964a476980d6d7b0c1ba6fb2b551287cb21dcf0f"; got != want || packVersion != 1 {
		t.Errorf("the dictionary of version %d is %s, want %s of version 1", packVersion, got, want)
	}
}

func TestPack(t *testing.T) {
	t.Parallel()
	p := newPacker()
	user := `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@contoso.com","active":true}`
	for _, x := range []model.SCIMExchange{
		{Request: model.SCIMMessage{Headers: []model.SCIMHeader{}}, Answer: model.SCIMMessage{Headers: []model.SCIMHeader{}}},
		{
			Request: model.SCIMMessage{Headers: []model.SCIMHeader{{Name: "Accept", Value: "*/*"}, {Name: "User-Agent", Value: ""}}, Body: user, Bytes: len(user)},
			Answer:  model.SCIMMessage{Headers: []model.SCIMHeader{{Name: "ETag", Value: `W/"1"`}}, Body: strings.Repeat(user, 600), Bytes: 1 << 20, Cut: true},
		},
	} {
		packed := p.pack(&x)
		got, err := p.unpack(packed)
		if err != nil || !reflect.DeepEqual(got, x) {
			t.Fatalf("%+v\ncame back as\n%+v, %v", x, got, err)
		}
		for n := range min(len(packed), 200) {
			if _, err := p.unpack(packed[:n]); err == nil {
				t.Errorf("%d of %d bytes were unpacked", n, len(packed))
			}
		}
		if n := len(x.Request.Body) + len(x.Answer.Body); n > 0 && len(packed) > n/3 {
			t.Errorf("%d bytes were packed into %d", n, len(packed))
		}
	}
	if _, err := p.unpack([]byte{1, 0xff, 0xff, 0xff, 0xff, 0x0f}); err == nil {
		t.Error("an exchange of 4 GiB was unpacked")
	}
}

// TestPackLeavesWhatItPacked packs exchanges of one size one after the other: none is packed over another.
func TestPackLeavesWhatItPacked(t *testing.T) {
	t.Parallel()
	p := newPacker()
	var packed, copies [][]byte
	for i := range 26 {
		one := p.pack(&model.SCIMExchange{Request: model.SCIMMessage{Body: strings.Repeat(string(rune('a'+i)), 400)}})
		packed, copies = append(packed, one), append(copies, bytes.Clone(one))
	}
	if !reflect.DeepEqual(packed, copies) {
		t.Error("an exchange was packed over an earlier one")
	}
}

// spoken is an entry with an answer of so many bytes.
type spoken struct {
	model.SCIMEntry
	answer string
}

func (s *spoken) Size() int { return 1000 + len(s.answer) }

func (s *spoken) Exchange() model.SCIMExchange {
	x := model.SCIMExchange{Answer: model.SCIMMessage{Body: s.answer, Bytes: len(s.answer)}}
	s.answer = ""
	return x
}

// TestKeepPacksWhatIsLarge: a page does not wait as it is, and the room that was taken for it is given back whole.
func TestKeepPacksWhatIsLarge(t *testing.T) {
	t.Parallel()
	l := &RequestLog{packer: newPacker(), wake: make(chan struct{}, 1)}
	page := strings.Repeat(`{"userName":"ada@contoso.com"},`, 2000)
	l.Keep(&spoken{answer: "small"})
	l.Keep(&spoken{answer: page})
	small, large := &l.waiting[0], &l.waiting[1]
	if small.exchange != nil || small.size != 1005 {
		t.Errorf("a small entry waits packed, or with %d bytes", small.size)
	}
	if large.exchange == nil || large.size > 1000+len(page)/5 || l.bytes != small.size+large.size {
		t.Errorf("a page of %d bytes waits with %d, of %d in all", len(page), large.size, l.bytes)
	}
	for _, e := range []*waitingEntry{small, large} {
		e.pack(l.packer)
		e.pack(l.packer) // as after an attempt that failed
	}
	for i, want := range []string{"small", page} {
		if x, err := l.packer.unpack(l.waiting[i].exchange); err != nil || x.Answer.Body != want {
			t.Errorf("entry %d came back as %.50q, %v", i, x.Answer.Body, err)
		}
	}
	l.settled(l.waiting)
	if l.bytes != 0 {
		t.Errorf("%d bytes are still counted", l.bytes)
	}
}
