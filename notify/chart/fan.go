package chart

import (
	"fmt"
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Paths is how a quantity may develop: its quantiles at each time. With is drawn over Without, where both are
// there: the same random numbers with and without a proposal.
type Paths struct {
	Title string // the program's own words
	Y     string // the quantity and its unit
	Days  []float64
	With  Quantiles
	// Without is nil where there is nothing to compare with.
	Without *Quantiles
}

// Quantiles are as long as the days that they belong to.
type Quantiles struct{ P05, P50, P95 []float64 }

func (q Quantiles) check(days int) error {
	for _, list := range [][]float64{q.P05, q.P50, q.P95} {
		if len(list) != days || !finite(list...) {
			return fmt.Errorf("%d numbers for %d days, or one that is none", len(list), days)
		}
	}
	return nil
}

// Fan draws the paths as bands around their median.
func Fan(p Paths) (Picture, error) {
	if len(p.Days) < 2 || !finite(p.Days...) {
		return Picture{}, fmt.Errorf("draw %q: a fan needs at least two days", p.Title)
	}
	if err := p.With.check(len(p.Days)); err != nil {
		return Picture{}, fmt.Errorf("draw %q: %w", p.Title, err)
	}
	pl := plot.New()
	style(pl, p.Title, "days from now", p.Y)
	if p.Without != nil {
		if err := p.Without.check(len(p.Days)); err != nil {
			return Picture{}, fmt.Errorf("draw %q without the proposal: %w", p.Title, err)
		}
		if err := spread(pl, "without it", p.Days, *p.Without, grey); err != nil {
			return Picture{}, err
		}
	}
	name := "median, and 9 of 10 paths"
	if p.Without != nil {
		name = "with the proposal"
	}
	if err := spread(pl, name, p.Days, p.With, blue); err != nil {
		return Picture{}, err
	}
	return Picture{wide, 240, func(c draw.Canvas) { pl.Draw(draw.Crop(c, margin/2, -margin, margin/2, -margin/2)) }}, nil
}

// spread adds a band and its median.
func spread(pl *plot.Plot, name string, days []float64, q Quantiles, c color.NRGBA) error {
	edge := make(plotter.XYs, 0, 2*len(days))
	for i, d := range days {
		edge = append(edge, plotter.XY{X: d, Y: q.P95[i]})
	}
	for i := len(days) - 1; i >= 0; i-- {
		edge = append(edge, plotter.XY{X: days[i], Y: q.P05[i]})
	}
	area, err := plotter.NewPolygon(edge)
	if err != nil {
		return fmt.Errorf("draw a band: %w", err)
	}
	area.Color, area.LineStyle.Width = with(c, 0x48), 0
	middle := make(plotter.XYs, len(days))
	for i, d := range days {
		middle[i] = plotter.XY{X: d, Y: q.P50[i]}
	}
	median, err := plotter.NewLine(middle)
	if err != nil {
		return fmt.Errorf("draw a median: %w", err)
	}
	median.LineStyle = draw.LineStyle{Color: c, Width: 1.8}
	pl.Add(area, median)
	pl.Legend.Add(name, median)
	return nil
}

// style is the look of every plot with axes.
func style(pl *plot.Plot, title, x, y string) {
	sans := func(size vg.Length) font.Font { return font.Font{Typeface: "Liberation", Variant: "Sans", Size: size} }
	pl.BackgroundColor = ground
	pl.Title.Text, pl.Title.TextStyle.Color, pl.Title.TextStyle.Font = title, bright, sans(11)
	pl.Title.Padding = 6
	for _, a := range []*plot.Axis{&pl.X, &pl.Y} {
		a.Color, a.LineStyle.Color, a.Tick.LineStyle.Color = faint, faint, faint
		a.Label.TextStyle.Color, a.Label.TextStyle.Font = dim, sans(8)
		a.Tick.Label.Color, a.Tick.Label.Font = dim, sans(8)
		a.Tick.Marker = ticks{}
	}
	pl.X.Label.Text, pl.Y.Label.Text = x, y
	pl.Legend.Top, pl.Legend.Left = true, true
	pl.Legend.TextStyle.Color, pl.Legend.TextStyle.Font = bright, sans(8)
	pl.Legend.Padding = 2
	grid := plotter.NewGrid()
	grid.Vertical.Width = 0
	grid.Horizontal = draw.LineStyle{Color: raised, Width: 0.6}
	pl.Add(grid)
}

// ticks are about five round numbers, written short; the default gives three long ones.
type ticks struct{}

// Ticks implements plot.Ticker.
func (ticks) Ticks(low, high float64) []plot.Tick {
	step := round((high - low) / 5)
	if step <= 0 || !finite(low, high, step) {
		return []plot.Tick{{Value: low, Label: Number(low)}}
	}
	var out []plot.Tick
	for v, n := ceil(low, step), 0; v <= high+step*1e-9 && n < 20; v, n = v+step, n+1 {
		if v > -step*1e-9 && v < step*1e-9 {
			v = 0
		}
		out = append(out, plot.Tick{Value: v, Label: Number(v)})
	}
	return out
}
