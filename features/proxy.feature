Feature: Passing a call on
  Alice calls Bob, who has a desk phone and a mobile phone. The application does not want to be an end of the call: it says
  where the call is to go, and the server takes it there.

  Background:
    Given the application handles INVITE requests
    And Bob has a desk phone and a mobile phone

  @PROXY-1 @PROXY-7 @PROXY-22 @PROXY-23 @PROXY-24
  Scenario: Alice is put through, and the call stays under the server's eyes
    When Alice calls
    And the application proxies the call to Bob's desk phone, staying in the way
    Then Bob's desk phone rings
    And the application is told that the call is under way
    When Bob's desk phone answers "180 Ringing"
    Then Alice receives "180 Ringing"
    When Bob's desk phone answers "200 OK"
    Then Alice receives "200 OK"
    When Alice acknowledges
    Then Bob's desk phone receives an ACK request
    When Alice hangs up
    Then Bob's desk phone receives a BYE request
    When Bob's desk phone answers the BYE
    Then Alice receives "200 OK"
    And the application hears nothing of it

  @PROXY-8 @PROXY-14
  Scenario: Nobody picks up, and the application hears how each target failed
    When Alice calls
    And the application proxies the call to Bob's desk phone, then his mobile phone, wanting to hear all
    Then Bob's desk phone rings
    When Bob's desk phone answers "503 Service Unavailable"
    Then the application is told that it answered "503 Service Unavailable"
    And Bob's desk phone receives an ACK request
    And Bob's mobile phone rings
    When Bob's mobile phone answers "486 Busy Here"
    Then the application is told that it answered "486 Busy Here"
    And the application is told that it is over
    And Bob's mobile phone receives an ACK request
    And Alice receives "486 Busy Here"
    And Alice acknowledges

  @PROXY-3
  Scenario: A phone that rings for too long
    When Alice calls
    And the application proxies the call to Bob's desk phone, then his mobile phone, giving each 2 seconds
    Then Bob's desk phone rings
    And the application is told that the call is under way
    When Bob's desk phone answers "180 Ringing"
    Then Alice receives "180 Ringing"
    When 2 seconds pass
    Then Bob's desk phone stops ringing
    And Bob's mobile phone rings
    When Bob's mobile phone answers "200 OK"
    Then Alice receives "200 OK"
    And Alice acknowledges

  @PROXY-15
  Scenario: Alice gives up
    When Alice calls
    And the application proxies the call to Bob's desk phone
    Then Bob's desk phone rings
    And the application is told that the call is under way
    When Bob's desk phone answers "180 Ringing"
    Then Alice receives "180 Ringing"
    When Alice cancels
    Then Bob's desk phone stops ringing
    And Alice receives "487 Request Terminated"
    And Alice acknowledges
    And the application hears nothing of it

  @PROXY-17
  Scenario: Bob picks up when Alice has just given up
    When Alice calls
    And the application proxies the call to Bob's desk phone
    Then Bob's desk phone rings
    And the application is told that the call is under way
    When Bob's desk phone answers "180 Ringing"
    Then Alice receives "180 Ringing"
    When Alice cancels
    Then Alice receives "487 Request Terminated"
    And Alice acknowledges
    And Bob's desk phone receives a CANCEL request
    When Bob's desk phone answers "200 OK"
    Then Bob's desk phone receives an ACK request
    And Bob's desk phone receives a BYE request

  @PROXY-9
  Scenario: The application has mistyped the number
    When Alice calls
    And the application proxies the call to "+4930123"
    Then the application is told "error proxying request to +4930123"
    And Alice receives "500 Internal Server Error"
    And Alice acknowledges

  @PROXY-28
  Scenario: The application ends in the middle of it
    When Alice calls
    And the application proxies the call to Bob's desk phone, then his mobile phone
    Then Bob's desk phone rings
    And the application is told that the call is under way
    When the application disconnects
    And Bob's desk phone answers "486 Busy Here"
    Then Bob's desk phone receives an ACK request
    And Bob's mobile phone rings
    When Bob's mobile phone answers "200 OK"
    Then Alice receives "200 OK"
    And Alice acknowledges
