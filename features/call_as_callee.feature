Feature: Taking a call
  Alice calls, and the application is the one who is called.

  Background:
    Given the application handles INVITE requests

  @CALL-1 @RSP-1
  Scenario: Busy
    When Alice calls
    Then Alice receives "100 Trying"
    When the application answers "486 Busy Here"
    Then Alice receives "486 Busy Here"
    And Alice acknowledges

  @CALL-12 @SIP-5 @SIP-4
  Scenario Outline: Alice hangs up
    When Alice calls over <transport>
    And the application answers "180 Ringing"
    Then Alice receives "180 Ringing"
    When the application answers "200 OK"
    Then Alice receives "200 OK"
    When Alice acknowledges
    Then the application receives the ACK request
    When Alice hangs up
    Then the application receives the BYE request
    When the application answers "200 OK"
    Then Alice receives "200 OK"

    Examples:
      | transport |
      | UDP       |
      | TCP       |

  @CALL-13 @DLG-4 @DLG-7
  Scenario: The application hangs up
    Given a call between Alice and the application
    When the application hangs up
    Then Alice receives a BYE request
    When Alice answers 200
    Then the application receives her answer 200

  @CALL-6 @SIP-7
  Scenario: Alice gives up before it rings
    When Alice calls
    Then the application receives the INVITE request
    When Alice cancels
    Then the application receives the CANCEL request
    And Alice receives "487 Request Terminated"
    And Alice acknowledges

  @CALL-6 @SIP-6
  Scenario: Alice gives up while it rings
    When Alice calls
    And the application answers "180 Ringing"
    And Alice cancels
    Then the application receives the CANCEL request
    And Alice receives "487 Request Terminated"
    And Alice acknowledges

  @CALL-7
  Scenario: Alice gives up too late
    When Alice calls
    And the application answers "200 OK"
    And Alice cancels
    Then her CANCEL receives "481 Call/Transaction Does Not Exist"
    And the application receives nothing
    When Alice acknowledges
    Then the application receives the ACK request
    When the application hangs up
    Then Alice receives a BYE request
    When Alice answers 200
    Then the application receives her answer 200

  @CALL-8 @CALL-9 @slow
  Scenario: Alice never acknowledges
    When Alice calls
    And the application answers "200 OK"
    And 33 seconds pass
    Then Alice receives a BYE request because of "ACK timeout"
    And the application learns that the server has hung up because of "ACK timeout"
    When Alice answers 200
    Then the application receives nothing

  @CALL-11 @slow
  Scenario: The application never answers
    When Alice calls
    And 65 seconds pass
    Then Alice receives "504 Server Time-out"
    And Alice acknowledges

  @CONN-3
  Scenario: The application goes while it rings
    When Alice calls
    And the application answers "180 Ringing"
    And the application disconnects
    Then Alice receives "480 Temporarily Unavailable"
    And Alice acknowledges

  @CONN-4
  Scenario: The application goes during the call
    Given a call between Alice and the application
    When the application disconnects
    And Alice hangs up
    Then Alice receives "481 Call/Transaction Does Not Exist"

  @CONN-5
  Scenario: Another application takes the call over
    Given a call between Alice and the application
    And a second application has authenticated
    When the application disconnects
    And the second application hangs up
    Then Alice receives a BYE request
    When Alice answers 200
    Then the second application receives her answer 200
