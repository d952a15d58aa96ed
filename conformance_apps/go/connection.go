package main

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Refused is NO or NOK: the rest of the line.
type Refused string

func (r Refused) Error() string { return string(r) }

// ErrEnded is what becomes of all that waits when the connection ends.
var ErrEnded = errors.New("the connection ended")

// An Answer comes later: the last one to a frame, or the final response to a request.
type Answer struct {
	told  func(Frame)
	once  sync.Once
	done  chan struct{}
	frame Frame
	err   error
}

func newAnswer(told func(Frame)) *Answer {
	return &Answer{told: told, done: make(chan struct{})}
}

func (a *Answer) hear(frame Frame) {
	if a.told != nil {
		a.told(frame)
	}
}

func (a *Answer) settle(frame Frame, err error) {
	a.once.Do(func() {
		a.frame, a.err = frame, err
		close(a.done)
	})
}

// Wait waits for it. The error is a Refused or ErrEnded.
func (a *Answer) Wait() (Frame, error) {
	<-a.done
	return a.frame, a.err
}

// A Connection is an admin connection. One goroutine reads and calls whoever is to be told, so that what follows from
// a frame has happened before the next one is looked at; another one writes, so that reading never waits for a server
// that reads nothing. Nobody who is told may wait.
type Connection struct {
	client *Client
	socket net.Conn
	heard  int64         // when something came last, in nanoseconds since 1970
	ended  chan struct{} // closed when nothing more is read

	mutex   sync.Mutex
	waiting map[string]*Answer // by message id; nil when the connection has ended
	open    map[string]*Answer // by transaction id
	out     [][]byte           // not written yet
	written *sync.Cond
}

func newConnection(client *Client, socket net.Conn) *Connection {
	c := &Connection{
		client: client, socket: socket, ended: make(chan struct{}), heard: time.Now().UnixNano(),
		waiting: map[string]*Answer{}, open: map[string]*Answer{},
	}
	c.written = sync.NewCond(&c.mutex)
	go c.read()
	go c.write()
	return c
}

// Ask sends a frame; told sees each answer to it.
func (c *Connection) Ask(told func(Frame), message string, tokens ...string) *Answer {
	var id [16]byte
	rand.Read(id[:])
	messageID, answer := fmt.Sprintf("%x", id), newAnswer(told)
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.waiting == nil {
		answer.settle(Frame{}, ErrEnded)
		return answer
	}
	c.waiting[messageID] = answer
	c.out = append(c.out, Frame{append([]string{messageID}, tokens...), message}.Octets())
	c.written.Signal()
	return answer
}

// Respond answers a request, "486 Busy Here" or so; that the server refuses the answer is told to the client.
func (c *Connection) Respond(request Frame, status, headers, body string) *Answer {
	return c.respond(nil, request, status, headers, body)
}

// Accept answers 101 to 299; what comes in the dialog that this makes is for inside.
func (c *Connection) Accept(request Frame, status string, inside Handler, headers, body string) *Answer {
	return c.respond(func(echo Frame) { c.client.Keep(echo.Token(11), inside) }, request, status, headers, body)
}

func (c *Connection) respond(told func(Frame), request Frame, status, headers, body string) *Answer {
	message := fmt.Sprintf("SIP/2.0 %s\r\n%s\r\n%s", status, headers, body)
	answer := c.Ask(told, message, "sip", request.Token(8), "")
	go func() {
		if _, err := answer.Wait(); err != nil && err != ErrEnded {
			c.client.Failed(err.Error())
		}
	}()
	return answer
}

// A Request is one of the application's own.
type Request struct {
	Method        string
	URI           string // outside dialogs
	Dialog        string // or the id of the dialog
	Headers, Body string
	Told          func(Frame) // sees the echo and each response as it comes: the next frame may be in its dialog already
}

// Send sends a request; the answer is its final response, of an ACK the echo.
func (c *Connection) Send(r Request) *Answer {
	if r.URI == "" {
		r.URI = "sip:placeholder"
	}
	message := fmt.Sprintf("%s %s SIP/2.0\r\n%s\r\n%s", r.Method, r.URI, r.Headers, r.Body)
	if r.Method == "ACK" {
		return c.Ask(nil, message, "sip", "", r.Dialog)
	}
	final := newAnswer(r.Told)
	echoed := c.Ask(func(echo Frame) {
		c.mutex.Lock()
		c.open[echo.Token(10)] = final
		c.mutex.Unlock()
		final.hear(echo)
	}, message, "sip", "", r.Dialog)
	go func() {
		if _, err := echoed.Wait(); err != nil {
			final.settle(Frame{}, err)
		}
	}()
	return final
}

// Begin sends INVITE or SUBSCRIBE and waits for the final response; a 2xx to INVITE is acknowledged. What comes in the
// dialog that this makes is for inside.
func (c *Connection) Begin(r Request, inside Handler) (Frame, error) {
	known, told := map[string]bool{}, r.Told
	r.Told = func(frame Frame) {
		if status := frame.Status(); frame.Token(1) == "sip" && status > 100 && status < 300 {
			known[frame.Token(9)] = true
			c.client.Keep(frame.Token(9), inside)
		}
		if told != nil {
			told(frame)
		}
	}
	final, err := c.Send(r).Wait()
	if err != nil || final.Status() >= 300 { // there is no call
		for dialog := range known {
			c.client.Forget(dialog)
		}
	} else if r.Method == "INVITE" {
		_, err = c.Send(Request{Method: "ACK", Dialog: final.Token(9)}).Wait()
	}
	return final, err
}

// Cancel cancels an INVITE of one's own, by the transaction id of its echo alone.
func (c *Connection) Cancel(transaction string) *Answer {
	return c.Ask(nil, "CANCEL sip:placeholder SIP/2.0\r\n\r\n", "sip", transaction, "")
}

// Close ends the connection.
func (c *Connection) Close() { c.socket.Close() }

func (c *Connection) write() {
	for {
		c.mutex.Lock()
		for len(c.out) == 0 && c.waiting != nil {
			c.written.Wait()
		}
		if c.waiting == nil {
			c.mutex.Unlock()
			return
		}
		octets := c.out[0]
		c.out = c.out[1:]
		c.mutex.Unlock()
		if _, err := c.socket.Write(octets); err != nil {
			c.Close() // and reading ends
		}
	}
}

func (c *Connection) read() {
	in := bufio.NewReader(heardReader{c})
	frame, err := ReadFrame(in)
	for err == nil {
		c.take(frame)
		frame, err = ReadFrame(in)
	}
	c.Close()
	if err != io.EOF {
		c.client.Failed(err.Error())
	}
	c.mutex.Lock()
	waiting, open := c.waiting, c.open
	c.waiting = nil
	c.written.Signal()
	c.mutex.Unlock()
	for _, answer := range waiting {
		answer.settle(Frame{}, ErrEnded)
	}
	for _, answer := range open {
		answer.settle(Frame{}, ErrEnded)
	}
	close(c.ended)
}

// heardReader notes when something came.
type heardReader struct{ c *Connection }

func (r heardReader) Read(buffer []byte) (int, error) {
	count, err := r.c.socket.Read(buffer)
	atomic.StoreInt64(&r.c.heard, time.Now().UnixNano())
	return count, err
}

func (c *Connection) take(frame Frame) {
	switch {
	case frame.Token(1) == "response":
		c.answered(frame)
	case frame.Token(1) == "sip" && frame.Status() > 0:
		c.responded(frame)
	case frame.Token(1) == "sip":
		c.requested(frame)
	} // any other type: left out (FRAME-25)
}

func (c *Connection) answered(frame Frame) {
	last := frame.Tokens[len(frame.Tokens)-1] != "continue" // else more answers to this frame will come (APP-3)
	c.mutex.Lock()
	answer := c.waiting[frame.Token(2)]
	if last {
		delete(c.waiting, frame.Token(2))
	}
	c.mutex.Unlock()
	switch result := frame.Token(3); {
	case answer == nil && result == "NO":
		c.client.Failed(frame.Text()) // it belongs to no frame (APP-4)
	case answer == nil:
	case result != "OK":
		answer.settle(frame, Refused(frame.Text()))
	default:
		answer.hear(frame)
		if last {
			answer.settle(frame, nil)
		}
	}
}

func (c *Connection) responded(response Frame) {
	c.mutex.Lock()
	final := c.open[response.Token(8)]
	if response.Status() >= 200 {
		delete(c.open, response.Token(8))
	}
	c.mutex.Unlock()
	if final == nil {
		return
	}
	final.hear(response)
	if response.Status() >= 200 {
		final.settle(response, nil)
	}
}

func (c *Connection) requested(request Frame) {
	dialog := request.Token(9)
	handler := c.client.handler(dialog)
	switch {
	case handler != nil:
		handler(c, request)
	case dialog == "":
		c.client.Outside(c, request)
	case request.Token(2) == "network" && request.Method() != "ACK" && request.Method() != "CANCEL":
		c.Respond(request, "481 No Such Call", "", "")
	}
}
