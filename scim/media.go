package scim

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"math"
	"mime"
	"net/http"
	"os"
	"strconv"
	"strings"

	"usher/model"
	"usher/scim/fault"
)

// accepts refuses with 406 a client that says of everything that could come back that it does not want it. The answer is
// SCIM's JSON, so that any range that covers some JSON will do, as will a header that cannot be understood: Entra sends
// none, and browsers send */* at the end.
func (c *call) accepts() error {
	lines := c.request.Header.Values("Accept")
	if len(lines) == 0 {
		return nil
	}
	ranges := 0
	for part := range strings.SplitSeq(strings.Join(lines, ","), ",") {
		if strings.TrimSpace(part) == "" {
			continue
		}
		ranges++
		name, params, err := mime.ParseMediaType(part)
		if err != nil || !strings.Contains(name, "/") || covers(name) && !excluded(params["q"]) {
			return nil
		}
	}
	if ranges == 0 {
		return nil
	}
	return &fault.Error{
		Status: http.StatusNotAcceptable,
		Detail: "Accept excludes every type that this server answers with; it answers with application/scim+json",
	}
}

func covers(name string) bool {
	return name == "*/*" || name == "application/*" || strings.Contains(name, "json")
}

func excluded(quality string) bool {
	q, err := strconv.ParseFloat(quality, 64)
	return err == nil && q == 0
}

// declared refuses with 415 a body whose header says that it cannot be JSON in UTF-8. A header that is missing, as Entra's
// may be, or too general, or wrong but harmless, as curl's application/x-www-form-urlencoded, is passed over: what is
// no JSON is found out when it is read.
func declared(header http.Header) error {
	value := header.Get("Content-Type")
	if value == "" {
		return nil
	}
	name, params, err := mime.ParseMediaType(value)
	if err != nil {
		return nil
	}
	if notJSON(name) {
		return unsupported("the body is declared as %s; application/scim+json is expected", name)
	}
	switch charset := strings.ToLower(params["charset"]); charset {
	case "", "utf-8", "utf8", "us-ascii", "ascii": // JSON is UTF-8 (RFC 8259 §8.1), of which ASCII is a part
		return nil
	default:
		return unsupported("the body is declared as %s; UTF-8 is expected", charset)
	}
}

func notJSON(name string) bool {
	kind, sub, _ := strings.Cut(name, "/")
	switch kind {
	case "multipart", "image", "audio", "video", "font", "model", "message":
		return true
	}
	for _, other := range []string{"xml", "html", "csv", "yaml", "pdf", "zip", "cbor", "protobuf"} {
		if sub == other || strings.HasSuffix(sub, "+"+other) || sub == "x-"+other {
			return true
		}
	}
	return false
}

func unsupported(format, what string) error {
	return &fault.Error{Status: http.StatusUnsupportedMediaType, Detail: strings.Replace(format, "%s", clip(what), 1)}
}

// receive reads a body of at most maxBody bytes, which hold for what a compressed one unfolds to as well. Memory is taken as the
// body comes, whatever length it declares.
func (c *call) receive() ([]byte, error) {
	r := c.request
	if err := declared(r.Header); err != nil {
		return nil, err
	}
	encoding := strings.ToLower(strings.TrimSpace(r.Header.Get("Content-Encoding")))
	switch encoding {
	case "", "identity", "gzip", "x-gzip":
	default:
		return nil, unsupported("the body has the Content-Encoding %s; gzip or none is expected", encoding)
	}
	if r.ContentLength > c.maxBody {
		return nil, tooLarge(c.maxBody)
	}
	var raw bytes.Buffer
	if r.ContentLength > 0 {
		raw.Grow(int(min(r.ContentLength, ordinaryBody)) + bytes.MinRead)
	}
	n, err := raw.ReadFrom(io.LimitReader(r.Body, c.maxBody+1))
	switch {
	case n > c.maxBody:
		return nil, tooLarge(c.maxBody)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, &fault.Error{Status: http.StatusRequestTimeout, Detail: "the body did not arrive in time"}
	case err != nil:
		return nil, unreadable(err, "the body could not be read to its end")
	case encoding == "" || encoding == "identity":
		return raw.Bytes(), nil
	}
	return c.unfold(raw.Bytes())
}

// unfold unpacks a body. What a large one becomes is not known before it is there: it waits until it can be the only large one.
func (c *call) unfold(raw []byte) ([]byte, error) {
	source, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return nil, unreadable(err, "the body is declared as gzip and is none")
	}
	var plain bytes.Buffer
	n, err := plain.ReadFrom(io.LimitReader(source, ordinaryBody))
	if err == nil && n == ordinaryBody { // there may be more
		if err = c.hold(math.MaxInt); err != nil {
			return nil, err
		}
		_, err = plain.ReadFrom(io.LimitReader(source, c.maxBody+1-n))
	}
	if int64(plain.Len()) > c.maxBody {
		return nil, tooLarge(c.maxBody)
	}
	if err != nil {
		return nil, unreadable(err, "the body could not be unpacked to its end")
	}
	return plain.Bytes(), nil
}

func tooLarge(limit int64) error { return fault.TooLarge("the body is larger than %d bytes", limit) }

// unreadable says why a body cannot be read, unless there was no room for it.
func unreadable(err error, otherwise string) error {
	if throttled, ok := errors.AsType[*model.Throttled](err); ok {
		return throttled
	}
	return fault.Syntax("%s", otherwise)
}
