package report

import (
	"fmt"
	"strings"
)

// Replace returns the document with the section of that name replaced by content.
// A section lies between two markers, <!-- bench:NAME --> and <!-- /bench:NAME -->,
// each once and on a line of its own; without them nothing is written.
func Replace(document, name, content string) (string, error) {
	begin, end := "<!-- bench:"+name+" -->\n", "<!-- /bench:"+name+" -->"
	if strings.Count(document, begin) != 1 || strings.Count(document, end) != 1 {
		return "", fmt.Errorf("the document needs the markers %s and %s once each", strings.TrimSpace(begin), end)
	}
	before, rest, _ := strings.Cut(document, begin)
	_, after, found := strings.Cut(rest, end)
	if !found {
		return "", fmt.Errorf("the marker %s comes before %s", end, strings.TrimSpace(begin))
	}
	return before + begin + "\n" + strings.Trim(content, "\n") + "\n\n" + end + after, nil
}
