package console

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
)

//go:embed assets
var assetFiles embed.FS

// asset is one file that browsers keep for good: its address carries a hash of its content. What the program has embedded is read
// from there each time: a copy would be held for as long as the server runs.
type asset struct {
	name, kind string
	address    string // with the hash
	size       int64
	open       func() (io.ReadCloser, error)
	packed     func() []byte // gzip; made when first asked for
}

// assets are the files of the console by their addresses below Base/assets/.
type assets struct {
	byName    map[string]*asset
	byAddress map[string]*asset
	icons     map[string]bool
}

// served are the files that are given out as they are; the icons become one file.
func served() []string {
	return []string{"tabler/tabler.min.css", "htmx/htmx.min.js", "console.css", "console.js", "theme.js", "logo.svg"}
}

// spriteName is the file that all icons are in.
const spriteName = "icons.svg"

func newAssets() (*assets, error) {
	a := &assets{byName: map[string]*asset{}, byAddress: map[string]*asset{}, icons: map[string]bool{}}
	for _, name := range served() {
		open := func() (io.ReadCloser, error) { return assetFiles.Open("assets/" + name) }
		if err := a.add(path.Base(name), open); err != nil {
			return nil, err
		}
	}
	sprite, err := a.sprite()
	if err != nil {
		return nil, err
	}
	open := func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(sprite)), nil }
	return a, a.add(spriteName, open)
}

func (a *assets) add(name string, open func() (io.ReadCloser, error)) error {
	sum := sha256.New()
	size, err := copied(sum, open)
	if err != nil {
		return err
	}
	ext := path.Ext(name)
	file := &asset{
		name: name, kind: kindOf(ext), size: size, open: open,
		address: strings.TrimSuffix(name, ext) + "-" + hex.EncodeToString(sum.Sum(nil)[:6]) + ext,
		packed:  sync.OnceValue(func() []byte { return packed(open) }),
	}
	a.byName[name], a.byAddress[file.address] = file, file
	return nil
}

// kindOf gives the media type of a served file. Package mime would read the tables of the machine for it, and hold them.
func kindOf(ext string) string {
	switch ext {
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	}
	return "application/octet-stream"
}

// copied writes the content of a file, and says how much it was.
func copied(w io.Writer, open func() (io.ReadCloser, error)) (int64, error) {
	file, err := open()
	if err != nil {
		return 0, err
	}
	defer func() { _ = file.Close() }() // it was only read
	return io.Copy(w, file)
}

func packed(open func() (io.ReadCloser, error)) []byte {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil // the level is a constant that exists
	}
	_, _ = copied(w, open) // from memory into memory
	_ = w.Close()
	return bytes.Clone(b.Bytes()) // without the room that the buffer grew by
}

var (
	iconOpening = regexp.MustCompile(`(?s)^.*?<svg[^>]*>`)
	iconFrame   = regexp.MustCompile(`\s*<path stroke="none" d="M0 0h24v24H0z" fill="none" ?/>`)
)

// sprite joins the icons to one file, in which each is a symbol by its name.
func (a *assets) sprite() (string, error) {
	names, err := fs.Glob(assetFiles, "assets/icons/*.svg")
	if err != nil {
		return "", err
	}
	slices.Sort(names)
	var b strings.Builder
	b.WriteString(`<svg xmlns="http://www.w3.org/2000/svg">`)
	for _, file := range names {
		content, err := assetFiles.ReadFile(file)
		if err != nil {
			return "", err
		}
		name := strings.TrimSuffix(path.Base(file), ".svg")
		inner := iconFrame.ReplaceAllString(iconOpening.ReplaceAllString(string(content), ""), "")
		inner, ok := strings.CutSuffix(strings.TrimSpace(inner), "</svg>")
		if !ok {
			return "", fmt.Errorf("icon %s is no SVG file", name)
		}
		fmt.Fprintf(&b, `<symbol id="%s" viewBox="0 0 24 24">%s</symbol>`, name, strings.TrimSpace(inner))
		a.icons[name] = true
	}
	b.WriteString(`</svg>`)
	return b.String(), nil
}

// url gives the address of a file by its name.
func (a *assets) url(name string) (string, error) {
	file, ok := a.byName[name]
	if !ok {
		return "", fmt.Errorf("there is no asset %q", name)
	}
	return Base + "/assets/" + file.address, nil
}

// icon gives the address of an icon.
func (a *assets) icon(name string) (string, error) {
	if !a.icons[name] {
		return "", fmt.Errorf("there is no icon %q; copy it from @tabler/icons into assets/icons", name)
	}
	address, err := a.url(spriteName)
	return address + "#" + name, err
}

// serve answers with a file. What has another hash than the present one is gone.
func (a *assets) serve(w http.ResponseWriter, r *http.Request) {
	file, ok := a.byAddress[r.PathValue("file")]
	if !ok {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", file.kind)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Vary", "Accept-Encoding")
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		content := file.packed()
		h.Set("Content-Encoding", "gzip")
		h.Set("Content-Length", fmt.Sprint(len(content)))
		if r.Method != http.MethodHead {
			_, _ = w.Write(content) // the client is gone where this fails
		}
		return
	}
	h.Set("Content-Length", fmt.Sprint(file.size))
	if r.Method != http.MethodHead {
		_, _ = copied(w, file.open) // the client is gone where this fails
	}
}
