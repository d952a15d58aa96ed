package main

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"testing/iotest"
)

// A vector of framing.json or to-application.json, as drachtio-conformance vectors export writes them.
type vector struct {
	ID, Wire, Dialect string
	Limit             int
	Decoded, Error    *struct{ Payloads []string }
}

func vectors(t *testing.T, name string) (found []vector) {
	folder := os.Getenv("VECTORS")
	if folder == "" {
		folder = "../../vectors"
	}
	text, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &found); err != nil {
		t.Fatal(err)
	}
	return found
}

func octets(t *testing.T, v vector) []byte {
	wire, err := hex.DecodeString(v.Wire)
	if err != nil {
		t.Fatal(v.ID, err)
	}
	return wire
}

// Every stream gives the same frames however it is cut, and what is no frame is noticed.
func TestFraming(t *testing.T) {
	for _, v := range vectors(t, "framing.json") {
		if v.Limit > 0 {
			continue // a client has no limit
		}
		in := bufio.NewReader(iotest.OneByteReader(bytes.NewReader(octets(t, v))))
		var found []string
		frame, err := ReadFrame(in)
		for ; err == nil; frame, err = ReadFrame(in) {
			_, payload, _ := bytes.Cut(frame.Octets(), []byte("#"))
			found = append(found, hex.EncodeToString(payload))
		}
		expected := v.Decoded
		if expected == nil {
			expected = v.Error
		}
		if len(found) != len(expected.Payloads) {
			t.Errorf("%s: expected %q, got %q", v.ID, expected.Payloads, found)
			continue
		}
		for place, payload := range expected.Payloads {
			if found[place] != payload {
				t.Errorf("%s: expected %q, got %q", v.ID, payload, found[place])
			}
		}
		ended := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		if ended != (v.Error == nil) {
			t.Errorf("%s: ended with %v", v.ID, err)
		}
	}
}

// Every frame of a server is read, and written again as it was.
func TestTokens(t *testing.T) {
	for _, v := range vectors(t, "to-application.json") {
		if v.Dialect == "0.8" {
			continue // counts characters
		}
		wire := octets(t, v)
		frame, err := ReadFrame(bufio.NewReader(bytes.NewReader(wire)))
		if err != nil || !bytes.Equal(frame.Octets(), wire) {
			t.Errorf("%s: got %q, %v", v.ID, frame.Octets(), err)
		}
	}
}
