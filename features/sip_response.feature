Feature: Answering a request
  The application says what matters; the server makes a complete SIP response of it and tells what it sent.

  Background:
    Given the application handles OPTIONS requests

  @RSP-1 @RSP-2
  Scenario: A status is enough
    When Alice sends an OPTIONS request
    And the application answers "200 OK"
    Then Alice receives "200 OK"

  @RSP-7
  Scenario: Headers of the application's own
    When Alice sends an OPTIONS request
    And the application answers "486 Busy Here" with the header "X-custom: my custom header value"
    Then Alice receives "486 Busy Here" with the header "X-custom: my custom header value"

  @RSP-10
  Scenario: An application need not know the server's address
    When Alice sends an OPTIONS request
    And the application answers "200 OK" with the header "Contact: <sip:me@localhost>"
    Then Alice receives "200 OK" with a Contact at the server's address

  @RSP-24
  Scenario: Progress, and then the answer
    When Alice sends an OPTIONS request
    And the application answers "183 Session Progress"
    Then Alice receives "183 Session Progress"
    When the application answers "200 OK"
    Then Alice receives "200 OK"

  @RSP-13
  Scenario: Two answers to one request
    When Alice sends an OPTIONS request
    And the application answers "200 OK"
    Then Alice receives "200 OK"
    When the application answers "486 Busy Here" once more
    Then it is told "Response not sent due to unknown transaction"
    And Alice receives nothing

  @RSP-12 @DLG-2
  Scenario: An answer to somebody else's request
    Given a second application has authenticated
    When Alice sends an OPTIONS request
    And the second application answers "403 Forbidden" in its place
    Then the second application is told "Response not sent due to unknown transaction"
    When the application answers "200 OK"
    Then Alice receives "200 OK"

  @RSP-16
  Scenario: An answer that makes no sense
    When Alice sends an OPTIONS request
    And the application answers with the status line "SIP/2.0 abc OK"
    Then it is told "Unknown server error sending response"
    And Alice receives nothing
    When the application answers "200 OK"
    Then Alice receives "200 OK"
