@cdrs
Feature: Call detail records
  One application handles calls. Another keeps accounts of them: it is told when a call is tried, answered and over.

  Background:
    Given the application handles INVITE requests
    And an accountant has asked for call detail records

  @CDR-1 @CDR-2 @CDR-3
  Scenario: A call from beginning to end
    When Alice calls
    Then the accountant learns that a call is tried
    When the application answers "200 OK"
    Then Alice receives "200 OK"
    And the accountant learns that the call has started, as "uas"
    When Alice acknowledges
    Then the application receives the ACK request
    When Alice hangs up
    Then the application receives the BYE request
    And the accountant learns that the call is over because of "normal-release"
    When the application answers "200 OK"
    Then Alice receives "200 OK"
    And the accountant learns nothing more

  @CDR-4
  Scenario: Busy
    When Alice calls
    Then the accountant learns that a call is tried
    When the application answers "486 Busy Here"
    Then Alice receives "486 Busy Here"
    And the accountant learns that the call is over because of "call-rejected"
    When Alice acknowledges
    Then the accountant learns nothing more

  @CDR-5 @CDR-9
  Scenario: Alice gives up before the application has said anything
    When Alice calls
    Then the accountant learns that a call is tried
    And the application receives the INVITE request
    When Alice cancels
    Then the application receives the CANCEL request
    And the accountant learns that the call is over because of "call-canceled"
    And Alice receives "487 Request Terminated"
    When Alice acknowledges
    Then the accountant learns nothing more

  @CDR-5 @CDR-10
  Scenario: Alice never acknowledges
    When Alice calls
    Then the accountant learns that a call is tried
    When the application answers "200 OK"
    Then Alice receives "200 OK"
    And the accountant learns that the call has started, as "uas"
    When 33 seconds pass
    Then Alice receives a BYE request because of "ACK timeout"
    And the accountant learns that the call is over because of "system-initiated-termination"

  @CDR-5
  Scenario: The application is gone
    When Alice calls
    Then the accountant learns that a call is tried
    And the application receives the INVITE request
    When the application disconnects
    Then Alice receives "480 Temporarily Unavailable"
    And the accountant learns that the call is over because of "call-rejected"
    And Alice acknowledges

  @CDR-1 @CDR-2 @CDR-13
  Scenario: The application calls, and two phones answer
    Given Carol has a SIP phone
    When the application calls Carol
    Then the accountant learns that a call is tried
    And Carol receives an INVITE request
    When Carol answers "200 OK"
    Then the application receives her answer 200
    And the accountant learns that the call has started, as "uac"
    When the application acknowledges
    Then Carol receives an ACK request
    When another phone of Carol's answers too
    Then that phone receives an ACK request
    And that phone receives a BYE request because of "Call completed elsewhere"
    And the accountant learns nothing more
    When the application hangs up
    Then Carol receives a BYE request
    And the accountant learns that the call is over because of "normal-release"
    When Carol answers "200 OK"
    Then the application receives her answer 200
