package checks

import (
	"fmt"
	"strconv"

	"github.com/legate-dao/legate/agent/gov"
)

// How numbers stand in titles. What moves is exact; shares and USD are for reading.

// count is a number with its noun and verb: 1 role changes, 2 roles change.
func count(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return grouped(strconv.FormatInt(n, 10)) + " " + many
}

// grouped puts commas between thousands of the whole part.
func grouped(digits string) string {
	end := 0
	for end < len(digits) && digits[end] != '.' {
		end++
	}
	out := []byte{}
	for i := range end {
		if left := end - i; i > 0 && left%3 == 0 && digits[i-1] != '-' {
			out = append(out, ',')
		}
		out = append(out, digits[i])
	}
	return string(out) + digits[end:]
}

// number is a decimal without exponent, as short as it is exact.
func number(v float64) string { return grouped(strconv.FormatFloat(v, 'f', -1, 64)) }

// percent is a share in basis points, to two decimals; what is smaller is said to be.
func percent(bps float64) string {
	if bps > 0 && bps < 1 {
		return "less than 0.01 %"
	}
	digits := strconv.FormatFloat(bps/100, 'f', 2, 64)
	for digits[len(digits)-1] == '0' {
		digits = digits[:len(digits)-1]
	}
	if digits[len(digits)-1] == '.' {
		digits = digits[:len(digits)-1]
	}
	return grouped(digits) + " %"
}

// dollars are whole from 100 USD on.
func dollars(usd float64) string {
	if usd >= 100 || usd <= -100 {
		return grouped(strconv.FormatFloat(usd, 'f', 0, 64)) + " USD"
	}
	return strconv.FormatFloat(usd, 'f', 2, 64) + " USD"
}

// seconds are days, hours, minutes and seconds, exactly.
func seconds(s int64) string {
	if s <= 0 {
		return count(s, "second", "seconds")
	}
	out := ""
	for _, unit := range []struct {
		size int64
		name string
	}{{86400, "day"}, {3600, "hour"}, {60, "minute"}, {1, "second"}} {
		if n := s / unit.size; n > 0 {
			if out != "" {
				out += " "
			}
			out += count(n, unit.name, unit.name+"s")
			s %= unit.size
		}
	}
	return out
}

// ticks are a span of a governor's clock.
func ticks(clock gov.Clock, n float64) string {
	switch clock {
	case gov.ClockTimestamp:
		return seconds(int64(n))
	case gov.ClockBlock:
		return count(int64(n), "block", "blocks")
	}
	return number(n)
}

// tokens are whole governance tokens.
func tokens(_ gov.Clock, n float64) string {
	if n == 1 {
		return "1 token"
	}
	return number(n) + " tokens"
}

// roleChange says what happened to a right.
func roleChange(c gov.RoleChange, where string) string {
	who := fmt.Sprintf("%s, %s", c.Account, where)
	switch c.Kind {
	case gov.RoleGranted:
		return fmt.Sprintf("a role on %s is granted to %s", c.Target, who)
	case gov.RoleOpened:
		return fmt.Sprintf("everybody may call functions of %s", c.Target)
	case gov.RoleRevoked:
		return fmt.Sprintf("a role on %s is taken from %s", c.Target, who)
	case gov.OwnerChanged:
		return fmt.Sprintf("the owner of %s becomes %s", c.Target, who)
	case gov.OwnerPending:
		return fmt.Sprintf("the next owner of %s, once accepted, is %s", c.Target, who)
	case gov.AdminChanged:
		return fmt.Sprintf("the admin of %s becomes %s", c.Target, who)
	case gov.AdminPending:
		return fmt.Sprintf("the next admin of %s, once accepted, is %s", c.Target, who)
	}
	return fmt.Sprintf("%s on %s: %s", c.Kind, c.Target, who)
}
