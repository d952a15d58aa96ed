@screened
Feature: Keeping strangers out
  Scanners call every server that they find. The operator has named the sign of one, and does not want it to ring anybody:
  by UDP it hears nothing at all, over a connection it is declined. A monitor is answered without bothering anybody.

  Background:
    Given the application handles INVITE requests

  @SCREEN-1 @SCREEN-2
  Scenario: A scanner over a connection is declined
    When somebody with the program "sipcli/1.8" calls by TCP
    Then that caller receives "603 Decline"
    And the application receives nothing

  @SCREEN-2
  Scenario: A scanner by UDP hears nothing
    When somebody with the program "sipcli/1.8" calls by UDP
    Then that caller receives nothing
    And the application receives nothing

  @SCREEN-1
  Scenario: Others may call
    When somebody with the program "phone/1" calls by UDP
    Then the application receives the INVITE request
    When the application answers "486 Busy Here"
    Then that caller receives "486 Busy Here"

  @SCREEN-4
  Scenario: A monitor asks whether the server is there
    Given the application handles OPTIONS requests
    When somebody with the program "monitor/1" asks by UDP
    Then that caller receives "200 OK"
    And the application receives nothing
