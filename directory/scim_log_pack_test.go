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
