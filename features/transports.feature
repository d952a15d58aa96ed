@secure
Feature: By which way a call travels
  A phone at home speaks UDP, one in an office TLS, a browser WebSocket. To an application it is all one: the same call,
  and it is told by which way.

  Background:
    Given the application handles INVITE requests

  @NET-12 @CALL-12
  Scenario Outline: Alice calls, and hangs up
    When Alice calls over <transport>
    Then the application receives the INVITE request, by <token>
    When the application answers "200 OK"
    Then Alice receives "200 OK" with a Contact that leads back over <transport>
    When Alice acknowledges
    Then the application receives the ACK request
    When Alice hangs up
    Then the application receives the BYE request, by <token>
    When the application answers "200 OK"
    Then Alice receives "200 OK"

    Examples:
      | transport | token |
      | UDP       | udp   |
      | TCP       | tcp   |
      | TLS       | tls   |
      | WS        | tcp   |
      | WSS       | tcp   |

  @NET-12 @DLG-10
  Scenario Outline: The application hangs up, by the connection on which the call came
    Given a call between Alice and the application over <transport>
    When the application hangs up
    Then Alice receives a BYE request over <transport>
    When Alice answers 200
    Then the application receives her answer 200

    Examples:
      | transport |
      | TLS       |
      | WS        |
      | WSS       |

  @NET-7 @NET-12
  Scenario: A browser, which nobody can connect to, is asked by its own connection
    Given the application handles REGISTER requests
    When Alice registers from a browser as "alice@df7jal23ls0d.invalid"
    And the application accepts her
    And the application sends a MESSAGE request to "alice@df7jal23ls0d.invalid"
    Then Alice receives the MESSAGE request over WSS

  @NET-2 @NET-12
  Scenario Outline: The connection breaks before the answer
    When the application sends an OPTIONS request to Alice over <transport>
    And Alice's connection breaks
    Then the application receives the answer "503 Service Unavailable"

    Examples:
      | transport |
      | TLS       |
      | WSS       |

  @CONN-8
  Scenario: An application that connects by TLS is one like any other
    Given a second application has connected by TLS and handles INVITE requests
    When Alice calls over UDP
    And Alice calls over UDP
    Then the application receives one INVITE request
    And the second application receives one INVITE request
