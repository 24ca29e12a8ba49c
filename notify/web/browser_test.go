package web_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/notify/web"
)

// browser is one Chromium for all tests of this package; each test has a tab of its own.
var browser struct {
	once  sync.Once
	ctx   context.Context
	close func()
	err   error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if browser.close != nil {
		browser.close()
	}
	os.Exit(code)
}

func startBrowser() {
	path, err := exec.LookPath("chromium")
	if err != nil {
		browser.err = fmt.Errorf("chromium is missing; .ci/install.sh chromium installs it: %w", err)
		return
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WindowSize(1280, 900),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, quit := chromedp.NewContext(allocator)
	browser.ctx, browser.close = ctx, func() { quit(); stop() }
	browser.err = chromedp.Do(ctx, chromedp.Navigate("about:blank"))
}

// tab is a page in the browser, with everything that it asked the network for.
type tab struct {
	t    *testing.T
	ctx  context.Context
	base string

	mu    sync.Mutex
	asked []string
}

// open serves a handler and opens a tab. A missing browser fails the test: it is part of what tests need.
func open(t *testing.T, h http.Handler) *tab {
	t.Helper()
	browser.once.Do(startBrowser)
	if browser.err != nil {
		t.Fatal(browser.err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	serving, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- web.Serve(serving, l, h) }()
	ctx, closeTab := chromedp.NewContext(browser.ctx)
	ctx, late := context.WithTimeout(ctx, 25*time.Second)
	x := &tab{t: t, ctx: ctx, base: "http://" + l.Addr().String()}
	t.Cleanup(func() {
		late()
		closeTab()
		stop()
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	requests := chromedp.Events(ctx, network.RequestWillBeSent)
	go func() {
		for e, err := range requests {
			if err != nil {
				return
			}
			x.mu.Lock()
			x.asked = append(x.asked, e.Request.URL)
			x.mu.Unlock()
		}
	}()
	return x
}

func (x *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	x.t.Helper()
	if err := chromedp.Do(x.ctx, actions...); err != nil {
		x.t.Fatal(err)
	}
}

func (x *tab) visit(path string) {
	x.t.Helper()
	x.do(chromedp.Navigate(x.base + path))
}

func (x *tab) click(css string) {
	x.t.Helper()
	x.do(chromedp.Click(chromedp.CSS(css)))
}

// value evaluates an expression in the page.
func value[T any](x *tab, js string) T {
	x.t.Helper()
	v, err := chromedp.Run(x.ctx, chromedp.Evaluate[T](js))
	if err != nil {
		x.t.Fatalf("%s: %v", js, err)
	}
	return v
}

// until waits for an expression to be true.
func (x *tab) until(js string) {
	x.t.Helper()
	end := time.Now().Add(8 * time.Second)
	for {
		ok, err := chromedp.Run(x.ctx, chromedp.Evaluate[bool]("!!("+js+")"))
		if err == nil && ok {
			return
		}
		if time.Now().After(end) {
			x.t.Fatalf("not in time: %s (%v)\n%s", js, err, value[string](x, "document.body.innerText"))
		}
		time.Sleep(25 * time.Millisecond)
	}
}

// call sends a protocol command that has no action.
func call[P, R any](x *tab, method cdp.Command[P, R], params P) {
	x.t.Helper()
	if _, err := chromedp.Run(x.ctx, func(ctx context.Context, t *chromedp.Target) (R, error) { return cdp.Call(ctx, t, method, params) }); err != nil {
		x.t.Fatal(err)
	}
}

func (x *tab) phone() {
	x.t.Helper()
	x.do(chromedp.EmulateViewport(320, 640, chromedp.EmulateMobile, chromedp.EmulateTouch))
}

func (x *tab) scheme(name string) {
	x.t.Helper()
	call(x, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}}})
}

func (x *tab) text(css string) string {
	x.t.Helper()
	return value[string](x, fmt.Sprintf("document.querySelector(%q)?.innerText ?? 'there is none'", css))
}

// TestBrowserJourney: from the list by a filter into a dossier, down into an inner call, and back.
func TestBrowserJourney(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.change("meadow/deed32", held)
	d.change("meadow/132115", func(doc *dossier.Document) { fill(doc, plain) })
	x := open(t, pagesOf(d))
	x.visit("/")
	if n := value[int](x, "document.querySelectorAll('.row').length"); n != 6 {
		t.Errorf("%d rows", n)
	}
	x.click("a[href='/?show=waiting']")
	x.until("location.search === '?show=waiting' && document.querySelectorAll('.row').length === 1")
	if got := x.text("[aria-current=page]"); !strings.Contains(got, "Waiting for you") {
		t.Errorf("the current filter is %q", got)
	}
	x.click(".row h3 a")
	x.until("location.pathname === '/p/meadow/deed32' && document.readyState === 'complete'")
	if got := x.text("#hero"); !strings.Contains(got, "Fix a typo") || !strings.Contains(got, "legate vote meadow/deed32") {
		t.Errorf("hero: %s", got)
	}
	x.click(".crumbs a")
	x.until("location.pathname === '/' && document.readyState === 'complete'")
	x.visit("/p/meadow/132115")
	if value[bool](x, "document.getElementById('call-0.1').querySelector('dl').checkVisibility()") {
		t.Error("an inner call is open from the start")
	}
	x.click("[id='call-0.1'] summary")
	x.until("document.getElementById('call-0.1').innerText.includes('words of candidate')")
	x.click("[id='call-0.1'] summary")
	x.until("!document.getElementById('call-0.1').querySelector('dl').checkVisibility()")
	x.click(".evidence a[href='#call-0.1']") // a finding leads to its call and opens it
	x.until("document.getElementById('call-0.1').querySelector('dl').checkVisibility()")
	x.until("(r => r.top >= -5 && r.top < innerHeight)(document.getElementById('call-0.1').getBoundingClientRect())")
	if shown := value[float64](x, "(h => h.getBoundingClientRect().width / parseFloat(getComputedStyle(h).fontSize))(document.querySelector('#effects .changes .account:not(:has(.name)) .h'))"); shown < 18 {
		t.Errorf("an address that nobody vouches for is cut to %.1f em", shown)
	}
	x.click(".sentences sup a")
	x.until("location.hash === '#source-s1'")
	x.click("#vote .hash .copy")
	x.until("['Copied', 'Selected; copy it with your keyboard'].includes(document.getElementById('news').textContent)")
}

// TestBrowserKeyboard: everything is reached, and seen, without a mouse.
func TestBrowserKeyboard(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.change("meadow/132115", func(doc *dossier.Document) { fill(doc, plain) })
	x := open(t, pagesOf(d))
	x.visit("/")
	press := func(keys string) { t.Helper(); x.do(chromedp.KeyEvent(keys)) }
	press("\t")
	if got := value[string](x, "document.activeElement.textContent"); got != "Skip to the content" || !value[bool](x, "document.activeElement.getBoundingClientRect().top >= 0") {
		t.Errorf("the first stop is %q", got)
	}
	press("\r")
	x.until("document.activeElement.id === 'main'")
	stops := map[string]bool{}
	for range 12 {
		press("\t")
		stop := value[string](x, "document.activeElement.innerText.trim().split('\\n')[0]")
		stops[stop] = true
		if stop == "Appoint the operations multisig" || stop == "words of title" {
			break
		}
		if value[string](x, "(e => { const o = getComputedStyle(e.closest('.row') || e); return o.outlineStyle })(document.activeElement)") == "none" {
			t.Errorf("the focus on %q cannot be seen", stop)
		}
	}
	if !stops["Waiting for you 0"] && !stops["Waiting for you"] {
		t.Errorf("the filters are not on the way: %v", stops)
	}
	press("\r")
	x.until("location.pathname === '/p/meadow/132115' && document.readyState === 'complete'")
	x.do(chromedp.Evaluate[chromedp.Void]("document.querySelector('#does summary').focus()"))
	was := value[bool](x, "document.querySelector('#does details').open")
	press("\r")
	x.until(fmt.Sprintf("document.querySelector('#does details').open === %v", !was))
}

// TestBrowserWithoutScripts: all of it can be read, filtered and opened.
func TestBrowserWithoutScripts(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.change("meadow/132115", func(doc *dossier.Document) { fill(doc, plain) })
	d.change("meadow/deed32", held)
	x := open(t, pagesOf(d))
	call(x, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	x.visit("/?show=waiting")
	if got := x.text("main"); !strings.Contains(got, "Fix a typo") || !strings.Contains(got, "in 6 h") {
		t.Errorf("list: %s", got)
	}
	x.click(".row h3 a")
	x.until("location.pathname === '/p/meadow/deed32' && document.readyState === 'complete'")
	x.visit("/p/meadow/132115")
	for _, says := range []string{"words of description", "words of headline", "no-new-masters", "Vote is final", "0x35561CeC46277DfF36b205c8380Ff7b709678781"} {
		if !strings.Contains(value[string](x, "document.querySelector('main').textContent"), says) {
			t.Errorf("without scripts the page does not say %q", says)
		}
	}
	x.click("[id='call-0.0'] summary")
	x.until("document.getElementById('call-0.0').innerText.includes('words of second')")
	if n := value[int](x, "document.querySelectorAll('.copy, .live.on').length"); n != 0 {
		t.Errorf("%d controls that need a script are there without one", n)
	}
}

// TestBrowserPhone: at 320 px nothing is cut off or scrolls sideways, and what is touched is large enough.
func TestBrowserPhone(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.change("meadow/132115", func(doc *dossier.Document) {
		fill(doc, func(string) string { return strings.Repeat("unbreakable", 40) })
	})
	d.change("meadow/deed32", held)
	d.status.Chains[0].Followed, d.status.Live = false, false
	x := open(t, pagesOf(d))
	x.phone()
	paths := []string{"/", "/?show=over", "/nothing"}
	for _, doc := range d.docs {
		paths = append(paths, "/p/"+doc.Handle)
	}
	for _, p := range paths {
		x.visit(p)
		x.do(chromedp.Evaluate[chromedp.Void]("document.querySelectorAll('details').forEach(d => d.open = true)"))
		if w := value[int](x, "document.scrollingElement.scrollWidth"); w > 320 {
			t.Errorf("%s is %d px wide: %s", p, w, value[string](x, `[...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().right > 321 && !e.closest('.toc')).map(e => e.tagName + '.' + e.className).slice(0, 8).join(' ')`))
		}
		if small := value[string](x, `[...document.querySelectorAll('.filters a, .toc a, summary, .brand, .copy')].filter(e => e.checkVisibility() && e.getBoundingClientRect().width > 0).filter(e => e.getBoundingClientRect().height < 24 || e.getBoundingClientRect().width < 24).map(e => e.className + e.innerText).join()`); small != "" {
			t.Errorf("%s: too small to touch: %s", p, small)
		}
	}
}

// TestBrowserFollows: what happens shows by itself; place, focus and what is open stay, and it is told to who cannot see.
func TestBrowserFollows(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	metrics := web.NewMetrics()
	h := web.New(d, web.Config{Metrics: metrics, Now: func() time.Time { return wallTime }})
	happens := func() {
		record, err := dossier.Encode(testID, 1, wallTime, dossier.WasClosed{})
		if err != nil {
			t.Fatal(err)
		}
		metrics.Observe(record)
	}
	d.change("meadow/132115", func(doc *dossier.Document) { fill(doc, plain); held(doc) })
	x := open(t, h)
	x.visit("/p/meadow/132115")
	x.until("document.querySelector('.live.on')")
	x.click("[id='call-0.1'] summary")
	x.do(chromedp.Evaluate[chromedp.Void]("document.querySelector('#verdict').scrollIntoView(); document.querySelector(\"[href='#findings']\").focus({preventScroll: true}); window.mine = document.activeElement; document.querySelector('#h-verdict').dataset.place = Math.round(document.querySelector('#h-verdict').getBoundingClientRect().top)"))
	d.change("meadow/132115", func(doc *dossier.Document) {
		support, code, by, tx := "against", gov.SupportAgainst, gov.ByHolder, gov.Hash{7}
		doc.Vote = &dossier.VoteDoc{Status: gov.VoteMined, Support: &support, Code: &code, By: &by, Tx: &tx}
		doc.Text.Flags = append(doc.Text.Flags, gov.FlagBidi)
		doc.Records = append(doc.Records, dossier.Meta{Seq: 99, Type: "WasMined", Time: wallTime})
	})
	happens()
	x.until("document.querySelector('#hero').innerText.includes('Voted against, not final yet')")
	x.until("document.getElementById('news').textContent.includes('Voted against, not final yet')")
	if got := x.text("#records"); !strings.Contains(got, "Vote in a block") {
		t.Errorf("records: %s", got)
	}
	if !value[bool](x, "document.activeElement === window.mine && document.activeElement.isConnected") {
		t.Error("the focus is lost")
	}
	if !value[bool](x, "document.querySelector(\"[id='call-0.1'] details\").open") {
		t.Error("an open call closed")
	}
	if moved := value[float64](x, "Math.abs(document.querySelector('#verdict').getBoundingClientRect().top)"); moved > 60 {
		t.Errorf("the place moved by %v px", moved)
	}
	x.visit("/")
	x.until("document.querySelector('.live.on')")
	fresh := over(d.docs[0], 5)
	fresh.Proposal.State, fresh.Text.Title = gov.StateActive, "Brand new"
	fresh.Proposal.Stage = dossier.AtSeen
	d.add(fresh)
	happens()
	x.until("[...document.querySelectorAll('.row')].some(r => r.innerText.includes('Brand new'))")
	x.until("document.getElementById('news').textContent.includes('harbor/5')")
	d.mu.Lock()
	d.status.Frozen = gov.Known(true)
	d.mu.Unlock()
	x.until("document.getElementById('banners').innerText.includes('All signing is frozen')")
}

// TestBrowserSaysWhenLegateIsGone: an old page does not look like a live one.
func TestBrowserSaysWhenLegateIsGone(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	gone := false
	var mu sync.Mutex
	h := pagesOf(d)
	x := open(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if gone {
			panic(http.ErrAbortHandler)
		}
		h.ServeHTTP(w, r)
	}))
	x.visit("/")
	x.until("document.querySelector('.live.on')")
	mu.Lock()
	gone = true
	mu.Unlock()
	x.until("document.querySelector('.live.off')?.innerText.startsWith('no answer since')")
	if !strings.Contains(x.text("main"), "operations multisig") {
		t.Error("what was shown is gone")
	}
	mu.Lock()
	gone = false
	mu.Unlock()
	x.until("document.querySelector('.live.on')")
}

// TestG30BrowserHostileText: the payloads in every field, in a real browser: nothing runs, nothing is asked of anybody
// else, nothing is clickable that should not be, and the page still works.
func TestG30BrowserHostileText(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	next := 0
	d.change("meadow/132115", func(doc *dossier.Document) {
		fill(doc, func(place string) string {
			next++
			return payloads[next%len(payloads)] + payloads[(next*7)%len(payloads)]
		})
		doc.Text.Description = dossier.Untrusted(strings.Join(payloads, "\n\n"))
	})
	for i, p := range payloads[:100] {
		doc := over(d.docs[0], i+1)
		doc.Text.Title, doc.Proposal.State = dossier.Untrusted(p), gov.StateActive
		d.add(doc)
	}
	d.status.Chains[0].Followed, d.status.Chains[0].Error = false, dossier.Untrusted(strings.Join(payloads[:30], " "))
	x := open(t, pagesOf(d))
	dialogs := chromedp.Events(x.ctx, page.JavascriptDialogOpening)
	go func() {
		for e, err := range dialogs {
			if err == nil {
				t.Errorf("a dialog opened: %s", e.Message)
			}
			return
		}
	}()
	for _, p := range []string{"/", "/p/meadow/132115"} {
		x.visit(p)
		x.until("document.querySelector('.live.on')")
		x.do(chromedp.Evaluate[chromedp.Void]("document.querySelectorAll('details').forEach(d => d.open = true)"))
		x.do(chromedp.Evaluate[chromedp.Void]("document.dispatchEvent(new Event('visibilitychange'))")) // and once more through the live update
		time.Sleep(100 * time.Millisecond)
		if value[bool](x, "'pwned' in window") {
			t.Errorf("%s: a script of a stranger ran", p)
		}
		if n := value[int](x, "document.querySelectorAll('script').length"); n != 1 {
			t.Errorf("%s: %d scripts", p, n)
		}
		if bad := value[string](x, `[...document.querySelectorAll('*')].filter(e => /^(iframe|object|embed|video|audio|base|style|math|textarea|select)$/i.test(e.localName) || [...e.attributes].some(a => a.name.startsWith('on') || a.name === 'style' || a.name === 'srcdoc')).map(e => e.outerHTML.slice(0, 80)).join('\n')`); bad != "" {
			t.Errorf("%s: %s", p, bad)
		}
		if bad := value[string](x, `[...document.querySelectorAll('a[href], [src], link[href]')].map(e => e.href || e.src).filter(u => new URL(u).origin !== location.origin).join('\n')`); bad != "" {
			t.Errorf("%s leads elsewhere: %s", p, bad)
		}
		if n := value[int](x, "document.querySelectorAll('#text a').length - document.querySelectorAll('#text p.faint a').length"); n != 0 {
			t.Errorf("%s: %d links in the proposer's text", p, n)
		}
		if bad := value[string](x, `document.body.innerText.match(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u202a-\u202e\u2066-\u2069\ufeff]/)?.join(' ') ?? ''`); bad != "" {
			t.Errorf("%s: %q is on the page", p, bad)
		}
	}
	if text := x.text(".theirs"); !strings.Contains(text, "<script>window.pwned=1</script>") || !strings.Contains(text, "<U+202E>") {
		t.Errorf("the text is not shown as it is: %.300s", text)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.asked) < 4 {
		t.Errorf("the requests of the page were not seen: %v", x.asked)
	}
	for _, u := range x.asked {
		if !strings.HasPrefix(u, x.base+"/") {
			t.Errorf("the page asked %s", u)
		}
	}
}

// TestBrowserLogin: the token by the form, wrong and right; it is in no address and the page cannot read the cookie.
func TestBrowserLogin(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	x := open(t, web.New(d, web.Config{Token: "correct horse", Now: func() time.Time { return wallTime }}))
	x.visit("/p/meadow/132115")
	x.until("document.getElementById('token')")
	if strings.Contains(value[string](x, "document.documentElement.outerHTML"), "multisig") {
		t.Error("a title shows before the login")
	}
	x.do(chromedp.SendKeys(chromedp.CSS("#token"), "wrong\r"))
	x.until("document.getElementById('login-says').textContent === 'That is not the token.'")
	x.do(chromedp.Evaluate[chromedp.Void]("document.getElementById('token').value = ''"))
	x.do(chromedp.SendKeys(chromedp.CSS("#token"), "correct horse"))
	x.click("#login button")
	x.until("document.querySelector('#hero')?.innerText.includes('operations multisig')")
	if got := value[string](x, "location.href + document.cookie"); got != x.base+"/p/meadow/132115" {
		t.Errorf("address and cookie: %s", got)
	}
	x.visit("/login") // who is logged in is led on
	x.until("location.pathname === '/' && document.readyState === 'complete'")
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, u := range x.asked {
		if strings.Contains(u, "horse") {
			t.Errorf("the token is in an address: %s", u)
		}
	}
}

// contrast lists texts whose contrast with what is behind them is below AA, in the page as it is drawn.
const contrast = `(() => {
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgba = (c) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = c; canvas.fillRect(0, 0, 1, 1); const d = canvas.getImageData(0, 0, 1, 1).data; return [d[0], d[1], d[2], d[3] / 255]; };
  const over = (a, b) => [0, 1, 2].map((i) => a[i] * a[3] + b[i] * (1 - a[3])).concat(1);
  const lum = (c) => { const f = c.slice(0, 3).map((v) => { v /= 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; }); return .2126 * f[0] + .7152 * f[1] + .0722 * f[2]; };
  const behind = (e) => { const layers = []; for (let n = e; n; n = n.parentElement) { layers.push(rgba(getComputedStyle(n).backgroundColor)); } return layers.reverse().reduce((b, l) => over(l, b), [255, 255, 255, 1]); };
  const out = new Set();
  for (const e of document.querySelectorAll('body *')) {
    if (!e.checkVisibility() || e.closest('.quiet, .sprite, .skip') || ![...e.childNodes].some((n) => n.nodeType === 3 && n.nodeValue.trim())) continue;
    let opacity = 1;
    for (let n = e; n; n = n.parentElement) opacity *= Number(getComputedStyle(n).opacity);
    const bg = behind(e), fg = rgba(getComputedStyle(e).color); fg[3] *= opacity;
    const a = lum(over(fg, bg)), b = lum(bg), ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5) out.add(ratio.toFixed(2) + ' ' + e.localName + '.' + e.className + ' ' + e.textContent.trim().slice(0, 40));
  }
  return [...out].join('\n');
})()`

// TestBrowserContrast: every text reaches AA, light and dark.
func TestBrowserContrast(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.change("meadow/132115", func(doc *dossier.Document) { fill(doc, plain) })
	d.change("meadow/deed32", held)
	d.status.Live, d.status.Frozen, d.status.Chains[0].Followed = false, gov.Known(true), false
	x := open(t, pagesOf(d))
	for _, scheme := range []string{"light", "dark"} {
		x.scheme(scheme)
		for _, p := range []string{"/", "/p/meadow/132115", "/p/meadow/deed32", "/p/meadow/61ce72", "/nothing"} {
			x.visit(p)
			x.do(chromedp.Evaluate[chromedp.Void]("document.querySelectorAll('details').forEach(d => d.open = true)"))
			if low := value[string](x, contrast); low != "" {
				t.Errorf("%s in %s:\n%s", p, scheme, low)
			}
		}
	}
}

// TestBrowserAccessibility: what a screen reader is given has a name for every control, and pictures that say something.
func TestBrowserAccessibility(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.change("meadow/132115", func(doc *dossier.Document) { fill(doc, plain) })
	x := open(t, pagesOf(d))
	for _, p := range []string{"/", "/p/meadow/132115"} {
		x.visit(p)
		x.until("document.querySelector('.live.on')")
		raw, err := chromedp.Run(x.ctx, func(ctx context.Context, t *chromedp.Target) (json.RawMessage, error) {
			type none struct{}
			return cdp.Call(ctx, t, cdp.Command[none, json.RawMessage]{Method: "Accessibility.getFullAXTree"}, none{})
		})
		if err != nil {
			t.Fatal(err)
		}
		var tree struct {
			Nodes []struct {
				Ignored bool                   `json:"ignored"`
				Role    struct{ Value string } `json:"role"`
				Name    struct{ Value string } `json:"name"`
			} `json:"nodes"`
		}
		if err := json.Unmarshal(raw, &tree); err != nil {
			t.Fatal(err)
		}
		roles := map[string]int{}
		for _, n := range tree.Nodes {
			if n.Ignored {
				continue
			}
			roles[n.Role.Value]++
			switch n.Role.Value {
			case "link", "button", "image", "navigation", "region", "DisclosureTriangle", "heading":
				if strings.TrimSpace(n.Name.Value) == "" {
					t.Errorf("%s: a %s without a name", p, n.Role.Value)
				}
			}
		}
		for _, role := range []string{"banner", "main", "navigation", "contentinfo", "status", "heading", "link"} {
			if roles[role] == 0 {
				t.Errorf("%s has no %s: %v", p, role, roles)
			}
		}
	}
}

// TestPictures takes the pictures of docs/img from a running demo: LEGATE_WEB=http://127.0.0.1:… names it,
// LEGATE_PICTURES the folder, LEGATE_HANDLE the dossier, and LEGATE_DISCORD the stand-in's page.
func TestPictures(t *testing.T) {
	base, dir, handle := os.Getenv("LEGATE_WEB"), os.Getenv("LEGATE_PICTURES"), os.Getenv("LEGATE_HANDLE")
	if base == "" || dir == "" {
		t.Skip("takes pictures of a running demo, when LEGATE_WEB and LEGATE_PICTURES say which and where")
	}
	x := open(t, http.NotFoundHandler())
	for _, c := range []struct {
		name, path, scheme string
		width, height      int64
		phone              bool
	}{
		{"list", "/", "light", 1200, 1020, false},
		{"list-dark", "/", "dark", 1200, 1020, false},
		{"phone-list", "/", "light", 360, 740, true},
		{"dossier", "/p/" + handle, "light", 1200, 1500, false},
		{"dossier-dark", "/p/" + handle, "dark", 1200, 1500, false},
		{"phone-dossier", "/p/" + handle, "light", 360, 740, true},
	} {
		if handle == "" && strings.HasSuffix(c.path, "/p/") {
			continue
		}
		x.scheme(c.scheme)
		if c.phone {
			x.do(chromedp.EmulateViewport(c.width, c.height, chromedp.EmulateMobile, chromedp.EmulateTouch, chromedp.EmulateScale(2)))
		} else {
			x.do(chromedp.EmulateViewport(c.width, c.height))
		}
		x.do(chromedp.Navigate(base + c.path))
		x.until("document.querySelector('.live.on')")
		x.picture(filepath.Join(dir, c.name+".png"))
	}
	discord := os.Getenv("LEGATE_DISCORD")
	if discord == "" || handle == "" {
		return
	}
	x.do(chromedp.EmulateViewport(600, 800), chromedp.Navigate(discord+"/?about="+handle))
	x.until("[...document.images].every(i => i.complete)")
	height := value[int64](x, "Math.ceil(document.querySelector('.m').getBoundingClientRect().bottom) + 12")
	x.do(chromedp.EmulateViewport(600, height))
	x.picture(filepath.Join(dir, "discord.png"))
	resp, err := http.Get(discord + value[string](x, "document.images[0].getAttribute('src')"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	chart, err := io.ReadAll(resp.Body)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "chart.png"), chart, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// picture writes what the tab shows to a file.
func (x *tab) picture(path string) {
	x.t.Helper()
	png, err := chromedp.Run(x.ctx, chromedp.CaptureScreenshot())
	if err == nil {
		err = os.WriteFile(path, png, 0o644)
	}
	if err != nil {
		x.t.Fatal(err)
	}
}
