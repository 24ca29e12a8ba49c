package chart_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/legate-dao/legate/notify/chart"
)

func fan() chart.Paths {
	p := chart.Paths{Title: "Treasury", Y: "USD"}
	without := chart.Quantiles{}
	for d := range 91 {
		x := float64(d)
		p.Days = append(p.Days, x)
		p.With.P50 = append(p.With.P50, 2e6-9e3*x)
		p.With.P05 = append(p.With.P05, 2e6-9e3*x-6e4*math.Sqrt(x))
		p.With.P95 = append(p.With.P95, 2e6-9e3*x+9e4*math.Sqrt(x))
		without.P50 = append(without.P50, 2.2e6-5e3*x)
		without.P05 = append(without.P05, 2.2e6-5e3*x-6e4*math.Sqrt(x))
		without.P95 = append(without.P95, 2.2e6-5e3*x+9e4*math.Sqrt(x))
	}
	p.Without = &without
	return p
}

func vote() chart.Vote {
	return chart.Vote{Pass: chart.Interval{P: 0.93, Low: 0.92, High: 0.94}, Quorum: chart.Interval{P: 0.61, Low: 0.58, High: 0.64},
		For: &chart.Band{P05: 310e3, P50: 428e3, P95: 512e3}, Needed: 400e3}
}

// pictures are all sorts, with the words that must stand on them.
func pictures(t *testing.T) map[string]struct {
	chart.Picture
	says []string
} {
	t.Helper()
	must := func(p chart.Picture, err error) chart.Picture {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	bare := vote()
	bare.For = nil
	none := chart.Vote{For: &chart.Band{}, Pass: chart.Interval{High: 0.0003}, Quorum: chart.Interval{P: 1, Low: 0.999, High: 1}}
	type entry = struct {
		chart.Picture
		says []string
	}
	return map[string]entry{
		"forecast": {must(chart.Forecast(vote())), []string{"93 %  (92.0 to 94.0)", "61 %  (58.0 to 64.0)", "quorum 400k", "428k  (310k to 512k)"}},
		"bare":     {must(chart.Forecast(bare)), []string{"93 %"}},
		"certain":  {must(chart.Forecast(none)), []string{"0 %", "100 %", "none expected"}},
		"votes":    {must(chart.Votes(chart.Tally{For: 5e5, Against: 3e5, Abstain: 2e5, Needed: 4e5})), []string{"for 500k (50.0 %)", "against 300k (30.0 %)", "quorum 400k"}},
		"no votes": {must(chart.Votes(chart.Tally{Needed: 4e5})), []string{"nobody has voted yet"}},
		"fan":      {must(chart.Fan(fan())), []string{"Treasury", "with the proposal", "without it", "days from now", "2M"}},
	}
}

func TestPictures(t *testing.T) {
	for name, p := range pictures(t) {
		svg, err := p.SVG()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := wellFormed(svg); err != nil {
			t.Errorf("%s: SVG: %v", name, err)
		}
		for _, s := range p.says {
			if !strings.Contains(string(svg), s) {
				t.Errorf("%s: the SVG does not say %q", name, s)
			}
		}
		if strings.Contains(string(svg), "<script") || strings.Contains(string(svg), "http-equiv") {
			t.Errorf("%s: active SVG", name)
		}
		out, err := p.PNG()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		img, err := png.Decode(bytes.NewReader(out))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if b := img.Bounds(); b.Dx() != 880 || b.Dy() < 150 || len(out) > 200_000 {
			t.Errorf("%s: %v, %d bytes", name, b, len(out))
		}
		again, err := p.PNG()
		if err != nil || !bytes.Equal(out, again) {
			t.Errorf("%s: the same picture is drawn differently (%v)", name, err)
		}
		if dir := os.Getenv("CHART_DIR"); dir != "" {
			if err := os.WriteFile(filepath.Join(dir, name+".png"), out, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// The picture follows its numbers: another chance, another drawing.
func TestForecastIsDrawnFromItsNumbers(t *testing.T) {
	v := vote()
	a, err := chart.Forecast(v)
	if err != nil {
		t.Fatal(err)
	}
	v.Pass = chart.Interval{P: 0.12, Low: 0.1, High: 0.14}
	b, err := chart.Forecast(v)
	if err != nil {
		t.Fatal(err)
	}
	x, _ := a.SVG()
	y, _ := b.SVG()
	if bytes.Equal(x, y) || !bytes.Contains(y, []byte("12 %  (10.0 to 14.0)")) {
		t.Error("the forecast does not show its number")
	}
}

func TestBadNumbersAreErrors(t *testing.T) {
	nan := math.NaN()
	bad := func(name string, err error) {
		t.Helper()
		if err == nil {
			t.Errorf("%s was drawn", name)
		}
	}
	for name, i := range map[string]chart.Interval{"NaN": {P: nan}, "above one": {P: 1.2, High: 1.3}, "outside its interval": {P: 0.5, Low: 0.6, High: 0.7}, "negative": {P: 0, Low: -0.1, High: 1}} {
		_, err := chart.Forecast(chart.Vote{Pass: i})
		bad(name, err)
		_, err = chart.Forecast(chart.Vote{Quorum: i})
		bad(name+" quorum", err)
	}
	v := vote()
	v.For = &chart.Band{P05: 3, P50: 2, P95: 4}
	_, err := chart.Forecast(v)
	bad("unordered quantiles", err)
	_, err = chart.Votes(chart.Tally{For: -1})
	bad("negative votes", err)
	_, err = chart.Votes(chart.Tally{For: math.Inf(1)})
	bad("infinite votes", err)
	p := fan()
	p.With.P05 = p.With.P05[1:]
	_, err = chart.Fan(p)
	bad("quantiles of another length", err)
	_, err = chart.Fan(chart.Paths{Days: []float64{1}})
	bad("one day", err)
}

func TestNumber(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 0.25: "0.25", 12.34: "12.3", 999: "999", 999.99: "1k", 1000: "1k", 48123: "48.1k", 3.2e6: "3.2M", -1.5e9: "-1.5B", math.Inf(1): "?"} {
		if got := chart.Number(v); got != want {
			t.Errorf("Number(%g) = %q, want %q", v, got, want)
		}
	}
}

func wellFormed(text []byte) error {
	d := xml.NewDecoder(bytes.NewReader(text))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}
