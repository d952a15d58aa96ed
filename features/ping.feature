Feature: Ping
  An application wants to know whether its server is still there.

  @PING-1
  Scenario: A ping is answered
    Given the application has authenticated
    Then the application's ping is answered

  @PING-1 @FRAME-20
  Scenario: An application is served while another makes mistakes
    Given the application has authenticated
    And a second application has authenticated
    When the second application sends something that nobody understands
    Then the second application is refused because of "Unknown message type"
    And the application's ping is answered

  @FRAME-17 @slow
  Scenario: An application may be silent for a long time
    Given the application has authenticated
    When 10 minutes pass
    Then the application's ping is answered
