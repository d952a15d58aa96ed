Feature: Giving up
  The application calls Carol, and then does not want to speak to her any more.

  Background:
    Given the application has authenticated
    And Carol has a SIP phone

  @OUT-8 @OUT-9
  Scenario: While it rings
    When the application calls Carol
    Then Carol receives an INVITE request
    When Carol answers "180 Ringing"
    Then the application receives her answer 180
    When the application cancels
    Then Carol receives a CANCEL request
    And Carol's phone stops ringing
    And the application receives her answer 487

  @OUT-8
  Scenario: Before anything was heard of Carol
    When the application calls Carol
    And the application cancels, which has to wait
    Then Carol receives an INVITE request
    When Carol answers "100 Trying"
    Then Carol receives a CANCEL request
    And Carol's phone stops ringing
    And the application receives her answer 487

  @OUT-11
  Scenario: Carol answers at that moment
    When the application calls Carol
    Then Carol receives an INVITE request
    When Carol answers "180 Ringing"
    Then the application receives her answer 180
    When the application cancels
    And Carol answers "200 OK"
    Then the application receives her answer 200
    When the application acknowledges
    Then Carol receives a BYE request because of "ACK-BYE due to cancel race condition"
    And the application learns that the server has hung up because of "ACK-BYE due to cancel race condition"

  @CALL-15
  Scenario: Twice
    When the application calls Carol
    And the application cancels, which has to wait
    And the application cancels once more
    Then the application is told that there is nothing to cancel
    And Carol receives an INVITE request
    When Carol answers "486 Busy Here"
    Then Carol receives an ACK request
    And the application receives her answer 486

  @OUT-12
  Scenario: The application goes while it rings
    When the application calls Carol
    Then Carol receives an INVITE request
    When Carol answers "180 Ringing"
    Then the application receives her answer 180
    When the application disconnects
    Then Carol receives a CANCEL request because of "Application disconnected"
    And Carol's phone stops ringing

  @OUT-12
  Scenario: The application goes, and Carol answers
    When the application calls Carol
    Then Carol receives an INVITE request
    When Carol answers "180 Ringing"
    Then the application receives her answer 180
    When the application disconnects
    Then Carol receives a CANCEL request because of "Application disconnected"
    When Carol takes the call all the same
    Then Carol receives an ACK request
    And Carol receives a BYE request because of "Application disconnected"

  @OUT-21 @slow
  Scenario: Carol's phone rings, and is never heard of again
    When the application calls Carol
    Then Carol receives an INVITE request
    When Carol answers "180 Ringing"
    Then the application receives her answer 180
    When 30 minutes pass
    Then Carol receives a CANCEL request because of "Request Timeout"
    When 33 seconds pass
    Then the application receives her answer 408

  @OUT-21 @OUT-10 @slow
  Scenario: Carol answers after all, when the server has lost patience
    When the application calls Carol
    Then Carol receives an INVITE request
    When Carol answers "180 Ringing"
    Then the application receives her answer 180
    When 30 minutes pass
    Then Carol receives a CANCEL request because of "Request Timeout"
    When Carol takes the call all the same
    Then the application receives her answer 200
    When the application acknowledges
    Then Carol receives an ACK request
    And the application can hang up
