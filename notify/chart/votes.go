package chart

import (
	"fmt"
	"image/color"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Tally is the votes so far, in whole tokens. Needed is what quorum wants, 0 if not known.
type Tally struct{ For, Against, Abstain, Needed float64 }

// Votes draws the votes so far as one bar. Where nobody has voted it says so.
func Votes(t Tally) (Picture, error) {
	if !finite(t.For, t.Against, t.Abstain, t.Needed) || min(t.For, t.Against, t.Abstain, t.Needed) < 0 {
		return Picture{}, fmt.Errorf("draw the votes: %g for, %g against, %g abstain, %g needed are no numbers of votes", t.For, t.Against, t.Abstain, t.Needed)
	}
	height := 2*margin + 64
	return Picture{wide, height, func(c draw.Canvas) {
		left, right := margin, wide-margin
		y := height - margin - 6
		total := t.For + t.Against + t.Abstain
		write(c, left, y, 11, bright, "Votes so far")
		if t.Needed > 0 {
			writeRight(c, right, y, 8, dim, "quorum "+Number(t.Needed))
		}
		bar := y - 26
		box(c, left, bar-thick, right, bar+thick, raised)
		if total == 0 {
			write(c, left+8, bar, 10, dim, "nobody has voted yet")
			return
		}
		x := left
		for _, part := range t.parts() {
			next := x + (right-left)*vg.Length(part.votes/total)
			box(c, x, bar-thick, next, bar+thick, part.fill)
			x = next
		}
		x = left
		for _, part := range t.parts() {
			box(c, x, bar-thick-20, x+8, bar-thick-12, part.fill)
			write(c, x+12, bar-thick-16, 9, bright, fmt.Sprintf("%s %s (%.1f %%)", part.name, Number(part.votes), 100*part.votes/total))
			x += (right - left) / 3
		}
	}}, nil
}

type part struct {
	name  string
	votes float64
	fill  color.NRGBA
}

func (t Tally) parts() []part {
	return []part{{"for", t.For, green}, {"against", t.Against, red}, {"abstain", t.Abstain, grey}}
}
