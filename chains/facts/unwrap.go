package facts

import (
	"encoding/binary"

	"github.com/ethereum/go-ethereum/crypto"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/impact"
)

// unwrap takes the calls out of a wrapper's arguments; ok is false when they are not laid out as the wrapper needs them.
func unwrap(w impact.Opens, target gov.Address, nodes []node) (out []inner, ok bool) {
	switch w.Form {
	case impact.Single:
		in, ok := pick(w, nodes)
		in.delegate = in.delegate || w.Delegate
		return []inner{in}, ok
	case impact.Setup:
		in, ok := pick(w, nodes)
		if len(in.data) == 0 || !ok {
			return nil, ok
		}
		in.delegate, in.setup = true, true
		return []inner{in}, true
	case impact.Batch:
		return batch(w, nodes)
	case impact.Tuples:
		for _, tuple := range nodes[w.List].list {
			in, ok := pick(w, tuple.list)
			if !ok {
				return nil, false
			}
			in.delegate = in.delegate || w.Delegate
			out = append(out, in)
		}
		return out, true
	case impact.Self:
		for _, data := range nodes[w.List].list {
			out = append(out, inner{to: target, data: data.text})
		}
		return out, true
	case impact.Packed:
		return packed(nodes[w.Data].text)
	}
	return nil, false
}

// pick reads one call from arguments or from a tuple's components.
func pick(w impact.Opens, nodes []node) (in inner, ok bool) {
	in.to = nodes[w.To].value.Address()
	in.data = nodes[w.Data].text
	if w.Value != impact.None {
		in.value = nodes[w.Value].value.Amount()
	}
	if w.TextualName != impact.None {
		in.data = named(nodes[w.TextualName].text, in.data)
	}
	if w.Operation != impact.None {
		operation := nodes[w.Operation].value.Amount()
		in.delegate = !operation.IsZero()
		if operation.Cmp(gov.NewAmount(1)) > 0 {
			return in, false
		}
	}
	return in, true
}

// named puts the selector of a textual signature before the arguments, as Compound's timelock does.
func named(signature, data []byte) []byte {
	if len(signature) == 0 {
		return data
	}
	return append(crypto.Keccak256(signature)[:4:4], data...)
}

func batch(w impact.Opens, nodes []node) (out []inner, ok bool) {
	to, data := nodes[w.To].list, nodes[w.Data].list
	var value []node // of a book's wrapper there may be none
	if w.Value != impact.None {
		value = nodes[w.Value].list
	}
	if len(to) != len(data) || w.Value != impact.None && len(to) != len(value) {
		return nil, false
	}
	for i := range to {
		in := inner{to: to[i].value.Address(), data: data[i].text, delegate: w.Delegate}
		if w.Value != impact.None {
			in.value = value[i].value.Amount()
		}
		if w.TextualName != impact.None {
			names := nodes[w.TextualName].list
			if len(names) != len(to) {
				return nil, false
			}
			in.data = named(names[i].text, in.data)
		}
		out = append(out, in)
	}
	return out, true
}

// packedHead is operation, to, value and length of one transaction of a multiSend.
const packedHead = 1 + 20 + 32 + 32

func packed(data []byte) (out []inner, ok bool) {
	for len(data) > 0 {
		if len(data) < packedHead || data[0] > 1 {
			return nil, false
		}
		in := inner{delegate: data[0] == 1, to: gov.Address(data[1:21])}
		in.value = gov.Value{Word: [32]byte(data[21:53])}.Amount()
		for _, b := range data[53:81] {
			if b != 0 {
				return nil, false
			}
		}
		size := int(binary.BigEndian.Uint32(data[81:85]))
		data = data[packedHead:]
		if size > len(data) {
			return nil, false
		}
		in.data, data = data[:size], data[size:]
		out = append(out, in)
	}
	return out, true
}
