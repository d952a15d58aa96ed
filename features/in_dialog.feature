Feature: Inside a call
  What Alice and the application say to each other while their call stands, or rings.

  Background:
    Given the application handles INVITE requests

  @DLG-12 @SIP-4
  Scenario: Alice changes the call
    Given a call between Alice and the application
    When Alice changes the call
    Then the application receives the INVITE request
    When the application answers "200 OK"
    Then Alice receives "200 OK"
    And Alice acknowledges
    And the application receives the ACK request
    And Alice can hang up

  @DLG-13 @DLG-7
  Scenario: The application changes the call
    Given a call between Alice and the application
    When the application changes the call
    Then Alice receives an INVITE request
    When Alice answers 200
    Then the application receives her answer 200
    When the application acknowledges
    Then Alice receives an ACK request
    And the application can hang up

  @DLG-15
  Scenario: Both change it at once
    Given a call between Alice and the application
    When the application changes the call
    Then Alice receives an INVITE request
    When Alice changes the call
    Then Alice receives "491 Request Pending"
    And Alice acknowledges
    And the application receives nothing
    When Alice answers "491 Request Pending" to the INVITE request
    Then the application receives her answer 491
    And Alice receives an ACK request
    When Alice changes the call
    Then the application receives the INVITE request
    When the application answers "200 OK"
    Then Alice receives "200 OK"
    And Alice acknowledges
    And the application receives the ACK request
    And Alice can hang up

  @OUT-8 @DLG-13
  Scenario: The application thinks better of it
    Given a call between Alice and the application
    When the application changes the call
    Then Alice receives an INVITE request
    When Alice answers "180 Ringing" to the INVITE request
    Then the application receives her answer 180
    When the application cancels
    Then Alice receives a CANCEL request
    When Alice answers "200 OK" to the CANCEL request
    And Alice answers "487 Request Terminated" to the INVITE request
    Then the application receives her answer 487
    And Alice receives an ACK request
    And Alice can hang up

  @SIP-4 @DLG-2 @DLG-17
  Scenario Outline: What Alice says in a call reaches the application, which has routed nothing of it
    Given a call between Alice and the application
    When Alice sends an <method> request in the call
    Then the application receives the <method> request
    When the application answers "200 OK"
    Then Alice receives "200 OK"
    And Alice can hang up

    Examples:
      | method  |
      | INFO    |
      | UPDATE  |
      | MESSAGE |
      | OPTIONS |
      | PARLEY  |

  @DLG-4 @DLG-7
  Scenario Outline: What the application says in a call reaches Alice
    Given a call between Alice and the application
    When the application sends an <method> request in the call
    Then Alice receives an <method> request
    When Alice answers 200
    Then the application receives her answer 200
    And Alice can hang up

    Examples:
      | method  |
      | INFO    |
      | UPDATE  |
      | MESSAGE |
      | OPTIONS |

  @SIP-4
  Scenario Outline: What Alice says while it rings
    When Alice calls
    And the application answers "180 Ringing"
    Then Alice receives "180 Ringing"
    When Alice sends an <method> request in the call
    Then the application receives the <method> request
    When the application answers "200 OK"
    Then Alice receives "200 OK"

    Examples:
      | method |
      | INFO   |
      | UPDATE |

  @CALL-16
  Scenario: Alice hangs up while it rings
    When Alice calls
    And the application answers "180 Ringing"
    Then Alice receives "180 Ringing"
    When Alice sends a BYE request in the call
    Then Alice receives "487 Request Terminated"
    And Alice receives "200 OK"
    And the application receives the BYE request
    And Alice acknowledges

  @DLG-18
  Scenario: Alice knows nothing of the call
    Given a call between Alice and the application
    When the application sends an INFO request in the call
    Then Alice receives an INFO request
    When Alice answers "481 Call/Transaction Does Not Exist" to the INFO request
    Then the application receives her answer 481
    And the application learns that the server has hung up because of "Call does not exist"
    And Alice receives a BYE request because of "Call does not exist"

  @DLG-18 @slow
  Scenario: Alice is silent
    Given a call between Alice and the application
    When the application changes the call
    Then Alice receives an INVITE request
    When 33 seconds pass
    Then the application receives her answer 408
    And the application learns that the server has hung up because of "Call does not exist"
    And Alice receives a BYE request because of "Call does not exist"

  @OUT-12
  Scenario: The application goes while it changes the call
    Given a call between Alice and the application
    When the application changes the call
    Then Alice receives an INVITE request
    When Alice answers "180 Ringing" to the INVITE request
    Then the application receives her answer 180
    When the application disconnects
    Then Alice receives a CANCEL request
    When Alice answers "200 OK" to the INVITE request
    Then Alice receives an ACK request
    And Alice receives a BYE request because of "Application disconnected"
