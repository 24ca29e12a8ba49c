package strict

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// field is a key that a struct knows.
type field struct {
	name     string
	index    []int
	required bool
	tagOptions
}

// tagOptions are those of the `strict` tag.
type tagOptions struct {
	later    bool
	enum     []string
	min, max *float64
}

// fields are the keys of a struct in its own order. A tag that cannot be read is a mistake in the program: it panics.
func fields(t reflect.Type) []field {
	var all []field
	for i := range t.NumField() {
		sf := t.Field(i)
		name, options, _ := strings.Cut(sf.Tag.Get("yaml"), ",")
		if options == "inline" || sf.Anonymous && name == "" {
			if sf.Type.Kind() != reflect.Struct || !sf.IsExported() {
				continue
			}
			for _, inner := range fields(sf.Type) {
				inner.index = append([]int{i}, inner.index...)
				all = append(all, inner)
			}
			continue
		}
		if !sf.IsExported() || name == "" || name == "-" {
			continue
		}
		if options != "" && options != "required" {
			panic(fmt.Sprintf("strict: %s.%s has the unknown option %q", t, sf.Name, options))
		}
		f := field{name: name, index: []int{i}, required: options == "required"}
		f.tagOptions = parseTag(t, sf)
		all = append(all, f)
	}
	return all
}

func parseTag(t reflect.Type, sf reflect.StructField) (o tagOptions) {
	tag := sf.Tag.Get("strict")
	if tag == "" {
		return o
	}
	for part := range strings.SplitSeq(tag, ",") {
		key, value, _ := strings.Cut(part, "=")
		number, err := strconv.ParseFloat(value, 64)
		switch {
		case part == "later":
			o.later = true
		case key == "enum":
			o.enum = strings.Split(value, "|")
		case key == "min" && err == nil:
			o.min = &number
		case key == "max" && err == nil:
			o.max = &number
		default:
			panic(fmt.Sprintf("strict: %s.%s has the unknown tag %q", t, sf.Name, part))
		}
	}
	return o
}
