Feature: Transfer
  Alice or the application asks the other to call Dave (REFER), and is told how far that is.

  Background:
    Given the application handles INVITE requests

  @SIP-4 @DLG-4 @DLG-2
  Scenario: Alice asks the application
    Given a call between Alice and the application
    When Alice sends a REFER request in the call
    Then the application receives the REFER request
    When the application answers "202 Accepted"
    Then Alice receives "202 Accepted"
    When the application notifies Alice that the transfer is at "SIP/2.0 100 Trying"
    Then Alice is told that the transfer is at "SIP/2.0 100 Trying"
    When Alice answers 200
    Then the application receives her answer 200
    When the application notifies Alice that the transfer is at "SIP/2.0 200 OK", which ends it
    Then Alice is told that the transfer is at "SIP/2.0 200 OK"
    When Alice answers 200
    Then the application receives her answer 200
    And Alice can hang up

  @DLG-4 @DLG-7 @DLG-2
  Scenario: The application asks Alice
    Given a call between Alice and the application
    When the application sends a REFER request in the call
    Then Alice receives a REFER request
    When Alice answers 202
    Then the application receives her answer 202
    When Alice notifies the application that the transfer is at "SIP/2.0 200 OK", which ends it
    Then the application receives the NOTIFY request
    When the application answers "200 OK"
    Then Alice receives "200 OK"
    And the application can hang up

  @SIP-4
  Scenario: The application refuses
    Given a call between Alice and the application
    When Alice sends a REFER request in the call
    Then the application receives the REFER request
    When the application answers "603 Decline"
    Then Alice receives "603 Decline"
    And Alice can hang up

  @DLG-18
  Scenario: Alice has forgotten the transfer, but not the call
    Given a call between Alice and the application
    When Alice sends a REFER request in the call
    Then the application receives the REFER request
    When the application answers "202 Accepted"
    Then Alice receives "202 Accepted"
    When the application notifies Alice that the transfer is at "SIP/2.0 100 Trying"
    Then Alice is told that the transfer is at "SIP/2.0 100 Trying"
    When Alice answers 481
    Then the application receives her answer 481
    And Alice can hang up
