package console

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
)

//go:embed assets
var assetFiles embed.FS

// asset is one file that browsers keep for good: its address carries a hash of its content.
type asset struct {
	name, kind string
	address    string // with the hash
	plain      []byte
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
		content, err := assetFiles.ReadFile("assets/" + name)
		if err != nil {
			return nil, err
		}
		a.add(path.Base(name), content)
	}
	sprite, err := a.sprite()
	if err != nil {
		return nil, err
	}
	a.add(spriteName, sprite)
	return a, nil
}

func (a *assets) add(name string, content []byte) {
	sum := sha256.Sum256(content)
	ext := path.Ext(name)
	file := &asset{
		name: name, kind: mime.TypeByExtension(ext), plain: content,
		address: strings.TrimSuffix(name, ext) + "-" + hex.EncodeToString(sum[:6]) + ext,
		packed:  sync.OnceValue(func() []byte { return packed(content) }),
	}
	a.byName[name], a.byAddress[file.address] = file, file
}

func packed(content []byte) []byte {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil // the level is a constant that exists
	}
	_, _ = w.Write(content) // into memory
	_ = w.Close()
	return b.Bytes()
}

var (
	iconOpening = regexp.MustCompile(`(?s)^.*?<svg[^>]*>`)
	iconFrame   = regexp.MustCompile(`\s*<path stroke="none" d="M0 0h24v24H0z" fill="none" ?/>`)
)

// sprite joins the icons to one file, in which each is a symbol by its name.
func (a *assets) sprite() ([]byte, error) {
	names, err := fs.Glob(assetFiles, "assets/icons/*.svg")
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	var b bytes.Buffer
	b.WriteString(`<svg xmlns="http://www.w3.org/2000/svg">`)
	for _, file := range names {
		content, err := assetFiles.ReadFile(file)
		if err != nil {
			return nil, err
		}
		name := strings.TrimSuffix(path.Base(file), ".svg")
		inner := iconFrame.ReplaceAllString(iconOpening.ReplaceAllString(string(content), ""), "")
		inner, ok := strings.CutSuffix(strings.TrimSpace(inner), "</svg>")
		if !ok {
			return nil, fmt.Errorf("icon %s is no SVG file", name)
		}
		fmt.Fprintf(&b, `<symbol id="%s" viewBox="0 0 24 24">%s</symbol>`, name, strings.TrimSpace(inner))
		a.icons[name] = true
	}
	b.WriteString(`</svg>`)
	return b.Bytes(), nil
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
	content := file.plain
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		content = file.packed()
	}
	h.Set("Content-Length", fmt.Sprint(len(content)))
	if r.Method != http.MethodHead {
		_, _ = w.Write(content) // the client is gone where this fails
	}
}
