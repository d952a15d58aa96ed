Feature: Keeping a call alive
  Calls that nobody would hear the end of have a session timer: one of the two has to show that it is still there. The
  application need not care.

  Background:
    Given the application handles INVITE requests

  @TIMER-3 @TIMER-1 @slow
  Scenario: The server shows that the application is still there
    Given a call between Alice and the application that the server has to refresh every 90 seconds
    When 51 seconds pass
    Then Alice receives a refresh with the session description of the application
    When Alice accepts the refresh
    Then Alice receives the acknowledgement of the server
    And the application receives nothing
    When 51 seconds pass
    Then Alice receives a refresh with the session description of the application
    When Alice accepts the refresh
    Then Alice receives the acknowledgement of the server
    When Alice hangs up
    And the application answers "200 OK"
    Then Alice receives "200 OK"

  @TIMER-4 @slow
  Scenario: Alice was to show that she is still there, and is not
    Given a call between Alice and the application that Alice has to refresh every 90 seconds
    When 91 seconds pass
    Then Alice receives a BYE request because of "Session timer expired"
    And the application learns that the server has hung up because of "Session timer expired"

  @TIMER-1 @TIMER-2 @slow
  Scenario: Alice shows that she is still there
    Given a call between Alice and the application that Alice has to refresh every 90 seconds
    When 60 seconds pass
    And Alice refreshes the call
    Then the application receives the UPDATE request
    When the application answers "200 OK"
    Then Alice receives "200 OK" with the header "Session-Expires: 90;refresher=uac"
    When 60 seconds pass
    Then Alice receives nothing
    When Alice hangs up
    And the application answers "200 OK"
    Then Alice receives "200 OK"

  @TIMER-5 @TIMER-4 @slow
  Scenario: Alice has forgotten the call
    Given a call between Alice and the application that the server has to refresh every 90 seconds
    When 51 seconds pass
    Then Alice receives a refresh with the session description of the application
    When Alice refuses the refresh with 481
    Then Alice receives a BYE request because of "Session timer expired"
    And the application learns that the server has hung up because of "Session timer expired"

  @TIMER-5 @slow
  Scenario: Alice was about to change the call at the same time
    Given a call between Alice and the application that the server has to refresh every 90 seconds
    When 51 seconds pass
    Then Alice receives a refresh with the session description of the application
    When Alice refuses the refresh with 491
    And 3 seconds pass
    Then Alice receives a refresh with the session description of the application
    When Alice accepts the refresh
    Then Alice receives the acknowledgement of the server
    When Alice hangs up
    And the application answers "200 OK"
    Then Alice receives "200 OK"

  @TIMER-7
  Scenario: Alice wants to be asked every ten seconds
    Given a call between Alice and the application that Alice has to refresh every 90 seconds
    When Alice asks for a session of 10 seconds
    Then Alice receives "422 Session Interval Too Small" with the header "Min-SE: 90"
    And the application receives nothing
    When Alice hangs up
    And the application answers "200 OK"
    Then Alice receives "200 OK"

  @TIMER-9 @TIMER-4 @slow
  Scenario: Nobody shows that an application is still there that is not
    Given a call between Alice and the application that the server has to refresh every 90 seconds
    When the application disconnects
    And 91 seconds pass
    Then Alice receives a BYE request because of "Session timer expired"
