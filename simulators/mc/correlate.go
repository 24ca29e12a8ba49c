package mc

import (
	"fmt"
	"math"
)

// Cholesky is the lower factor of a correlation matrix, row by row. The matrix must be symmetric with ones on its
// diagonal and no negative eigenvalue; perfectly correlated assets are allowed.
func Cholesky(m [][]float64) ([][]float64, error) {
	n := len(m)
	for i, row := range m {
		if len(row) != n {
			return nil, fmt.Errorf("row %d of the correlation has %d numbers, not %d", i+1, len(row), n)
		}
		for j, v := range row {
			switch {
			case math.IsNaN(v) || v < -1 || v > 1:
				return nil, fmt.Errorf("correlation %g in row %d is not between -1 and 1", v, i+1)
			case i == j && v != 1:
				return nil, fmt.Errorf("the correlation of asset %d with itself is %g, not 1", i+1, v)
			case math.Abs(v-m[j][i]) > 1e-12:
				return nil, fmt.Errorf("the correlation is not symmetric: %g in row %d, column %d, and %g across", v, i+1, j+1, m[j][i])
			}
		}
	}
	const tiny = 1e-10
	out := make([][]float64, n)
	for i := range n {
		out[i] = make([]float64, n)
		for j := 0; j <= i; j++ {
			sum := m[i][j]
			for k := range j {
				sum -= out[i][k] * out[j][k]
			}
			switch {
			case i == j && sum < -tiny:
				return nil, fmt.Errorf("no assets have such correlations: the matrix is not positive semidefinite (row %d)", i+1)
			case i == j:
				out[i][i] = math.Sqrt(max(sum, 0))
			case out[j][j] > math.Sqrt(tiny):
				out[i][j] = sum / out[j][j]
			case math.Abs(sum) > math.Sqrt(tiny):
				return nil, fmt.Errorf("no assets have such correlations: the matrix is not positive semidefinite (row %d)", i+1)
			}
		}
	}
	return out, nil
}

// Correlate computes x = drift + factor·z for a tile of paths: z and x hold one row of width numbers for each asset.
func Correlate(x, z []float64, factor [][]float64, drift []float64, width int) {
	if len(drift) == 4 {
		correlate4(x, z, factor, drift, width)
		return
	}
	for k, row := range factor {
		xk := x[k*width : (k+1)*width]
		for p := range xk {
			xk[p] = drift[k]
		}
		for j := 0; j <= k; j++ {
			if f := row[j]; f != 0 {
				zj := z[j*width:][:len(xk)]
				for p := range xk {
					xk[p] += float64(f * zj[p])
				}
			}
		}
	}
}

// correlate4 is Correlate for four assets in one pass, with the sums in the same order.
func correlate4(x, z []float64, f [][]float64, d []float64, w int) {
	z0, z1, z2, z3 := z[:w], z[w:2*w], z[2*w:3*w], z[3*w:4*w]
	x0, x1, x2, x3 := x[:w], x[w:2*w], x[2*w:3*w], x[3*w:4*w]
	f00, f10, f11, f20, f21, f22 := f[0][0], f[1][0], f[1][1], f[2][0], f[2][1], f[2][2]
	f30, f31, f32, f33 := f[3][0], f[3][1], f[3][2], f[3][3]
	d0, d1, d2, d3 := d[0], d[1], d[2], d[3]
	for p := range x0 {
		a, b, c, e := z0[p], z1[p], z2[p], z3[p]
		x0[p] = d0 + float64(f00*a)
		x1[p] = d1 + float64(f10*a) + float64(f11*b)
		x2[p] = d2 + float64(f20*a) + float64(f21*b) + float64(f22*c)
		x3[p] = d3 + float64(f30*a) + float64(f31*b) + float64(f32*c) + float64(f33*e)
	}
}
