package web

// Patterns are the addresses that are answered.
func Patterns() (out []string) {
	for _, rt := range routes(Config{Metrics: NewMetrics()}, nil, api{}, &pages{}) {
		out = append(out, rt.pattern)
	}
	return out
}
