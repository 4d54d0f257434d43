package console_test

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"usher/model"
	"usher/model/store/storetest"
)

//go:embed testdata/axe/axe.min.js
var axe string

// one lets a single Chromium run at a time: each wants a processor of its own.
var one sync.Mutex

// tab is a page of a real Chromium.
type tab struct {
	*fixture
	ctx      context.Context //nolint:containedctx // a browser is its context
	problems *[]string       // what the browser's console complained of
}

// chromium gives the browser's program.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{os.Getenv("CHROMIUM"), "chromium", "chromium-browser", "google-chrome"} {
		if name == "" {
			continue
		}
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatal("there is no Chromium: run make deps, or set CHROMIUM to its path")
	return ""
}

// browse opens a Chromium in which the operator is signed in.
func browse(t *testing.T, options ...option) *tab {
	t.Helper()
	one.Lock()
	t.Cleanup(one.Unlock)
	f := newFixture(t, storetest.OpenSQLite(t), options...)
	opt := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium(t)), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()), chromedp.NoFirstRun,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("hide-scrollbars", true), chromedp.WindowSize(1280, 900),
	)
	allocator, stop := chromedp.NewExecAllocator(t.Context(), opt...)
	t.Cleanup(stop)
	ctx, quit := chromedp.NewContext(allocator)
	t.Cleanup(quit)
	b := &tab{fixture: f, ctx: ctx, problems: &[]string{}}
	b.listen()
	_, err := chromedp.Call(ctx, log.Enable, cdp.Empty{})
	b.ok(err)
	return b
}

// listen keeps what the browser complains of.
func (b *tab) listen() {
	var mutex sync.Mutex
	note := func(text string) {
		mutex.Lock()
		defer mutex.Unlock()
		*b.problems = append(*b.problems, text)
	}
	b.ok(chromedp.Listen(b.ctx, func(event any) {
		switch e := event.(type) {
		case *log.EventEntryAdded:
			if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
				note(fmt.Sprintf("%s: %s (%s)", e.Entry.Level, e.Entry.Text, e.Entry.URL))
			}
		case *runtime.EventExceptionThrown:
			note("exception: " + e.ExceptionDetails.Text)
		case *runtime.EventConsoleAPICalled:
			if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
				note(fmt.Sprintf("console.%s: %v", e.Type, e.Args))
			}
		}
	}))
}

// do works actions, each within a time in which even a busy machine answers.
func (b *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	for _, a := range actions {
		ctx, cancel := context.WithTimeout(b.ctx, patience)
		err := chromedp.Do(ctx, a)
		cancel()
		b.went(err)
	}
}

// patience is how long a step may take.
const patience = 60 * time.Second

// went fails the test where a step did not work, and tells what the page says.
func (b *tab) went(err error) {
	b.Helper()
	if err != nil {
		at, _ := chromedp.Run(b.ctx, chromedp.Location())
		text, _ := chromedp.Run(b.ctx, chromedp.Text(chromedp.CSS("body")))
		b.Fatalf("at %s: %v\n%s", at, err, text)
	}
}

// ask gives what an expression is on the page; a promise is waited for.
func ask[T any](b *tab, js string) T {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](js, chromedp.EvalAwaitPromise))
	b.went(err)
	return value
}

// until waits until an expression is true on the page, through any number of pages.
func (b *tab) until(js string) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		yes, err := chromedp.Run(ctx, chromedp.Evaluate[bool](js))
		if err == nil && yes {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			b.went(fmt.Errorf("never became true: %s (%w)", js, ctx.Err()))
		}
	}
}

// signIn signs the operator in with a link, as a person would.
func (b *tab) signIn() {
	b.Helper()
	by := model.Operator{OrganizationID: b.org.ID, Rights: []model.Right{model.RightAll}}
	token, err := b.svc.RenewOperatorLink(b.Context(), by, b.master.ID, model.LinkSignIn)
	b.ok(err)
	b.goTo("/welcome?token=" + token)
	b.click("main form button")
	b.see("h1", "Home")
}

// goTo opens a page of the console.
func (b *tab) goTo(path string) {
	b.Helper()
	b.do(chromedp.Navigate(b.url+"/console"+path), chromedp.WaitReady(chromedp.CSS("main")))
}

func (b *tab) click(selector string) {
	b.Helper()
	b.do(chromedp.Click(chromedp.CSS(selector)))
}

func (b *tab) fill(selector, text string) {
	b.Helper()
	ask[bool](b, fmt.Sprintf(`document.querySelector(%q).value = ""; true`, selector))
	b.do(chromedp.SendKeys(chromedp.CSS(selector), text))
}

// press waits for the page, without whose script no key is heard.
func (b *tab) press(keys string) {
	b.Helper()
	b.until(`document.readyState === "complete"`)
	b.do(chromedp.KeyEvent(keys))
}

// see waits until an element of the selector says the text.
func (b *tab) see(selector, text string) {
	b.Helper()
	b.until(fmt.Sprintf(`[...document.querySelectorAll(%q)].some(e => (e.innerText || e.value || "").includes(%q))`, selector, text))
}

// wide and phone are the sizes that pages are looked at in. A phone of 320 points is what 400 % of 1280 come to.
func (b *tab) wide()  { b.do(chromedp.EmulateViewport(1280, 900)) }
func (b *tab) phone() { b.do(chromedp.EmulateViewport(320, 700)) }

func (b *tab) dark(on bool) {
	value := "light"
	if on {
		value = "dark"
	}
	_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: value}, {Name: "prefers-reduced-motion", Value: "reduce"}},
	})
	b.ok(err)
}

// shoot keeps a picture of the page as a person sees it, where USHER_SCREENSHOTS names a folder.
func (b *tab) shoot(name string) {
	b.Helper()
	dir := os.Getenv("USHER_SCREENSHOTS")
	if dir == "" {
		return
	}
	png, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	b.went(err)
	b.ok(os.MkdirAll(dir, 0o755))
	b.ok(os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644))
}

// checked looks at the page as it is, in both colours and both sizes: axe finds nothing serious, nothing is wider than the screen,
// and the browser complained of nothing.
func (b *tab) checked(name string) {
	b.Helper()
	b.dark(false)
	b.wide()
	b.shoot(name)
	b.accessible(name)
	b.dark(true)
	b.shoot(name + "-dark")
	b.accessible(name + " in the dark")
	b.dark(false)
	b.phone()
	b.shoot(name + "-phone")
	if width := ask[int](b, `document.documentElement.scrollWidth`); width > 320 {
		b.Errorf("%s is %d points wide on a screen of 320", name, width)
	}
	b.accessible(name + " on a phone")
	b.wide()
	b.quiet(name)
}

// quiet fails the test if the browser complained.
func (b *tab) quiet(name string) {
	b.Helper()
	for _, p := range *b.problems {
		b.Errorf("%s: the browser complains: %s", name, p)
	}
	*b.problems = nil
}

// violation is what axe finds.
type violation struct {
	ID, Impact, Help string
	Nodes            []struct {
		HTML           string
		FailureSummary string
	}
}

func (b *tab) accessible(name string) {
	b.Helper()
	ask[bool](b, axe+"; true")
	raw := ask[string](b, `axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}).then(r => JSON.stringify(r.violations))`)
	var found []violation
	b.ok(json.Unmarshal([]byte(raw), &found))
	for _, v := range found {
		var where []string
		for i, n := range v.Nodes {
			if i < 3 {
				where = append(where, n.HTML+"\n    "+strings.ReplaceAll(n.FailureSummary, "\n", "\n    "))
			}
		}
		b.Errorf("%s: %s (%s): %s\n  %s", name, v.ID, v.Impact, v.Help, strings.Join(where, "\n  "))
	}
}

// letters are keys by name.
const (
	keyEscape = kb.Escape
	keyTab    = kb.Tab
	keyEnter  = kb.Enter
)
