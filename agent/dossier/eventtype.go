package dossier

import "reflect"

// TypeOf is the name under which an event is stored.
func TypeOf(e Event) string {
	t := reflect.TypeOf(e)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.Name()
}

// value turns a pointer to an event into the event.
func value(e Event) Event {
	v := reflect.ValueOf(e)
	if v.Kind() == reflect.Pointer {
		return v.Elem().Interface().(Event)
	}
	return e
}
