package chart

import (
	"bytes"
	"fmt"
	"image/color"
	"math"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// The colours, dark as Discord is by default.
var (
	ground = color.NRGBA{0x16, 0x1a, 0x22, 0xff}
	raised = color.NRGBA{0x25, 0x2b, 0x37, 0xff}
	faint  = color.NRGBA{0x3a, 0x42, 0x52, 0xff}
	dim    = color.NRGBA{0x9a, 0xa4, 0xb5, 0xff}
	bright = color.NRGBA{0xee, 0xf1, 0xf6, 0xff}
	blue   = color.NRGBA{0x5b, 0x9c, 0xf5, 0xff}
	green  = color.NRGBA{0x35, 0xb2, 0x7c, 0xff}
	red    = color.NRGBA{0xe0, 0x57, 0x57, 0xff}
	grey   = color.NRGBA{0x7d, 0x87, 0x98, 0xff}
	amber  = color.NRGBA{0xe6, 0xac, 0x45, 0xff}
)

// with gives a colour another strength.
func with(c color.NRGBA, alpha uint8) color.NRGBA { c.A = alpha; return c }

// Picture is a drawing that can be written in either form.
type Picture struct {
	width, height vg.Length
	draw          func(draw.Canvas)
}

// sharpness is the resolution of PNGs: 2 pixels a point, for screens of today.
const sharpness = 144

// SVG is the picture for a page.
func (p Picture) SVG() ([]byte, error) {
	c := vgsvg.New(p.width, p.height)
	p.paint(draw.NewCanvas(c, p.width, p.height))
	var out bytes.Buffer
	if _, err := c.WriteTo(&out); err != nil {
		return nil, fmt.Errorf("write a picture as SVG: %w", err)
	}
	return out.Bytes(), nil
}

// PNG is the picture for a chat.
func (p Picture) PNG() ([]byte, error) {
	c := vgimg.NewWith(vgimg.UseWH(p.width, p.height), vgimg.UseDPI(sharpness), vgimg.UseBackgroundColor(ground))
	p.paint(draw.NewCanvas(c, p.width, p.height))
	var out bytes.Buffer
	if _, err := (vgimg.PngCanvas{Canvas: c}).WriteTo(&out); err != nil {
		return nil, fmt.Errorf("write a picture as PNG: %w", err)
	}
	return out.Bytes(), nil
}

func (p Picture) paint(c draw.Canvas) {
	box(c, 0, 0, p.width, p.height, ground)
	p.draw(c)
}

// box fills a rectangle.
func box(c draw.Canvas, x0, y0, x1, y1 vg.Length, fill color.Color) {
	c.FillPolygon(fill, []vg.Point{{X: x0, Y: y0}, {X: x1, Y: y0}, {X: x1, Y: y1}, {X: x0, Y: y1}})
}

func line(c draw.Canvas, x0, y0, x1, y1, width vg.Length, colour color.Color, dashes ...vg.Length) {
	c.StrokeLine2(draw.LineStyle{Color: colour, Width: width, Dashes: dashes}, x0, y0, x1, y1)
}

// letters is a style of text.
func letters(size vg.Length, colour color.Color, x text.XAlignment) text.Style {
	return text.Style{Color: colour, Font: font.Font{Typeface: "Liberation", Variant: "Sans", Size: size}, XAlign: x, YAlign: text.YCenter, Handler: plot.DefaultTextHandler}
}

func write(c draw.Canvas, x, y vg.Length, size vg.Length, colour color.Color, s string) {
	c.FillText(letters(size, colour, text.XLeft), vg.Point{X: x, Y: y}, s)
}

func writeRight(c draw.Canvas, x, y vg.Length, size vg.Length, colour color.Color, s string) {
	c.FillText(letters(size, colour, text.XRight), vg.Point{X: x, Y: y}, s)
}

// Number writes a number for reading: 0.25, 12.3, 48.1k, 3.2M.
func Number(v float64) string {
	a := math.Abs(v)
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "?"
	}
	for _, u := range []struct {
		from float64
		name string
	}{{1e12, "T"}, {1e9, "B"}, {1e6, "M"}, {1e3, "k"}} {
		if a >= u.from*0.99995 {
			return trim(v/u.from) + u.name
		}
	}
	return trim(v)
}

func trim(v float64) string {
	s := fmt.Sprintf("%.3g", v)
	if math.Abs(v) >= 100 {
		s = fmt.Sprintf("%.0f", v)
	}
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

// finite says whether all numbers are numbers.
func finite(list ...float64) bool {
	for _, v := range list {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return false
		}
	}
	return true
}

// round is the nearest of 1, 2, 5 times a power of ten that is not below v.
func round(v float64) float64 {
	if !(v > 0) || math.IsInf(v, 0) {
		return 0
	}
	base := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 2, 5, 10} {
		if m*base >= v*(1-1e-9) {
			return m * base
		}
	}
	return 10 * base
}

// ceil is the first multiple of step from v on.
func ceil(v, step float64) float64 { return math.Ceil(v/step-1e-9) * step }
