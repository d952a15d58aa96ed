Feature: Ringing that arrives for certain
  A provisional response may get lost like any other datagram. One that matters (what the caller hears before the
  call is answered, whose media go where) is numbered and repeated until the other side acknowledges it with a PRACK.

  @REL-1 @REL-3 @slow
  Scenario: Alice acknowledges what the application tells her
    Given Alice is calling, and understands reliable provisional responses
    When the application answers "183 Session Progress" reliably
    Then Alice receives a reliable "183 Session Progress"
    When 1 seconds pass
    Then Alice receives it again
    When Alice acknowledges it with a PRACK
    Then the application receives the PRACK request
    When the application answers "200 OK" to it
    Then Alice's PRACK receives "200 OK"
    When 30 seconds pass
    Then Alice receives nothing

  @RSP-29
  Scenario: Alice's phone does not understand it
    Given Alice is calling
    When the application answers "183 Session Progress" reliably
    Then the application is told "Remote endpoint does not support 100rel"
    And Alice can still be refused

  @REL-2
  Scenario: Alice demands it, and the application knows nothing of it
    Given Alice is calling, and demands reliable provisional responses
    When the application answers "180 Ringing" to the call
    Then Alice receives a reliable "180 Ringing"
    When Alice acknowledges it with a PRACK
    Then Alice's PRACK receives "200 OK"
    And the application receives nothing

  @REL-5
  Scenario: The application takes the call before Alice has acknowledged
    Given Alice is calling, and understands reliable provisional responses
    When the application answers "183 Session Progress" reliably
    Then Alice receives a reliable "183 Session Progress"
    When the application takes the call
    Then Alice receives nothing
    When Alice acknowledges it with a PRACK
    Then the application receives the PRACK request
    And the application learns that its "200 OK" is on the way
    And Alice's call receives "200 OK"
    And the application receives the ACK request
    When Alice hangs up
    And the application answers "200 OK"
    Then Alice receives "200 OK"

  @REL-7 @slow
  Scenario: Alice never acknowledges
    Given Alice is calling, and understands reliable provisional responses
    When the application answers "183 Session Progress" reliably
    Then Alice receives a reliable "183 Session Progress"
    When 32 seconds pass
    Then Alice's call receives "504 Server Time-out"
    And the application learns that the server has given the call up because of "PRACK timeout"

  @REL-8
  Scenario: The application refuses before Alice has acknowledged
    Given Alice is calling, and understands reliable provisional responses
    When the application answers "183 Session Progress" reliably
    Then Alice receives a reliable "183 Session Progress"
    When the application refuses the call
    Then Alice's call receives "486 Busy Here"

  @REL-9 @REL-10
  Scenario: The application acknowledges what Carol tells it
    Given the application has authenticated
    And Carol has a SIP phone
    When the application calls Carol
    Then Carol receives an INVITE request
    When Carol answers "183 Session Progress" reliably with the number 4711
    Then the application receives her answer 183
    When Carol repeats her answer
    Then the application hears nothing of it
    When the application acknowledges the number 4711 with a PRACK
    Then Carol receives a PRACK request for the number 4711
    When Carol answers "200 OK"
    Then the application receives her answer 200

  @REL-11
  Scenario: The application acknowledges what Carol has not told it
    Given the application has authenticated
    And Carol has a SIP phone
    And a call from the application to Carol
    When the application sends a PRACK without a reason
    Then the application is told "Server error: unable to find IIP when sending PRACK"
    When the application hangs up
    Then Carol receives a BYE request
    When Carol answers "200 OK"
    Then the application receives her answer 200
