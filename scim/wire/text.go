package wire

import (
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// report remembers the first value that cannot be stored.
func (p *parser) report(reason string) {
	if p.bad == nil {
		p.bad = &BadString{Steps: slices.Clone(p.steps), Reason: reason}
	}
}

// text reads a JSON string. encoding/json would turn a lone surrogate or invalid UTF-8 into U+FFFD silently, and so
// change a value; here it is reported.
func (p *parser) text() (string, error) {
	p.pos++
	start := p.pos
	for p.pos < len(p.data) {
		switch c := p.data[p.pos]; {
		case c == '"':
			s := string(p.data[start:p.pos])
			p.pos++
			p.check(s)
			return s, nil
		case c == '\\':
			return p.escaped(start)
		case c < 0x20:
			return "", p.syntax("a control character in a string must be escaped")
		}
		p.pos++
	}
	return "", p.syntax("a string does not end")
}

func (p *parser) check(s string) {
	if p.bad != nil {
		return
	}
	if !utf8.ValidString(s) {
		p.report("holds text that is not valid UTF-8")
	} else if strings.IndexByte(s, 0) >= 0 {
		p.report("holds the character U+0000, which cannot be stored")
	}
}

// escaped goes on with a string that holds a backslash at p.pos.
func (p *parser) escaped(start int) (string, error) {
	b := append(make([]byte, 0, 2*(p.pos-start)+16), p.data[start:p.pos]...)
	for p.pos < len(p.data) {
		c := p.data[p.pos]
		p.pos++
		switch {
		case c == '"':
			s := string(b)
			p.check(s)
			return s, nil
		case c == '\\':
			var err error
			if b, err = p.escape(b); err != nil {
				return "", err
			}
		case c < 0x20:
			p.pos--
			return "", p.syntax("a control character in a string must be escaped")
		default:
			b = append(b, c)
		}
	}
	return "", p.syntax("a string does not end")
}

func (p *parser) escape(b []byte) ([]byte, error) {
	c := p.peek()
	if i := strings.IndexByte(`"\/bfnrt`, c); i >= 0 && c != 0 {
		p.pos++
		return append(b, "\"\\/\b\f\n\r\t"[i]), nil
	}
	if c != 'u' {
		return nil, p.syntax("an unknown escape in a string")
	}
	p.pos++
	r, ok := p.hex4()
	if !ok {
		return nil, p.syntax("four hexadecimal digits are expected after \\u")
	}
	if !utf16.IsSurrogate(r) {
		return utf8.AppendRune(b, r), nil
	}
	if rest := p.data[p.pos:]; len(rest) > 1 && rest[0] == '\\' && rest[1] == 'u' {
		p.pos += 2
		if low, ok := p.hex4(); ok {
			if full := utf16.DecodeRune(r, low); full != utf8.RuneError {
				return utf8.AppendRune(b, full), nil
			}
			p.pos -= 6
		} else {
			p.pos -= 2
		}
	}
	p.report("holds half of a surrogate pair, which is not a character")
	return utf8.AppendRune(b, utf8.RuneError), nil
}

func (p *parser) hex4() (rune, bool) {
	var quad [2]byte
	if p.pos+4 > len(p.data) {
		return 0, false
	}
	if _, err := hex.Decode(quad[:], p.data[p.pos:p.pos+4]); err != nil {
		return 0, false
	}
	p.pos += 4
	return rune(binary.BigEndian.Uint16(quad[:])), true
}
