package rpc

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
)

const logText = `{"address":"0x00000000000000000000000000000000000000a1","topics":["0x0000000000000000000000000000000000000000000000000000000000000b01","0x0000000000000000000000000000000000000000000000000000000000000b02"],"data":"0x00ff","blockNumber":"0x10","transactionHash":"0x0000000000000000000000000000000000000000000000000000000000000c01","transactionIndex":"0x0","blockHash":"0x0000000000000000000000000000000000000000000000000000000000000d01","blockTimestamp":"0x65","logIndex":"0x3","removed":false}`

func TestScanLogsReadsTheUsualShape(t *testing.T) {
	logs, ok := scanLogs([]byte(" [" + logText + ",\n" + logText + "]\n"))
	if !ok || len(logs) != 2 {
		t.Fatalf("%d logs, %v", len(logs), ok)
	}
	want := Log{
		Address: common.HexToAddress("0xa1"), Topics: []common.Hash{common.HexToHash("0xb01"), common.HexToHash("0xb02")},
		Data: []byte{0, 0xff}, BlockNumber: 16, BlockHash: common.HexToHash("0xd01"), TxHash: common.HexToHash("0xc01"), Index: 3,
	}
	if !reflect.DeepEqual(logs[1], want) {
		t.Errorf("got  %+v\nwant %+v", logs[1], want)
	}
}

// The scanner must not read what encoding/json would refuse or read otherwise.
func TestScanLogsGivesUp(t *testing.T) {
	for name, edit := range map[string][2]string{
		"escape":         {`"0x10"`, `"0x1\u0030"`},
		"null":           {`"0x10"`, `null`},
		"leading zero":   {`"0x10"`, `"0x010"`},
		"no digits":      {`"0x10"`, `"0x"`},
		"too many bits":  {`"0x10"`, `"0x10000000000000000"`},
		"upper prefix":   {`"0x10"`, `"0X10"`},
		"number":         {`"0x10"`, `16`},
		"odd data":       {`"0x00ff"`, `"0x0ff"`},
		"bad digit":      {`"0x00ff"`, `"0x00fg"`},
		"short address":  {`00a1"`, `a1"`},
		"unknown key":    {`"removed"`, `"removes"`},
		"twice":          {`"logIndex":"0x3"`, `"logIndex":"0x3","logIndex":"0x4"`},
		"missing":        {`"logIndex":"0x3",`, ``},
		"five topics":    {`"topics":[`, `"topics":[` + strings.Repeat(`"0x0000000000000000000000000000000000000000000000000000000000000b01",`, 3)},
		"trailing comma": {`"removed":false`, `"removed":false,`},
		"bad boolean":    {`false`, `fals`},
	} {
		text := strings.Replace("["+logText+"]", edit[0], edit[1], 1)
		if logs, ok := scanLogs([]byte(text)); ok {
			t.Errorf("%s: read %+v", name, logs)
		}
	}
	for _, text := range []string{``, `null`, `[`, `[]x`, `[` + logText, `[` + logText + `,]`, `{}`} {
		if _, ok := scanLogs([]byte(text)); ok {
			t.Errorf("read %q", text)
		}
	}
}

// FuzzLogs: whatever the scanner accepts, encoding/json reads the same.
func FuzzLogs(f *testing.F) {
	f.Add([]byte("[" + logText + "]"))
	f.Add([]byte("[" + logText + " , " + logText + "]"))
	f.Add([]byte("[]"))
	f.Add([]byte(strings.ReplaceAll("["+logText+"]", `"0x00ff"`, `"0x"`)))
	f.Add([]byte(strings.ReplaceAll("["+logText+"]", `false`, `true`)))
	f.Fuzz(func(t *testing.T, raw []byte) { compareScans(t, raw) })
}

func compareScans(t *testing.T, raw []byte) {
	t.Helper()
	fast, ok := scanLogs(raw)
	if !ok {
		return
	}
	var slow logList
	if err := slow.UnmarshalJSON(raw); err != nil {
		t.Fatalf("the scanner read what encoding/json refuses: %v\n%s", err, raw)
	}
	if len(fast) != len(slow) {
		t.Fatalf("%d logs against %d", len(fast), len(slow))
	}
	for i := range fast {
		if !reflect.DeepEqual(fast[i], slow[i]) {
			t.Fatalf("log %d: %+v against %+v", i, fast[i], slow[i])
		}
	}
}

// The same comparison over 20,000 mutated answers, so that plain tests hold it without the fuzzer.
func TestScanLogsAgainstJSON(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	accepted := 0
	base := "[" + logText + "," + logText + "]"
	for range 20_000 {
		raw := []byte(base)
		for range r.IntN(3) {
			i := r.IntN(len(raw))
			switch r.IntN(4) {
			case 0:
				raw[i] = "0123456789abcdefABCDEFxX\"\\,:{}[] \x00"[r.IntN(34)]
			case 1:
				raw = append(raw[:i], raw[i+1:]...)
			case 2:
				raw = append(raw[:i], append([]byte{raw[r.IntN(len(raw))]}, raw[i:]...)...)
			case 3:
				j := r.IntN(len(raw))
				raw[i], raw[j] = raw[j], raw[i]
			}
		}
		if _, ok := scanLogs(raw); ok {
			accepted++
		}
		compareScans(t, raw)
	}
	if accepted < 2000 || accepted > 19_000 {
		t.Errorf("the scanner accepted %d of 20000: the comparison says little", accepted)
	}
}

func TestScannerAgreesWithGethTypes(t *testing.T) {
	raw := bigAnswer(500)
	fast, ok := scanLogs(raw)
	var geth []types.Log
	if err := json.Unmarshal(raw, &geth); err != nil || !ok || len(fast) != len(geth) {
		t.Fatalf("%d logs against %d, %v, %v", len(fast), len(geth), ok, err)
	}
	for i, g := range geth {
		l := fast[i]
		if l.Address != g.Address || !reflect.DeepEqual(l.Topics, g.Topics) || !reflect.DeepEqual(l.Data, g.Data) || l.BlockNumber != g.BlockNumber ||
			l.BlockHash != g.BlockHash || l.TxHash != g.TxHash || l.TxIndex != uint64(g.TxIndex) || l.Index != uint64(g.Index) || l.Removed != g.Removed {
			t.Fatalf("log %d: %+v against %+v", i, l, g)
		}
	}
}

// bigAnswer is like a page of VoteCast logs: 850 bytes each.
func bigAnswer(n int) []byte {
	r := rand.New(rand.NewPCG(3, 4))
	word := func() string {
		return fmt.Sprintf("%016x%016x%016x%016x", r.Uint64(), r.Uint64(), r.Uint64(), r.Uint64())
	}
	var b strings.Builder
	b.WriteByte('[')
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"address":"0x%s","topics":["0x%s","0x%s"],"data":"0x%s%s%s%s","blockHash":"0x%s","blockNumber":"0x%x","blockTimestamp":"0x%x","transactionHash":"0x%s","transactionIndex":"0x%x","logIndex":"0x%x","removed":false}`,
			word()[:40], word(), word(), word(), word(), word(), word(), word(), i+1, r.Uint32(), word(), i%7, i)
	}
	b.WriteByte(']')
	return []byte(b.String())
}

func BenchmarkScanLogs(b *testing.B) {
	raw := bigAnswer(1000)
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		if _, ok := scanLogs(raw); !ok {
			b.Fatal("gave up")
		}
	}
	b.ReportMetric(float64(b.N)*1000/b.Elapsed().Seconds(), "logs/s")
}

func BenchmarkJSONLogs(b *testing.B) {
	raw := bigAnswer(1000)
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		var l logList
		if err := l.UnmarshalJSON(raw); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*1000/b.Elapsed().Seconds(), "logs/s")
}
