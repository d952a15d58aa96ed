package main

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// A Frame is the tokens of a payload, and the SIP message behind them. Strings hold octets, as they came.
type Frame struct {
	Tokens  []string
	Message string
}

// ReadFrame reads the next frame that is not empty. The error is io.EOF where the stream ends between two frames.
func ReadFrame(in *bufio.Reader) (Frame, error) {
	length, digits := 0, 0
	for {
		octet, err := in.ReadByte()
		switch {
		case err != nil && digits > 0:
			return Frame{}, io.ErrUnexpectedEOF
		case err != nil:
			return Frame{}, err
		case octet >= '0' && octet <= '9' && digits < 8:
			length, digits = length*10+int(octet-'0'), digits+1
		case octet != '#' || digits == 0:
			return Frame{}, fmt.Errorf("expected 1-8 digits and '#', got %q behind %d digits", octet, digits)
		case length == 0: // an empty frame is skipped
			digits = 0
		default:
			var payload strings.Builder
			if _, err := io.CopyN(&payload, in, int64(length)); err != nil {
				return Frame{}, io.ErrUnexpectedEOF
			}
			line, message, _ := strings.Cut(payload.String(), "\r\n")
			return Frame{strings.Split(line, "|"), message}, nil
		}
	}
}

// Octets is the frame as it is sent: the count is of octets.
func (f Frame) Octets() []byte {
	payload := strings.Join(f.Tokens, "|")
	if f.Message != "" {
		payload += "\r\n" + f.Message
	}
	return []byte(fmt.Sprintf("%d#%s", len(payload), payload))
}

// Token is a token, empty if it is missing; what is behind those that one knows does not matter.
func (f Frame) Token(place int) string {
	if place < len(f.Tokens) {
		return f.Tokens[place]
	}
	return ""
}

// Text is what stands behind NO or NOK: the rest of the line.
func (f Frame) Text() string {
	if len(f.Tokens) < 5 {
		return ""
	}
	return strings.Join(f.Tokens[4:], "|")
}

// Start is the first line of the SIP message.
func (f Frame) Start() string {
	line, _, _ := strings.Cut(f.Message, "\r\n")
	return line
}

// Method is that of a request; of a response it is empty.
func (f Frame) Method() string {
	if f.Status() > 0 {
		return ""
	}
	method, _, _ := strings.Cut(f.Start(), " ")
	return method
}

// Status is that of a response; of a request it is 0.
func (f Frame) Status() int {
	version, rest, _ := strings.Cut(f.Start(), " ")
	if version != "SIP/2.0" {
		return 0
	}
	number, _, _ := strings.Cut(rest, " ")
	status, _ := strconv.Atoi(number)
	return status
}

// Header is the value of the first header of that name, empty if there is none.
func (f Frame) Header(name string) string {
	head, _, _ := strings.Cut(f.Message, "\r\n\r\n")
	for _, line := range strings.Split(head, "\r\n")[1:] {
		known, value, _ := strings.Cut(line, ":")
		if strings.EqualFold(strings.TrimSpace(known), name) {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// Body is what stands behind the empty line.
func (f Frame) Body() string {
	_, body, _ := strings.Cut(f.Message, "\r\n\r\n")
	return body
}
