// Package chart draws what Legate shows of numbers, in one style, as SVG for pages and PNG for chats: the
// forecast of a vote, the votes so far, a fan of paths. It takes plain numbers and writes no text that a
// stranger chose.
//
//	picture, err := chart.Forecast(chart.Vote{Pass: chart.Interval{P: 0.93, Low: 0.92, High: 0.94}, Quorum: …})
//	png, err := picture.PNG()
package chart
