package chart

import (
	"fmt"
	"image/color"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Interval is a probability with its interval, all from 0 to 1.
type Interval struct{ P, Low, High float64 }

// Band is a distribution by three quantiles.
type Band struct{ P05, P50, P95 float64 }

// Vote is what is expected of a vote. Votes are in whole tokens.
type Vote struct {
	Pass   Interval
	Quorum Interval
	For    *Band   // for-votes at the close; nil if not known
	Needed float64 // votes for quorum; 0 if not known
}

func (i Interval) check(what string) error {
	if !finite(i.P, i.Low, i.High) || i.Low < 0 || i.High > 1 || i.Low > i.P || i.P > i.High {
		return fmt.Errorf("draw a forecast: %s %g (%g to %g) is no probability in its interval", what, i.P, i.Low, i.High)
	}
	return nil
}

// The forecast's measures, in points.
const (
	wide   = 440 * vg.Length(1)
	margin = 18 * vg.Length(1)
	row    = 44 * vg.Length(1)
	thick  = 10 * vg.Length(1)
)

// Forecast draws the chances that a proposal passes and reaches quorum, each as a bar with its interval, and
// the for-votes expected against those that quorum needs.
func Forecast(v Vote) (Picture, error) {
	if err := v.Pass.check("pass"); err != nil {
		return Picture{}, err
	}
	if err := v.Quorum.check("quorum"); err != nil {
		return Picture{}, err
	}
	rows := 2
	if v.For != nil {
		b := *v.For
		if !finite(b.P05, b.P50, b.P95, v.Needed) || b.P05 < 0 || b.P05 > b.P50 || b.P50 > b.P95 || v.Needed < 0 {
			return Picture{}, fmt.Errorf("draw a forecast: for-votes %g, %g, %g with %g needed are no quantiles", b.P05, b.P50, b.P95, v.Needed)
		}
		rows = 3
	}
	height := 2*margin + 20 + row*vg.Length(rows)
	return Picture{wide, height, func(c draw.Canvas) {
		y := height - margin - 6
		write(c, margin, y, 11, bright, "Forecast of the vote")
		note := "simulated; the thin mark is its interval"
		if v.Pass.point() && v.Quorum.point() {
			note = "computed; voters may leave their habits"
		}
		writeRight(c, wide-margin, y, 8, dim, note)
		y -= 26
		chance(c, y, "passes", v.Pass, green)
		y -= row
		chance(c, y, "reaches quorum", v.Quorum, blue)
		if v.For != nil {
			band(c, y-row, *v.For, v.Needed)
		}
	}}, nil
}

// chance is one probability: a bar, its interval, its number.
func chance(c draw.Canvas, y vg.Length, what string, i Interval, fill color.NRGBA) {
	left, right := margin, wide-margin
	at := func(p float64) vg.Length { return left + (right-left)*vg.Length(p) }
	write(c, left, y, 10, bright, what)
	writeRight(c, right, y, 10, bright, Percent(i))
	bar := y - 16
	box(c, left, bar-thick/2, right, bar+thick/2, raised)
	if i.P > 0 {
		box(c, left, bar-thick/2, at(i.P), bar+thick/2, fill)
	}
	if i.point() {
		return
	}
	line(c, at(i.Low), bar, at(i.High), bar, 1.2, bright)
	for _, p := range []float64{i.Low, i.High} {
		line(c, at(p), bar-4, at(p), bar+4, 1.2, bright)
	}
}

// point says whether the interval is a point at the digits that are shown: such a chance is computed, not sampled.
func (i Interval) point() bool {
	return fmt.Sprintf("%.1f", 100*i.Low) == fmt.Sprintf("%.1f", 100*i.High)
}

// Percent writes a chance with its interval as it stands on the picture.
func Percent(i Interval) string {
	if i.point() {
		return fmt.Sprintf("%.0f %%", 100*i.P)
	}
	return fmt.Sprintf("%.0f %%  (%.1f to %.1f)", 100*i.P, 100*i.Low, 100*i.High)
}

// band is where the for-votes are expected, and the line of quorum.
func band(c draw.Canvas, y vg.Length, b Band, needed float64) {
	left, right := margin, wide-margin
	most := max(b.P95, needed) * 1.08
	if most == 0 {
		most = 1
	}
	at := func(v float64) vg.Length { return left + (right-left)*vg.Length(v/most) }
	write(c, left, y, 10, bright, "votes for")
	text := fmt.Sprintf("%s  (%s to %s)", Number(b.P50), Number(b.P05), Number(b.P95))
	if b.P95 == 0 {
		text = "none expected"
	}
	writeRight(c, right, y, 10, bright, text)
	bar := y - 16
	box(c, left, bar-thick/2, right, bar+thick/2, raised)
	box(c, at(b.P05), bar-thick/2, at(b.P95), bar+thick/2, with(green, 0x90))
	line(c, at(b.P50), bar-thick/2, at(b.P50), bar+thick/2, 2, bright)
	if needed > 0 {
		line(c, at(needed), bar-thick/2-4, at(needed), bar+thick/2+4, 1.4, amber, 3, 2)
		label := "quorum " + Number(needed)
		if needed/most > 0.75 {
			writeRight(c, at(needed)-3, bar-thick/2-7, 8, amber, label)
		} else {
			write(c, at(needed)+3, bar-thick/2-7, 8, amber, label)
		}
	}
}
