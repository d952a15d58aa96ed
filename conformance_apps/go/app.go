// The conformance app in Go, standard library alone; docs/conformance-app.md is the contract. frame.go, connection.go and
// client.go are a small client library, this is the application on it.
//
//	(cd conformance_apps/go && go build -o /tmp/app) && drachtio-conformance client -- /tmp/app
package main

import (
	"crypto/md5"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"math/rand"
	"net"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	sdp     = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n"
	sdpType = "Content-Type: application/sdp\r\n"
)

var (
	userPart    = regexp.MustCompile(`^\S+ sips?:([^@;>]*)@`)
	respond     = regexp.MustCompile(`^respond-([1-6][0-9]{2})$`)
	digestParts = regexp.MustCompile(`(\w+)="([^"]*)"`)
	standardOut sync.Mutex
)

type details map[string]any

// say tells the suite what cannot be seen on the wire.
func say(event string, more details) {
	said := details{"event": event}
	for name, value := range more {
		said[name] = value
	}
	line, _ := json.Marshal(said)
	standardOut.Lock()
	defer standardOut.Unlock()
	fmt.Printf("%s\n", line)
}

func failed(text string) { say("failed", details{"text": text}) }

// outside is a request outside dialogs: the user part of its URI says what is wanted.
func outside(c *Connection, request Frame) {
	user := ""
	if found := userPart.FindStringSubmatch(request.Start()); found != nil {
		user = found[1]
	}
	wanted := respond.FindStringSubmatch(user)
	switch method := request.Method(); {
	case method == "CANCEL":
		say("cancelled", nil)
	case method == "ACK":
	case wanted != nil:
		c.Respond(request, wanted[1]+" As You Wish", line("X-Echo", request.Header("X-Echo")), "")
	case user == "echo":
		c.Respond(request, "200 OK", line("Content-Type", request.Header("Content-Type")), request.Body())
	case user == "do":
		do(c, request)
	case user == "proxy":
		go proxy(c, request)
	case user == "accept" && method == "SUBSCRIBE":
		(&call{client: c.client, subscription: true}).subscribed(c, request)
	case user == "accept":
		c.Respond(request, "200 OK", line("Contact", request.Header("Contact")+";expires=300"), "")
	case method == "INVITE" && (strings.HasPrefix(user, "answer") || strings.HasPrefix(user, "ring")):
		pickUp(c, request, user)
	default:
		c.Respond(request, "501 Not Implemented", "", "")
	}
}

// line is a header line; without a value it is empty.
func line(name, value string) string {
	if value == "" {
		return ""
	}
	return name + ": " + value + "\r\n"
}

func pickUp(c *Connection, invite Frame, user string) {
	first, plan, _ := strings.Cut(user, "-")
	answered := &call{client: c.client, plan: plan}
	if first == "ring" {
		c.Accept(invite, "180 Ringing", answered.inside, "", "")
	}
	if user == "answer-after-prack" {
		c.Accept(invite, "183 Session Progress", answered.inside, "Require: 100rel\r\n"+sdpType, sdp)
	}
	if user != "ring" {
		c.Accept(invite, "200 OK", answered.inside, sdpType, sdp)
	}
}

func proxy(c *Connection, request Frame) {
	words := map[string]bool{}
	for _, word := range strings.Fields(request.Header("X-Proxy")) {
		words[word] = true
	}
	tokens := []string{"proxy", request.Token(8)}
	for _, option := range []string{"remainInDialog", "fullResponse", "followRedirects"} {
		if !words[option] {
			option = ""
		}
		tokens = append(tokens, option)
	}
	order := "serial"
	if words["simultaneous"] {
		order = "simultaneous"
	}
	tokens = append(tokens, order, "undefined", "undefined")
	for _, target := range strings.Split(request.Header("X-Proxy-To"), ",") {
		tokens = append(tokens, strings.TrimSpace(target))
	}
	told := func(answer Frame) {
		if status := answer.Status(); status > 0 {
			say("answer", details{"status": status})
		}
	}
	if _, err := c.Ask(told, request.Method()+" sip:placeholder SIP/2.0\r\n\r\n", tokens...).Wait(); err != nil {
		failed(err.Error())
	} else {
		say("proxied", nil)
	}
}

// A job is something that the application shall begin: the JSON in a MESSAGE.
type job struct {
	Do, ID, Method, URI, Dialog, Body string
	Headers                           map[string]string
	Cancel, Bye, Reliable             string
	User, Password                    string
	Expires                           string
}

func do(c *Connection, request Frame) {
	var wanted job
	err := json.Unmarshal([]byte(request.Body()), &wanted)
	known := map[string]func(*Connection, job) (Frame, error){
		"request": send, "dialog": send, "call": begin, "subscribe": subscribe,
	}
	work := known[wanted.Do]
	if err != nil || work == nil {
		c.Respond(request, "501 Not Implemented", "", "")
		return
	}
	c.Respond(request, "200 OK", "", "")
	go func() {
		if final, err := work(c, wanted); err != nil {
			say("result", details{"id": wanted.ID, "text": err.Error()})
		} else {
			say("result", details{"id": wanted.ID, "status": final.Status()})
		}
	}()
}

func send(c *Connection, wanted job) (Frame, error) {
	headers := ""
	for name, value := range wanted.Headers {
		headers += line(name, value)
	}
	return c.Send(Request{
		Method: wanted.Method, URI: wanted.URI, Dialog: wanted.Dialog, Headers: headers, Body: wanted.Body,
	}).Wait()
}

func begin(c *Connection, wanted job) (Frame, error) {
	begun := &call{client: c.client, name: wanted.ID}
	invite := Request{Method: "INVITE", URI: wanted.URI, Body: sdp}
	if wanted.Reliable != "" {
		invite.Headers = "Supported: 100rel\r\n"
	}
	cancel := wanted.Cancel
	invite.Told = func(frame Frame) {
		echo := frame.Token(1) == "response"
		if echo && cancel == "at-once" {
			cancel = ""
			c.Cancel(frame.Token(10))
		} else if !echo && frame.Status() < 200 {
			if cancel == "ringing" {
				cancel = ""
				c.Cancel(frame.Token(8))
			}
			if strings.Contains(frame.Header("Require"), "100rel") {
				rack := line("RAck", frame.Header("RSeq")+" "+frame.Header("CSeq"))
				c.Send(Request{Method: "PRACK", Dialog: frame.Token(9), Headers: rack})
			}
		}
	}
	final, err := c.Begin(invite, begun.inside)
	if err == nil && (final.Status() == 401 || final.Status() == 407) && wanted.Password != "" {
		invite.Headers += credentials(final, wanted)
		final, err = c.Begin(invite, begun.inside)
	}
	if err == nil && final.Status() < 300 && wanted.Bye != "" {
		err = begun.hangUp(c, final.Token(9))
	}
	return final, err
}

// credentials are the headers by which a challenged INVITE is sent again (APP-19): Digest without qop, RFC 2617.
func credentials(challenge Frame, wanted job) string {
	ask, answer := "WWW-Authenticate", "Authorization"
	if challenge.Status() == 407 {
		ask, answer = "Proxy-Authenticate", "Proxy-Authorization"
	}
	asked := map[string]string{}
	for _, part := range digestParts.FindAllStringSubmatch(challenge.Header(ask), -1) {
		asked[part[1]] = part[2]
	}
	hash := func(parts ...string) string { return fmt.Sprintf("%x", md5.Sum([]byte(strings.Join(parts, ":")))) }
	realm, nonce := asked["realm"], asked["nonce"]
	response := hash(hash(wanted.User, realm, wanted.Password), nonce, hash("INVITE", wanted.URI))
	number, _, _ := strings.Cut(challenge.Header("CSeq"), " ")
	sequence, _ := strconv.Atoi(number)
	return line("From", challenge.Header("From")) +
		line("Call-ID", challenge.Header("Call-ID")) +
		line("CSeq", fmt.Sprintf("%d INVITE", sequence+1)) +
		line(answer, fmt.Sprintf(`Digest username="%s", realm="%s", nonce="%s", uri="%s", response="%s"`,
			wanted.User, realm, nonce, wanted.URI, response))
}

func subscribe(c *Connection, wanted job) (Frame, error) {
	if wanted.Expires == "" {
		wanted.Expires = "60"
	}
	begun := &call{client: c.client, name: wanted.ID, subscription: true}
	request := Request{
		Method: "SUBSCRIBE", URI: wanted.URI, Headers: line("Event", "presence") + line("Expires", wanted.Expires),
	}
	final, err := c.Begin(request, begun.inside)
	if err == nil && final.Status() < 300 {
		go begun.refresh(final, request.Headers)
	}
	return final, err
}

// A call is a call or a subscription, from either side.
type call struct {
	client       *Client
	name         string // id of the job that began it
	plan         string // what is done when the ACK comes
	subscription bool   // a call outlives the subscription of a REFER in it (RFC 5057 §4.1)
}

// inside is a request in the dialog (APP-10).
func (k *call) inside(c *Connection, request Frame) {
	dialog := request.Token(9)
	switch request.Method() {
	case "ACK":
		plan := k.plan
		k.plan = ""
		go k.acknowledged(c, dialog, plan)
	case "CANCEL":
		say("cancelled", nil)
		k.over(dialog)
	case "BYE":
		k.over(dialog)
		if request.Token(2) == "network" { // else the server has sent it itself (APP-15)
			c.Respond(request, "200 OK", "", "")
		}
	case "INVITE":
		c.Respond(request, "200 OK", sdpType, sdp)
	case "UPDATE":
		if request.Body() == "" {
			c.Respond(request, "200 OK", "", "")
		} else {
			c.Respond(request, "200 OK", sdpType, sdp)
		}
	case "SUBSCRIBE":
		k.subscribed(c, request)
	case "NOTIFY":
		c.Respond(request, "200 OK", "", "")
		if k.subscription && strings.Contains(request.Header("Subscription-State"), "terminated") {
			k.over(dialog)
		}
	case "REFER":
		c.Respond(request, "202 Accepted", "", "")
	case "INFO", "OPTIONS", "MESSAGE", "PRACK":
		c.Respond(request, "200 OK", "", "")
	default:
		c.Respond(request, "501 Not Implemented", "", "")
	}
}

func (k *call) over(dialog string) {
	if k.client.Forget(dialog) {
		say("over", details{"id": k.name})
	}
}

// acknowledged goes on as planned: the caller's ACK has come.
func (k *call) acknowledged(c *Connection, dialog, plan string) {
	var err error
	switch plan {
	case "bye":
		err = k.hangUp(c, dialog)
	case "info":
		_, err = c.Send(Request{
			Method: "INFO", Dialog: dialog, Headers: line("Content-Type", "application/dtmf-relay"), Body: "Signal=5\r\n",
		}).Wait()
	case "refer":
		_, err = c.Send(Request{Method: "REFER", Dialog: dialog, Headers: line("Refer-To", "<sip:carol@127.0.0.1>")}).Wait()
	case "reinvite":
		reinvite := Request{Method: "INVITE", Dialog: dialog, Body: sdp}
		var final Frame
		final, err = c.Send(reinvite).Wait()
		for err == nil && final.Status() == 491 && k.client.Knows(dialog) {
			time.Sleep(time.Duration(rand.Int63n(int64(2 * time.Second)))) // APP-18
			final, err = c.Send(reinvite).Wait()
		}
		if err == nil && final.Status() < 300 {
			_, err = c.Send(Request{Method: "ACK", Dialog: dialog}).Wait()
		}
	}
	if err != nil && err != ErrEnded {
		failed(err.Error())
	}
}

func (k *call) hangUp(c *Connection, dialog string) error {
	_, err := c.Send(Request{Method: "BYE", Dialog: dialog}).Wait()
	k.over(dialog)
	return err
}

// subscribed is a SUBSCRIBE, the first one or a refresh: 202, and a NOTIFY behind it.
func (k *call) subscribed(c *Connection, request Frame) {
	expires := request.Header("Expires")
	if expires == "" {
		expires = "60"
	}
	state := "active;expires=" + expires
	if expires == "0" {
		state = "terminated"
	}
	accepted := c.Accept(request, "202 Accepted", k.inside, line("Expires", expires), "")
	go func() {
		echo, err := accepted.Wait()
		if err != nil {
			return
		}
		headers := line("Event", "presence") + line("Subscription-State", state)
		c.Send(Request{Method: "NOTIFY", Dialog: echo.Token(11), Headers: headers}).Wait()
		if expires == "0" {
			k.over(echo.Token(11))
		}
	}()
}

// refresh refreshes a subscription in time: nobody tells that it has run out (APP-17).
func (k *call) refresh(final Frame, headers string) {
	dialog := final.Token(9)
	for err := error(nil); err == nil && final.Status() < 300; {
		expires, wrong := strconv.Atoi(final.Header("Expires"))
		if wrong != nil {
			expires = 60
		}
		time.Sleep(time.Duration(expires) * time.Second * 6 / 10)
		if !k.client.Knows(dialog) {
			return
		}
		final, err = k.client.Current().Send(Request{Method: "SUBSCRIBE", Dialog: dialog, Headers: headers}).Wait()
	}
}

func main() {
	rand.Seed(time.Now().UnixNano())
	client := &Client{
		Secret:  os.Getenv("DRACHTIO_SECRET"),
		Methods: []string{"invite", "message", "options", "subscribe", "register", "info", "notify", "publish"},
		Outside: outside,
		Failed:  failed,
		Pause:   seconds("DRACHTIO_RECONNECT", time.Second),
		Silence: seconds("DRACHTIO_PING", 20*time.Second),
	}
	go func() { // the end of standard input ends the app
		io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	address := net.JoinHostPort(os.Getenv("DRACHTIO_HOST"), os.Getenv("DRACHTIO_PORT"))
	switch os.Getenv("DRACHTIO_MODE") {
	case "outbound":
		listen(client)
	case "tls":
		certificates, err := os.ReadFile(os.Getenv("DRACHTIO_CA"))
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		config := &tls.Config{RootCAs: x509.NewCertPool()}
		config.RootCAs.AppendCertsFromPEM(certificates)
		refused(client.Stay(func() (net.Conn, error) { return tls.Dial("tcp", address, config) }))
	default:
		refused(client.Stay(func() (net.Conn, error) { return net.Dial("tcp", address) }))
	}
}

// listen waits for servers that connect (mode outbound).
func listen(client *Client) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	say("listening", details{"port": listener.Addr().(*net.TCPAddr).Port})
	for {
		socket, err := listener.Accept()
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		go func() { refused(client.Serve(socket)) }()
	}
}

func refused(err error) {
	if text, is := err.(Refused); is {
		say("refused", details{"text": text})
	}
}

func seconds(name string, otherwise time.Duration) time.Duration {
	value, err := strconv.ParseFloat(os.Getenv(name), 64)
	if err != nil {
		return otherwise
	}
	return time.Duration(value * float64(time.Second))
}
