// Package strict reads YAML that a person wrote (legate.yaml, policies.yaml, book.yaml, scenarios) into Go structs and
// reports everything that is wrong with it at once, each with file, line, column, the line itself and, where one is
// near, what was probably meant.
//
// It answers for the shape of a file: keys, kinds, words, amounts, durations, addresses, secrets. What the values mean
// together is the caller's business; ReadAt keeps the place of every value so that the caller's own errors look the same.
//
//	type File struct {
//		Version int             `yaml:"version,required" strict:"min=1,max=1"`
//		Wait    strict.Duration `yaml:"wait"`
//		Rules   []Rule          `yaml:"rules,required"`
//		Stream  string          `yaml:"stream" strict:"later"` // an error in this release
//	}
//	file := File{Wait: strict.Duration(6 * time.Hour)} // what a file leaves out keeps its value
//	doc, problems := strict.ReadAt("policies.yaml", text, &file)
//	if file.Rules[0].Vote == "for" && file.Rules[0].When.Text == "" {
//		problems = append(problems, doc.Problem("$.rules[0]", "a rule needs when", ""))
//	}
//	return problems.Err()
//
// Only a plain part of YAML is accepted: one document of mappings, lists and scalars; scalars are plain on one line,
// quoted on one line, or | blocks. Tags, anchors, aliases, merge keys, nulls, directives and folded text are errors.
//
// Field tags: `yaml:"name"`, `yaml:"name,required"`, `yaml:",inline"` (or an embedded struct); `strict:"later"` for a
// part that this release does not have, `strict:"enum=a|b"` for words, `strict:"min=0,max=10"` for numbers.
package strict
