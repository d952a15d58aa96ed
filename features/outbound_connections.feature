@connecting
Feature: Connecting to an application that listens
  An application does not have to stay connected. It listens, the server connects to it for each new request, and gives
  it the request when it has shown the secret.

  @OUTB-1 @OUTB-2
  Scenario: A request is delivered by a connection of its own
    Given the application listens
    When Alice sends an OPTIONS request
    Then the server connects to the application
    When the application shows the right secret
    Then the application receives the OPTIONS request
    When the application answers "200 OK"
    Then Alice receives "200 OK"

  @OUTB-4
  Scenario: A call lives on the connection by which it came
    Given the application listens
    When Alice calls
    Then the server connects to the application
    When the application shows the right secret
    Then the application receives the INVITE request
    When the application answers "200 OK"
    Then Alice receives "200 OK"
    When Alice acknowledges
    Then the application receives the ACK request
    When Alice hangs up
    Then the application receives the BYE request

  @OUTB-4
  Scenario: The next request has another connection
    Given the application listens
    When Alice sends an OPTIONS request
    Then the server connects to the application
    When the application shows the right secret
    Then the application receives the OPTIONS request
    When Alice sends a MESSAGE request
    Then the server connects to the application once more
    When the second application shows the right secret
    Then the second application receives the MESSAGE request
    And the application receives nothing

  @OUTB-5
  Scenario: Nobody listens
    When Alice calls
    Then Alice receives "480 Temporarily Unavailable"

  @OUTB-6
  Scenario: Who listens does not know the secret
    Given the application listens
    When Alice calls
    Then the server connects to the application
    When the application shows a wrong secret
    Then the application is refused because of "incorrect secret"
    And its connection is closed
    And Alice receives "480 Temporarily Unavailable"

  @OUTB-6 @slow
  Scenario: Who listens says nothing
    Given the application listens
    When Alice calls
    Then the server connects to the application
    When 10 seconds pass
    Then Alice receives "480 Temporarily Unavailable"
