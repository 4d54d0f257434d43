package console

import (
	"io/fs"
	"log/slog"
	"strings"
	"testing"
)

// TestEveryTemplateParses stands for what the program does not do at its start.
func TestEveryTemplateParses(t *testing.T) {
	c := &Console{log: slog.New(slog.DiscardHandler)}
	var err error
	if c.assets, err = newAssets(); err != nil {
		t.Fatal(err)
	}
	names, err := fs.Glob(templateFiles, "*.html")
	if err != nil || len(names) < 20 {
		t.Fatalf("%d templates: %v", len(names), err)
	}
	for _, file := range names {
		if _, err := c.template(strings.TrimSuffix(file, ".html")); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}
