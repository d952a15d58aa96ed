package main

import (
	"errors"
	"math/rand"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// A Handler is told of a request; it must not wait.
type Handler func(*Connection, Frame)

// A Client is an application that stays connected. Its dialogs outlive each connection.
type Client struct {
	Secret  string
	Methods []string          // that are routed
	Outside Handler           // for requests outside dialogs, CANCELs among them
	Failed  func(text string) // told what went wrong and what nobody waits for
	Pause   time.Duration     // before the first try to connect again
	Silence time.Duration     // before a ping

	mutex   sync.Mutex
	dialogs map[string]Handler
	current *Connection
}

// Keep has what comes in a dialog go to inside. An empty id is none.
func (client *Client) Keep(dialog string, inside Handler) {
	client.mutex.Lock()
	defer client.mutex.Unlock()
	if client.dialogs == nil {
		client.dialogs = map[string]Handler{}
	}
	if dialog != "" {
		client.dialogs[dialog] = inside
	}
}

// Forget says that a dialog is over; whether it was known.
func (client *Client) Forget(dialog string) bool {
	client.mutex.Lock()
	defer client.mutex.Unlock()
	_, known := client.dialogs[dialog]
	delete(client.dialogs, dialog)
	return known
}

// Knows is whether a dialog is not over.
func (client *Client) Knows(dialog string) bool { return client.handler(dialog) != nil }

func (client *Client) handler(dialog string) Handler {
	client.mutex.Lock()
	defer client.mutex.Unlock()
	return client.dialogs[dialog]
}

// Current is the connection that was authenticated last; it may have ended.
func (client *Client) Current() *Connection {
	client.mutex.Lock()
	defer client.mutex.Unlock()
	return client.current
}

// Stay connects, and after each loss again, later and later (APP-24). The error is a Refused: the secret is wrong.
func (client *Client) Stay(connect func() (net.Conn, error)) error {
	for pause := client.Pause; ; pause *= 2 {
		socket, err := connect()
		if err == nil {
			err = client.Serve(socket)
		}
		if err == nil {
			pause = client.Pause
		} else if refused := Refused(""); errors.As(err, &refused) {
			return refused
		}
		if pause > 30*time.Second {
			pause = 30 * time.Second
		}
		time.Sleep(time.Duration(float64(pause) * (0.8 + 0.4*rand.Float64())))
	}
}

// Serve has one connection to its end, whoever made it. The error is a Refused, or ErrEnded if it was lost before all
// was routed.
func (client *Client) Serve(socket net.Conn) error {
	connection := newConnection(client, socket)
	greeting, err := connection.Ask(nil, "", "authenticate", client.Secret, "").Wait()
	if err != nil {
		return err
	}
	if greeting.Token(5) != "" { // a server that tells no version knows no ping
		go connection.ping(client.Silence)
	}
	for _, method := range client.Methods {
		if _, err := connection.Ask(nil, "", "route", method).Wait(); err != nil {
			return err
		}
	}
	client.mutex.Lock()
	client.current = connection
	client.mutex.Unlock()
	<-connection.ended
	return nil
}

// ping gives a connection up on which nothing comes, not even a pong (APP-25).
func (c *Connection) ping(silence time.Duration) {
	silent := func() time.Duration { return time.Duration(time.Now().UnixNano() - atomic.LoadInt64(&c.heard)) }
	wait := func(span time.Duration) bool {
		select {
		case <-time.After(span):
			return true
		case <-c.ended:
			return false
		}
	}
	for wait(silence - silent()) {
		if silent() < silence {
			continue
		}
		c.Ask(nil, "", "ping")
		if wait(silence/2) && silent() >= silence {
			c.Close()
			return
		}
	}
}
