package directory

import (
	_ "embed"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/klauspost/compress/s2"

	"usher/model"
)

// packer makes exchanges small: two messages, one behind the other, compressed together with the help of a dictionary of what
// most of them say. S2 is chosen for its price: a tenth of what zstd costs on so little text.
type packer struct {
	dictionary *s2.Dict
	scratch    sync.Pool // of *packing
}

// packing is what packing needs for a moment.
type packing struct{ plain, packed []byte }

// maxScratch is how large, in bytes, a packing may be to be used again.
const maxScratch = 256 << 10

// scimDictionary is the dictionary of packVersion. What was packed with it cannot be unpacked without: it never changes; a
// better one is another version.
//
//go:embed scim_log_dictionary.txt
var scimDictionary []byte

// packVersion is the first byte of a packed exchange.
const packVersion = 1

func newPacker() *packer {
	return &packer{dictionary: s2.MakeDict(scimDictionary, nil), scratch: sync.Pool{New: func() any { return new(packing) }}}
}

// pack gives the packed form of an exchange: for each message the number of headers, their names and values, the body, how
// long it was and whether it was cut; numbers as uvarints, texts behind their lengths.
func (p *packer) pack(x *model.SCIMExchange) []byte {
	s := p.scratch.Get().(*packing)
	plain := s.plain[:0]
	for _, m := range []*model.SCIMMessage{&x.Request, &x.Answer} {
		plain = binary.AppendUvarint(plain, uint64(len(m.Headers)))
		for _, h := range m.Headers {
			plain = appendSized(appendSized(plain, h.Name), h.Value)
		}
		plain = appendSized(plain, m.Body)
		plain = binary.AppendUvarint(plain, uint64(max(0, m.Bytes)))
		cut := uint64(0)
		if m.Cut {
			cut = 1
		}
		plain = binary.AppendUvarint(plain, cut)
	}
	s.plain, s.packed = plain, slices.Grow(s.packed[:0], s2.MaxEncodedLen(len(plain)))
	encoded := p.dictionary.Encode(s.packed[:cap(s.packed)], plain)
	packed := append(append(make([]byte, 0, 1+len(encoded)), packVersion), encoded...)
	if cap(s.plain) <= maxScratch {
		p.scratch.Put(s)
	}
	return packed
}

func appendSized(b []byte, text string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}

// maxUnpacked bounds what a packed exchange unfolds to.
const maxUnpacked = 4 << 20

// unpack reads what pack wrote.
func (p *packer) unpack(packed []byte) (model.SCIMExchange, error) {
	var x model.SCIMExchange
	if len(packed) == 0 || packed[0] != packVersion {
		return x, errors.New("unpack a request: it was packed by another version of Usher")
	}
	if n, err := s2.DecodedLen(packed[1:]); err != nil || n > maxUnpacked {
		return x, fmt.Errorf("unpack a request: %d bytes: %w", n, s2.ErrCorrupt)
	}
	plain, err := p.dictionary.Decode(nil, packed[1:])
	if err != nil {
		return x, fmt.Errorf("unpack a request: %w", err)
	}
	r := packedReader{rest: plain}
	for _, m := range []*model.SCIMMessage{&x.Request, &x.Answer} {
		m.Headers = []model.SCIMHeader{}
		for n := r.number(); n > 0 && !r.bad; n-- {
			m.Headers = append(m.Headers, model.SCIMHeader{Name: r.text(), Value: r.text()})
		}
		m.Body = r.text()
		m.Bytes, m.Cut = int(r.number()), r.number() == 1 //nolint:gosec // a length
	}
	if r.bad {
		return x, errors.New("unpack a request: it is cut short")
	}
	return x, nil
}

// packedReader reads the parts of an unpacked exchange.
type packedReader struct {
	rest []byte
	bad  bool
}

func (r *packedReader) number() uint64 {
	n, size := binary.Uvarint(r.rest)
	if size <= 0 {
		r.bad = true
		return 0
	}
	r.rest = r.rest[size:]
	return n
}

func (r *packedReader) text() string {
	n := r.number()
	if n > uint64(len(r.rest)) {
		r.bad = true
		return ""
	}
	text := string(r.rest[:n])
	r.rest = r.rest[n:]
	return text
}
