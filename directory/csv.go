package directory

import (
	"bufio"
	"bytes"
	"io"
)

// peeker looks at the beginning of a text file, whose byte order mark it leaves out.
type peeker struct{ *bufio.Reader }

// peekSize is how far the header line is looked at.
const peekSize = 4096

func newPeeker(r io.Reader) peeker {
	p := peeker{bufio.NewReaderSize(r, peekSize)}
	mark := []byte("\xef\xbb\xbf")
	if head, _ := p.Peek(len(mark)); bytes.Equal(head, mark) {
		_, _ = p.Discard(len(mark)) // what was peeked can be discarded
	}
	return p
}

// semicolons says whether the header line separates by semicolons, as spreadsheets do where the comma is the decimal mark.
func (p peeker) semicolons() bool {
	head, _ := p.Peek(peekSize)
	line, _, _ := bytes.Cut(head, []byte("\n"))
	return !bytes.ContainsRune(line, ',') && bytes.ContainsRune(line, ';')
}
