package store

import "slices"

// room is a message of no bytes: where it is encoded, the buffer that pgx collects a batch in has that many bytes left. pgx
// begins each batch with 1,024 and has them grow by doubling, which for a person with their account, changes and activity is
// three buffers for nothing.
type room int

func (r room) Encode(dst []byte) ([]byte, error) { return slices.Grow(dst, int(r)), nil }
func (room) Decode([]byte) error                 { return nil }
func (room) Frontend()                           {}

// roomFor gives about as many bytes as a statement and its parameters are.
func roomFor(args []any) room {
	const around, each = 128, 16 // the messages of a statement; a parameter's length, or one that is no text
	bytes := around + each*len(args)
	for _, arg := range args {
		switch arg := arg.(type) {
		case string:
			bytes += len(arg)
		case []byte:
			bytes += len(arg)
		}
	}
	return room(bytes)
}
