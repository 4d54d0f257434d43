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
	var earlier [][]byte // what was packed before is left as it is
	user := `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@contoso.com","active":true}`
	for _, x := range []model.SCIMExchange{
		{Request: model.SCIMMessage{Headers: []model.SCIMHeader{}}, Answer: model.SCIMMessage{Headers: []model.SCIMHeader{}}},
		{
			Request: model.SCIMMessage{Headers: []model.SCIMHeader{{Name: "Accept", Value: "*/*"}, {Name: "User-Agent", Value: ""}}, Body: user, Bytes: len(user)},
			Answer:  model.SCIMMessage{Headers: []model.SCIMHeader{{Name: "ETag", Value: `W/"1"`}}, Body: strings.Repeat(user, 600), Bytes: 1 << 20, Cut: true},
		},
	} {
		packed := p.pack(&x)
		earlier = append(earlier, packed, bytes.Clone(packed))
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
	if !bytes.Equal(earlier[0], earlier[1]) {
		t.Error("the second exchange was packed over the first")
	}
	if _, err := p.unpack([]byte{1, 0xff, 0xff, 0xff, 0xff, 0x0f}); err == nil {
		t.Error("an exchange of 4 GiB was unpacked")
	}
}
